"""Models built by statements of a script or of a function that does more than that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context, Draft
from migrator.codemods.models.build import render
from migrator.codemods.models.factory import (
    Found,
    after_model,
    construction,
    draft_of,
    find_model,
    graph_of,
    said_of_parts,
)
from migrator.codemods.models.functional import Shape, module
from migrator.codemods.models.graph import assigned
from migrator.codemods.models.naming import class_name
from migrator.codemods.models.of_object import of_object
from migrator.codemods.models.script_names import class_of, free_name, module_names
from migrator.codemods.models.text import names
from migrator.codemods.nodes import find
from migrator.model import Decline, InterfaceChange, UnitKind


def model_statements(statements: Sequence[cst.BaseStatement], ctx: Context, name_hint: str = "") -> Draft | None:
    """The draft of statements that build one model, for which a class goes to the top level.

    `statements` begin with the first that belongs to the model (an `Input`, or the `Sequential`) and
    end with the last. `hoisted` is the class; `text` the statement that makes it. None when no
    model is built here.
    """
    found = find_model(statements, ctx)
    if found is None or (found.name is None and not _returns(statements[-1])):
        return None
    held, call = found.name or "", _original(found, statements, ctx)
    found, own = of_object(found, statements, ctx)
    inside = {name for s in found.before for name in assigned(s)} | {held}
    outside = {
        name: name for s in found.before for name in names(s) if name not in inside and _is_local(name, ctx, statements)
    }
    graph = graph_of(found, ctx, outside | {name: name for name in own})
    if isinstance(graph, Decline):
        return Draft("".join(ctx.code(s) for s in statements), UnitKind.SCRIPT, declines=(graph,))
    name = free_name(class_name(name_hint), ctx) if name_hint else class_of(call, ctx)
    made = module(ctx, graph, Shape(name, f"{ctx.module}:{name}"))
    made = replace(made, params=tuple(own.get(name, name) for name in made.params))
    text = "".join(f"{line}\n" for line in said_of_parts(statements, ctx))
    text += f"{f'{held} =' if held else 'return'} {construction(made)}.to(device)\n"
    text += "".join(f"{line}\n" for s in found.after for line in after_model(s, held, ctx, made.build.needs))
    hoisted = render(made.build)
    gone = inside - {held} if any(s in ctx.tree.body for s in statements) else set()
    changes = [
        InterfaceChange(f"{ctx.module}:{each}", "renames", f"{each} belonged to the layer graph, which is {name} now")
        for each in sorted(gone)
        if each not in _bound_elsewhere(ctx, statements)
    ]
    draft = draft_of(made, hoisted + text, UnitKind.SCRIPT, changes)
    return replace(draft, text=text, hoisted=hoisted, needs_device=True)


def _original(found: Found, statements: Sequence[cst.BaseStatement], ctx: Context) -> cst.Call:
    """The call that makes the model as the source has it."""
    at = found.spans.get(found.call)
    calls = (c for s in statements for c in find(s, m.Call()) if isinstance(c, cst.Call))
    return found.call if at is None else next(c for c in calls if ctx.spans.get(c) == at)


def _returns(statement: cst.BaseStatement) -> bool:
    """Whether a line returns what it makes."""
    return m.matches(statement, m.SimpleStatementLine([m.Return(m.Call())]))


def _bound_elsewhere(ctx: Context, statements: Sequence[cst.BaseStatement]) -> set[str]:
    return {name for s in ctx.tree.body if s not in statements for name in assigned(s)}


def _is_local(name: str, ctx: Context, statements: Sequence[cst.BaseStatement]) -> bool:
    """Whether a name belongs to the function around the statements, not to the module."""
    if any(statement in ctx.tree.body for statement in statements):
        return False
    return name not in module_names(ctx)
