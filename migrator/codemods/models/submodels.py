"""A model made where it is called, `Model(inputs, x)(x_in)`: its inputs are what it is given, its output is `x`.

Keras users write it to give a part of a network a name; the generated module is that part.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.ends import MODEL, ends, is_input
from migrator.codemods.models.swap import swapped
from migrator.codemods.models.text import names
from migrator.codemods.nodes import find
from migrator.values import Api, Span

Spans = dict[cst.CSTNode, Span]
_APPLIED = m.Call(func=m.Call(), args=[m.Arg(star="", keyword=None)])


def inlined(
    statements: Sequence[cst.BaseStatement], given: Collection[str], ctx: Context, spans: Spans
) -> list[cst.BaseStatement]:
    """The statements without models made and called at once on the tensors `given`; others stay as they are.

    `spans` receives the positions of nodes that had to be made again.
    """
    calls = [c for s in statements for c in find(s, _APPLIED) if isinstance(c, cst.Call) and _is_model(c, ctx)]
    new: dict[cst.CSTNode, cst.CSTNode] = {}
    for call in calls:
        new.update(_exchanges(call, statements, given, ctx) or {})
    return [_exchanged(s, new, ctx, spans) for s in statements] if new else list(statements)


def _is_model(call: cst.Call, ctx: Context) -> bool:
    assert isinstance(call.func, cst.Call)
    callee = ctx.value(call.func.func)
    return isinstance(callee, Api) and callee.name in MODEL


def _exchanged(
    statement: cst.BaseStatement, new: dict[cst.CSTNode, cst.CSTNode], ctx: Context, spans: Spans
) -> cst.BaseStatement:
    made, moved = swapped(statement, new, ctx.spans)
    assert isinstance(made, cst.SimpleStatementLine | cst.BaseCompoundStatement)
    if made is not statement:
        spans.update(moved)
    return made


def _exchanges(
    call: cst.Call, statements: Sequence[cst.BaseStatement], given: Collection[str], ctx: Context
) -> dict[cst.CSTNode, cst.CSTNode] | None:
    """Node → what takes its place: the call of the model, and the statements that make its inputs."""
    assert isinstance(call.func, cst.Call)
    bound = ends(call.func)
    pairs = None if bound is None else _pairs(bound[0], call.args[0].value, given)
    if bound is None or not pairs:
        return None
    new: dict[cst.CSTNode, cst.CSTNode] = {call: bound[1]}
    for name, value in pairs.items():
        made = [a for s in statements for a in find(s, m.Assign()) if isinstance(a, cst.Assign) and _binds(a, name)]
        if not made or not all(_is_inputs(assign.value, ctx) for assign in made):
            return None
        read = sum(names(s).get(name, 0) for s in statements) - len(made) - names(call.func).get(name, 0)
        new.update({assign: _alias(assign, name, value, bool(read)) for assign in made})
    return new


def _pairs(
    inputs: cst.BaseExpression, args: cst.BaseExpression, given: Collection[str]
) -> dict[str, cst.BaseExpression] | None:
    """Which input of the model stands for which tensor; None where that is not written out."""
    if isinstance(inputs, cst.Name):
        return {inputs.value: args} if isinstance(args, cst.Name) and args.value in given else None
    if not isinstance(inputs, cst.List | cst.Tuple) or not isinstance(args, cst.List | cst.Tuple):
        return None
    both = [_pairs(i.value, a.value, given) for i, a in zip(inputs.elements, args.elements, strict=False)]
    if len(inputs.elements) != len(args.elements) or not all(both):
        return None
    return {name: value for pair in both if pair for name, value in pair.items()}


def _binds(assign: cst.Assign, name: str) -> bool:
    return any(isinstance(t.target, cst.Name) and t.target.value == name for t in assign.targets)


def _is_inputs(node: cst.BaseExpression, ctx: Context) -> bool:
    """`Input(...)`, or several of them."""
    if isinstance(node, cst.Tuple | cst.List):
        return bool(node.elements) and all(is_input(e.value, ctx) for e in node.elements)
    return is_input(node, ctx)


def _alias(assign: cst.Assign, name: str, value: cst.BaseExpression, read: bool) -> cst.Assign:
    """`x = inputs = Input(...)` as `x = x_in`."""
    others = [t for t in assign.targets if not (isinstance(t.target, cst.Name) and t.target.value == name)]
    return assign.with_changes(targets=assign.targets if read or not others else others, value=value)
