"""Which argument of a function gives the device of the tensors that it makes."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from migrator.rules.engine.names import Names
from migrator.syntax import walk
from migrator.values import Literal, RepoFunction, Scalar, ShapeOf, Tensor, Unknown, Value


def is_tensor_parameter(
    parameter: cst.Param, function: cst.FunctionDef, value: Callable[[cst.CSTNode], Value], names: Names
) -> bool:
    """Whether a parameter is a tensor: by the facts, or because `tf.shape`, `.dtype` … are asked of it."""
    if parameter.default is not None or parameter.name.value == "self":
        return False
    known = value(parameter.name)
    if isinstance(known, Tensor):
        return known.origin != "numpy"
    if not isinstance(known, Unknown):
        return False
    asked = _Asked(parameter.name.value, names, value)
    walk(function.body, asked)
    return asked.found and not asked.refuted


class _Asked(cst.CSTVisitor):
    """Looks for uses of a name that only a tensor has."""

    def __init__(self, name: str, names: Names, value: Callable[[cst.CSTNode], Value]) -> None:
        self.name, self.names, self.value = name, names, value
        self.found = self.refuted = False

    def _is_it(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Name) and node.value == self.name

    def visit_Attribute(self, node: cst.Attribute) -> None:
        if self._is_it(node.value) and node.attr.value in ("shape", "dtype"):
            self.found = True

    def visit_Name(self, node: cst.Name) -> None:
        if node.value == self.name and isinstance(self.value(node), Tensor):
            self.found = True

    def visit_Call(self, node: cst.Call) -> None:
        api = self.names.canonical(node.func) or ""
        if node.args and self._is_it(node.args[0].value) and api in _OF_TENSORS:
            self.found = True


_OF_TENSORS = frozenset(
    {"tf.shape", "tf.size", "tf.rank", "tf.reduce_sum", "tf.reduce_mean", "tf.reduce_max", "tf.transpose"}
    | {"tf.square", "tf.exp", "tf.sqrt", "tf.abs", "tf.one_hot", "tf.sequence_mask", "tf.expand_dims", "tf.pad"}
    | {"tf.nn.relu", "tf.nn.softmax", "tf.sigmoid", "tf.split", "tf.gather", "tf.image.resize", "tf.zeros_like"}
)


def made_of_numbers(call: cst.Call, value: Callable[[cst.CSTNode], Value], device: str) -> bool:
    """Whether a call of a function of the repository gives a tensor that it makes on the CPU: of numbers and arrays.

    `device`: source of the device at hand, which then has to get it; of a tensor, or "".
    """
    made, known = value(call), value(call.func)
    if not device.endswith(".device") or not isinstance(known, RepoFunction) or known.bound_to is not None:
        return False
    if not isinstance(made, Tensor) or made.origin != "tf" or made.dtype == "string" or not made.shape:
        return False
    return all(not arg.star and _is_no_tensor(value(arg.value)) for arg in call.args)


def _is_no_tensor(known: Value) -> bool:
    return isinstance(known, Literal | Scalar | ShapeOf) or (isinstance(known, Tensor) and known.origin == "numpy")
