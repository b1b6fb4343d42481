"""Names that new imports bring and that a file has for something else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods import functional_calls
from migrator.codemods.context import Context, Draft
from migrator.codemods.imports import bound_by, merged
from migrator.codemods.nodes import find
from migrator.codemods.units import Segment, bound_names
from migrator.model import Decline
from migrator.values import Api, ModuleRef

_TF = frozenset({"tensorflow", "keras", "tf_keras", "tensorflow_addons"})


def without_clash(draft: Draft | None, seg: Segment, ctx: Context) -> Draft | None:
    """A unit whose new imports bind names that the file or the unit has for something else stays.

    `torch.nn.functional` has another spelling than `F`, which the unit gets then.
    """
    if draft is None or draft.declines:
        return draft
    if functional_calls.IMPORT in draft.imports and "F" in _taken(draft, seg, ctx):
        draft = functional_calls.spelled_out(draft, seg)
    wanted = _taken(draft, seg, ctx)
    reasons = [f"`{wanted[name]}` is needed, and `{name}` is something else here" for name in sorted(wanted)]
    return replace(draft, declines=tuple(map(Decline, reasons)))


def _taken(draft: Draft, seg: Segment, ctx: Context) -> dict[str, str]:
    """Names of new imports that mean something else, with the import: of helpers at the top level alone."""
    helpers = {line for helper in draft.helpers for line in helper.imports}
    at_top, inside = _bound_at_top(ctx, draft.imports | helpers), _bound_inside(seg, ctx)
    own = {name: text for text in draft.imports for name in bound_by(text) if name in at_top | inside}
    return {name: text for text in helpers for name in bound_by(text) if name in at_top} | own


def _bound_at_top(ctx: Context, new: Collection[str]) -> set[str]:
    """Names of the top level that are not bound by the very imports that are to come, or by TensorFlow's."""
    found: set[str] = set()
    known = {name: text for text in merged(new) for name in bound_by(text)}
    for statement in ctx.tree.body:
        parts = statement.body if isinstance(statement, cst.SimpleStatementLine) else [statement]
        for part in parts:
            if isinstance(part, cst.Import | cst.ImportFrom):
                found |= _imported_otherwise(part, known)
            elif not (isinstance(part, cst.Assign) and isinstance(ctx.value(part.value), ModuleRef | Api)):
                found |= set(bound_names(part))
    return found


def _imported_otherwise(part: cst.Import | cst.ImportFrom, known: Mapping[str, str]) -> set[str]:
    if isinstance(part.names, cst.ImportStar):
        return set()
    text = cst.Module([]).code_for_node(part.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)).strip()
    root = text.split()[1].split(".")[0]
    if root in _TF or root == "torch":
        return set()
    one = {name: line for line in _one_by_one(text) for name in bound_by(line)}
    return {name for name, line in one.items() if name in known and line not in _one_by_one(known[name])}


def _one_by_one(text: str) -> list[str]:
    """`import a, b as c` and `from a import (b, c)` as one statement for each name."""
    head, _, names = text.replace("(", "").replace(")", "").partition("import ")
    return [f"{head}import {' '.join(name.split())}" for name in names.split(",") if name.strip()]


def _bound_inside(seg: Segment, ctx: Context) -> set[str]:
    """Parameters and variables of the unit's functions."""
    found: set[str] = set()
    for statement in seg.statements:
        found |= {n.name.value for n in find(statement, m.Param()) if isinstance(n, cst.Param)}
        for assign in find(statement, m.Assign()):
            assert isinstance(assign, cst.Assign)
            if not isinstance(ctx.value(assign.value), ModuleRef | Api):
                found |= set(bound_names(assign))
    return found
