"""Which units of the original draw random numbers, by what their text names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from migrator.model import UnitRewrite
from migrator_validators.hints import Modules

DRAWS = re.compile(r"random|dropout|shuffle|multinomial|noise|(^|_)(choice|permutation|sample)$|^categorical$", re.I)
"""Names of functions, classes and modules that draw, or that are likely to; more than needed does no harm."""


def drawing(rewrites: Iterable[UnitRewrite], original: Modules, modules: Mapping[str, str]) -> frozenset[str]:
    """The ids of units that mention a draw in what the original says there. `modules`: path → import name."""
    return frozenset(r.unit.id for r in rewrites if any(map(DRAWS.search, _names(r, original, modules))))


def _names(rewrite: UnitRewrite, original: Modules, modules: Mapping[str, str]) -> Iterator[str]:
    """Every name and attribute that is read in a unit."""
    tree = original.trees.get(modules[rewrite.unit.path])
    for statement in tree.body if tree is not None else ():
        if rewrite.unit.start <= statement.lineno <= rewrite.unit.end:
            for node in ast.walk(statement):
                if isinstance(node, ast.Attribute):
                    yield node.attr
                elif isinstance(node, ast.Name):
                    yield node.id
