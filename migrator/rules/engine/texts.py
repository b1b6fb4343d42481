"""Operators on text, which TensorFlow has tensors of: written by the rules of `String.__eq__` and its like."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from migrator.values import Tensor, Value

Look = Callable[[cst.CSTNode], Value]
_COMPARED: dict[type[cst.BaseCompOp], str] = {cst.Equal: "__eq__", cst.NotEqual: "__ne__"}


def member(node: cst.Comparison | cst.BinaryOperation, value: Look) -> str:
    """The special method that an operation on text is, or ""."""
    left, operator, right = sides(node)
    if not (_is_text(value(left)) or _is_text(value(right))):
        return ""
    if isinstance(node, cst.BinaryOperation):
        return "__add__" if isinstance(operator, cst.Add) else ""
    single = len(node.comparisons) == 1
    return _COMPARED.get(type(node.comparisons[0].operator), "") if single else ""


def sides(
    node: cst.Comparison | cst.BinaryOperation,
) -> tuple[cst.BaseExpression, cst.CSTNode, cst.BaseExpression]:
    """Left, operator and right of an operation; of a chain of comparisons the first."""
    if isinstance(node, cst.BinaryOperation):
        return node.left, node.operator, node.right
    return node.left, node.comparisons[0].operator, node.comparisons[0].comparator


def called(node: cst.Comparison | cst.BinaryOperation, name: str) -> cst.Call:
    """The operation as a call of its method."""
    left, _, right = sides(node)
    return cst.Call(cst.Attribute(left, cst.Name(name)), [cst.Arg(right)])


def _is_text(value: Value) -> bool:
    return isinstance(value, Tensor) and value.dtype == "string" and value.origin != "numpy"
