"""A Sequential that the graph around it calls once, `image = model(noise)`: its layers are layers of that graph.

Keras users write it to give a chain of layers an `Input` of its own; the generated module is the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.sequence import INPUT, Spans, additions, calls, is_sequential, mentions
from migrator.codemods.models.swap import swapped
from migrator.codemods.models.text import names
from migrator.codemods.nodes import ancestors, find
from migrator.values import Tensor


@dataclass(frozen=True)
class Flat:
    """Statements without the Sequential models in them; `shown`: what printed one of those, `name` it."""

    statements: list[cst.BaseStatement]
    spans: Spans = field(default_factory=dict)
    shown: tuple[cst.BaseStatement, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class _Inner:
    """A Sequential among statements: the places of what makes it, fills it and prints it, and of the one call."""

    name: str
    made: int
    filled: tuple[int, ...]
    printed: tuple[int, ...]
    used: int
    call: cst.Call


def flat(statements: Sequence[cst.BaseStatement], ctx: Context) -> Flat:
    """The statements with each Sequential that they make, and call once on a tensor, in the place of its call."""
    found = Flat(list(statements))
    while True:
        made = next((f for i in range(len(found.statements)) if (f := _without(i, found, ctx)) is not None), None)
        if made is None:
            return found
        found = made


def inner_until(body: Sequence[cst.BaseStatement], index: int, ctx: Context) -> int:
    """Where the Sequential that a statement of a block makes is called; -1 where it is not a part of one graph."""
    inner = _inner(index, body, ctx)
    if inner is None:
        return -1
    scope = next((n for n in ancestors(body[index], ctx.tree) if isinstance(n, cst.FunctionDef)), ctx.tree)
    inside = sum(names(s).get(inner.name, 0) for s in body)
    return inner.used if names(scope).get(inner.name, 0) == inside else -1


def _without(index: int, found: Flat, ctx: Context) -> Flat | None:
    """The statements without the Sequential that one of them makes."""
    inner = _inner(index, found.statements, ctx)
    chain = None if inner is None else _chain(inner, found, ctx)
    if inner is None or chain is None:
        return None
    gone = {inner.made, *inner.filled, *inner.printed, inner.used}
    before = [s for i, s in enumerate(found.statements[: inner.used]) if i not in gone]
    after = [s for i, s in enumerate(found.statements) if i > inner.used and i not in gone]
    if any(mentions(s, INPUT) for s in after):
        return None
    shown = (*found.shown, *(found.statements[i] for i in inner.printed))
    return Flat([*before, *chain, *after], found.spans, shown, inner.name if inner.printed else found.name)


def _inner(index: int, statements: Sequence[cst.BaseStatement], ctx: Context) -> _Inner | None:
    name = _makes(statements[index], ctx)
    if not name:
        return None
    filled, printed, used = [], [], []
    for place, statement in enumerate(statements):
        if place == index or not mentions(statement, name):
            continue
        if m.matches(statement, _shows(name)):
            printed.append(place)
        elif additions(statement, name, ctx, {}) is not None:
            filled.append(place)
        else:
            used.append(place)
    call = _call(statements[used[0]], name, ctx) if len(used) == 1 else None
    if call is None or not index < used[0] or any(not index < f < used[0] for f in filled):
        return None
    return _Inner(name, index, tuple(filled), tuple(p for p in printed if p > index), used[0], call)


def _makes(statement: cst.BaseStatement, ctx: Context) -> str:
    """The name to which a line binds a Sequential, or ""."""
    line = m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Name())], m.Call())])
    if not m.matches(statement, line):
        return ""
    part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    assert isinstance(part, cst.Assign)
    target = part.targets[0].target
    return target.value if isinstance(target, cst.Name) and is_sequential(part.value, ctx) else ""


def _shows(name: str) -> m.SimpleStatementLine:
    summary = m.Call(m.Attribute(m.Name(name), m.Name("summary")), [])
    return m.SimpleStatementLine([m.Expr(summary)])


def _call(statement: cst.BaseStatement, name: str, ctx: Context) -> cst.Call | None:
    """The one call of a model on a tensor of a graph, in a line that does nothing else with the model."""
    if not m.matches(statement, m.SimpleStatementLine([m.Assign() | m.Return()])):
        return None
    found = find(statement, m.Call(m.Name(name), [m.Arg(keyword=None, star="")]))
    call = found[0] if len(found) == 1 and names(statement).get(name) == 1 else None
    value = ctx.value(call) if call is not None else None
    symbolic = isinstance(value, Tensor) and value.origin == "keras"
    return call if symbolic and isinstance(call, cst.Call) else None


def _chain(inner: _Inner, found: Flat, ctx: Context) -> list[cst.BaseStatement] | None:
    """The layers as calls, from the tensor that the model is given to the line that calls it."""
    first, used = found.statements[inner.made], found.statements[inner.used]
    assert isinstance(first, cst.SimpleStatementLine)
    assert isinstance(first.body[0], cst.Assign)
    assert isinstance(first.body[0].value, cst.Call)
    assert isinstance(used, cst.SimpleStatementLine)
    listed = calls(first.body[0].value, ctx)
    added = [additions(found.statements[i], inner.name, ctx, found.spans) for i in inner.filled]
    if listed is None:
        return None
    layers = [s for s in (*listed, *added) if s is not None and not m.matches(s, m.SimpleStatementLine([m.Pass()]))]
    layers = _beginning(layers, inner.call.args[0].value, first)
    value = used.body[0]
    if isinstance(value, cst.Assign) and value.value is inner.call:
        return _ending(layers, used, value)
    made, spans = swapped(used, {inner.call: cst.Name(INPUT)}, ctx.spans)
    assert isinstance(made, cst.SimpleStatementLine)
    found.spans.update(spans)
    return [*layers, made]


def _beginning(
    layers: list[cst.BaseStatement], given: cst.BaseExpression, first: cst.SimpleStatementLine
) -> list[cst.BaseStatement]:
    """The layers, the first of them called on what the model is given."""
    line = _layer(layers[0]) if layers else None
    if line is None:
        start = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(INPUT))], given)])
        return [start.with_changes(leading_lines=first.leading_lines), *layers]
    call = line.value.with_changes(args=[cst.Arg(given)])
    lead = [*first.leading_lines, *layers[0].leading_lines]  # type: ignore[attr-defined]
    return [cst.SimpleStatementLine([line.with_changes(value=call)], leading_lines=lead), *layers[1:]]


def _ending(layers: list[cst.BaseStatement], used: cst.SimpleStatementLine, use: cst.Assign) -> list[cst.BaseStatement]:
    """The layers, the last of them bound to the name that the model's output has."""
    line = _layer(layers[-1])
    if line is None:
        end = used.with_changes(body=[use.with_changes(value=cst.Name(INPUT))])
        return [*layers, end]
    lead = [*layers[-1].leading_lines, *used.leading_lines]  # type: ignore[attr-defined]
    return [*layers[:-1], cst.SimpleStatementLine([line.with_changes(targets=use.targets)], leading_lines=lead)]


def _layer(statement: cst.BaseStatement) -> cst.Assign | None:
    """The assignment of `x = layer(x)`, made for a layer of a Sequential."""
    part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    return part if isinstance(part, cst.Assign) and isinstance(part.value, cst.Call) else None
