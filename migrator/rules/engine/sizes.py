"""Sizes are tensors in TensorFlow and plain Python in torch: arithmetic on them."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m

from migrator.rules.engine.declining import Decline
from migrator.values import Sequence, ShapeOf, Tensor, Value

_FLOAT = m.Attribute(m.Name("torch"), m.Name("float32"))
_SCALAR = m.Call(
    m.Attribute(m.Name("torch"), m.Name("tensor")),
    [m.Arg(m.SaveMatchedNode(m.DoNotCare(), "size")), m.Arg(_FLOAT, keyword=m.Name("dtype"))],
)
_ROOT = m.Call(m.Attribute(m.Name("torch"), m.Name("sqrt")), [m.Arg(m.SaveMatchedNode(_SCALAR, "scalar"))])


def check_whole_shapes(*operands: Value) -> None:
    """Declines arithmetic and comparison of `tf.shape(x)` as a whole: on a tuple they mean something else."""
    if any(isinstance(v, ShapeOf) and v.dynamic for v in operands):
        raise Decline("arithmetic on a whole shape")


def operation(
    original: cst.BinaryOperation, updated: cst.BinaryOperation, value: Callable[[cst.CSTNode], Value]
) -> cst.BinaryOperation:
    """A binary operation whose operands may be sizes. Raises `Decline`."""
    left, right = value(original.left), value(original.right)
    check_whole_shapes(left, right)
    _check_lists(original, left, right)
    if isinstance(left, ShapeOf) and isinstance(updated.right, cst.List):
        return updated.with_changes(right=_as_tuple(updated.right))
    if isinstance(right, ShapeOf) and isinstance(updated.left, cst.List):
        return updated.with_changes(left=_as_tuple(updated.left))
    if isinstance(updated.operator, (cst.Divide, cst.Multiply)):
        if _is_float(left) and updated.right is not original.right:
            return updated.with_changes(right=_plain_number(updated.right))
        if _is_float(right) and updated.left is not original.left:
            return updated.with_changes(left=_plain_number(updated.left))
    return updated


def _check_lists(original: cst.BinaryOperation, left: Value, right: Value) -> None:
    """TF makes a list beside a tensor a tensor of its dtype, torch does not."""
    for tensor, other, node in ((left, right, original.right), (right, left, original.left)):
        is_list = isinstance(other, Sequence) or isinstance(node, (cst.List, cst.Tuple, cst.ListComp))
        if isinstance(tensor, Tensor) and tensor.origin != "numpy" and is_list:
            raise Decline("a list beside a tensor, whose dtype it takes")


def _is_float(value: Value) -> bool:
    return isinstance(value, Tensor) and value.dtype == "float32" and value.origin != "numpy" and value.rank != 0


def _as_tuple(node: cst.List) -> cst.Tuple:
    """`x.shape[:-1] + [n]`: torch's shapes are tuples."""
    return cst.Tuple(
        [e.with_changes(comma=cst.Comma(cst.SimpleWhitespace(""))) for e in node.elements]
        if len(node.elements) == 1
        else node.elements
    )


def _plain_number(node: cst.BaseExpression) -> cst.BaseExpression:
    """`math.sqrt(n)` for the root of a size that was made a tensor."""
    found = m.extract(node, _ROOT)
    inner = None if found is None else m.extract(found["scalar"], _SCALAR)  # type: ignore[arg-type]
    if inner is None:
        return node
    root = cst.Attribute(cst.Name("math"), cst.Name("sqrt"))
    return cst.Call(root, [cst.Arg(inner["size"])])  # type: ignore[arg-type]


def is_root(node: cst.BaseExpression) -> bool:
    """Whether an operand is `math.sqrt(…)`, which needs its import."""
    return m.matches(node, m.Call(m.Attribute(m.Name("math"), m.Name("sqrt"))))
