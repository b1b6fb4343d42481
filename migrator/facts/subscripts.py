"""Indexing: of sequences, dicts, shapes, tensors and datasets."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from migrator.facts import arithmetic, dims, own_optimizers
from migrator.facts.interpreter import UNKNOWN, Frame, Interpreter
from migrator.facts.join import join_all
from migrator.values import (
    IMAGE_BATCHES,
    SLOT,
    Api,
    Dict,
    Dim,
    Instance,
    Literal,
    Scalar,
    Sequence,
    Shape,
    ShapeOf,
    Sym,
    Tensor,
    Unknown,
    Value,
)


@dataclass(frozen=True)
class Slice:
    """A slice with its evaluated bounds (None where absent)."""

    lower: Value | None
    upper: Value | None
    step: Value | None


Index = Value | Slice


def index(it: Interpreter, node: ast.expr, frame: Frame) -> list[Index]:
    """The evaluated parts of an index expression."""
    if isinstance(node, ast.Tuple):
        parts = [_part(it, item, frame) for item in node.elts]
        if frame.record:
            it.note(frame.module, node, UNKNOWN)
        return parts
    return [_part(it, node, frame)]


def subscript(base: Value, parts: list[Index]) -> Value:
    """The value of `base[parts]`."""
    first = parts[0]
    if isinstance(first, Instance) and first.api == SLOT:
        return own_optimizers.slot(base)
    if isinstance(base, Tensor):
        return _tensor(base, parts)
    if len(parts) > 1:
        return UNKNOWN
    if isinstance(base, Instance):
        return arithmetic.element(base) if base.api == IMAGE_BATCHES else UNKNOWN
    if isinstance(base, Dict):
        return _dict(base, first)
    if isinstance(base, ShapeOf):
        return _shape(base, first)
    if isinstance(base, Sequence):
        return _sequence(base, first)
    if isinstance(base, Unknown) and base.sym is not None:
        text = _plain_text(first)
        return Unknown(sym=Sym(f"{base.sym.text}[{text}]")) if text is not None else UNKNOWN
    return UNKNOWN


def _part(it: Interpreter, node: ast.expr, frame: Frame) -> Index:
    if isinstance(node, ast.Slice):
        bounds = [None if part is None else it.value(part, frame) for part in (node.lower, node.upper, node.step)]
        return Slice(*bounds)
    return it.value(node, frame)


def _dict(base: Dict, part: Index) -> Value:
    if base.items is None:
        return base.element if not isinstance(part, Slice) else UNKNOWN
    if not base.items:
        return UNKNOWN
    if not isinstance(part, Literal):  # one of them, or the program ends here
        found = join_all(value for _, value in base.items)
        return found if isinstance(found, Tensor) and not isinstance(part, Slice) else UNKNOWN
    return next((value for key, value in base.items if key == part.value), UNKNOWN)


def _sequence(base: Sequence, part: Index) -> Value:
    if isinstance(part, Slice):
        return _sliced(base, part)
    position = part.value if isinstance(part, Literal) else None
    named = part.sym.text if isinstance(part, Scalar) and part.sym is not None and part.type == "int" else ""
    if not isinstance(position, int) and not (named and base.sym is not None):
        return base.element
    position = named or position
    if base.sym is not None and isinstance(base.element, Scalar | Unknown | Literal):
        text = Sym(f"{base.sym.text}[{position}]")
        return Unknown(sym=text) if isinstance(base.element, Unknown) else Scalar(_type(base.element), text)
    if base.items is None or not isinstance(position, int):
        return base.element
    return base.items[position] if -len(base.items) <= position < len(base.items) else UNKNOWN


def _type(value: Value) -> str | None:
    return (
        type(value.value).__name__ if isinstance(value, Literal) else value.type if isinstance(value, Scalar) else None
    )


def _sliced(base: Sequence, part: Slice) -> Value:
    bounds = _bounds(part)
    if base.items is None or bounds is None or base.sym is not None:
        return Sequence(base.kind, None, base.element)
    items = base.items[bounds]
    return Sequence(base.kind, items, join_all(items))


def _bounds(part: Slice) -> slice | None:
    values: list[int | None] = []
    for bound in (part.lower, part.upper, part.step):
        if bound is None or bound == Literal(None):
            values.append(None)
        elif isinstance(bound, Literal) and isinstance(bound.value, int):
            values.append(bound.value)
        else:
            return None
    return None if values[2] == 0 else slice(*values)


def _shape(base: ShapeOf, part: Index) -> Value:
    if isinstance(part, Slice):
        bounds = _bounds(part)
        left = base.dims[bounds] if base.dims is not None and bounds is not None else None
        return ShapeOf(left, base.dynamic, base.last if part.upper is None and part.step is None else None)
    position = part.value if isinstance(part, Literal) else None
    if position == -1 and base.last is not None:
        return arithmetic.of_dim(base.last)
    if base.dims is None or not isinstance(position, int):
        return Scalar("int")
    return arithmetic.of_dim(base.dims[position]) if -len(base.dims) <= position < len(base.dims) else UNKNOWN


def _tensor(base: Tensor, parts: list[Index]) -> Value:
    origin = "tf" if base.origin == "variable" else base.origin
    if base.shape is None:
        keeps_last = parts[0] == Literal(Ellipsis) and len(parts) > 1 and _is_new_axis(parts[-1])
        return Tensor(None, base.dtype, origin, last=1 if keeps_last else None)
    shape = _indexed(base.shape, parts)
    return Tensor(
        shape, base.dtype, origin, base.layout if shape is not None and len(shape) == len(base.shape) else None
    )


def _is_new_axis(part: Index) -> bool:
    return part == Literal(None) or part == Api("tf.newaxis")


def _indexed(shape: Shape, parts: list[Index]) -> Shape | None:
    masks = [_picked(part) for part in parts]
    consumed = sum(_consumes(part) for part in parts)
    if consumed > len(shape) or sum(picked is not None for picked in masks) > 1:
        return None  # several arrays are matched to each other
    if any(picked is not None for picked in masks) and any(_is_number(part) for part in parts):
        return None  # a number counts as an array then
    result: list[Dim] = []
    axis = 0
    for part in parts:
        if part == Literal(Ellipsis):
            skipped = len(shape) - consumed
            result.extend(shape[axis : axis + skipped])
            axis += skipped
        elif _is_new_axis(part):
            result.append(1)
        elif isinstance(part, Slice):
            result.append(_slice_dim(shape[axis], part))
            axis += 1
        elif _is_number(part):
            axis += 1
        elif (picked := _picked(part)) is not None:
            result.extend(picked)
            axis += _consumes(part)
        else:
            return None
    return (*result, *shape[axis:])


def _consumes(part: Index) -> int:
    """How many axes an index takes up."""
    if _is_new_axis(part) or part == Literal(Ellipsis):
        return 0
    return len(part.shape) if isinstance(part, Tensor) and part.dtype == "bool" and part.shape else 1


def _picked(part: Index) -> Shape | None:
    """The axes that an array of positions, a mask or a list of numbers leaves; None for any other index."""
    if isinstance(part, Sequence) and part.kind == "list" and part.items:
        return (len(part.items),) if all(map(_is_number, part.items)) else None
    if not isinstance(part, Tensor) or not part.shape:
        return None
    if part.dtype == "bool":
        return (None,)
    return part.shape if (part.dtype or "").startswith(("int", "uint")) else None


def _is_number(part: Index) -> bool:
    if isinstance(part, Literal):
        return isinstance(part.value, int) and not isinstance(part.value, bool)
    return (isinstance(part, Scalar) and part.type == "int") or (
        isinstance(part, Tensor) and part.shape == () and (part.dtype or "").startswith(("int", "uint"))
    )


def _slice_dim(dim: Dim, part: Slice) -> Dim:
    if part.lower is None and part.upper is None and part.step is None:
        return dim
    bounds = _bounds(part)
    if bounds is None:
        return _open_slice(dim, part)
    if isinstance(dim, int):
        return len(range(*bounds.indices(dim)))
    if dim is None or bounds.step not in (None, 1):
        return None
    return _symbolic_slice(dim, bounds.start or 0, bounds.stop)


def _open_slice(dim: Dim, part: Slice) -> Dim:
    """`x[:n]` and `x[n:]` of a known size: the bound is only certain to be within it where that is written."""
    return None


def _symbolic_slice(dim: Sym, start: int, stop: int | None) -> Dim:
    if stop is None and start >= 0:
        return dims.subtract(dim, start)
    if stop is None:
        return None
    if stop < 0 and start >= 0:
        return dims.subtract(dim, start - stop)
    return None


def _plain_text(part: Index) -> str | None:
    if isinstance(part, Literal) and isinstance(part.value, int | str):
        return repr(part.value)
    return None
