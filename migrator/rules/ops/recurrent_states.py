"""Recurrent layers with `stateful=True` that a program lets start from zeros again."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc"

from __future__ import annotations

from migrator.rules.engine.args import Dynamic
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import method
from migrator.values import Instance, Literal, Value


def keeps(layer: object) -> bool:
    """Whether a layer is known to keep its states; one that wraps another, whether that one does."""
    return isinstance(layer, Dynamic) and stateful(layer.arg.value)


def stateful(value: Value) -> bool:
    """Whether a layer's value says `stateful=True`, its own or that of the layer inside."""
    if not isinstance(value, Instance):
        return False
    inner = value.arg("layer")
    return value.arg("stateful") == Literal(True) or (inner is not None and stateful(inner))


for _name in ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"):
    for _method in ("reset_states", "reset_state"):

        @method(f"tf.keras.layers.{_name}.{_method}", samples=())
        def reset(self):
            if not keeps(self):
                raise Decline("a layer of which it is not certain that it keeps states")
            return self.reset_states()
