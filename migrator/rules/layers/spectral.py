"""SpectralNormalization: a small module, since torch's keeps the undivided weight and Keras does not."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32, i32, src
from migrator.rules.layers.call import LayerCall, wrapped

SPECTRAL = Helper(
    "SpectralNormalization",
    '''class SpectralNormalization(nn.Module):
    """A layer whose weight is divided for good by its largest singular value whenever it is called in training."""

    def __init__(self, layer, power_iterations=1):
        super().__init__()
        self.layer, self.power_iterations = layer, power_iterations
        vector_u = nn.init.trunc_normal_(torch.empty(len(layer.weight)), std=0.02, a=-0.04, b=0.04)
        self.register_buffer("vector_u", vector_u)

    def forward(self, x):
        if self.training:
            self.divide_weight()
        # a copy, for the backward pass of this call: the next call divides the weight again
        return torch.func.functional_call(self.layer, {"weight": self.layer.weight.clone()}, x)

    @torch.no_grad()
    def divide_weight(self):
        weight = self.layer.weight.flatten(1)
        if not weight.any():
            return
        for _ in range(self.power_iterations):
            vector_v = F.normalize(self.vector_u @ weight, dim=0, eps=1e-6)
            self.vector_u.copy_(F.normalize(weight @ vector_v, dim=0, eps=1e-6))
        self.layer.weight /= self.vector_u @ weight @ vector_v
''',
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)
_NAMES = ("Dense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
_KINDS = frozenset(f"tf.keras.layers.{name}" for name in _NAMES)
_IMAGES = f32(2, 6, 5, 3)


@layer(
    "tf.keras.layers.SpectralNormalization",
    samples=[
        S(f32(4, 3), src("layers.Dense(5)")),
        S(_IMAGES, src("layers.Conv2D(4, 3, padding='same', activation='relu')")),
        S(_IMAGES, src("layers.Conv2D(4, 3, strides=2, padding='same', use_bias=False)"), power_iterations=3),
        S(_IMAGES, src("layers.Conv2DTranspose(4, 3, strides=2, padding='same')")),
        S(f32(2, 6, 3), src("layers.Conv1D(4, 3, kernel_regularizer='l2')")),
        declines(_IMAGES, src("layers.DepthwiseConv2D(3)")),
        declines(i32(2, 5, low=0, high=7), src("layers.Embedding(7, 4)")),
    ],
)
def spectral_normalization(layer, power_iterations=1, *, call: LayerCall) -> LayerCode:
    """A small module around the layer, whose weight it divides in training."""
    rule, args = wrapped(layer, call.keras)
    if rule.api not in _KINDS:
        raise Decline(f"spectral normalisation of {rule.api}")
    made = rule.build(**args, call=call)
    if made.module is None or made.forward.count("{self}") != 1 or "{self}(" not in made.forward:
        raise Decline("a layer that is no call of a module")
    times = "" if power_iterations.is_known and power_iterations.known == 1 else f", {power_iterations.text}"
    inner = "{self}.layer"
    return replace(
        made,
        module=f"{SPECTRAL.name}({made.module}{times})",
        init=tuple(s.replace("{self}", inner) for s in made.init),
        penalty=tuple(s.replace("{self}", inner) for s in made.penalty),
        constraint=tuple(s.replace("{self}", inner) for s in made.constraint),
        params=(*((k, f"layer.{name}", how) for k, name, how in made.params), ("vector_u", "vector_u", "squeeze(0)")),
        helpers=(*made.helpers, SPECTRAL),
    )
