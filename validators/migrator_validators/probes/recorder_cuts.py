"""Shortens a program while it is recorded: few steps, little data, no downloads."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from . import tf_eager, tf_exports, tf_known_data, tf_sessions


def install(request: dict[str, Any], notebook: Any) -> None:
    """Cut training, data sets and downloads; tell the notebook of steps and of calls of models."""
    tf_eager.run_eagerly()
    limits = {"epochs": 1, "batches": 3, **request.get("limits", {})}
    _cut_keras(limits)
    _cut_datasets(limits)
    _no_downloads()
    tf_known_data.install()
    _watch_steps(notebook)
    tf_sessions.SESSIONS.watch_steps(notebook.step)
    _watch_calls(notebook)


def _cut_keras(limits: dict[str, int]) -> None:
    model = tf_exports.keras_package().Model
    trainer = next(c for c in model.__mro__ if "fit" in c.__dict__)
    for name in ("fit", "evaluate", "predict"):
        setattr(trainer, name, _short(getattr(trainer, name), limits))


def _short(original: Any, limits: dict[str, int]) -> Any:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = tf_exports.bind(original, (self, *args), kwargs)
        rows = (bound.get("batch_size") or 32) * limits["batches"]
        for name in ("x", "y", "sample_weight", "validation_data"):
            if name in bound:
                bound[name] = _first(bound[name], rows, limits["batches"])
        if "epochs" in bound:
            bound["epochs"] = min(int(bound["epochs"]), bound.get("initial_epoch", 0) + limits["epochs"])
        for name in ("steps_per_epoch", "validation_steps", "steps"):
            if bound.get(name):
                bound[name] = min(int(bound[name]), limits["batches"])
        extra = bound.pop("kwargs", {})
        return original(**dict(bound, **extra))

    return call


def _first(value: Any, rows: int, batches: int) -> Any:
    """The first rows of arrays, the first batches of a data set; generators stay (steps bound them)."""
    if isinstance(value, (np.ndarray, tf.Tensor)) or hasattr(value, "iloc"):
        return value[:rows]
    if isinstance(value, tf.data.Dataset):
        return value.take(batches)
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], (int, float, str)):
        return type(value)([_first(v, rows, batches) for v in value])
    if isinstance(value, dict):
        return {k: _first(v, rows, batches) for k, v in value.items()}
    return value


def _cut_datasets(limits: dict[str, int]) -> None:
    base = tf.data.Dataset
    iterate = base.__iter__

    def __iter__(self: Any) -> Any:
        iterator = iterate(self)
        return iterator if not tf.executing_eagerly() else _Short(iterator, 64 * limits["batches"])

    base.__iter__ = __iter__


class _Short:
    """An iterator that ends early."""

    def __init__(self, iterator: Any, most: int) -> None:
        self._iterator = iterator
        self._left = most

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        if self._left <= 0:
            raise StopIteration
        self._left -= 1
        return next(self._iterator)

    next = __next__

    def get_next(self) -> Any:
        try:
            return next(self)
        except StopIteration:
            raise tf.errors.OutOfRangeError(None, None, "End of sequence") from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


tf.data.Iterator.register(_Short)  # Keras asks what it is where it does not know how many batches there are


# --- data ---------------------------------------------------------------------------------------------


def _no_downloads() -> None:
    def get_file(fname: Any = None, origin: Any = None, *args: Any, **kwargs: Any) -> Any:
        raise OSError(f"not downloaded while recording: {origin}")

    tf_exports.everywhere(tf_exports.keras_package().utils.get_file, get_file)


# --- watching -------------------------------------------------------------------------------------------


def _watch_steps(notebook: Any) -> None:
    for cls, name in tf_exports.step_methods():
        setattr(cls, name, _stepping(getattr(cls, name), notebook))


def _stepping(original: Any, notebook: Any) -> Any:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        if tf.executing_eagerly():
            notebook.step()
        else:
            tf_sessions.SESSIONS.made(result)  # an operation, which makes a step when a session runs it
        return result

    return call


def _watch_calls(notebook: Any) -> None:
    layer = tf_exports.keras_package().layers.Layer
    original = layer.__call__

    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        notebook.used(self, args, {k: v for k, v in kwargs.items() if not _says_nothing(k, v)})
        return original(self, *args, **kwargs)

    layer.__call__ = __call__


def _says_nothing(name: str, value: Any) -> bool:
    """The mode, or the masks that Keras hands to a model inside of another where no tensor has one."""
    masks = value if isinstance(value, (list, tuple)) else [value]
    return name == "training" or (name == "mask" and all(mask is None for mask in masks))
