"""Functions of a file that only return a list of callbacks: the list is written where `fit` takes it."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.callback_lists import is_callback
from migrator.codemods.training.calls import bind
from migrator.codemods.training.scope import count
from migrator.codemods.training.writer import Unfit, Writer


def callback_factory(call: cst.Call, ctx: Context) -> cst.FunctionDef | None:
    """The function of the file that a call runs, when all it does is return a list of callbacks."""
    if not isinstance(call.func, cst.Name):
        return None
    name = call.func.value
    found = [s for s in ctx.tree.body if isinstance(s, cst.FunctionDef) and s.name.value == name]
    return found[0] if len(found) == 1 and returned_callbacks(found[0], ctx) is not None else None


def returned_callbacks(function: cst.FunctionDef, ctx: Context) -> cst.List | None:
    """The list of callbacks that is all a function makes, under its docstring."""
    body = list(function.body.body)
    if function.get_docstring() is not None:
        body = body[1:]
    line = body[0] if len(body) == 1 else None
    part = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    if not isinstance(part, cst.Return) or not isinstance(part.value, cst.List) or not part.value.elements:
        return None
    return part.value if all(is_callback(e.value, ctx) for e in part.value.elements) else None


def written_in_place(call: cst.Call, factory: cst.FunctionDef, writer: Writer) -> tuple[cst.List, Writer]:
    """The list that a factory returns, with the call's arguments for its parameters."""
    parameters = factory.params.params
    given = bind(call, [p.name.value for p in parameters])
    if not isinstance(given, dict):
        raise Unfit(f"{factory.name.value}: {given.reason}")
    renames = {p.name.value: writer.text(p.default) for p in parameters if p.default is not None}
    renames |= {name: writer.text(node) for name, node in given.items()}
    if any(p.name.value not in renames for p in parameters):
        raise Unfit(f"the arguments of {factory.name.value} are not certain")
    listed = returned_callbacks(factory, writer.ctx)
    assert listed is not None
    return listed, replace(writer, renames=renames)


def is_written_in_place(function: cst.FunctionDef, ctx: Context) -> bool:
    """Whether a callback factory is called for nothing but the `callbacks` of a `fit`."""
    if returned_callbacks(function, ctx) is None:
        return False
    name = function.name.value
    taken = find(ctx.tree, m.Arg(keyword=m.Name("callbacks"), value=m.Call(func=m.Name(name))))
    return bool(taken) and len(taken) == count(ctx.tree, name) - 1
