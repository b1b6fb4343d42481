"""What the output of a layer adds to the loss: `activity_regularizer`, and the layer that has nothing else."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.weights import value_of
from migrator.rules.regularizers import factors

WITH_ACTIVITY_LOSS = Helper(
    "with_activity_loss",
    '''def with_activity_loss(layer, x, l1=0.0, l2=0.0):
    """Passes on the output of `layer`, which keeps what that adds to the loss of a batch."""
    layer.added_loss = (l1 * x.abs().sum() + l2 * x.square().sum()) / len(x)
    return x
''',
)
ACTIVITY_REGULARIZATION = Helper(
    "ActivityRegularization",
    '''class ActivityRegularization(nn.Module):
    """Passes its input on, and keeps what that adds to the loss of a batch."""

    def __init__(self, l1=0.0, l2=0.0):
        super().__init__()
        self.l1, self.l2 = l1, l2

    def forward(self, x):
        self.added_loss = (self.l1 * x.abs().sum() + self.l2 * x.square().sum()) / len(x)
        return x
''',
    ("from torch import nn",),
)


def with_activity(code: LayerCode, regularizer: LayerArg) -> LayerCode:
    """The layer with what its output, after the activation, adds to the loss. Raises `Decline`."""
    given = "".join(f", {part}={factor}" for part, factor in factors(value_of(regularizer)).items())
    if not given:
        return code
    if code.module is None or code.form is not None or code.masked is not None:
        raise Decline("`activity_regularizer` of a layer without a module, or that is called with more than its input")
    output = code.forward if code.activation is None else code.activation.replace("{x}", code.forward)
    return replace(
        code,
        forward=f"with_activity_loss({{self}}, {output}{given})",
        activation=None,
        activation_name=None,
        helpers=(*code.helpers, WITH_ACTIVITY_LOSS),
        adds=True,
    )


@layer("tf.keras.layers.ActivityRegularization", samples=[S(f32(2, 3), l1=0.01), S(f32(2, 4, 3), 0.01, l2=0.1)])
def activity_regularization(l1=0.0, l2=0.0, *, call: LayerCall) -> LayerCode:
    """A small module that keeps what its input adds to the loss."""
    given = [f"{arg.name}={arg.text}" for arg in (l1, l2) if not (arg.is_known and arg.known == 0)]
    return LayerCode(
        module=f"ActivityRegularization({', '.join(given)})",
        forward="{self}({x})",
        stem="activity",
        helpers=(ACTIVITY_REGULARIZATION,),
        adds=True,
    )
