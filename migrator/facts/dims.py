"""Arithmetic on dimensions: numbers are folded, symbolic sizes become source text, None stays unknown."""

from __future__ import annotations

import ast
import functools

from migrator.values import Dim, Shape, Sym

# Binding strength of a text's outermost operator; an atom binds tightest.
_ATOM, _MUL, _ADD, _LOOSE = 4, 3, 2, 1


def add(a: Dim, b: Dim) -> Dim:
    """The sum of two dimensions."""
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if a == 0:
        return b
    if b == 0:
        return a
    if isinstance(b, int) and b < 0:
        return subtract(a, -b)
    return _text(a, "+", b, _ADD, _ADD)


def subtract(a: Dim, b: Dim) -> Dim:
    """The difference of two dimensions."""
    if isinstance(a, int) and isinstance(b, int):
        return a - b
    if b == 0:
        return a
    if a is not None and a == b:
        return 0
    return _text(a, "-", b, _ADD, _MUL)


def multiply(a: Dim, b: Dim) -> Dim:
    """The product of two dimensions."""
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    if a == 0 or b == 0:
        return 0
    if a == 1:
        return b
    if b == 1:
        return a
    return _text(a, "*", b, _MUL, _ATOM)


def floor_divide(a: Dim, b: Dim) -> Dim:
    """The quotient, rounded down."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b if b else None
    if b == 1:
        return a
    return _without_factor(a, b) or _text(a, "//", b, _MUL, _ATOM)


def _without_factor(product: Dim, factor: Dim) -> Dim:
    """The other factor of `3 * width` divided by 3; None for what is no product of it."""
    if not isinstance(product, Sym) or not factor:
        return None
    node = ast.parse(product.text, mode="eval").body
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        sides = [ast.get_source_segment(product.text, side) or "" for side in (node.left, node.right)]
        for side, other in (sides, sides[::-1]):
            if side == text(factor):
                return int(other) if other.isdigit() else Sym(other)
    return None


def ceil_divide(a: Dim, b: Dim) -> Dim:
    """The quotient, rounded up."""
    if isinstance(a, int) and isinstance(b, int):
        return -(-a // b) if b else None
    if b == 1:
        return a
    if isinstance(b, int) and b > 1:
        return floor_divide(add(a, b - 1), b)
    return None


def modulo(a: Dim, b: Dim) -> Dim:
    """The remainder."""
    if isinstance(a, int) and isinstance(b, int):
        return a % b if b else None
    return _text(a, "%", b, _MUL, _ATOM)


def negate(a: Dim) -> Dim:
    """The negative."""
    return (
        -a
        if isinstance(a, int)
        else None
        if a is None
        else Sym(f"-{a.text}" if _strength(a.text) == _ATOM else f"-({a.text})")
    )


def combine(a: Dim, operator: str, b: Dim) -> Sym | None:
    """Any other operation, as text."""
    if not operator or a is None or b is None:
        return None
    left = _ADD if operator in "+-" else _MUL if operator != "**" else _ATOM
    found = _text(a, operator, b, left, _MUL if operator in "+-" else _ATOM)
    return found if isinstance(found, Sym) else None


def product(dims: Shape) -> Dim:
    """The product of all dimensions, None when one is unknown."""
    total: Dim = 1
    for dim in dims:
        total = multiply(total, dim)
    return total


def join(a: Dim, b: Dim) -> Dim:
    """What both dimensions are, or None; who gave a number is known when both say the same."""
    if a != b:
        return None
    return int(a) if isinstance(a, int) and getattr(a, "site", None) != getattr(b, "site", None) else a


def join_shapes(a: Shape | None, b: Shape | None) -> Shape | None:
    """Both shapes joined axis by axis; None when the ranks differ."""
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(map(join, a, b))


def names(dim: Dim) -> frozenset[str]:
    """The names that a symbolic size mentions (dotted names by their first part)."""
    return _names(dim.text) if isinstance(dim, Sym) else frozenset()


def symbol(source: str) -> Dim:
    """The dimension that a text stands for."""
    return int(source) if source.lstrip("-").isdigit() else Sym(source)


def text(dim: Dim) -> str | None:
    """The dimension as source text."""
    return dim.text if isinstance(dim, Sym) else None if dim is None else str(dim)


@functools.lru_cache(maxsize=4096)
def _names(source: str) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(ast.parse(source, mode="eval")) if isinstance(node, ast.Name))


@functools.lru_cache(maxsize=4096)
def _strength(source: str) -> int:
    node = ast.parse(source, mode="eval").body
    if isinstance(node, ast.BinOp):
        return _ADD if isinstance(node.op, ast.Add | ast.Sub) else _MUL
    return _ATOM if isinstance(node, ast.Name | ast.Constant | ast.Attribute | ast.Subscript | ast.Call) else _LOOSE


@functools.lru_cache(maxsize=4096)
def _associates(operator: str, source: str) -> bool:
    """Whether `x <operator> (source)` means the same without the parentheses."""
    node: ast.expr = ast.parse(source, mode="eval").body
    kind = {"*": ast.Mult, "+": ast.Add}.get(operator)
    while kind is not None and isinstance(node, ast.BinOp) and isinstance(node.op, kind):
        node = node.left
    return kind is not None and _strength(ast.unparse(node)) == _ATOM and isinstance(node, ast.Name | ast.Constant)


def _text(a: Dim, operator: str, b: Dim, left: int, right: int) -> Dim:
    if a is None or b is None:
        return None
    a_text, b_text = text(a) or "", text(b) or ""
    if len(a_text) + len(b_text) > 120:
        return None
    if _strength(a_text) < left:
        a_text = f"({a_text})"
    if _strength(b_text) < right and not _associates(operator, b_text):
        b_text = f"({b_text})"
    return Sym(f"{a_text} {operator} {b_text}")
