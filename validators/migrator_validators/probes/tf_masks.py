"""Keras draws dropout masks of recurrent cells that it does not use; one who writes the layer down does not.

Keras 2 draws one for each gate, and uses the first alone where products are fused; Keras 3 draws in evaluation too.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any


def draw_for_gates(keras: Any) -> None:
    """Let cells and layers of Keras 2 draw only the masks that they use."""
    mixin = keras.src.layers.rnn.dropout_rnn_cell_mixin.DropoutRNNCellMixin
    original = mixin._create_dropout_mask

    def create(self: Any, inputs: Any, training: Any, count: int = 1) -> Any:
        if count > 1 and getattr(self, "implementation", 1) == 2:
            return [original(self, inputs, training, 1)] * count
        return original(self, inputs, training, count)

    mixin._create_dropout_mask = create


def draw_in_training(keras: Any) -> None:
    """Let recurrent layers of Keras 3 draw masks in training alone, where they use them."""
    rnn, cell = keras.src.layers.rnn.rnn.RNN, keras.src.layers.rnn.dropout_rnn_cell.DropoutRNNCell
    call, create, parameters = rnn.call, cell._create_dropout_mask, inspect.signature(rnn.call)
    trains = [True]  # of the layer that runs; cells by themselves ask for masks only where they use them

    @functools.wraps(call)
    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        before, given = trains[0], parameters.bind(self, *args, **kwargs).arguments
        trains[0] = bool(given.get("training"))
        try:
            return call(self, *args, **kwargs)
        finally:
            trains[0] = before

    @functools.wraps(create)
    def created(self: Any, *args: Any) -> Any:
        return create(self, *args) if trains[0] else None

    rnn.call, cell._create_dropout_mask = noted, created
