"""Finding and replacing what TensorFlow and Keras export, for Keras 3 and Keras 2 alike."""

from __future__ import annotations

import inspect
import os
import sys
from typing import Any

import tensorflow as tf
import tensorflow.compat.v1  # a module of its own, made when it is first imported: loaded, it can be patched

LEGACY = os.environ.get("TF_USE_LEGACY_KERAS", "") in ("1", "true", "True")


def keras_package() -> Any:
    """The Keras that `tf.keras` is."""
    if LEGACY:
        import tf_keras

        return tf_keras
    import keras

    return keras


def everywhere(original: Any, patch: Any) -> None:
    """Put `patch` wherever the public modules of TensorFlow, or any of Keras, have `original`."""
    for name, module in list(sys.modules.items()):
        if not name.startswith(("tensorflow._api", "keras.", "tf_keras.")) and name not in _TOPS:
            continue
        for key, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:
                setattr(module, key, patch)


_TOPS = ("tensorflow", "keras", "tf_keras", "tensorflow.compat.v1", "tensorflow.compat.v2")


def bind(function: Any, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name; `**kwargs` stay under their own name."""
    return dict(inspect.signature(function).bind(*args, **kwargs).arguments)


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
