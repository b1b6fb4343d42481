"""Runs in float64 that are float64 throughout: TensorFlow keeps some constants of its operations in float32."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.data.util import nest
from tensorflow.python.framework import tensor_conversion_registry
from tensorflow.python.ops import gen_nn_ops, init_ops_v2

from .tf_exports import LEGACY, bind, everywhere, keras_package

SINGLE = tf.float32
"""As it is before anything is replaced."""


NUMBERS = ("constant", "convert_to_tensor", "fill", "linspace", "range", "zeros", "ones", "eye", "one_hot", "cast")
"""Functions that make numbers of what a program writes."""

LIBRARIES = ("keras.", "tf_keras.", "tensorflow.")
"""What asks for float32 here has its reasons: the sign bit of a number is read off its 32 bits."""


def widen() -> None:
    """Everything in float64, where the program says `tf.float32` too."""
    keras_package().backend.set_floatx("float64")
    install()
    install_constants()
    everywhere(tf.float32, tf.float64)


def install() -> None:
    """From now on the slope of `leaky_relu` and the numbers that Keras casts are as exact as their inputs."""
    original = gen_nn_ops.leaky_relu

    def leaky_relu(features: Any, alpha: float = 0.2, name: Any = None) -> Any:
        if features.dtype != tf.float64:
            return original(features, alpha=alpha, name=name)
        return tf.where(features > 0, features, tf.constant(alpha, tf.float64) * features)

    gen_nn_ops.leaky_relu = leaky_relu
    if not LEGACY:
        cast = keras_package().src.backend.core.cast
        everywhere(cast, _exact_cast(cast))


def _exact_cast(cast: Callable[..., Any]) -> Callable[..., Any]:
    """Keras casts a Python number by way of float32: the scale of an attention, the constants of an optimizer."""

    @functools.wraps(cast)
    def exact(x: Any, dtype: Any) -> Any:
        return tf.constant(x, dtype=dtype) if type(x) is float else cast(x, dtype)

    return exact


def install_constants() -> None:
    """From now on a program's own numbers are float64, where it says nothing of their type or says float32."""
    for name in NUMBERS:
        original = getattr(tf, name)
        everywhere(original, _wide(original))
    for name in ("from_tensor_slices", "from_tensors"):
        setattr(tf.data.Dataset, name, staticmethod(_wide_elements(getattr(tf.data.Dataset, name))))
    for cls in vars(init_ops_v2).values():
        if inspect.isclass(cls) and issubclass(cls, init_ops_v2.Initializer) and "__call__" in vars(cls):
            setattr(cls, "__call__", _wide_initializer(cls.__call__))  # noqa: B010
    convert = tensor_conversion_registry.convert

    @functools.wraps(convert)
    def converted(value: Any, *args: Any, **kwargs: Any) -> Any:
        return convert(_exact(value), *args, **kwargs)

    tensor_conversion_registry.convert = converted


def _wide_initializer(original: Callable[..., Any]) -> Callable[..., Any]:
    """An initialiser of TensorFlow's own, called by the program (`tf.random_normal_initializer()(shape)`)."""

    @functools.wraps(original)
    def call(self: Any, shape: Any, dtype: Any = tf.float64, **kwargs: Any) -> Any:
        return original(self, shape, tf.float64 if dtype is None or tf.as_dtype(dtype) == SINGLE else dtype, **kwargs)

    return call


def _wide_elements(original: Callable[..., Any]) -> Callable[..., Any]:
    """A dataset of arrays: it asks for the type that they have before it converts them."""

    @functools.wraps(original)
    def call(tensors: Any, *args: Any, **kwargs: Any) -> Any:
        return original(nest.map_structure(_exact, tensors), *args, **kwargs)

    return call


def _wide(original: Callable[..., Any]) -> Callable[..., Any]:
    """A function of TensorFlow that gets its numbers exactly, and asks for float64 instead of float32."""
    dtype = inspect.signature(original).parameters.get("dtype")
    default = SINGLE if original is tf.one_hot else None if dtype is None else dtype.default

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if str(sys._getframe(1).f_globals.get("__name__")).startswith(LIBRARIES):
            return original(*args, **kwargs)
        bound = {name: _exact(value) for name, value in bind(original, args, kwargs).items()}
        if dtype is not None:
            asked = bound.get("dtype", default)
            wide = asked is not None and tf.as_dtype(asked) == SINGLE
            bound.update({"dtype": tf.float64} if wide else {})
        return original(**bound)

    return call


def _exact(value: Any) -> Any:
    """Numbers that would become float32, as float64."""
    if type(value) is float:
        return np.float64(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.astype("float64") if value.dtype == np.float32 else value
    if isinstance(value, (list, tuple)) and value:
        flat = tf.nest.flatten(value)
        if all(isinstance(v, (int, float, np.number)) for v in flat) and any(isinstance(v, float) for v in flat):
            return np.asarray(value, dtype="float64")
    return value
