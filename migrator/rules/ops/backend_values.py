"""`tf.keras.backend`: variables and values of Keras's float dtype."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.asked import is_variable
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, block, declined_block, declines, f32, i32, no_grad, src
from migrator.rules.ops.pieces import dtype_name

if TYPE_CHECKING:
    import numpy as np
    import torch


@rule(
    "tf.keras.backend.variable",
    samples=[
        *(S(2.5), S(3), S([1, 2]), S([[0.5, -1.0]], dtype="float32")),
        *(no_grad(S(f32(2, 3))), no_grad(S(f32(2, 3), None, "w")), declines(i32(4))),
        block("return tf.keras.backend.variable(np.arange(3)) * 1.0"),
        declines([1, 2], dtype="int32"),
        declines([1.0], None, None, src("lambda w: w")),
    ],
)
def backend_variable(value, dtype=None, name=None, constraint=None, *, kind, dtype_value):
    if dtype is not None and dtype_name(dtype) != "float32":
        raise Decline("a dtype other than float32")
    if constraint is not None:
        raise Decline("a constraint")
    if kind == "tensor":
        if dtype_value != "float32":
            raise Decline("a tensor that is not known to be float32")
        return value.detach().clone().requires_grad_()
    if kind is None:
        raise Decline("whether it is a tensor is not known")
    return torch.tensor(value, dtype=torch.float32, requires_grad=True)


_SET = "v = tf.keras.backend.variable([1.0, 2.0])\n{}\nreturn v * 1.0"


@rule(
    "tf.keras.backend.set_value",
    samples=[
        block(_SET.format("tf.keras.backend.set_value(v, [3.0, -1.0])")),
        block(_SET.format("tf.keras.backend.set_value(x=v, value=np.ones(2))")),
        block("v = tf.Variable(1)\ntf.keras.backend.set_value(v, 3)\nreturn v + 0"),
        declined_block("for v in [tf.keras.backend.ndim]:\n    tf.keras.backend.set_value(v, 1.0)"),
    ],
)
def set_value(x, value):
    if not is_variable(x):
        raise Decline("not known to be a variable")
    return x.copy_(torch.as_tensor(value))


@rule(
    "tf.keras.backend.cast_to_floatx",
    samples=[
        *(no_grad(S(f32(2, 3))), no_grad(S(i32(4))), no_grad(S([1, 2])), no_grad(S(2.5))),
        block("return [tf.keras.backend.cast_to_floatx(np.arange(4)), tf.keras.backend.cast_to_floatx([0.1, 2])]"),
    ],
)
def cast_to_floatx(x, *, kind):
    if kind == "tensor":
        return x.float()
    if kind is None:
        raise Decline("whether it is a tensor is not known")
    return np.asarray(x, dtype="float32")
