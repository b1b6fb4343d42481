"""Counts: confusion matrices and histograms; draws from other distributions."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import constant, legacy, rule, same
from migrator.rules.engine.samples import S, declines, f32, i32, no_grad, random
from migrator.rules.engine.template import device_here

if TYPE_CHECKING:
    import torch

confusion_matrix = Helper(
    "confusion_matrix",
    '''def confusion_matrix(labels, predictions, num_classes=None):
    """Counts (class, predicted class) of integer labels and predictions."""
    labels, predictions = labels.reshape(-1).long(), predictions.reshape(-1).long()
    size = num_classes or int(torch.maximum(labels.max(), predictions.max())) + 1
    return torch.bincount(labels * size + predictions, minlength=size * size).view(size, size)
''',
    ("import torch",),
)
_LABELS = i32(9, low=0, high=4)


@rule(
    "tf.math.confusion_matrix",
    samples=[
        S(_LABELS, _LABELS),
        S(_LABELS, predictions=_LABELS, num_classes=6),
        declines(_LABELS, _LABELS, 4, f32(9)),
    ],
)
def confusion(labels: Tensor, predictions: Tensor, num_classes=None, weights=None, dtype="int32", name=None):
    if weights is not None or dtype not in ("int32", "int64"):
        raise Decline("weights, or counts that are no integers")
    if num_classes is None:
        return confusion_matrix(labels, predictions)
    return confusion_matrix(labels, predictions, num_classes)


legacy(
    "tf.compat.v1.confusion_matrix",
    "labels, predictions, num_classes=None, dtype='int32', name=None, weights=None",
    of="tf.math.confusion_matrix",
    samples=[S(_LABELS, _LABELS, 5)],
)

histogram = Helper(
    "histogram_fixed_width",
    '''def histogram_fixed_width(values, value_range, nbins=100):
    """How many values fall in each of `nbins` equal bins; those outside the range count in the bins at its ends."""
    low, high = (torch.as_tensor(v, dtype=values.dtype) for v in value_range)
    bins = torch.floor((values.flatten() - low) / (high - low) * nbins).long().clamp(0, nbins - 1)
    return torch.bincount(bins, minlength=nbins)
''',
    ("import torch",),
)
histogram_fixed_width = histogram


@rule(
    "tf.histogram_fixed_width",
    samples=[no_grad(S(f32(40), [-1.0, 1.0], 7)), no_grad(S(f32(5, 6), [0.0, 2.0], nbins=5))],
)
def fixed_width(values: Tensor, value_range, nbins=100, dtype="int32", name=None):
    if dtype not in ("int32", "int64"):
        raise Decline("another dtype")
    return histogram_fixed_width(values, value_range, nbins)


_SEED = ["the seed is dropped: random streams differ anyway"]


@rule("tf.random.poisson", samples=[random([20000], 400.0), random([100, 200], lam=300)], gaps=_SEED)
def poisson(shape, lam, dtype="float32", seed: Ignored = None, name=None, *, kind_lam):
    if dtype != "float32" or kind_lam != "number":
        raise Decline("a dtype other than float32, or several rates")
    return torch.poisson(torch.full(shape, lam, dtype=torch.float32, device=device_here))


@rule("tf.random.gamma", samples=[random([20000], 400.0), random([100, 200], alpha=300.0, beta=0.5)], gaps=_SEED)
def gamma(shape, alpha, beta=None, dtype="float32", seed: Ignored = None, name=None, *, kind_alpha):
    if dtype != "float32" or kind_alpha != "number":
        raise Decline("a dtype other than float32, or several shapes")
    if beta is None:
        return torch.distributions.Gamma(alpha, 1.0).sample(shape)
    return torch.distributions.Gamma(alpha, beta).sample(shape)


same("tf.keras.backend.dtype", 'str(x.dtype).removeprefix("torch.")', "x: Tensor", samples=[no_grad(S(f32(2)))])
for _name, _text in (
    ("NONE", "none"),
    ("SUM", "sum"),
    ("SUM_OVER_BATCH_SIZE", "sum_over_batch_size"),
    ("AUTO", "auto"),
):
    constant(f"tf.keras.losses.Reduction.{_name}", f'"{_text}"')
