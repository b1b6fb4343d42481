"""Whether the metrics of a file are ever given weights."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import calls_in
from migrator.values import Instance, Value

_METRICS = "tf.keras.metrics."


def weighs(ctx: Context) -> bool:
    """Whether a metric may be given weights somewhere in the file."""
    if find(ctx.tree, m.Arg(keyword=m.Name("sample_weight")) | m.Param(name=m.Name("sample_weight"))):
        return True
    return any(_may_weigh(call, ctx) for call in calls_in(ctx.tree))


def _may_weigh(call: cst.Call, ctx: Context) -> bool:
    """Whether a call updates a metric with more than what it measures."""
    owner = ctx.value(call.func)
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == "update_state":
        owner = ctx.value(call.func.value)
    elif not _is_metric(owner):
        return False
    most = 1 if isinstance(owner, Instance) and owner.api in (f"{_METRICS}Mean", f"{_METRICS}Sum") else 2
    return len(call.args) > most or any(arg.star for arg in call.args)


def _is_metric(value: Value) -> bool:
    return isinstance(value, Instance) and value.api.startswith(_METRICS)
