"""The static gate: what a candidate must be before anything of it is executed.

It is no proof of good behaviour - the sandbox holds what runs - but most of what a confused, lazy or
malicious reply contains dies here, with a reason that the model can act on.
"""

from __future__ import annotations

import ast

from migrator.llm.candidate import Candidate
from migrator.llm.fragment import Contract
from migrator.llm.gate_elisions import elisions
from migrator.llm.gate_interface import interface
from migrator.llm.gate_reach import reach

MOST = 5
"""Problems told at once."""

LARGEST = 200_000
"""Characters of a candidate; more is no rewrite of one unit."""


def problems(candidate: Candidate, contract: Contract) -> tuple[str, ...]:
    """What is wrong with a candidate, in words for the model and the report; empty when nothing is."""
    if len(candidate.text) > LARGEST:
        return (f"the reply has {len(candidate.text)} characters, far more than the unit needs",)
    try:
        tree, helpers, imports = (_parsed(candidate.code), _parsed(*candidate.helpers), _parsed(*candidate.imports))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
        return (f"it does not parse: {getattr(error, 'msg', error)}{where}",)
    original = ast.parse(contract.original)
    found = [
        *interface(tree, helpers, contract),
        *reach(tree, helpers, imports, original, contract),
        *elisions(candidate, tree, original, contract),
    ]
    return tuple(dict.fromkeys(found))[:MOST]


def _parsed(*texts: str) -> ast.Module:
    return ast.parse("\n\n".join(texts))
