"""Layers that disturb what passes through them while training."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.padding import channels_last

GAUSSIAN_NOISE = Helper(
    "GaussianNoise",
    '''class GaussianNoise(nn.Module):
    """Adds normal noise while training."""

    def __init__(self, stddev):
        super().__init__()
        self.stddev = stddev

    def forward(self, x):
        return x + self.stddev * torch.randn_like(x) if self.training else x
''',
    ("import torch", "from torch import nn"),
)
GAUSSIAN_DROPOUT = Helper(
    "GaussianDropout",
    '''class GaussianDropout(nn.Module):
    """Multiplies by normal noise around one while training; its variance is rate / (1 - rate)."""

    def __init__(self, rate):
        super().__init__()
        self.stddev = (rate / (1.0 - rate)) ** 0.5

    def forward(self, x):
        return x * (1.0 + self.stddev * torch.randn_like(x)) if self.training else x
''',
    ("import torch", "from torch import nn"),
)
SHARED_DROPOUT = Helper(
    "SharedDropout",
    '''class SharedDropout(nn.Module):
    """Dropout that decides once for all positions along the axes of size 1 in `shape`; None: the size of the input."""

    def __init__(self, rate, shape):
        super().__init__()
        self.rate = rate
        self.shape = shape

    def forward(self, x):
        sizes = [given if size is None else size for given, size in zip(x.shape, self.shape)]
        return x * F.dropout(torch.ones(sizes, device=x.device), self.rate, self.training)
''',
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)


def dropout_code(module: str, layout: str, rate: LayerArg) -> LayerCode:
    """A dropout of `nn`."""
    return LayerCode(module=f"nn.{module}({rate.text})", forward="{self}({x})", stem="dropout", layout=layout)


@layer(
    "tf.keras.layers.Dropout",
    samples=[
        S(f32(4, 3), 0.5),
        S(f32(4, 3), 0.5, noise_shape=(4, 1)),
        S(f32(4, 5, 3), 0.5, (None, 1, None)),
        declines(f32(4, 5, 3), 0.5, noise_shape=(5, 3)),
    ],
)
def dropout(rate, noise_shape=None, seed=None, *, call: LayerCall) -> LayerCode:
    """`nn.Dropout`; the seed is dropped, since random streams differ anyway."""
    sizes = noise_shape.known
    if sizes is None:
        return dropout_code("Dropout", "any", rate)
    if not isinstance(sizes, list | tuple) or len(sizes) != call.rank:
        raise Decline("`noise_shape` of another rank than the input")
    module = f"{SHARED_DROPOUT.name}({rate.text}, {tuple(sizes)})"
    return LayerCode(module, "{self}({x})", "dropout", "last", helpers=(SHARED_DROPOUT,))


@layer("tf.keras.layers.SpatialDropout1D", samples=[S(f32(4, 5, 3), 0.5)])
def spatial_dropout1d(rate, seed=None, *, call: LayerCall) -> LayerCode:
    """`nn.Dropout1d`: whole channels."""
    return dropout_code("Dropout1d", "nchw", rate)


@layer("tf.keras.layers.SpatialDropout2D", samples=[S(f32(4, 5, 6, 3), 0.5)])
def spatial_dropout2d(rate, data_format=None, seed=None, *, call: LayerCall) -> LayerCode:
    """`nn.Dropout2d`: whole channels."""
    channels_last(data_format)
    return dropout_code("Dropout2d", "nchw", rate)


@layer("tf.keras.layers.SpatialDropout3D", samples=[S(f32(4, 3, 5, 6, 3), 0.5)])
def spatial_dropout3d(rate, data_format=None, seed=None, *, call: LayerCall) -> LayerCode:
    """`nn.Dropout3d`: whole channels."""
    channels_last(data_format)
    return dropout_code("Dropout3d", "nchw", rate)


@layer("tf.keras.layers.AlphaDropout", samples=[S(f32(4, 3), 0.5), declines(f32(4, 3), 0.5, noise_shape=(4, 1))])
def alpha_dropout(rate, noise_shape=None, seed=None, *, call: LayerCall) -> LayerCode:
    """`nn.AlphaDropout`: both keep mean and variance."""
    if noise_shape.known is not None:
        raise Decline("`noise_shape` is given")
    return dropout_code("AlphaDropout", "any", rate)


def _noise(helper: Helper, amount: LayerArg, stem: str) -> LayerCode:
    return LayerCode(f"{helper.name}({amount.text})", "{self}({x})", stem, helpers=(helper,))


@layer("tf.keras.layers.GaussianNoise", samples=[S(f32(4, 3), 0.5)])
def gaussian_noise(stddev, seed=None, *, call: LayerCall) -> LayerCode:
    """A small module: torch has none."""
    return _noise(GAUSSIAN_NOISE, stddev, "noise")


@layer("tf.keras.layers.GaussianDropout", samples=[S(f32(4, 3), 0.3)])
def gaussian_dropout(rate, seed=None, *, call: LayerCall) -> LayerCode:
    """A small module: torch has none."""
    return _noise(GAUSSIAN_DROPOUT, rate, "dropout")
