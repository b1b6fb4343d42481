"""`tf.__version__`: torch's version where it is only shown; what compares it means TensorFlow's.

An assertion about nothing but the version held where the original ran, and says nothing of PyTorch: it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst
import libcst.matchers as m

VERSIONS = frozenset({"tf.__version__", "tf.version.VERSION", "tf.compat.v1.VERSION", "tf.keras.__version__"})
_SHOWING = frozenset({"print", "format", "str", "info", "debug", "warning", "write"})


def shown(call: cst.Call) -> Iterator[cst.CSTNode]:
    """The names, attributes and calls in the arguments of a call that does no more than show text."""
    name = call.func.value if isinstance(call.func, cst.Name) else None
    if isinstance(call.func, cst.Attribute):
        name = call.func.attr.value
    if name in _SHOWING:
        for arg in call.args:
            yield from _parts(arg.value)


def _parts(node: cst.BaseExpression) -> Iterator[cst.CSTNode]:
    """The parts of an expression that end up in its text unchanged."""
    if isinstance(node, (cst.Name, cst.Attribute, cst.Call)):
        yield node
    elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, (cst.Add, cst.Modulo)):
        yield from _parts(node.left)
        yield from _parts(node.right)
    elif isinstance(node, cst.Tuple):
        for element in node.elements:
            yield from _parts(element.value)


def in_text(string: cst.FormattedString) -> Iterator[cst.CSTNode]:
    """The names, attributes and calls that an f-string shows."""
    for part in string.parts:
        if isinstance(part, cst.FormattedStringExpression):
            yield from _parts(part.expression)


_OF_VERSIONS = frozenset({"float", "int", "map", "str", "tuple", "LooseVersion", "StrictVersion", "Version", "parse"})


def only_asserted(node: cst.Assert, canonical: Callable[[cst.Attribute], str | None]) -> bool:
    """Whether an assertion is about the version and nothing else; `canonical` names an attribute."""
    attributes = [n for n in m.findall(node.test, m.Attribute()) if isinstance(n, cst.Attribute)]
    found = [n for n in attributes if canonical(n) in VERSIONS]
    known = {part for version in found for part in m.findall(version, m.Name())} | {n.attr for n in attributes}
    rest = [n for n in m.findall(node.test, m.Name()) if n not in known]
    return bool(found) and all(isinstance(n, cst.Name) and n.value in _OF_VERSIONS for n in rest)
