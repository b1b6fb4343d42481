"""The learning rate of an optimizer, read and set: a plain number of its only group of parameters."""

from __future__ import annotations

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.calls import api_of
from migrator.codemods.training.models import model_text
from migrator.values import Instance

_NAMES = ("lr", "learning_rate")
_GETTERS = ("tf.keras.backend.get_value", "tf.keras.backend.eval")
SETTER = "tf.keras.backend.set_value"


def is_rate(node: cst.CSTNode, ctx: Context, known: frozenset[str]) -> bool:
    """Whether an attribute is the learning rate of an optimizer that takes a number."""
    if not isinstance(node, cst.Attribute) or node.attr.value not in _NAMES:
        return False
    value = ctx.value(node.value)
    if isinstance(value, Instance) and value.api.startswith("tf.keras.optimizers."):
        rate = value.arg("learning_rate")
        return ".schedules." not in value.api and not (isinstance(rate, Instance) and ".schedules." in rate.api)
    owner = node.value
    return (
        isinstance(owner, cst.Attribute)
        and owner.attr.value == "optimizer"
        and model_text(owner.value, ctx, known) is not None
    )


def rate_of(call: cst.Call, ctx: Context, known: frozenset[str]) -> cst.Attribute | None:
    """The rate in `rate.numpy()`, `K.get_value(rate)`, `K.set_value(rate, x)` or `rate.assign(x)`."""
    func = call.func
    if isinstance(func, cst.Attribute) and func.attr.value in ("numpy", "assign", "read_value", "value"):
        node: cst.CSTNode = func.value
    elif api_of(ctx.value(func)) in (*_GETTERS, SETTER) and call.args:
        node = call.args[0].value
    else:
        return None
    return node if isinstance(node, cst.Attribute) and is_rate(node, ctx, known) else None


def assigned(call: cst.Call, ctx: Context) -> cst.BaseExpression | None:
    """What a call sets the rate to; None when it reads it."""
    func = call.func
    if isinstance(func, cst.Attribute) and func.attr.value == "assign" and len(call.args) == 1:
        return call.args[0].value
    return call.args[1].value if api_of(ctx.value(func)) == SETTER and len(call.args) == 2 else None
