"""Operators on abstract values: literals are folded, sizes stay symbolic, tensors broadcast."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from migrator.facts import dims
from migrator.facts.join import join, sym_of, type_name
from migrator.facts.shapes.broadcast import elementwise
from migrator.values import (
    IMAGE_BATCHES,
    ITERATOR,
    MIXED,
    Dataset,
    Dict,
    Dim,
    DType,
    Instance,
    Literal,
    ModelValue,
    RepoInstance,
    Scalar,
    Sequence,
    ShapeOf,
    Sym,
    Tensor,
    Unknown,
    Value,
    is_mixed,
)

UNKNOWN = Unknown()

_FOLD: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
}
_DIMS: dict[type, Callable[[Dim, Dim], Dim]] = {
    ast.Add: dims.add,
    ast.Sub: dims.subtract,
    ast.Mult: dims.multiply,
    ast.FloorDiv: dims.floor_divide,
    ast.Mod: dims.modulo,
}
_OBJECTS = (Tensor, Instance, RepoInstance, ModelValue, Dataset, Sequence, ShapeOf, Dict, DType)


def binary(op: ast.operator, left: Value, right: Value) -> Value:
    """The value of a binary operation."""
    if isinstance(left, Literal) and isinstance(right, Literal):
        return _fold(op, left.value, right.value)
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return _tensors(op, left, right)
    if isinstance(left, Sequence | ShapeOf) or isinstance(right, Sequence | ShapeOf):
        return _sequences(op, left, right)
    return _scalars(op, left, right)


def unary(op: ast.unaryop, value: Value) -> Value:
    """The value of a unary operation."""
    if isinstance(op, ast.Not):
        known = truth(value)
        return Scalar("bool") if known is None else Literal(not known)
    if isinstance(value, Literal) and isinstance(value.value, int | float):
        if isinstance(op, ast.USub):
            return Literal(-value.value)
        if isinstance(op, ast.Invert) and isinstance(value.value, int):
            return Literal(~value.value)
        return Literal(+value.value)
    if isinstance(value, Scalar):
        sym = dims.negate(value.sym) if isinstance(op, ast.USub) else None
        return Scalar(value.type, sym if isinstance(sym, Sym) else None)
    return value if isinstance(value, Tensor) else Unknown(MIXED) if is_mixed(value) else UNKNOWN


def compare(op: ast.cmpop, left: Value, right: Value) -> Value:
    """The value of one comparison: a literal only where it is certain."""
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        if isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn):
            return Scalar("bool")
        return elementwise((left, right), dtype="bool")
    if isinstance(left, Literal) and isinstance(right, Literal):
        return _folded_compare(op, left.value, right.value)
    items = plain(right)
    if isinstance(left, Literal) and items is not None and isinstance(op, ast.In | ast.NotIn):
        return _folded_compare(op, left.value, items)
    a, b = plain(left), plain(right)
    if a is not None and b is not None and isinstance(op, ast.Eq | ast.NotEq):
        return _folded_compare(op, tuple(a), tuple(b))
    if isinstance(left, DType) and isinstance(right, DType) and isinstance(op, ast.Eq | ast.NotEq):
        open_ = left.passed or right.passed
        return Scalar("bool") if open_ else Literal((left.name == right.name) is isinstance(op, ast.Eq))
    return UNKNOWN if _may_be_elementwise(op, left, right) else Scalar("bool")


def _may_be_elementwise(op: ast.cmpop, left: Value, right: Value) -> bool:
    """Whether one side may be a tensor or an array, which are compared element by element."""
    if isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn) or not isinstance(left, Unknown) | isinstance(
        right, Unknown
    ):
        return False
    other = right if isinstance(left, Unknown) else left
    numbers = isinstance(other, Literal) and isinstance(other.value, int | float) and not isinstance(other.value, bool)
    return numbers or isinstance(other, Unknown | Scalar)


def truth(value: Value) -> bool | None:
    """Whether a value is true, None when that is open."""
    if isinstance(value, Literal):
        return bool(value.value)
    if isinstance(value, Sequence) and value.items is not None and value.sym is None:
        return bool(value.items)
    if isinstance(value, Dict) and value.items is not None:
        return bool(value.items)
    return None


def plain(value: Value) -> list[object] | None:
    """A sequence of literals as Python objects, or None."""
    if isinstance(value, Sequence) and value.items is not None and value.sym is None:
        found = [item.value for item in value.items if isinstance(item, Literal)]
        return found if len(found) == len(value.items) else None
    if isinstance(value, ShapeOf) and value.dims is not None:
        known: list[object] = [dim for dim in value.dims if isinstance(dim, int)]
        return known if len(known) == len(value.dims) else None
    return None


def element(value: Value) -> Value:
    """What iterating a value gives."""
    if isinstance(value, Sequence):
        return value.element
    if isinstance(value, Dataset):
        return value.element
    if isinstance(value, Instance) and value.api in (ITERATOR, IMAGE_BATCHES):
        return value.arg("element") or UNKNOWN
    if isinstance(value, ShapeOf):
        return Scalar("int")
    if isinstance(value, Tensor):
        if value.shape:
            return Tensor(value.shape[1:], value.dtype, _data(value.origin))
        return Tensor(None, value.dtype, _data(value.origin), last=value.last)
    if isinstance(value, Literal) and isinstance(value.value, str):
        return Scalar("str")
    if isinstance(value, Dict) and value.items:
        result: Value = Literal(value.items[0][0])
        for key, _ in value.items[1:]:
            result = join(result, Literal(key))
        return result
    return UNKNOWN


def dim_of(value: Value | None) -> Dim:
    """The size that a value stands for."""
    if isinstance(value, Literal):
        if isinstance(value.value, bool) or not isinstance(value.value, int | float):
            return None
        return int(value.value) if value.value == int(value.value) else None
    if isinstance(value, Scalar) and value.type in ("int", None):
        return value.sym
    return value.sym if isinstance(value, Unknown) else None


def of_dim(dim: Dim) -> Value:
    """A size as a Python value."""
    if dim is None:
        return Scalar("int")
    return Literal(int(dim)) if isinstance(dim, int) else Scalar("int", dim)


def dims_of(value: Value | None) -> tuple[Dim, ...] | None:
    """A tuple, list, shape or single number as dimensions; None when the rank is open. -1 is unknown."""
    if isinstance(value, ShapeOf):
        return value.dims
    if isinstance(value, Sequence):
        return None if value.items is None else tuple(_positive(dim_of(item)) for item in value.items)
    if isinstance(value, Literal | Scalar):
        found = dim_of(value)
        return None if found is None else (_positive(found),)
    return None


def _positive(dim: Dim) -> Dim:
    return None if isinstance(dim, int) and dim < 0 else dim


def _data(origin: str) -> str:
    return "tf" if origin == "variable" else origin


def _fold(op: ast.operator, left: Any, right: Any) -> Value:
    if isinstance(op, ast.Pow | ast.LShift) and (not isinstance(right, int | float) or abs(right) > 64):
        return Scalar(None)
    if isinstance(op, ast.Mult) and isinstance(left, str | bytes) != isinstance(right, str | bytes):
        return Scalar("str")
    if isinstance(op, ast.Mod) and isinstance(left, str | bytes):
        return Scalar("str")
    try:
        return Literal(_FOLD[type(op)](left, right))
    except (TypeError, ValueError, ArithmeticError, KeyError):
        return UNKNOWN


def _folded_compare(op: ast.cmpop, left: Any, right: Any) -> Value:
    try:
        return Literal(bool(_COMPARE[type(op)](left, right)))
    except (TypeError, ValueError):
        return Scalar("bool")


def _tensors(op: ast.operator, left: Value, right: Value) -> Value:
    if isinstance(op, ast.MatMult):
        from migrator.facts.shapes.ops_linear import matmul_shape

        return matmul_shape(left, right)
    if not all(isinstance(v, Tensor | Literal | Scalar | Unknown | Sequence) for v in (left, right)):
        return UNKNOWN
    result = elementwise((left, right))
    if isinstance(op, ast.Div) and isinstance(result, Tensor) and (result.dtype or "").startswith(("int", "uint")):
        return Tensor(result.shape, "float64", result.origin, result.layout, result.last)
    return result


def _sequences(op: ast.operator, left: Value, right: Value) -> Value:
    a, b = as_sequence(left), as_sequence(right)
    if isinstance(op, ast.Add) and a is not None and b is not None:
        if a.items is None or b.items is None or a.sym or b.sym:
            return Sequence(a.kind, None, join(a.element, b.element))
        items = a.items + b.items
        return Sequence(
            a.kind, items, join(a.element, b.element) if a.items and b.items else (a if a.items else b).element
        )
    if isinstance(op, ast.Mult):
        sequence, count = (a, right) if a is not None else (b, left)
        if sequence is not None and sequence.items is not None and not sequence.sym:
            times = dim_of(count)
            if isinstance(times, int) and 0 <= times * len(sequence.items) <= 256:
                return Sequence(sequence.kind, sequence.items * times, sequence.element)
        if sequence is not None:
            return Sequence(sequence.kind, None, sequence.element)
    return UNKNOWN


def as_sequence(value: Value) -> Sequence | None:
    """A sequence or shape as a sequence of sizes."""
    if isinstance(value, Sequence):
        return value
    if isinstance(value, ShapeOf):
        items = None if value.dims is None else tuple(map(of_dim, value.dims))
        return Sequence("tuple", items, Scalar("int"))
    return None


def _scalars(op: ast.operator, left: Value, right: Value) -> Value:
    kinds = {_number(left), _number(right)}
    if not all(isinstance(v, Literal | Scalar) or sym_of(v) is not None for v in (left, right)):
        return UNKNOWN
    if "str" in kinds:
        return Scalar("str")
    kind = _result_type(op, kinds)
    combine = _DIMS.get(type(op))
    a, b = _operand(left), _operand(right)
    if combine is not None and not kinds & {"float"}:
        found = combine(a, b)
    else:
        found = dims.combine(a, _SYMBOLS.get(type(op), ""), b)
    if isinstance(found, int):
        return Literal(found)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return Unknown(sym=found) if found is not None else UNKNOWN
    return Scalar(kind, found)


_SYMBOLS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"}


def _number(value: Value) -> str | None:
    return type_name(value)


def _result_type(op: ast.operator, kinds: set[str | None]) -> str | None:
    if isinstance(op, ast.Div) or "float" in kinds:
        return "float"
    return "int" if kinds <= {"int", "bool"} else None


def _operand(value: Value) -> Dim:
    if isinstance(value, Literal) and isinstance(value.value, float):
        return Sym(repr(value.value)) if value.value >= 0 else Sym(f"({value.value!r})")
    if isinstance(value, Literal):
        return value.value if isinstance(value.value, int) else None
    return sym_of(value)
