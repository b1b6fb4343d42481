"""Receivers of which nothing is known, but that only a tensor can be."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m

from migrator.values import Tensor

_KEEPING = frozenset({"append", "appendleft", "insert", "extend", "add", "setdefault", "put", "update", "dict", "list"})
"""Calls that keep what they are given."""


def used_up(node: cst.Call | cst.BinaryOperation) -> Iterator[cst.BaseExpression]:
    """The parts of an expression that it reads, so that what shares their memory is gone with it."""
    if isinstance(node, cst.BinaryOperation):
        yield from (node.left, node.right)
    elif m.matches(node.func, m.Name() | m.Attribute()):
        name = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        plain = isinstance(name, cst.Name) and name.value not in _KEEPING and not name.value[:1].isupper()
        yield from (arg.value for arg in node.args if plain)


def as_array(call: cst.Call, read: bool) -> Tensor | None:
    """What `x.numpy()` says of x, of which the facts know nothing; torch says so where x is no tensor.

    `read`: the array is not kept. Where it is and a variable may be behind x, its values are copied.
    """
    if not m.matches(call, m.Call(func=m.Attribute(attr=m.Name("numpy")), args=[])):
        return None
    assert isinstance(call.func, cst.Attribute)
    made = isinstance(call.func.value, cst.Call | cst.BinaryOperation)
    return Tensor(origin="tf" if read or made else "variable")
