"""TensorFlow side: randomness taken from `streams`, shuffles made sequential and noted, dense gradients.

`install()` once before the program under test is imported. Functions run eagerly, so that the
counters of `streams` count what runs and not what is traced. Works with Keras 3 and, where
`TF_USE_LEGACY_KERAS` is set, with Keras 2 (tf_keras).
"""

from __future__ import annotations

import functools
import inspect
import random
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from . import tf_eager, tf_graph_draws, tf_masks, tf_order, tf_wide
from .streams import STREAMS, install_numpy_permutations
from .tf_exports import LEGACY, bind, everywhere, keras_package
from .tf_sessions import SESSIONS


def install() -> None:
    """Replace every source of randomness that a program may use, and run functions eagerly."""
    restart()
    _install_seeds()
    tf_eager.run_eagerly()
    _install_draws()
    _install_dropout()
    SESSIONS.install()
    tf_graph_draws.install()
    tf_order.install()
    _install_dense_gradients()
    install_numpy_permutations()


def restart() -> None:
    """Begin the streams again, and numpy's and Python's own generators."""
    STREAMS.restart()
    np.random.seed(0)
    random.seed(0)
    tf.random.set_seed(0)


def _install_seeds() -> None:
    """Keras takes seeds of its own from Python's generator: from another one, so that the program's next numbers are
    those that it gets where there is no Keras."""
    own = random.Random(0)
    if LEGACY:
        keras_package().src.backend.random = own
    else:
        keras_package().src.random.seed_generator.python_random = own
    original = tf.keras.utils.set_random_seed

    @functools.wraps(original)
    def seed_all(seed: Any) -> None:
        original(seed)
        own.seed(seed)

    everywhere(original, seed_all)


def widen() -> None:
    """Everything in float64; what still differs then is no rounding."""
    tf_wide.widen()


def start_step() -> None:
    """Restart the ordinals of all draws: both sides call this before a batch that is compared."""
    STREAMS.start_step()


# --- replacing exports --------------------------------------------------------------------------------


def _patch(path: str, patch: Callable[..., Any], in_graph: Callable[..., Any] | None = None) -> None:
    """Replace `tf.<path>` and its aliases, by `in_graph` in the graph of a session; what cannot be is noted."""
    original: Any = tf
    for part in path.split("."):
        original = getattr(original, part, None)
        if original is None:
            return

    @functools.wraps(original)
    def eager(*args: Any, **kwargs: Any) -> Any:
        if _Original.depth:
            return _as_in_float32(original, args, kwargs)
        if tf.executing_eagerly():
            return patch(*args, **kwargs)
        if in_graph is not None and tf_graph_draws.in_session_graph():
            drawn = in_graph(*args, **kwargs)
            if drawn is not None:
                return drawn
        if type(tf.compat.v1.get_default_graph()) is tf.Graph:  # a session's graph; functions run eagerly anyway
            STREAMS.note(f"{path} ran in a graph and drew its own numbers")
        return original(*args, **{**_widened(original, args, kwargs), **kwargs})

    everywhere(original, eager)


FLOAT32 = tf.float32
"""As it was before `widen`."""


def _as_in_float32(original: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Initial values of a run in float64 are those of the run in float32, which it is held against."""
    if tf.float32 is FLOAT32:
        return original(*args, **kwargs)
    bound = bind(original, args, kwargs)
    if "dtype" not in bound or tf.as_dtype(bound["dtype"]) != tf.float64:
        return original(*args, **kwargs)
    wide = {name: v for name, v in bound.items() if getattr(v, "dtype", None) == tf.float64 and v.shape == ()}
    narrow = {name: tf.raw_ops.Cast(x=v, DstT=FLOAT32) for name, v in wide.items()}  # no numbers yet in a graph
    return tf.cast(original(**{**bound, **narrow, "dtype": FLOAT32}), tf.float64)


def _widened(original: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The dtype that a draw gets in float64 where its own default says float32: a layer may be called symbolically."""
    dtype = inspect.signature(original).parameters.get("dtype")
    if tf.float32 is FLOAT32 or dtype is None or dtype.default is not FLOAT32:
        return {}
    return {} if "dtype" in bind(original, args, kwargs) else {"dtype": tf.float64}


# --- draws --------------------------------------------------------------------------------------------


def _shape(shape: Any) -> list[int]:
    return [int(n) for n in np.asarray(shape, dtype="int64").reshape(-1)]


def _tensor(values: np.ndarray, dtype: Any) -> Any:
    return tf.cast(tf.constant(values), tf.as_dtype(dtype or tf.float32))


def _normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None, name: Any = None
) -> Any:
    dtype = dtype or tf.float32
    return _tensor(STREAMS.normal(_shape(shape)), dtype) * tf.cast(stddev, dtype) + tf.cast(mean, dtype)


def _truncated(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None, name: Any = None
) -> Any:
    dtype = dtype or tf.float32
    return _tensor(np.clip(STREAMS.normal(_shape(shape)), -2, 2), dtype) * tf.cast(stddev, dtype) + tf.cast(mean, dtype)


def _uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = None, seed: Any = None, name: Any = None
) -> Any:
    dtype = tf.as_dtype(dtype or tf.float32)
    maxval = 1 if maxval is None else maxval
    if dtype.is_integer:
        return _tensor(STREAMS.integers(np.asarray(minval), np.asarray(maxval), _shape(shape)), dtype)
    low, high = tf.cast(minval, dtype), tf.cast(maxval, dtype)
    return _tensor(STREAMS.uniform(_shape(shape)), dtype) * (high - low) + low


def _categorical(logits: Any, num_samples: Any, dtype: Any = None, seed: Any = None, name: Any = None) -> Any:
    scores = np.asarray(logits, dtype="float64")
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return _tensor(STREAMS.choices(weights, int(num_samples)), dtype or tf.int64)


def _shuffle(value: Any, seed: Any = None, name: Any = None) -> Any:
    STREAMS.event("permutation")
    return tf.identity(value)


def _stateless(draw: Callable[..., Any]) -> Callable[..., Any]:
    """The stateless spelling has the seed second: (shape, seed, *rest)."""

    def stateless(shape: Any, seed: Any = None, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("alg", None)
        return draw(shape, *args, **kwargs)

    return stateless


def _stateless_categorical(logits: Any, num_samples: Any, seed: Any, dtype: Any = None, name: Any = None) -> Any:
    return _categorical(logits, num_samples, dtype)


def _install_draws() -> None:
    _patch("random.normal", _normal, tf_graph_draws.normal)
    _patch("random.uniform", _uniform, tf_graph_draws.uniform)
    _patch("random.truncated_normal", _truncated, tf_graph_draws.truncated)
    _patch("random.categorical", _categorical)
    _patch("random.shuffle", _shuffle)
    _install_images()
    keras = keras_package()
    if LEGACY:
        _install_legacy_backend(keras.src.backend)
    else:
        _install_backend(keras.src.backend.random)
    stateless = {"normal": _normal, "uniform": _uniform, "truncated_normal": _truncated}
    for name, draw in stateless.items():
        _patch("random.stateless_" + name, _stateless(draw))
    _patch("random.stateless_categorical", _stateless_categorical)
    for name, draw in stateless.items():
        setattr(tf.random.Generator, name, _method(draw))


def _install_images() -> None:
    """The random functions of `tf.image` draw through a module that nothing exports."""
    from tensorflow.python.ops import image_ops_impl as images

    draws = {"random_uniform": tf.random.uniform, "random_normal": tf.random.normal}
    images.random_ops = types.SimpleNamespace(**{**vars(images.random_ops), **draws})
    _patch("image.random_crop", _random_crop)
    _patch("image.stateless_random_crop", lambda value, size, seed, name=None: _random_crop(value, size))


def _random_crop(value: Any, size: Any, seed: Any = None, name: Any = None) -> Any:
    """One start an axis: TensorFlow draws up to the largest integer and takes the remainder, as nobody writes it."""
    value, size = tf.convert_to_tensor(value), _shape(size)
    room = [int(n) - m + 1 for n, m in zip(value.shape, size, strict=True)]
    if min(room) < 1:
        raise tf.errors.InvalidArgumentError(None, None, f"Need value.shape >= size, got {value.shape} and {size}")
    return tf.slice(value, [int(STREAMS.integers(0, n, ())) for n in room], size)


def _method(draw: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: draw(*args, **kwargs)


def _initialising() -> bool:
    """Is an initialiser of Keras asking? Initial values are no part of the stream."""
    frame = sys._getframe(2)  # type: Any
    for _ in range(4):
        if frame is None:
            return False
        if "initializers" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def _unless_initialising(original: Callable[..., Any], draw: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if _initialising() or not tf.executing_eagerly():
            STREAMS.initial = True
            with _Original():
                return original(*args, **kwargs)
        return draw(*args, **kwargs)

    return wrapped


class _Original:
    """Inside this block the stateless draws of TensorFlow are its own."""

    depth = 0

    def __enter__(self) -> None:
        _Original.depth += 1

    def __exit__(self, *error: Any) -> None:
        _Original.depth -= 1


def _install_backend(backend: Any) -> None:
    """Keras 3: layers and `keras.random` draw through `keras.src.backend.random`."""
    backend.normal = _unless_initialising(backend.normal, _normal)
    backend.uniform = _unless_initialising(backend.uniform, _uniform)
    backend.truncated_normal = _unless_initialising(backend.truncated_normal, _truncated)
    backend.categorical = _categorical
    backend.randint = lambda shape, minval, maxval, dtype="int32", seed=None: _uniform(shape, minval, maxval, dtype)
    backend.shuffle = lambda x, axis=0, seed=None: _shuffle(x)


def _install_legacy_backend(backend: Any) -> None:
    """Keras 2: layers draw through a RandomGenerator; its initialisers too."""
    generator = backend.RandomGenerator
    for name, draw in (("random_normal", _normal), ("random_uniform", _uniform), ("truncated_normal", _truncated)):
        setattr(generator, name, _legacy_method(getattr(generator, name), draw))
    generator.dropout = _legacy_dropout(generator.dropout)


def _legacy_dropout(original: Callable[..., Any]) -> Callable[..., Any]:
    def dropout(self: Any, inputs: Any, rate: Any, noise_shape: Any = None) -> Any:
        drawn = None
        if tf.executing_eagerly():
            drawn = _dropout(inputs, rate)
        elif tf_graph_draws.in_session_graph():
            drawn = tf_graph_draws.dropout(inputs, rate, noise_shape)
        return original(self, inputs, rate, noise_shape) if drawn is None else drawn

    return dropout


def _legacy_method(original: Callable[..., Any], draw: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, shape: Any, *args: Any, **kwargs: Any) -> Any:
        if _initialising() or not tf.executing_eagerly():
            STREAMS.initial = True
            with _Original():
                return original(self, shape, *args, **kwargs)
        kwargs.pop("nonce", None)
        return draw(shape, *args, **kwargs)

    return method


# --- dropout --------------------------------------------------------------------------------------------


def _dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: Any = None) -> Any:
    x = tf.convert_to_tensor(x)
    rate = float(rate)
    if noise_shape is not None:  # one factor for what it says, as for ones of that shape
        sizes = [n if m is None else m for m, n in zip(list(noise_shape), x.shape, strict=True)]
        return x * _dropout(tf.ones([int(n) for n in sizes], x.dtype), rate)
    if rate == 0:
        return x
    if rate == 1:
        return tf.zeros_like(x)
    rows = int(x.shape[0]) if x.shape.rank else 1
    factors = tf.cast(STREAMS.dropout(rows, rate), x.dtype)
    return x * tf.reshape(factors, [rows] + [1] * (x.shape.rank - 1) if x.shape.rank else [])


def _dropout_v1(
    x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: Any = None, name: Any = None, rate: Any = None
) -> Any:
    return _dropout(x, 1 - float(keep_prob) if rate is None else rate)


def _install_dropout() -> None:
    first = tf.compat.v1.nn.dropout
    _patch("nn.dropout", _dropout, tf_graph_draws.dropout)
    if first is not tf.nn.dropout:
        _patch("compat.v1.nn.dropout", _dropout_v1, tf_graph_draws.dropout_v1)
    _patch("nn.experimental.stateless_dropout", lambda x, rate, seed=None, rng_alg=None, **kw: _dropout(x, rate))
    _patch("nn.experimental.general_dropout", lambda x, rate, *args, **kw: _dropout(x, rate))
    if LEGACY:
        tf_masks.draw_for_gates(keras_package())
    else:
        tf_masks.draw_in_training(keras_package())
        _install_keras_dropout(keras_package().src.backend.random)


def _install_keras_dropout(backend: Any) -> None:
    original = backend.dropout

    def dropout(inputs: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Any:
        if tf.executing_eagerly():
            return _dropout(inputs, rate)
        return original(inputs, rate, noise_shape, seed)

    backend.dropout = dropout


# --- gradients --------------------------------------------------------------------------------------------


def _dense(gradient: Any) -> Any:
    return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def _install_dense_gradients() -> None:
    """Keras squares the slices of a repeated id apart (semantics.md, section 7): compare dense ones."""
    original = tf.GradientTape.gradient

    @functools.wraps(original)
    def gradient(self: Any, *args: Any, **kwargs: Any) -> Any:
        return tf.nest.map_structure(_dense, original(self, *args, **kwargs))

    tf.GradientTape.gradient = gradient
