"""A candidate as the draft of its unit, to be rendered and checked like any other."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable
from dataclasses import replace

from migrator.codemods.context import Draft
from migrator.codemods.files import FileDraft, Part
from migrator.codemods.repository import RepositoryDraft
from migrator.codemods.units import bound_names
from migrator.llm.candidate import Candidate
from migrator.llm.fragment import Fragment
from migrator.llm.gate_interface import bound
from migrator.model import Helper, Origin

GAPS = {
    "tf.keras.optimizers.Adam": "adam-epsilon",
    "tf.keras.optimizers.AdamW": "adam-epsilon",
    "tf.compat.v1.train.AdamOptimizer": "adam-epsilon",
    "tf.keras.optimizers.SGD": "sgd-velocity",
    "tf.keras.layers.BatchNormalization": "batchnorm-variance",
}
"""Documented differences that code with these APIs may carry; the verifier still measures both figures."""


def as_draft(candidate: Candidate, fragment: Fragment, file: FileDraft, part: Part) -> Draft:
    """The draft of a unit as a model wrote it: same kind and interface changes, no weight records."""
    old = part.draft
    assert old is not None
    kept = [helper for helper in old.helpers if candidate.framed and _mentions(candidate.text, helper.name)]
    helpers = (*kept, *_helpers(candidate))
    return Draft(
        text=candidate.code.strip("\n") + "\n",
        kind=old.kind,
        imports=frozenset(candidate.imports),
        helpers=helpers,
        changes=old.changes,
        gaps=old.gaps | {GAPS[api] for api in fragment.apis if api in GAPS},
        notes=tuple(_notes(candidate)),
        needs_device=_needs_device(candidate, file) or (candidate.framed and old.needs_device),
        origin=origin(candidate, fragment),
    )


def as_written(draft: RepositoryDraft, unit: str, text: str, origin: Origin, gaps: Iterable[str]) -> RepositoryDraft:
    """The draft with a unit as a model wrote it in an earlier run; `text` is the file that holds it now."""
    _, part = draft.part(unit)
    if part.draft is None:
        return draft
    names = {name for statement in part.segment.statements for name in bound_names(statement)}
    names |= {c.detail.rpartition(" ")[2] for c in part.draft.changes if c.kind == "factory-to-module"}
    lines = text.split("\n")
    found = [n for n in ast.parse(text).body if names & set(bound(n))]
    own = "".join("\n".join(lines[_first(n) - 1 : n.end_lineno]) + "\n" for n in found)
    new = replace(part.draft, declines=(), text=own or part.draft.text, weights=(), gaps=frozenset(gaps), origin=origin)
    return draft.with_draft(unit, new)


def _mentions(text: str, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(ast.parse(text)))


def _first(node: ast.stmt) -> int:
    """The line on which a statement begins, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def _helpers(candidate: Candidate) -> list[Helper]:
    """One helper for each top-level name, so that two of the same name are seen as such."""
    found = []
    for source in candidate.helpers:
        names = [name for node in ast.parse(source).body for name in bound(node)]
        found.append(Helper(names[0] if names else source[:40], textwrap.dedent(source).strip("\n") + "\n"))
    return found


def _notes(candidate: Candidate) -> list[str]:
    said = [f"a model says it took for granted: {text}" for text in candidate.assumptions if text.strip()]
    return said + [f"a model says it did not keep: {text}" for text in candidate.not_kept if text.strip()]


def _needs_device(candidate: Candidate, file: FileDraft) -> bool:
    tree = ast.parse(candidate.text)
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "device"]
    given = any(isinstance(n, ast.arg) and n.arg == "device" for n in ast.walk(tree))
    bound_here = given or any(isinstance(n.ctx, ast.Store) for n in names)
    in_file = any("device" in bound_names(s) for part in file.parts for s in part.segment.statements)
    return bool(names) and not bound_here and not in_file


def origin(candidate: Candidate, fragment: Fragment) -> Origin:
    """HYBRID where lines that the rules wrote are kept, else LLM."""

    def lines(text: str) -> set[str]:
        return {line.strip() for line in text.splitlines() if len(line.strip()) > 8}

    if candidate.framed:
        return Origin.HYBRID
    written = fragment.draft if fragment.frame is None else fragment.frame.text
    rules = lines(written) - lines(fragment.original)
    return Origin.HYBRID if rules & lines(candidate.code) else Origin.LLM
