"""Running a program on both sides and comparing what comes out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import torch

from migrator.rules.engine.samples import Array

Results = tuple[list[Any], list[Any]]
TOLERANCE = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-9, "complex64": 2e-5, "complex128": 1e-9}


def make(array: Array, seed: int, wide: bool = False) -> np.ndarray[Any, Any]:
    """The array of a sample; `wide`: floats in float64."""
    rng = np.random.default_rng(seed)
    dtype = "float64" if wide and array.dtype == "float32" else array.dtype
    if array.dist == "integers":
        return rng.integers(array.low, array.high, array.shape).astype(dtype)
    if array.dist == "bool":
        return rng.random(array.shape) < 0.5
    if array.dist == "positive":
        return (rng.random(array.shape) + 0.2).astype(dtype)
    values = rng.random(array.shape) if array.dist == "unit" else rng.normal(size=array.shape)
    return values.astype(dtype)


def is_float(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def run_tf(source: str, arrays: Sequence[np.ndarray[Any, Any]], grad: bool) -> tuple[list[Any], list[Any]]:
    """Flat results and gradients of the float inputs, as arrays."""
    scope: dict[str, Any] = {"__name__": "sample", "tf": tf, "np": np, "keras": tf.keras}
    exec(source, scope)
    inputs = [tf.constant(a) for a in arrays]
    with tf.GradientTape(persistent=True) as tape:
        for x in inputs:
            tape.watch(x)
        results = flat(scope["f"](*inputs))
        floats = [r for r in results if tf.is_tensor(r) and r.dtype.is_floating]
        losses = [tf.reduce_sum(r * tf.constant(weights(r.shape), r.dtype)) for r in floats]
        loss = tf.add_n([tf.cast(v, tf.float64) for v in losses]) if losses else None
    grads = [tape.gradient(loss, x) if grad and loss is not None and x.dtype.is_floating else None for x in inputs]
    return [to_numpy(r) for r in results], [None if g is None else to_numpy(g) for g in grads]


def run_torch(source: str, arrays: Sequence[np.ndarray[Any, Any]], grad: bool) -> tuple[list[Any], list[Any]]:
    """The same of the torch program."""
    scope: dict[str, Any] = {"__name__": "sample", "np": np}
    exec(source, scope)
    inputs = [torch.tensor(a, requires_grad=grad and a.dtype.kind == "f") for a in arrays]
    results = flat(scope["f"](*inputs))
    floats = [r for r in results if torch.is_tensor(r) and r.is_floating_point() and r.requires_grad]
    losses = [(r * torch.as_tensor(weights(r.shape), dtype=r.dtype)).sum().double() for r in floats]
    wanted = [x for x in inputs if x.requires_grad]
    found = iter(torch.autograd.grad(sum(losses), wanted, allow_unused=True)) if losses and wanted else iter(())
    grads = [next(found, None) if x.requires_grad else None for x in inputs]
    return [to_numpy(r) for r in results], [None if g is None else to_numpy(g) for g in grads]


def weights(shape: Any) -> np.ndarray[Any, Any]:
    """Fixed weights, so that a gradient is not the same for every element."""
    size = int(np.prod(tuple(shape), dtype=int))
    return np.cos(np.arange(size, dtype="float64")).reshape(tuple(shape))


def flat(result: Any) -> list[Any]:
    """Leaves of tuples and lists, with their lengths so that structure counts."""
    if isinstance(result, tf.Tensor) and result.dtype == tf.string:
        result = result.numpy() if result.shape.rank == 0 else result.numpy().tolist()
    if isinstance(result, np.ndarray) and result.dtype == object:
        result = result.tolist()
    if isinstance(result, dict):
        return [len(result), *(leaf for key in sorted(result) for leaf in (key, *flat(result[key])))]
    if isinstance(result, (tuple, list)) and not isinstance(result, torch.Size):
        return [len(result), *(leaf for item in result for leaf in flat(item))]
    return [result]


def to_numpy(value: Any) -> Any:
    if torch.is_tensor(value):
        return value.detach().numpy()
    if isinstance(value, tf.IndexedSlices):
        return tf.convert_to_tensor(value).numpy()
    if isinstance(value, (torch.Size, tf.TensorShape)):
        return np.asarray(tuple(value))
    if isinstance(value, bytes):
        return np.frombuffer(value, "uint8")
    return np.asarray(value)


def same_draws() -> None:
    """Every run of a test draws the same: the ends of a few thousand draws differ too much between runs."""
    tf.keras.utils.set_random_seed(0)  # of Python and NumPy as well
    torch.manual_seed(0)


def in_empty_folder(run: Callable[[], Results]) -> tuple[Results, list[Any]]:
    """What a program gives and the files that it leaves, by name."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            results = run()
            return results, [leaf for path in sorted(Path().rglob("*")) for leaf in _file(path)]
        finally:
            os.chdir(before)


def _file(path: Path) -> list[Any]:
    """Name and content; of event files, whose names hold the time, what was logged."""
    if not path.is_file():
        return [f"{path}/"]
    if ".tfevents." in path.name:
        return [f"{path.parent}/events", *events(path)]
    return [str(path), np.frombuffer(path.read_bytes(), "uint8")]


def events(path: Path) -> list[Any]:
    """(tag, step, value) of every logged value, whichever of the two ways it is stored in."""
    found: list[Any] = []
    for event in tf.compat.v1.train.summary_iterator(str(path)):
        for value in event.summary.value:
            array = tf.make_ndarray(value.tensor) if value.HasField("tensor") else np.float32(value.simple_value)
            found += [value.tag, event.step, np.asarray(array)]
    return found


def difference(expected: list[Any], found: list[Any], widening: bool = True) -> str:
    """What differs, or "": structure, dtype (integers may be wider), shape, values."""
    if len(expected) != len(found):
        return f"{len(expected)} leaves expected, {len(found)} found"
    for index, (want, have) in enumerate(zip(expected, found, strict=True)):
        if (want is None) != (have is None):
            other = have if want is None else want
            if not np.any(other):
                continue
        if want is None or have is None:
            if want is not have:
                return f"leaf {index}: {want!r} expected, {have!r} found"
            continue
        problem = _leaf(want, have, widening)
        if problem:
            return f"leaf {index}: {problem}"
    return ""


def _leaf(want: Any, have: Any, widening: bool) -> str:
    if want.shape != have.shape:
        return f"shape {want.shape} expected, {have.shape} found"
    same_kind = want.dtype.kind == have.dtype.kind and want.dtype.kind in "iu"
    if want.dtype != have.dtype and not (widening and same_kind):
        return f"dtype {want.dtype} expected, {have.dtype} found"
    if want.dtype.kind not in "fc":
        return "" if np.array_equal(want, have) else f"{want!r} expected, {have!r} found"
    allowed = TOLERANCE[str(want.dtype)]
    if np.allclose(have, want, rtol=allowed, atol=allowed, equal_nan=True):
        return ""
    return f"differs by {np.nanmax(np.abs(want - have)):.3g}: {want!r} expected, {have!r} found"


def with_helpers(source: str, made: object) -> str:
    """A rewritten program with what it calls."""
    helpers = getattr(made, "helpers", ())
    imports = "\n".join(line for h in helpers for line in h.imports)
    return "\n".join([imports, source, *(h.source for h in helpers)])
