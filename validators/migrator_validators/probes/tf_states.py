"""Recurrent layers with `stateful=True` keep their states from call to call."""

from __future__ import annotations

from typing import Any, Iterable

import tensorflow as tf

from . import tf_objects as objects


def reset_states(made: Iterable[Any]) -> None:
    """Let the recurrent layers of some objects start from zeros, as if none had been called yet."""
    for layer in (layer for value in made for layer in objects.layers_of(value)):
        if getattr(layer, "stateful", False) is True:
            for state in tf.nest.flatten(
                getattr(layer, "states", None) or []
            ):  # Keras's own reset fails on stacked cells
                if hasattr(state, "assign"):
                    state.assign(tf.zeros_like(state))
