"""Normalization by the mean and variance of data."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import also_keras_2, attribute, method, rule
from migrator.rules.engine.samples import block, declined_block, f32, i32, no_grad
from migrator.rules.preprocessing.encoding import float_only

Normalization: Any = Helper(
    "Normalization",
    '''class Normalization(nn.Module):
    """Takes the mean of data away and divides by their deviation, for each place along `axis`."""

    def __init__(self, axis=-1, mean=None, variance=None, invert=False):
        super().__init__()
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.invert = invert
        self.register_buffer("mean", torch.as_tensor(0.0 if mean is None else mean).float())
        self.register_buffer("variance", torch.as_tensor(1.0 if variance is None else variance).float())

    def adapt(self, data):
        """Takes mean and variance from an array or tensor, or from an iterable of batches."""
        batches = [data] if isinstance(data, (np.ndarray, torch.Tensor)) else data
        batches = [torch.as_tensor(b[0] if isinstance(b, (tuple, list)) else b) for b in batches]
        x = (torch.cat(batches) if batches[0].dim() > 1 or len(batches) == 1 else torch.stack(batches)).double()
        kept = {d % x.dim() for d in self.axis}
        others = [d for d in range(x.dim()) if d not in kept]
        variance, mean = torch.var_mean(x, dim=others, correction=0, keepdim=True) if others else (x * 0.0, x)
        self.mean, self.variance = mean.to(self.mean), variance.to(self.mean)

    def forward(self, inputs):
        x = torch.as_tensor(inputs).to(self.mean.dtype)
        mean, scale = self.aligned(self.mean, x), self.aligned(self.variance, x).sqrt().clamp(min=1e-7)
        return mean + x * scale if self.invert else (x - mean) / scale

    def aligned(self, value, x):
        """The mean or variance where `x` is; given ones go along the last of its kept axes."""
        value = value.to(x.device)
        kept = sorted(d % x.dim() for d in self.axis)
        if value.dim() == 0 or value.dim() > len(kept):
            return value
        shape = [1] * x.dim()
        for d, size in zip(kept[-value.dim() :], value.shape, strict=True):
            shape[d] = size
        return value.reshape(shape)
''',
    ("import numpy as np", "import torch", "from torch import nn"),
)

_ADAPTED = "n = tf.keras.layers.Normalization({})\nn.adapt({})\nreturn n(b), n.mean, n.variance"
_N = "tf.keras.layers.Normalization"


def _adapted(arguments: str, data: str, **arrays: Any) -> Any:
    return no_grad(block(_ADAPTED.format(arguments, data), **arrays))


@rule(
    _N,
    keras=3,
    samples=[
        _adapted("", "a", a=f32(7, 3), b=f32(2, 3)),
        _adapted("axis=-1", "a.numpy()", a=f32(7, 5, 3), b=f32(2, 5, 3)),
        _adapted("axis=None", "a", a=f32(7, 3), b=f32(2, 3)),
        _adapted("axis=(1, -1)", "a", a=f32(7, 2, 5, 3), b=f32(2, 2, 5, 3)),
        _adapted("axis=1", "a", a=f32(7, 2, 3), b=f32(1, 2, 3)),
        _adapted("invert=True, name='n'", "a", a=f32(7, 3), b=f32(2, 3)),
        _adapted("input_shape=[1,], axis=None", "a", a=f32(7), b=f32(5)),
        _adapted("", "a", a=i32(7, 3), b=i32(2, 3)),
        no_grad(block("n = tf.keras.layers.Normalization()\nreturn n(a)", a=i32(2, 3))),
        no_grad(block("n = tf.keras.layers.Normalization()\nn.adapt([a, b])\nreturn n(b)", a=f32(5, 3), b=f32(2, 3))),
        no_grad(
            block(
                "n = tf.keras.layers.Normalization(mean=3.0, variance=2.0)\nn.build((None, 3))\nreturn n(a)",
                a=f32(2, 3),
            )
        ),
        no_grad(
            block(
                "n = tf.keras.layers.Normalization(1, [3.0, 1.0], [0.0, 2.0], True)\n"
                "n.build((None, 2, 3))\nreturn n(a)",
                a=f32(4, 2, 3),
            )
        ),
        declined_block("return tf.keras.layers.Normalization(dtype='float64')(a)", a=f32(2, 3)),
    ],
)
def normalization(
    axis=-1, mean=None, variance=None, invert=False, *, name=None, dtype=None, input_shape: Ignored = None
):
    float_only(dtype)
    return Normalization(axis=axis, mean=mean, variance=variance, invert=invert)


attribute(f"{_N}.mean", "x.mean")
attribute(f"{_N}.variance", "x.variance")


@method(f"{_N}.adapt", samples=())
def adapt(self, data):
    return self.adapt(data)


@method(f"{_N}.build", samples=())
def build(self: Ignored, input_shape: Ignored = None):
    return None


also_keras_2("tf.keras.layers.Normalization")
