"""A call varied: other sizes, signs, values near what the code compares with, other arguments.

A recorded call shows one way through a program. The variations of it are tried on the original first;
what that refuses is no input of the program and is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from migrator_validators.cases import Arg, Array, Batches, Call, Case, Items, Lit, Made
from migrator_validators.cases import Mapping as MappingArg
from migrator_validators.inputs import Variant, arrays_of, distribution

FIRST = 100
"""The number of the first variation: batches of the case itself come before."""

MOST = 64
AXES = 3
ALONE = 2
"""Arrays of which a size is changed alone."""
ROWS = 20
ELEMENTS = 200_000
"""Of larger inputs only the batch size is varied."""


@dataclass(frozen=True)
class Variation:
    """One variation of a case. `graded`: its gradients are compared too. `weak`: other results for it are a note."""

    name: str
    case: Case
    change: Variant = "plain"
    graded: bool = False
    weak: bool = False


def variations(case: Case) -> tuple[Variation, ...]:
    """The variations of a case with hints, those that tell most first."""
    if case.hints is None:
        return ()
    found = [*_sizes(case), *_datasets(case)]
    if _elements(case) <= ELEMENTS:
        found += [*_together(case), *_alone(case), *_arguments(case), *_values(case)]
    return tuple(found[:MOST])


def _elements(case: Case) -> int:
    sizes = [int(np.prod([d for d in a.shape if isinstance(d, int)])) for a in arrays_of(_given(case))]
    return max(sizes, default=0)


def _given(case: Case) -> list[Arg]:
    """What the subject is called with, without what objects are made from."""
    values = (
        [*case.call.args, *case.call.kwargs.values()]
        if case.kind == "function"
        else [*case.inputs, *case.input_kwargs.values()]
    )
    return [value for value in values if not isinstance(value, Made | Batches)]


# --- sizes ------------------------------------------------------------------------------------------------


def _sizes(case: Case) -> Iterator[Variation]:
    """Other batch sizes, one row among them; then each other size by one more, wherever it stands."""
    shapes = [a.shape for a in arrays_of(_given(case)) if a.shape]
    first = _first(case)
    if first is not None:
        yield Variation("another batch size", _resized(case, first, first + 3, batch=True), graded=True)
        yield Variation("a batch of one", _resized(case, first, 1, batch=True))
    others = dict.fromkeys(d for shape in shapes for d in shape[1:] if isinstance(d, int) and d > 1)
    for size in [*others][:AXES]:
        yield Variation(f"{size + 1} for the size {size}", _resized(case, size, size + 1, batch=False), graded=True)
    if first is not None and first in others:
        every = _resized(_resized(case, first, first + 3, batch=True), first, first + 3, batch=False)
        yield Variation(f"{first + 3} for every size {first}", every)
    yield from _beyond(case, first, [*others][:1])


def _datasets(case: Case) -> Iterator[Variation]:
    """Data sets with one more batch, a short one."""
    more = rebatched(case)
    if more.call != case.call:
        yield Variation("one more batch, a short one", more)


def rebatched(case: Case) -> Case:
    """The case with one more batch in each data set, half as large as the last."""

    def more(batches: Batches) -> Batches:
        last = batches.sizes[-1]
        return batches.model_copy(update={"sizes": (*batches.sizes, last // 2 or 2)})

    return mapped(case, lambda array: array, more)


def _beyond(case: Case, first: int | None, others: list[int]) -> Iterator[Variation]:
    """Sizes beyond those that the code compares with, as far as the inputs stay small."""
    assert case.hints is not None
    for size in case.hints.sizes:
        axes = [(old, batch) for old, batch in ((first, True), *((old, False) for old in others)) if old is not None]
        for old, batch in axes:
            larger = _resized(case, old, size + 1, batch=batch)
            if size + 1 > old and _elements(larger) <= ELEMENTS:
                yield Variation(f"{size + 1} for the size {old}", larger)


def _first(case: Case) -> int | None:
    """The batch size that the source leaves open, where it is no name already."""
    sizes = (a.shape[0] for a in arrays_of(_given(case)) if a.shape)
    return next((size for size in sizes if isinstance(size, int)), None)


def _resized(case: Case, old: int, new: int, batch: bool) -> Case:
    """Every first axis (`batch`), or every other one, of a size with another size; the values are made anew."""

    def changed(array: Array) -> Array:
        axes = range(1) if batch else range(1, len(array.shape))
        shape = tuple(new if axis in axes and size == old else size for axis, size in enumerate(array.shape))
        if shape == array.shape:
            return array
        return array.model_copy(update={**anew(array), "shape": shape})

    return mapped(case, changed)


def anew(array: Array) -> dict[str, object]:
    """How values like those of an array are made; nothing to change where they are made already."""
    if array.values is None:
        return {"npz": None}
    if array.dtype == "object":  # text
        return {"values": None}
    values = np.asarray(array.values, dtype=array.dtype)
    made: dict[str, object] = {"values": None, "shape": array.shape or values.shape}
    if array.ids:
        return {**made, "dist": "integers", "low": float(values.min()), "high": float(values.max()) + 1}
    return {**made, **(distribution(values) if values.size else {})}


# --- values -----------------------------------------------------------------------------------------------


def _values(case: Case) -> Iterator[Variation]:
    """Other values of the same shapes."""
    assert case.hints is not None
    numbers = [a for a in arrays_of(_given(case)) if a.dtype.startswith(("float", "int", "uint"))]
    floats = [a for a in numbers if a.dtype.startswith("float") and not a.ids]
    whole = [a for a in numbers if not a.dtype.startswith("float")]
    if any(a.values is not None or a.npz is not None for a in numbers):
        fresh = mapped(case, lambda a: a.model_copy(update=anew(a)))
        yield Variation("other values", fresh, graded=True)
    if floats:
        yield Variation("the opposite signs", case, "negated", graded=True)
    if case.hints.near and (floats or whole):
        places = ", ".join(f"{n:g}" for n in case.hints.near)
        yield Variation(f"values at and around {places}", _with_more_rows(case), "near")
    if whole:
        yield Variation("rows that end in zeros", case, "padded")
    if floats:
        yield Variation("ten times the values", case, "tenfold")
        yield Variation("values near zero", case, "faint")
        yield Variation("many zeros", case, "zeros", weak=case.hints.sorts)
        yield Variation("equal values", _with_more_rows(case), "grid", weak=case.hints.sorts)
        yield Variation("some NaN", case, "nan", weak=not case.hints.special)
        yield Variation("some infinities", case, "infinite", weak=not case.hints.special)


def _with_more_rows(case: Case) -> Case:
    """Rows enough that equal values and halves occur, where the inputs stay small."""
    first = _first(case)
    more = case if first is None else _resized(case, first, first + ROWS, batch=True)
    return more if _elements(more) <= ELEMENTS else case


# --- arguments --------------------------------------------------------------------------------------------


def _arguments(case: Case) -> Iterator[Variation]:
    """Each parameter with its other values; a switch or option a second time with everything else changed."""
    assert case.hints is not None
    others = case.hints.others
    for name, values in others.items():
        for value in values:
            shown = repr(value.value) if isinstance(value, Lit) else "an array"
            changed = _with(case, name, value)
            yield Variation(f"{name}={shown}", changed)
            if isinstance(value, Lit) and _is_number(value):
                continue
            rest = [(n, v[0]) for n, v in others.items() if n != name and _is_number(v[0])]
            for other, number in rest:
                changed = _with(changed, other, number)
            first = _first(changed)
            changed = changed if first is None else _resized(changed, first, first + 3, batch=True)
            said = "".join(f", {n}={v.value!r}" for n, v in rest if isinstance(v, Lit))
            yield Variation(f"{name}={shown}{said} and another batch size", changed)


def _together(case: Case) -> Iterator[Variation]:
    """Each whole number with the sizes that are equal to it, and with whole numbers below it in the arrays."""
    assert case.hints is not None
    for name, old in case.hints.whole.items():
        more = Lit(value=old + 1)
        base = _with_more_rows(case) if any(map(_is_whole, arrays_of(_given(case)))) else case
        changed = _with(mapped(base, partial(_grown, old=old)), name, more)
        if old > 1 and changed != _with(base, name, more):
            yield Variation(f"{name}={old + 1} and the sizes of {old} with it", changed)


def _is_whole(array: Array) -> bool:
    return array.dtype.startswith(("int", "uint"))


def _grown(array: Array, old: int) -> Array:
    """An array whose sizes of `old`, but for the first, are one more; whole numbers are drawn from all up to `old`."""
    shape = tuple(old + 1 if size == old and axis else size for axis, size in enumerate(array.shape))
    if _is_whole(array):
        made = {**anew(array), "dist": "integers", "low": 0.0, "high": float(old + 1)}
        return array.model_copy(update={**made, "shape": shape or made.get("shape", ())})
    return array if shape == array.shape else array.model_copy(update={**anew(array), "shape": shape})


def _alone(case: Case) -> Iterator[Variation]:
    """A size of one array, where others have an equal one, by one more there alone."""
    arrays = {name: value for name, value in _named(case).items() if isinstance(value, Array)}
    for name, array in [*arrays.items()][-ALONE:]:
        others = {size for other, a in arrays.items() if other != name for size in a.shape}
        for axis, size in enumerate(array.shape):
            if isinstance(size, int) and size in others:
                shape = tuple(size + 1 if at == axis else s for at, s in enumerate(array.shape))
                changed = array.model_copy(update={**anew(array), "shape": shape})
                yield Variation(f"{size + 1} for the size {size} of {name} alone", _with(case, name, changed))


def _named(case: Case) -> dict[str, Arg]:
    """What the subject is called with, by the names of its parameters."""
    assert case.hints is not None
    call = case.call
    args, kwargs = (call.args, call.kwargs) if case.kind == "function" else (case.inputs, case.input_kwargs)
    return {**dict(zip(case.hints.params, args, strict=False)), **kwargs}


def _is_number(value: Arg) -> bool:
    return isinstance(value, Lit) and isinstance(value.value, int | float) and not isinstance(value.value, bool)


def _with(case: Case, name: str, value: Arg) -> Case:
    """The case with another value for a parameter of what is called."""
    assert case.hints is not None
    params = case.hints.params
    if case.kind != "function":
        args, kwargs = _set(case.inputs, case.input_kwargs, params, name, value)
        return case.model_copy(update={"inputs": args, "input_kwargs": kwargs})
    call = case.call
    args, kwargs = _set(call.args, call.kwargs, params, name, value)
    update: dict[str, object] = {"args": args, "kwargs": kwargs}
    if call.target_kwargs is not None:
        update["target_kwargs"] = {**call.target_kwargs, name: value}
    return case.model_copy(update={"call": call.model_copy(update=update)})


def _set(
    args: tuple[Arg, ...], kwargs: dict[str, Arg], params: tuple[str, ...], name: str, value: Arg
) -> tuple[tuple[Arg, ...], dict[str, Arg]]:
    at = params.index(name) if name in params else len(args)
    if at < len(args):
        return (*args[:at], value, *args[at + 1 :]), kwargs
    return args, {**kwargs, name: value}


# --- every array of a case --------------------------------------------------------------------------------


def mapped(
    case: Case, change: Callable[[Array], Array], data: Callable[[Batches], Batches] = lambda batches: batches
) -> Case:
    """The case with every array, and each data set, changed that the subject is called with; objects are made as
    they were."""

    def of(arg: Arg) -> Arg:
        if isinstance(arg, Array):
            return change(arg)
        if isinstance(arg, Batches):
            return data(arg)
        if isinstance(arg, Items):
            return arg.model_copy(update={"items": tuple(of(item) for item in arg.items)})
        if isinstance(arg, MappingArg):
            return arg.model_copy(update={"items": {name: of(item) for name, item in arg.items.items()}})
        return arg

    if case.kind in ("model", "layer"):
        kwargs = {name: of(arg) for name, arg in case.input_kwargs.items()}
        return case.model_copy(update={"inputs": tuple(map(of, case.inputs)), "input_kwargs": kwargs})
    return case.model_copy(update={"call": _mapped_call(case.call, of)})


def _mapped_call(call: Call, of: Callable[[Arg], Arg]) -> Call:
    update: dict[str, object] = {
        "args": tuple(map(of, call.args)),
        "kwargs": {name: of(arg) for name, arg in call.kwargs.items()},
    }
    if call.target_args is not None:
        update["target_args"] = tuple(map(of, call.target_args))
    if call.target_kwargs is not None:
        update["target_kwargs"] = {name: of(arg) for name, arg in call.target_kwargs.items()}
    return call.model_copy(update=update)
