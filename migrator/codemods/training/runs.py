"""Stretches of statements that build one model each."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models.extraction import extracts
from migrator.codemods.models.modes import frozen_part
from migrator.codemods.models.nested import inner_until
from migrator.codemods.models.sequence import shows
from migrator.codemods.nodes import find
from migrator.values import Api, Tensor
from migrator.values import Sequence as SequenceValue

_MODELS = ("tf.keras.Sequential", "tf.keras.Model")


def model_runs(body: Sequence[cst.BaseStatement], ctx: Context) -> dict[int, int]:
    """Stretches of a block that build one model each: index of the first statement → past the last."""
    runs: dict[int, int] = {}
    past, inner = 0, _inner(body, ctx)
    for index, statement in enumerate(body):
        name = _makes_model(statement, ctx)
        if name is None or index < past or index in inner:
            continue
        first = min((i for i in inner if past <= i < index), default=index)
        start = next((i for i in range(past, first) if _is_symbolic(body[i], ctx)), first)
        while start > past and _freezes_part(body[start - 1], body[start : index + 1], ctx):
            start -= 1
        past = index + 1
        for later in range(index + 1, len(body)):
            if _adds_to(body[later], name):
                past = later + 1
            elif shows(body[later], name):
                continue  # it may grow on
            elif not isinstance(body[later], cst.SimpleStatementLine) or name in _reads(body[later]):
                break
        runs[start] = past
    return runs


def shown_within(run: Sequence[cst.BaseStatement], ctx: Context) -> list[cst.SimpleStatementLine]:
    """The lines of a run that print its model before the last layer is added."""
    made = [(i, name) for i, statement in enumerate(run) if (name := _makes_model(statement, ctx))]
    at, name = made[-1] if made else (0, "")
    return [s for s in run[at:] if isinstance(s, cst.SimpleStatementLine) and shows(s, name)]


def _inner(body: Sequence[cst.BaseStatement], ctx: Context) -> set[int]:
    """The places at which Sequential models are made that are parts of the graph behind them."""
    made = [i for i, statement in enumerate(body) if _makes_model(statement, ctx) is not None]
    until = {i: inner_until(body, i, ctx) for i in made}
    inner = {i for i in made if until[i] >= 0}
    while broken := {i for i in inner if any(i < j < until[i] for j in made if j not in inner)}:
        inner -= broken
    return inner


def _makes_model(statement: cst.BaseStatement, ctx: Context) -> str | None:
    """What a line binds a Sequential or Functional model to, "" where it returns it."""
    part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    if not isinstance(part, cst.Assign | cst.Return) or not isinstance(part.value, cst.Call):
        return None
    callee = ctx.value(part.value.func)
    if not isinstance(callee, Api) or callee.name not in _MODELS or extracts(part.value, ctx):
        return None
    return get_full_name_for_node(part.targets[0].target) if isinstance(part, cst.Assign) else ""


def _freezes_part(statement: cst.BaseStatement, run: Sequence[cst.BaseStatement], ctx: Context) -> bool:
    """Whether a line freezes a model that the statements behind it call."""
    owner = frozen_part(statement, ctx)
    calls = [c for s in run for c in find(s, m.Call()) if isinstance(c, cst.Call)]
    return owner is not None and any(ctx.code(c.func).strip() == ctx.code(owner).strip() for c in calls)


def _is_symbolic(statement: cst.BaseStatement, ctx: Context) -> bool:
    """Whether a line binds a tensor of a layer graph, or several."""
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Assign):
        return False
    value = ctx.value(statement.body[0].value)
    parts = value.items if isinstance(value, SequenceValue) and value.items else (value,)
    return all(isinstance(part, Tensor) and part.origin == "keras" for part in parts)


def _adds_to(statement: cst.BaseStatement, name: str) -> bool:
    calls = find(statement, m.Call(func=m.Attribute(attr=m.Name("add"))))
    return bool(name) and any(get_full_name_for_node(c.func.value) == name for c in calls)  # type: ignore[attr-defined]


def _reads(statement: cst.BaseStatement) -> set[str]:
    return {get_full_name_for_node(n) or "" for n in find(statement, m.Name() | m.Attribute())}
