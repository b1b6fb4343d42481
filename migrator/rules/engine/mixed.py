"""NumPy arrays beside tensors: TensorFlow makes the array a tensor of the other's dtype, torch refuses or promotes."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from migrator.rules.engine.declining import Decline
from migrator.values import Tensor, Value

Look = Callable[[cst.CSTNode], Value]
_IDENTITY = (cst.In, cst.NotIn, cst.Is, cst.IsNot)


def binary(original: cst.BinaryOperation, updated: cst.BinaryOperation, value: Look) -> cst.BinaryOperation:
    """An operation with an array operand made a tensor. Raises `Decline` where its dtype is not known."""
    left, right = value(original.left), value(original.right)
    if _is_array(left) and _is_tensor(right):
        return updated.with_changes(left=_converted(updated.left, left, right, updated.right))
    if _is_tensor(left) and _is_array(right):
        return updated.with_changes(right=_converted(updated.right, right, left, updated.left))
    return updated


def comparison(original: cst.Comparison, updated: cst.Comparison, value: Look) -> cst.Comparison:
    """A comparison with one operator, likewise. Raises `Decline`."""
    if len(original.comparisons) != 1 or isinstance(original.comparisons[0].operator, _IDENTITY):
        return updated
    target = updated.comparisons[0]
    left, right = value(original.left), value(original.comparisons[0].comparator)
    if _is_array(left) and _is_tensor(right):
        return updated.with_changes(left=_converted(updated.left, left, right, target.comparator))
    if _is_tensor(left) and _is_array(right):
        converted = _converted(target.comparator, right, left, updated.left)
        return updated.with_changes(comparisons=[target.with_changes(comparator=converted)])
    return updated


def _converted(node: cst.BaseExpression, array: Value, tensor: Value, other: cst.BaseExpression) -> cst.Call:
    assert isinstance(array, Tensor)
    assert isinstance(tensor, Tensor)
    args = [cst.Arg(node.with_changes(lpar=(), rpar=()))]
    if tensor.dtype is None or tensor.dtype != array.dtype:
        args.append(cst.Arg(_dtype(tensor, other), cst.Name("dtype"), equal=_TIGHT))
    return cst.Call(cst.Attribute(cst.Name("torch"), cst.Name("as_tensor")), args)


def _dtype(tensor: Tensor, node: cst.BaseExpression) -> cst.BaseExpression:
    if tensor.dtype is not None:
        return cst.Attribute(cst.Name("torch"), cst.Name(tensor.dtype))
    if not isinstance(node, cst.Name):
        raise Decline("an array beside a tensor, whose dtype it takes and which is not known")
    return cst.Attribute(cst.Name(node.value), cst.Name("dtype"))


def _is_array(value: Value) -> bool:
    return isinstance(value, Tensor) and value.origin == "numpy"


def _is_tensor(value: Value) -> bool:
    return isinstance(value, Tensor) and value.origin != "numpy"


_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
