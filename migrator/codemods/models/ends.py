"""Calls of `Model` and `Input` in the code that builds a graph."""

from __future__ import annotations

import libcst as cst

from migrator.codemods.context import Context
from migrator.values import Api

MODEL = ("tf.keras.Model", "tf.keras.models.Model", "tf.keras.Sequential")
INPUTS = ("tf.keras.Input", "tf.keras.layers.Input")


def is_input(node: cst.BaseExpression, ctx: Context) -> bool:
    """Whether an expression is a call of `Input`."""
    value = ctx.value(node.func) if isinstance(node, cst.Call) else None
    return isinstance(value, Api) and value.name in INPUTS


def are_inputs(node: cst.Assign, ctx: Context) -> bool:
    """`x, y = Input(...), Input(...)`: a name for each."""
    target, value = node.targets[0].target, node.value
    if (
        len(node.targets) != 1
        or not isinstance(target, cst.Tuple | cst.List)
        or not isinstance(value, cst.Tuple | cst.List)
    ):
        return False
    named = all(isinstance(e.value, cst.Name) for e in target.elements)
    return named and len(target.elements) == len(value.elements) and all(is_input(e.value, ctx) for e in value.elements)


def ends(call: cst.Call) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """(inputs, outputs) of `Model(inputs, outputs)`; None where they are not given."""
    names = ("inputs", "outputs", "name")
    given = {(a.keyword.value if a.keyword else names[min(i, 2)]): a.value for i, a in enumerate(call.args)}
    given.update({new: given[old] for new, old in (("inputs", "input"), ("outputs", "output")) if old in given})
    return (given["inputs"], given["outputs"]) if "inputs" in given and "outputs" in given else None
