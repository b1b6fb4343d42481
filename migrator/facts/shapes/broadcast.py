"""Elementwise results: broadcast shapes and result dtypes."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from itertools import zip_longest

from migrator.values import Dim, Literal, Scalar, Sequence, Shape, Tensor, Value


def broadcast(shapes: Iterable[Shape | None]) -> Shape | None:
    """NumPy's broadcasting; None when a rank is unknown.

    A symbolic size is taken not to be 1: a constructor's `units` beside an unknown size is the result,
    and of two symbols, which must then be equal, the one that the source itself names.
    """
    result: Shape = ()
    for shape in shapes:
        if shape is None:
            return None
        pairs = zip_longest(reversed(result), reversed(shape), fillvalue=1)
        result = tuple(reversed([_dim(a, b) for a, b in pairs]))
    return result


def _dim(a: Dim, b: Dim) -> Dim:
    if a == 1:
        return b
    if b == 1:
        return a
    if isinstance(a, int):
        return a
    if isinstance(b, int):
        return b
    if a is None or b is None or a == b:
        return a if b is None else b
    return b if a.text.startswith(("in_channels", "in_features")) else a


def shape_of(value: Value) -> Shape | None:
    """The shape of anything that can stand beside a tensor."""
    if isinstance(value, Tensor):
        return value.shape
    if isinstance(value, Literal | Scalar):
        return ()
    if isinstance(value, Sequence) and value.items is not None and value.sym is None:
        inner = broadcast(map(shape_of, value.items))
        return None if inner is None else (len(value.items), *inner)
    return None


def elementwise(values: Iterable[Value], dtype: str | None = None) -> Tensor:
    """The tensor that an elementwise operation gives; `dtype` overrides the operands'."""
    values = tuple(values)
    tensors = [value for value in values if isinstance(value, Tensor)]
    known = {tensor.dtype for tensor in tensors if tensor.origin != "numpy"} or {tensor.dtype for tensor in tensors}
    common = next(iter(known)) if len(known) == 1 else None
    shape = broadcast(map(shape_of, values))
    origins = {tensor.origin for tensor in tensors}
    layouts = {tensor.layout for tensor in tensors if tensor.shape == shape and shape is not None}
    return Tensor(
        shape,
        dtype or common,
        origin_of(origins),
        next(iter(layouts)) if len(layouts) == 1 else None,
        None if shape is not None else _last(values),
    )


def origin_of(origins: Iterable[str]) -> str:
    """Where the result of an operation lives: a Functional graph spreads, NumPy stays alone."""
    found = set(origins)
    if "keras" in found:
        return "keras"
    return "numpy" if found == {"numpy"} else "tf"


def _last(values: tuple[Value, ...]) -> Dim:
    """The last axis when ranks are open: what the operands that have one make of it."""
    found: set[Dim] = set()
    for value in values:
        if isinstance(value, Literal | Scalar):
            continue
        if not isinstance(value, Tensor):
            return None
        if value.shape == ():
            continue
        found.add(value.channels)
    found -= {1}
    if None in found or not found:
        return None
    return functools.reduce(_dim, sorted(found, key=str))
