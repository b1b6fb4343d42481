"""TensorFlow side: everything runs eagerly, functions that are given to datasets too."""

from __future__ import annotations

from typing import Any, List

import tensorflow as tf
from tensorflow.python.ops import script_ops

_KEPT: List[Any] = []  # Python functions that a graph may still call


def run_eagerly() -> None:
    """Functions and those of `map` see values, not symbols."""
    tf.config.run_functions_eagerly(True)
    tf.data.experimental.enable_debug_mode()
    _keep_functions()


def _keep_functions() -> None:
    """In debug mode datasets do not hold the generators of Keras 2, of which TensorFlow keeps weak references alone."""
    registry = script_ops.FuncRegistry
    insert = registry.insert
    if getattr(insert, "keeps", False):
        return

    def keeping(self: Any, func: Any) -> Any:
        _KEPT.append(func)
        return insert(self, func)

    keeping.keeps = True  # type: ignore[attr-defined]
    registry.insert = keeping
