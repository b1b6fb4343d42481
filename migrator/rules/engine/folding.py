"""Arithmetic on literals, done when rewriting and spelled as a person would."""

from __future__ import annotations

import ast
from collections.abc import Callable
from decimal import Decimal


def folded(node: ast.expr, evaluate: Callable[[ast.expr], object]) -> object:
    """The value of arithmetic on literals; `1 - 0.99` is 0.01, not 0.010000000000000009."""
    value = evaluate(node)
    if not isinstance(value, float) or not isinstance(node, ast.BinOp):
        return value
    left, right = evaluate(node.left), evaluate(node.right)
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (left, right)):
        return value
    exact = _decimal(node.op, Decimal(repr(left)), Decimal(repr(right)))
    return value if exact is None else float(exact)


def _decimal(op: ast.operator, left: Decimal, right: Decimal) -> Decimal | None:
    if isinstance(op, ast.Add):
        return left + right
    if isinstance(op, ast.Sub):
        return left - right
    return left * right if isinstance(op, ast.Mult) else None
