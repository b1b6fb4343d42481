"""Assignments that make and name a Keras optimizer, schedule, loss or metric."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.calls import api_of
from migrator.values import Instance


@dataclass(frozen=True)
class Definition:
    """An assignment `target = Class(...)` of a Keras object. `kind`: optimizer, schedule, loss
    or metric."""

    line: cst.SimpleStatementLine
    target: cst.BaseExpression
    call: cst.Call
    api: str
    kind: str


def definition(line: cst.SimpleStatementLine, ctx: Context) -> Definition | None:
    """The Keras object that a line makes and names, if it does only that."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Assign) or len(part.targets) > 1:
        return None
    target, call = part.targets[0].target, part.value
    if not isinstance(call, cst.Call) or not isinstance(target, cst.Name | cst.Attribute):
        return None
    value = ctx.value(call)
    api = api_of(value) if isinstance(value, Instance) else None
    if api is not None and api.startswith("tf.keras.optimizers.schedules."):
        return Definition(line, target, call, api, "schedule")
    for kind in ("optimizer", "loss", "metric"):
        room = {"optimizer": "optimizers", "loss": "losses", "metric": "metrics"}[kind]
        if api is not None and api.startswith(f"tf.keras.{room}."):
            return Definition(line, target, call, api, kind)
    return None
