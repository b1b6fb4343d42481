"""TensorFlow side: randomness taken from `streams`, shuffles made sequential and noted, dense gradients.

`install()` once before the program under test is imported. Functions run eagerly, so that the
counters of `streams` count what runs and not what is traced. Works with Keras 3 and, where
`TF_USE_LEGACY_KERAS` is set, with Keras 2 (tf_keras).
"""

from __future__ import annotations

import functools
import os
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from .streams import STREAMS, Pass, install_numpy_permutations

LEGACY = os.environ.get("TF_USE_LEGACY_KERAS", "") in ("1", "true", "True")
_FIT: list[bool] = []  # is the innermost fit or evaluate on arrays asked to shuffle?


def install() -> None:
    """Replace every source of randomness that a program may use, and run functions eagerly."""
    restart()
    tf.config.run_functions_eagerly(True)
    tf.data.experimental.enable_debug_mode()
    _install_draws()
    _install_dropout()
    _install_datasets()
    _install_keras()
    _install_dense_gradients()
    install_numpy_permutations()


def restart() -> None:
    """Begin the streams again, and numpy's and Python's own generators."""
    STREAMS.restart()
    np.random.seed(0)
    random.seed(0)
    tf.random.set_seed(0)


def keras_package() -> Any:
    """The Keras that `tf.keras` is."""
    if LEGACY:
        import tf_keras

        return tf_keras
    import keras

    return keras


def widen() -> None:
    """Everything in float64, where the program says `tf.float32` too: what still differs then is no rounding."""
    keras_package().backend.set_floatx("float64")
    everywhere(tf.float32, tf.float64)


def start_step() -> None:
    """Restart the ordinals of all draws: both sides call this before a batch that is compared."""
    STREAMS.start_step()


# --- replacing exports --------------------------------------------------------------------------------


def everywhere(original: Any, patch: Any) -> None:
    """Put `patch` wherever the public modules of TensorFlow, or any of Keras, have `original`."""
    for name, module in list(sys.modules.items()):
        if not name.startswith(("tensorflow._api", "keras.", "tf_keras.")) and name not in _TOPS:
            continue
        for key, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:
                setattr(module, key, patch)


_TOPS = ("tensorflow", "keras", "tf_keras", "tensorflow.compat.v1", "tensorflow.compat.v2")


def _patch(path: str, patch: Callable[..., Any]) -> None:
    """Replace `tf.<path>` and its aliases; in a graph the original is used, and that is noted."""
    original: Any = tf
    for part in path.split("."):
        original = getattr(original, part, None)
        if original is None:
            return

    @functools.wraps(original)
    def eager(*args: Any, **kwargs: Any) -> Any:
        if _Original.depth:
            return original(*args, **kwargs)
        if tf.executing_eagerly():
            return patch(*args, **kwargs)
        if type(tf.compat.v1.get_default_graph()) is tf.Graph:  # a session's graph; functions run eagerly anyway
            STREAMS.note(f"{path} ran in a graph and drew its own numbers")
        return original(*args, **kwargs)

    everywhere(original, eager)


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
    _patch("random.normal", _normal)
    _patch("random.uniform", _uniform)
    _patch("random.truncated_normal", _truncated)
    _patch("random.categorical", _categorical)
    _patch("random.shuffle", _shuffle)
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
    generator.dropout = lambda self, inputs, rate, noise_shape=None: _dropout(inputs, rate)


def _legacy_method(original: Callable[..., Any], draw: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, shape: Any, *args: Any, **kwargs: Any) -> Any:
        if _initialising() or not tf.executing_eagerly():
            with _Original():
                return original(self, shape, *args, **kwargs)
        kwargs.pop("nonce", None)
        return draw(shape, *args, **kwargs)

    return method


# --- dropout --------------------------------------------------------------------------------------------


def _dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: Any = None) -> Any:
    x = tf.convert_to_tensor(x)
    rate = float(rate)
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
    _patch("nn.dropout", _dropout)
    if first is not tf.nn.dropout:
        _patch("compat.v1.nn.dropout", _dropout_v1)
    _patch("nn.experimental.stateless_dropout", lambda x, rate, seed=None, rng_alg=None, **kw: _dropout(x, rate))
    _patch("nn.experimental.general_dropout", lambda x, rate, *args, **kw: _dropout(x, rate))
    if not LEGACY:
        _install_keras_dropout(keras_package().src.backend.random)


def _install_keras_dropout(backend: Any) -> None:
    original = backend.dropout

    def dropout(inputs: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Any:
        if tf.executing_eagerly():
            return _dropout(inputs, rate)
        return original(inputs, rate, noise_shape, seed)

    backend.dropout = dropout


# --- data ---------------------------------------------------------------------------------------------


class Watched:
    """An iterator over a dataset that notices whether it feeds training."""

    def __init__(self, iterator: Any, shuffled: bool) -> None:
        self._iterator = iterator
        self._pass = Pass(STREAMS, shuffled)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        self._pass.advance()
        return next(self._iterator)

    next = __next__

    def get_next(self) -> Any:
        self._pass.advance()
        return self._iterator.get_next()

    def get_next_as_optional(self) -> Any:
        self._pass.advance()
        return self._iterator.get_next_as_optional()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


def _shuffled(dataset: Any) -> bool:
    if getattr(dataset, "_migrator_shuffled", False):
        return True
    inputs = getattr(dataset, "_inputs", None)
    return any(_shuffled(each) for each in inputs()) if callable(inputs) else False


def _install_datasets() -> None:
    base = tf.data.Dataset
    iterate = base.__iter__

    def shuffle(self: Any, buffer_size: Any, *args: Any, **kwargs: Any) -> Any:
        same = self.take(-1)
        same._migrator_shuffled = True
        return same

    def __iter__(self: Any) -> Any:
        iterator = iterate(self)
        if not tf.executing_eagerly():
            return iterator
        return Watched(iterator, _shuffled(self) or bool(_FIT and _FIT[-1]))

    base.shuffle = shuffle
    base.__iter__ = __iter__
    _disable_parallel_shuffle(base)


def _disable_parallel_shuffle(base: Any) -> None:
    """`list_files` shuffles names unless told otherwise."""
    original = base.list_files

    def list_files(file_pattern: Any, shuffle: Any = None, seed: Any = None, name: Any = None) -> Any:
        files = original(file_pattern, shuffle=False)
        files._migrator_shuffled = shuffle is not False
        return files

    base.list_files = staticmethod(list_files)


# --- Keras ----------------------------------------------------------------------------------------------


def _is_arrays(x: Any) -> bool:
    """Arrays are shuffled by `fit`; datasets are not, generators are not by it."""
    first = x[0] if isinstance(x, (list, tuple)) and x else x
    first = next(iter(first.values()), None) if isinstance(first, dict) else first
    return (
        isinstance(first, (np.ndarray, tf.Tensor, tf.Variable))
        or hasattr(first, "iloc")
        or isinstance(first, (int, float))
    )


def _install_keras() -> None:
    model = keras_package().Model
    trainer = next(c for c in model.__mro__ if "fit" in c.__dict__)
    fit, evaluate, predict = trainer.fit, trainer.evaluate, trainer.predict

    @functools.wraps(fit)
    def patched_fit(self: Any, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        bound = bind(fit, (self, x, *args), kwargs)
        asked = bool(bound.get("shuffle", True)) and _is_arrays(x)
        if _is_arrays(x):
            bound["shuffle"] = False
        return _inside(asked, fit, bound)

    trainer.fit = patched_fit
    for name, original in (("evaluate", evaluate), ("predict", predict)):
        setattr(trainer, name, _unshuffled(original))
    _install_eager_compile()


def bind(function: Any, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name; `**kwargs` stay under their own name."""
    import inspect

    return dict(inspect.signature(function).bind(*args, **kwargs).arguments)


def _inside(asked: bool, function: Any, bound: dict[str, Any]) -> Any:
    _FIT.append(asked)
    try:
        extra = bound.pop("kwargs", {})
        return function(**dict(bound, **extra))
    finally:
        _FIT.pop()


def _unshuffled(original: Any) -> Any:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _inside(False, original, bind(original, (self, *args), kwargs))

    return call


def _install_eager_compile() -> None:
    model = keras_package().Model
    trainer = next(c for c in model.__mro__ if "compile" in c.__dict__ and "fit" in c.__dict__) if LEGACY else None
    if trainer is None:
        from keras.src.trainers.trainer import Trainer

        trainer = Trainer
    compile_ = trainer.compile

    @functools.wraps(compile_)
    def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = bind(compile_, (self, *args), kwargs)
        extra = bound.pop("kwargs", {})
        bound.update(extra, run_eagerly=True)
        if not LEGACY:
            bound["jit_compile"] = False
        return compile_(**bound)

    trainer.compile = patched


def step_methods() -> list[tuple[Any, str]]:
    """(class, method) of everything that makes one optimizer step."""
    optimizers = keras_package().optimizers
    found = [(tf.compat.v1.train.Optimizer, "apply_gradients")]
    if not LEGACY:
        base = next(c for c in optimizers.Adam.__mro__ if c.__name__ == "BaseOptimizer")
        return [*found, (base, "apply")]
    for optimizer in (optimizers.Adam, optimizers.legacy.Adam):
        found += [(c, "apply_gradients") for c in optimizer.__mro__ if "apply_gradients" in c.__dict__][-1:]
    return found


def update_methods() -> list[tuple[Any, str]]:
    """(class, method) that receive the gradients after the optimizer's own clipping."""
    classes = keras_package().optimizers.Adam.__mro__
    name = "_internal_apply_gradients" if LEGACY else "_backend_update_step"
    return [(c, name) for c in classes if name in c.__dict__]


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
