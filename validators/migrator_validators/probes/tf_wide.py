"""Runs in float64 that are float64 throughout: TensorFlow keeps some constants of its operations in float32."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow.python.ops import gen_nn_ops


def install() -> None:
    """From now on the slope of `leaky_relu` is as exact as its input."""
    original = gen_nn_ops.leaky_relu

    def leaky_relu(features: Any, alpha: float = 0.2, name: Any = None) -> Any:
        if features.dtype != tf.float64:
            return original(features, alpha=alpha, name=name)
        return tf.where(features > 0, features, tf.constant(alpha, tf.float64) * features)

    gen_nn_ops.leaky_relu = leaky_relu
