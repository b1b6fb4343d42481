"""Keras 2 draws a dropout mask for each gate of a cell, and uses the first one alone where products are fused."""

from __future__ import annotations

from typing import Any


def draw_what_is_used(keras: Any) -> None:
    """Let cells and layers of Keras 2 draw only the mask that they use, as one who writes the layer down does."""
    mixin = keras.src.layers.rnn.dropout_rnn_cell_mixin.DropoutRNNCellMixin
    original = mixin._create_dropout_mask

    def create(self: Any, inputs: Any, training: Any, count: int = 1) -> Any:
        if count > 1 and getattr(self, "implementation", 1) == 2:
            return [original(self, inputs, training, 1)] * count
        return original(self, inputs, training, count)

    mixin._create_dropout_mask = create
