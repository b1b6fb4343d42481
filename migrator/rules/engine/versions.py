"""`tf.__version__`: torch's version where it is only shown; what compares it means TensorFlow's."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

VERSIONS = frozenset({"tf.__version__", "tf.version.VERSION", "tf.compat.v1.VERSION", "tf.keras.__version__"})
_SHOWING = frozenset({"print", "format", "str", "info", "debug", "warning", "write"})


def shown(call: cst.Call) -> Iterator[cst.CSTNode]:
    """The names and attributes in the arguments of a call that does no more than show text."""
    name = call.func.value if isinstance(call.func, cst.Name) else None
    if isinstance(call.func, cst.Attribute):
        name = call.func.attr.value
    if name in _SHOWING:
        for arg in call.args:
            yield from _parts(arg.value)


def _parts(node: cst.BaseExpression) -> Iterator[cst.CSTNode]:
    """The parts of an expression that end up in its text unchanged."""
    if isinstance(node, (cst.Name, cst.Attribute)):
        yield node
    elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, (cst.Add, cst.Modulo)):
        yield from _parts(node.left)
        yield from _parts(node.right)
    elif isinstance(node, cst.Tuple):
        for element in node.elements:
            yield from _parts(element.value)


def in_text(string: cst.FormattedString) -> Iterator[cst.CSTNode]:
    """The names and attributes that an f-string shows."""
    for part in string.parts:
        if isinstance(part, cst.FormattedStringExpression):
            yield from _parts(part.expression)
