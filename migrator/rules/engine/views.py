"""Tensors that share the memory of a variable in PyTorch, where TensorFlow makes new ones."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from migrator.values import Api, Tensor, Value

_VIEWS = frozenset(
    {"tf.reshape", "tf.transpose", "tf.squeeze", "tf.expand_dims", "tf.broadcast_to", "tf.linalg.matrix_transpose"}
    | {"tf.linalg.diag_part", "tf.keras.backend.reshape", "tf.keras.backend.transpose", "tf.convert_to_tensor"}
)


def of_variable(node: cst.BaseExpression, value: Callable[[cst.CSTNode], Value]) -> bool:
    """Whether an expression is a variable, one of its rows, or the variable in another shape."""
    known = value(node)
    if not isinstance(known, Tensor) or known.origin == "variable":
        return isinstance(known, Tensor)
    if isinstance(node, cst.Subscript):
        return of_variable(node.value, value)
    if not isinstance(node, cst.Call) or not node.args:
        return False
    callee = value(node.func)
    return isinstance(callee, Api) and callee.name in _VIEWS and of_variable(node.args[0].value, value)
