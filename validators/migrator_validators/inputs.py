"""Arrays and argument trees of a case: the same numbers for both sides, other sizes every batch."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from migrator.errors import UsageError
from migrator_validators.cases import Arg, Array, Batches, Call, Case, Items, Lit, Made, Mapping, Name

Tree = dict[str, Any]
Side = Literal["source", "target"]
Variant = Literal[
    "plain", "tiny", "large", "negated", "tenfold", "near", "padded", "nan", "infinite", "zeros", "grid", "faint"
]
FREE = ((7, 4, 1), (13, 10, 17), (9, 14, 11), (5, 8, 6), (12, 7, 10))
"""Sizes of a named dim over the batches, by the order of its name: odd, unequal; the last batch is a single row."""
SCALES = {"tiny": 1e-8, "large": 30.0}
FACTORS = {"tenfold": 10.0, "faint": 1e-8}


@dataclass
class Inputs:
    """Makes trees for one batch. Equal specs of one side are told apart by their order, on both sides alike."""

    sizes: dict[str, int]
    batch: int = 0
    variant: Variant = "plain"
    folder: Path = Path()
    floatx: str = "float32"
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    near: tuple[float, ...] = ()
    _seen: Counter[str] = field(default_factory=Counter)

    def side(self) -> None:
        """Start the trees of another side: the same arrays are found again."""
        self._seen.clear()

    def tree(self, arg: Arg, side: Side) -> Tree:
        """The tree of one argument."""
        if isinstance(arg, Lit):
            return {"k": "lit", "v": arg.value}
        if isinstance(arg, Array) and arg.dtype == "object":
            return {"k": "text", "v": self._texts(arg)}
        if isinstance(arg, Array):
            return {"k": "arr", "key": self._array(arg), "as": arg.as_}
        if isinstance(arg, Items):
            return {"k": "seq", "t": arg.kind, "items": [self.tree(item, side) for item in arg.items]}
        if isinstance(arg, Mapping):
            return {"k": "map", "items": {name: self.tree(item, side) for name, item in arg.items.items()}}
        if isinstance(arg, Batches):
            return {"k": "dataset", "batches": [self._sized(arg, size, side) for size in arg.sizes]}
        if isinstance(arg, Name):
            return {"k": "name", "ref": (side == "target" and arg.target) or arg.source}
        return self.made(arg, side)

    def made(self, arg: Made, side: Side) -> Tree:
        """The tree of an object: its arrays do not change over the batches."""
        once = Inputs(
            self.sizes, 0, "plain", self.folder, self.floatx, self.arrays, (), Counter({"made:" + arg.label: 1})
        )
        tree: Tree = {"k": "made", "label": arg.label, "weights": arg.weights, "call": once.call(arg.call, side)}
        if arg.build is not None and side == "source":
            tree["build"] = once.call(arg.build, side)
        return tree

    def call(self, call: Call, side: Side) -> Tree:
        """The tree of a call on one side."""
        target = side == "target"
        ref = (call.target if target else "") or call.source
        args = call.target_args if target and call.target_args is not None else call.args
        kwargs = call.target_kwargs if target and call.target_kwargs is not None else call.kwargs
        on, trees = call.on, []
        if on is not None and ":" in ref:
            trees = [self.tree(on, side)] if call.target_args is None else []
            on = None
        return {
            "ref": ref,
            "on": None if on is None else self.tree(on, side),
            "args": trees + [self.tree(arg, side) for arg in args],
            "kwargs": {name: self.tree(arg, side) for name, arg in kwargs.items()},
            "pick": call.target_result if target else call.source_result,
        }

    def _sized(self, arg: Batches, size: int, side: Side) -> Tree:
        inner = Inputs(
            self.sizes, self.batch, self.variant, self.folder, self.floatx, self.arrays, self.near, self._seen
        )
        return inner.tree(_resize(arg.element, size), side)

    def _texts(self, spec: Array) -> Any:
        """The text of a spec as nested lists, invented where it says none: the same on both sides."""
        if spec.values is not None:
            return spec.values
        shape = tuple(_size(dim, self.sizes) for dim in spec.shape)
        rng = np.random.default_rng([zlib.crc32(spec.model_dump_json(by_alias=True).encode()), self.batch])
        return np.array(WORDS, dtype=object)[rng.integers(0, len(WORDS), size=shape)].tolist()

    def _array(self, spec: Array) -> str:
        text = spec.model_dump_json(by_alias=True, exclude={"ids"})
        made = "".join(sorted(name for name in self._seen if name.startswith("made:")))
        key = f"{zlib.crc32((text + made).encode()):08x}.{self._seen[text]}.{self.batch}.{self.variant}"
        occurrence = self._seen[text]
        self._seen[text] += 1
        if key not in self.arrays:
            seed = zlib.crc32(f"{key} {occurrence}".encode())
            array = generate(spec, self.sizes, seed, self.variant, self.folder)
            if not spec.ids:
                array = altered(array, self.variant, self.near, np.random.default_rng(seed))
            self.arrays[key] = widen(array) if self.floatx == "float64" else array
        return key


WORDS = ("The cat, sat.", "a b  c", "naïve Ünïcode", "12", "data/cats/one.png", "x", "", 'No-one\tSaid: "it"!')


def widen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """float32 as float64; everything else as it is."""
    return array.astype("float64") if array.dtype == np.float32 else array


def _resize(arg: Arg, size: int) -> Arg:
    """The element of a dataset with a batch of `size`."""
    if isinstance(arg, Array):
        return arg.model_copy(update={"shape": (size, *arg.shape[1:])})
    if isinstance(arg, Items):
        return arg.model_copy(update={"items": tuple(_resize(item, size) for item in arg.items)})
    if isinstance(arg, Mapping):
        return arg.model_copy(update={"items": {name: _resize(item, size) for name, item in arg.items.items()}})
    return arg


# --- arrays ----------------------------------------------------------------------------------------------


def generate(spec: Array, sizes: dict[str, int], seed: int, variant: Variant, folder: Path) -> npt.NDArray[Any]:
    """The array of a spec. Raises UsageError for a file that is missing or a size that is not known."""
    if spec.values is not None:
        return np.asarray(spec.values, dtype=spec.dtype)
    if spec.npz is not None:
        return _stored(spec.npz, folder)
    shape = tuple(_size(dim, sizes) for dim in spec.shape)
    rng = np.random.default_rng([seed, spec.seed])
    array = _draw(spec, shape, rng)
    if spec.dist == "normal":
        array = array * SCALES.get(variant, 1.0)
    return array.astype(spec.dtype)


def altered(
    array: npt.NDArray[Any], variant: Variant, near: Sequence[float], rng: np.random.Generator
) -> npt.NDArray[Any]:
    """An array as a variation wants it: floats with other signs, sizes or special values, whole numbers padded.

    `near`: half of the elements lie at these numbers or closely around them.
    """
    if array.dtype.kind == "f" and array.size:
        return _altered_floats(array, variant, near, rng)
    if array.dtype.kind in "iu" and array.size:
        return _altered_whole(array, variant, near, rng)
    return array


def _altered_floats(
    array: npt.NDArray[Any], variant: Variant, near: Sequence[float], rng: np.random.Generator
) -> npt.NDArray[Any]:
    if variant == "negated":
        return -array
    if variant in FACTORS:
        return (array * FACTORS[variant]).astype(array.dtype)
    if variant == "zeros":
        place = np.asarray(rng.random(array.shape) < 0.5)
        place.reshape(len(array) if array.ndim else 1, -1)[:1] = True
        return np.where(place, 0, array).astype(array.dtype)
    if variant == "grid":
        return _on_grid(array)
    if variant == "near" and near:
        middle = rng.choice(np.asarray(near), array.shape)
        around = middle + rng.choice([0.0, 0.0, 0.01, -0.01], array.shape) * np.maximum(np.abs(middle), 0.1)
        return np.where(rng.random(array.shape) < 0.5, around, array).astype(array.dtype)
    if variant in ("nan", "infinite"):
        special = np.nan if variant == "nan" else rng.choice([np.inf, -np.inf], array.shape)
        place = rng.random(array.shape) < 0.1
        place.reshape(-1)[rng.integers(array.size)] = True
        return np.where(place, special, array).astype(array.dtype)
    return array


def _on_grid(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Multiples of a power of two about as large as the values, of the half and of the eighth of it by turns: equal
    elements, zeros, and halves that are rounded."""
    spread = float(np.std(array)) or float(np.max(np.abs(array)))
    if not np.isfinite(spread) or not spread:
        return array
    steps = np.resize(2.0 ** np.round(np.log2(spread)) * np.asarray([1.0, 0.5, 0.125]), array.shape)
    return (np.round(array / steps) * steps).astype(array.dtype)


def _altered_whole(
    array: npt.NDArray[Any], variant: Variant, near: Sequence[float], rng: np.random.Generator
) -> npt.NDArray[Any]:
    whole = [int(n) for n in near if float(n).is_integer()]
    if variant == "near" and whole:
        around = rng.choice(np.asarray(whole), array.shape) + rng.integers(-1, 2, array.shape)
        around = np.maximum(around, min(int(array.min()), 0))
        return np.where(rng.random(array.shape) < 0.5, around, array).astype(array.dtype)
    if variant == "padded" and array.ndim and int(array.min()) >= 0:
        padded = array.copy()
        padded[..., (array.shape[-1] + 1) // 2 :] = 0
        return padded
    return array


def distribution(values: npt.NDArray[Any]) -> dict[str, Any]:
    """How to make values like these."""
    if values.dtype.kind == "b":
        return {"dist": "bool"}
    if values.dtype.kind in "iu":
        low, high = (int(values.min()), int(values.max())) if values.size else (0, 1)
        return {"dist": "integers", "low": low, "high": high + 1}
    finite = values[np.isfinite(values)]
    if finite.size and finite.min() >= 0:
        if values.ndim > 1 and set(np.unique(finite)) <= {0.0, 1.0} and bool((values.sum(axis=-1) == 1).all()):
            return {"dist": "onehot"}
        if set(np.unique(finite)) <= {0.0, 1.0}:
            return {"dist": "binary"}
        least, most = float(finite.min()), float(finite.max())
        return {"dist": "uniform", "low": least, "high": max(most, least + 1e-3)}
    return {"dist": "normal", "scale": float(finite.std()) or 1.0} if finite.size else {"dist": "normal"}


def _size(dim: int | str, sizes: dict[str, int]) -> int:
    if isinstance(dim, int):
        return dim
    if dim not in sizes:
        raise UsageError(f"no size for the dim {dim!r}")
    return sizes[dim]


def _stored(ref: str, folder: Path) -> npt.NDArray[Any]:
    name, _, key = ref.partition("#")
    try:
        with np.load(folder / name, allow_pickle=False) as stored:
            return np.asarray(stored if isinstance(stored, np.ndarray) else stored[key or stored.files[0]])
    except (OSError, KeyError, ValueError) as error:
        raise UsageError(f"stored array {ref!r} cannot be read: {error}") from error


def _draw(spec: Array, shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[Any]:
    low, high = spec.low, spec.high
    if spec.dist == "normal":
        return rng.normal(size=shape) * spec.scale
    if spec.dist == "uniform":
        return rng.uniform(low, high, size=shape)
    if spec.dist == "integers":
        return rng.integers(int(low), max(int(high), int(low) + 1), size=shape)
    if spec.dist in ("bool", "binary"):
        return rng.integers(0, 2, size=shape)
    if spec.dist == "onehot":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], size=shape[:-1])]
    if spec.dist == "lengths":
        return rng.integers(1, int(high) + 1, size=shape)
    return _sorted(spec, shape, rng)


def _sorted(spec: Array, shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[Any]:
    """Ascending along the last axis; whole numbers for an integer dtype."""
    if np.dtype(spec.dtype).kind in "iu":
        return np.sort(rng.integers(int(spec.low), max(int(spec.high), int(spec.low) + 1), size=shape), axis=-1)
    return np.sort(rng.uniform(spec.low, spec.high, size=shape), axis=-1)


# --- sizes -----------------------------------------------------------------------------------------------


def arrays_of(value: Any) -> Iterator[Array]:
    """Every array spec in a case or a part of one."""
    if isinstance(value, Array):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from arrays_of(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from arrays_of(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from arrays_of(item)


def named_dims(case: Case) -> tuple[str, ...]:
    """Names of the free dims in a case, sorted."""
    return tuple(sorted({dim for array in arrays_of(case) for dim in array.shape if isinstance(dim, str)}))


def varies(case: Case) -> bool:
    """Whether the inputs differ from batch to batch: stored values and literals are the same every time."""
    return any(array.values is None and array.npz is None for array in arrays_of(_given(case)))


def scales(case: Case) -> bool:
    """Whether an input is drawn from all numbers, so that tiny and large ones are as good."""
    fresh = (a for a in arrays_of(_given(case)) if a.values is None and a.npz is None)
    return any(a.dist == "normal" and np.dtype(a.dtype).kind == "f" for a in fresh)


def _given(case: Case) -> list[Any]:
    """What is given to the call, without what objects are made from."""
    values = [*case.inputs, *case.input_kwargs.values(), *case.call.args, *case.call.kwargs.values()]
    return [value for value in values if not isinstance(value, Made)]


def sizes_of(case: Case, batch: int) -> dict[str, int]:
    """Sizes of the free dims in one batch: declared ones, or odd and unequal ones of ours."""
    out = {}
    for index, name in enumerate(named_dims(case)):
        declared = case.sizes.get(name)
        choices = declared or FREE[_row(name, index)]
        out[name] = choices[batch % len(choices)]
    return out


def _row(name: str, index: int) -> int:
    """Batch sizes first: "N" and "B" are batches by custom."""
    return 0 if name in ("N", "B", "batch") else 1 + index % (len(FREE) - 1)
