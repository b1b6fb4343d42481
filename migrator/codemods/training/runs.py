"""Stretches of statements that build one model each."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.values import Api, Tensor

_MODELS = ("tf.keras.Sequential", "tf.keras.Model")


def model_runs(body: Sequence[cst.BaseStatement], ctx: Context) -> dict[int, int]:
    """Stretches of a block that build one model each: index of the first statement → past the last."""
    runs: dict[int, int] = {}
    past = 0
    for index, statement in enumerate(body):
        name = _makes_model(statement, ctx)
        if name is None or index < past:
            continue
        start = next((i for i in range(past, index) if _is_symbolic(body[i], ctx)), index)
        past = index + 1
        for later in range(index + 1, len(body)):
            if _adds_to(body[later], name):
                past = later + 1
            elif not isinstance(body[later], cst.SimpleStatementLine) or name in _reads(body[later]):
                break
        runs[start] = past
    return runs


def _makes_model(statement: cst.BaseStatement, ctx: Context) -> str | None:
    """The name that a line binds to a Sequential or Functional model."""
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Assign):
        return None
    part = statement.body[0]
    target = part.targets[0].target
    if not isinstance(part.value, cst.Call) or not isinstance(target, cst.Name):
        return None
    callee = ctx.value(part.value.func)
    return target.value if isinstance(callee, Api) and callee.name in _MODELS else None


def _is_symbolic(statement: cst.BaseStatement, ctx: Context) -> bool:
    """Whether a line binds a tensor of a layer graph."""
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Assign):
        return False
    value = ctx.value(statement.body[0].value)
    return isinstance(value, Tensor) and value.origin == "keras"


def _adds_to(statement: cst.BaseStatement, name: str) -> bool:
    return bool(find(statement, m.Call(func=m.Attribute(value=m.Name(name), attr=m.Name("add")))))


def _reads(statement: cst.BaseStatement) -> set[str]:
    return {n.value for n in find(statement, m.Name()) if isinstance(n, cst.Name)}
