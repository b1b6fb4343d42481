"""Expressions that do nothing but give their value."""

from __future__ import annotations

import libcst as cst


def is_plain(node: cst.BaseExpression) -> bool:
    """Whether evaluating an expression twice is as good as once: names, attributes, literals, `x.shape[0]`."""
    if isinstance(node, (cst.Name, cst.Integer, cst.Float, cst.SimpleString)):
        return True
    if isinstance(node, cst.Attribute):
        return is_plain(node.value)
    if isinstance(node, cst.UnaryOperation):
        return is_plain(node.expression)
    if isinstance(node, (cst.Tuple, cst.List)):
        return all(isinstance(e, cst.Element) and is_plain(e.value) for e in node.elements)
    if isinstance(node, cst.Subscript):
        slices = [e.slice for e in node.slice]
        return is_plain(node.value) and all(isinstance(s, cst.Index) and is_plain(s.value) for s in slices)
    return False
