"""What a model is called with and nothing is known of: an array as well as a tensor."""

from __future__ import annotations

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.scope import Holder
from migrator.codemods.training.traits import traits_of
from migrator.values import ModelValue, Unknown


def is_open(node: cst.BaseExpression, call: cst.Call, holder: Holder, ctx: Context) -> bool:
    """Whether an argument of a model is a parameter of the function around it that callers may give an array.

    Keras takes both and casts them to the float32 of its one input. Under `tf.function` it is a tensor.
    """
    if not isinstance(holder, cst.FunctionDef) or holder.decorators or not isinstance(node, cst.Name):
        return False
    parameters = {p.name.value for p in (*holder.params.params, *holder.params.kwonly_params)}
    if node.value not in parameters or not isinstance(ctx.value(node), Unknown):
        return False
    model = ctx.value(call.func)
    traits = traits_of(model, ctx) if isinstance(model, ModelValue) else None
    return traits is not None and traits.single and traits.inputs == "float"
