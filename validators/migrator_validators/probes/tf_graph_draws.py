"""Random numbers of TensorFlow 1 graphs: placeholders that every run of a session is fed from `streams`.

A graph is built once and run often, so a draw cannot take its numbers when it is made. It becomes a placeholder; before
a run, the shapes (and rates) of the draws that the fetches need are computed, the numbers drawn in the order in which
the draws were made, and fed.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from .streams import STREAMS

_DRAWS: list[Draw] = []


def install() -> None:
    """Graphs made from now on have a seed: their initial values are the same in every run of a check."""
    original = tf.Graph.__init__

    @functools.wraps(original)
    def __init__(graph: Any) -> None:
        original(graph)
        if type(graph) is tf.Graph:
            graph.seed = 0

    tf.Graph.__init__ = __init__


class Draw:
    """One draw in a graph: of `kind` "normal", "uniform" or "dropout", of `size` (a shape, or rows and rate)."""

    def __init__(self, kind: str, size: Any, dtype: Any, shape: Any) -> None:
        self.kind, self.size = kind, size
        self.fed = tf.compat.v1.placeholder(dtype, shape)

    def numbers(self, size: Any) -> np.ndarray:
        """The numbers of one run, where `size` has these values."""
        if self.kind == "dropout":
            return factors(int(size[0]), float(size[1]))
        shape = [int(n) for n in np.asarray(size[0]).reshape(-1)]
        return STREAMS.normal(shape) if self.kind == "normal" else STREAMS.uniform(shape)


def factors(rows: int, rate: float) -> np.ndarray:
    """The factors of a dropout; as in eager code, one of rate 0 draws none."""
    if rate in (0.0, 1.0):
        return np.full(rows, 1.0 - rate)
    return STREAMS.dropout(rows, rate)


def in_session_graph() -> bool:
    """Whether operations are added to a graph for sessions, outside of its loops and branches."""
    graph = tf.compat.v1.get_default_graph()
    return type(graph) is tf.Graph and graph._get_control_flow_context() is None


def _made(draw: Draw) -> Any:
    _DRAWS.append(draw)
    return draw.fed


def _numbers(kind: str, shape: Any, dtype: Any) -> Any:
    static = tf.get_static_value(tf.convert_to_tensor(shape, tf.int32)) if not _is_plain(shape) else shape
    known = None if static is None else [int(n) for n in np.asarray(static).reshape(-1)]
    return _made(Draw(kind, [tf.constant(known, tf.int32) if known is not None else shape], dtype, known))


def _is_plain(shape: Any) -> bool:
    return isinstance(shape, (int, list, tuple)) and all(isinstance(n, int) for n in np.ravel(shape).tolist())


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None, name: Any = None
) -> Any:
    dtype = tf.as_dtype(dtype or tf.float32)
    return _numbers("normal", shape, dtype) * tf.cast(stddev, dtype) + tf.cast(mean, dtype)


def truncated(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None, name: Any = None
) -> Any:
    dtype = tf.as_dtype(dtype or tf.float32)
    drawn = tf.clip_by_value(_numbers("normal", shape, dtype), -2, 2)
    return drawn * tf.cast(stddev, dtype) + tf.cast(mean, dtype)


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = None, seed: Any = None, name: Any = None
) -> Any:
    dtype = tf.as_dtype(dtype or tf.float32)
    maxval = 1 if maxval is None else maxval
    if not dtype.is_integer:
        low, high = tf.cast(minval, dtype), tf.cast(maxval, dtype)
        return _numbers("uniform", shape, dtype) * (high - low) + low
    low, high = tf.cast(minval, tf.float64), tf.cast(maxval, tf.float64)
    return tf.cast(tf.floor(low + _numbers("uniform", shape, tf.float64) * (high - low)), dtype)


def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: Any = None) -> Any:
    """One factor a row; None where the factors would have another shape, which eager code gives from other numbers."""
    x = tf.convert_to_tensor(x)
    if noise_shape is not None or x.shape.rank is None:
        return None
    rows = tf.shape(x)[0] if x.shape.rank else tf.constant(1)
    rate = tf.convert_to_tensor(rate, x.dtype)
    drawn = _made(Draw("dropout", [rows, rate], x.dtype, [None]))
    return x * tf.reshape(drawn, [-1] + [1] * (x.shape.rank - 1) if x.shape.rank else [])


def dropout_v1(
    x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: Any = None, name: Any = None, rate: Any = None
) -> Any:
    return dropout(x, 1.0 - keep_prob if rate is None else rate, noise_shape)


def feeds(graph: Any, needed: set[Any], given: dict[Any, Any], run: Any) -> dict[Any, Any]:
    """What a run that needs these operations is fed besides what is `given`; `run` computes without being watched."""
    draws = [d for d in _DRAWS if d.fed.graph is graph and d.fed.op in needed]
    out: dict[Any, Any] = {}
    for draw in draws:  # one by one: the shape of a later one may depend on an earlier one
        out[draw.fed] = draw.numbers(run(draw.size, {**given, **out}))
    return out
