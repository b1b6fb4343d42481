"""Activations, normalisation and losses of `tf.nn`."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, declines, f32, i32, no_grad, pos, random, src, unit

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F

_ANY = [S(f32(2, 3)), S(f32(4, 1, 2))]

for _tf, _torch in (
    ("tf.nn.relu", "F.relu"),
    ("tf.nn.relu6", "F.relu6"),
    ("tf.nn.elu", "F.elu"),
    ("tf.nn.selu", "F.selu"),
    ("tf.nn.softplus", "F.softplus"),
    ("tf.nn.softsign", "F.softsign"),
):
    same(_tf, _torch, "features: Tensor, name=None", samples=_ANY)

for _tf, _torch in (
    ("relu6", "F.relu6"),
    ("selu", "F.selu"),
    ("sigmoid", "torch.sigmoid"),
    ("tanh", "torch.tanh"),
    ("softplus", "F.softplus"),
    ("softsign", "F.softsign"),
    ("exponential", "torch.exp"),
    ("mish", "F.mish"),
    ("silu", "F.silu"),
):
    same(f"tf.keras.activations.{_tf}", _torch, "x: Tensor", samples=_ANY)

same("tf.keras.activations.linear", "x", "x: Tensor", samples=_ANY)
same("tf.keras.activations.hard_sigmoid", "F.hardsigmoid", "x: Tensor", samples=_ANY, keras=3)
same("tf.keras.activations.hard_sigmoid", "(0.2 * x + 0.5).clamp(0.0, 1.0)", "x: Tensor", samples=(), keras=2)


@rule("tf.keras.activations.relu", samples=[*_ANY, S(f32(3), negative_slope=0.1), S(f32(8), max_value=1.0)], keras=3)
def keras_relu(x: Tensor, negative_slope=0.0, max_value=None, threshold=0.0):
    if threshold != 0:
        raise Decline("`threshold` is given")
    if max_value is None:
        return F.relu(x) if negative_slope == 0 else F.leaky_relu(x, negative_slope)
    if negative_slope != 0:
        raise Decline("max_value together with negative_slope")
    return F.relu6(x) if max_value == 6 else x.clamp(0.0, max_value)


@rule("tf.keras.activations.elu", samples=[*_ANY, S(f32(4), 0.5)])
def keras_elu(x: Tensor, alpha=1.0):
    return F.elu(x, alpha=alpha)


@rule("tf.keras.activations.gelu", samples=[*_ANY, S(f32(4), True)])
def keras_gelu(x: Tensor, approximate=False):
    if approximate:
        return F.gelu(x, approximate="tanh")
    return F.gelu(x)


@rule("tf.keras.activations.softmax", samples=[S(f32(2, 3)), S(f32(2, 3, 4), axis=1)])
def keras_softmax(x: Tensor, axis=-1):
    return F.softmax(x, dim=axis)


@rule("tf.nn.gelu", samples=[*_ANY, S(f32(4), approximate=True)], name="F.gelu")
def gelu(features: Tensor, approximate=False, name=None):
    if approximate:
        return F.gelu(features, approximate="tanh")
    return F.gelu(features)


@rule("tf.nn.silu", samples=_ANY, name="F.silu")
def silu(features: Tensor, beta=1.0):
    if beta != 1.0:
        raise Decline("`beta` other than 1")
    return F.silu(features)


@rule("tf.nn.leaky_relu", samples=[*_ANY, S(f32(4), 0.1)])
def leaky_relu(features: Tensor, alpha=0.2, name=None):
    return F.leaky_relu(features, alpha)


_AXIS = [S(f32(2, 3)), S(f32(2, 3, 4), axis=1), S(f32(2, 3), -1)]


@rule("tf.nn.softmax", samples=_AXIS)
def softmax(logits: Tensor, axis=None, name=None):
    return F.softmax(logits, dim=-1 if axis is None else axis)


@rule("tf.nn.log_softmax", samples=_AXIS)
def log_softmax(logits: Tensor, axis=None, name=None):
    return F.log_softmax(logits, dim=-1 if axis is None else axis)


@rule(
    "tf.nn.dropout",
    samples=[random(f32(4000), 0.25), random(f32(4000), rate=0.5)],
    gaps=["the seed is dropped: random streams differ anyway"],
)
def dropout(x: Tensor, rate, noise_shape=None, seed: Ignored = None, name=None):
    if noise_shape is not None:
        raise Decline("`noise_shape` is given")
    return F.dropout(x, p=rate)


@rule(
    "tf.nn.bias_add",
    samples=[S(f32(2, 3), f32(3)), S(f32(2, 4, 4, 3), f32(3)), declines(f32(2, 3, 4, 4), f32(3), "NCHW")],
)
def bias_add(value: Tensor, bias: Tensor, data_format=None, name=None):
    if data_format is not None and data_format.startswith("NC"):
        raise Decline("channels first")
    return value + bias


def square_root(epsilon: float) -> float:
    """TF floors the squared norm, torch the norm."""
    return float(f"{epsilon**0.5:.12g}")


@rule(
    "tf.nn.l2_normalize",
    samples=[S(f32(2, 3), axis=-1), S(f32(2, 3), 1), S(f32(2, 3, 4), axis=[1, 2]), S(f32(5)), S(f32(2, 3), -1, 1e-6)],
)
def l2_normalize(x: Tensor, axis=None, epsilon=1e-12, name=None, dim=None, *, rank):
    if dim is not None:
        raise Decline("`dim` is given")
    floor = square_root(epsilon)
    if axis is None:
        if rank != 1:
            raise Decline("the norm of the whole tensor")
        return F.normalize(x, dim=0, eps=floor)
    return F.normalize(x, dim=axis, eps=floor)


same("tf.nn.l2_loss", "0.5 * torch.sum(torch.square(t))", "t: Tensor, name=None", samples=_ANY)


@rule("tf.nn.embedding_lookup", samples=[S(f32(5, 3), i32(2, 4, low=0, high=5))])
def embedding_lookup(params: Tensor, ids: Tensor, max_norm=None, name=None):
    if max_norm is not None:
        raise Decline("`max_norm` is given")
    return F.embedding(ids, params)


@rule("tf.nn.sigmoid_cross_entropy_with_logits", samples=[S(unit(2, 3), f32(2, 3)), S(labels=unit(4), logits=f32(4))])
def sigmoid_cross_entropy(labels: Tensor = None, logits: Tensor = None, name=None):
    return F.binary_cross_entropy_with_logits(logits, labels, reduction="none")


@rule("tf.nn.weighted_cross_entropy_with_logits", samples=[S(unit(2, 3), f32(2, 3), 2.0)])
def weighted_cross_entropy(labels: Tensor, logits: Tensor, pos_weight: Tensor, name=None):
    return F.binary_cross_entropy_with_logits(logits, labels, pos_weight=pos_weight, reduction="none")


@rule(
    "tf.nn.softmax_cross_entropy_with_logits",
    samples=[S(src("tf.nn.softmax(y)", y=f32(2, 3)), f32(2, 3)), no_grad(S(labels=unit(2, 4, 3), logits=f32(2, 4, 3)))],
    gaps=["where labels do not sum to one, TensorFlow's gradient is still softmax minus labels"],
)
def softmax_cross_entropy(labels: Tensor, logits: Tensor, axis=-1, name=None):
    return -torch.sum(labels * F.log_softmax(logits, dim=axis), dim=axis)


@rule(
    "tf.nn.sparse_softmax_cross_entropy_with_logits",
    samples=[S(i32(4, low=0, high=3), f32(4, 3)), S(labels=i32(2, 4, low=0, high=3), logits=f32(2, 4, 3))],
)
def sparse_softmax_cross_entropy(labels: Tensor, logits: Tensor, name=None, *, rank_logits):
    if rank_logits == 2:
        return F.cross_entropy(logits, labels.long(), reduction="none")
    return F.cross_entropy(logits.movedim(-1, 1), labels.long(), reduction="none")


@rule("tf.nn.batch_normalization", samples=[S(f32(4, 3), f32(3), pos(3), f32(3), f32(3), 1e-3)])
def batch_normalization(x: Tensor, mean: Tensor, variance: Tensor, offset, scale, variance_epsilon, name=None):
    if offset is None or scale is None:
        raise Decline("without offset or scale")
    return (x - mean) * torch.rsqrt(variance + variance_epsilon) * scale + offset


@rule("tf.clip_by_value", samples=[S(f32(2, 3), -0.5, 0.5), S(f32(4), clip_value_min=0.0, clip_value_max=1.0)])
def clip_by_value(t: Tensor, clip_value_min, clip_value_max, name=None, *, kind_clip_value_min, kind_clip_value_max):
    if kind_clip_value_min != kind_clip_value_max and None not in (kind_clip_value_min, kind_clip_value_max):
        raise Decline("a number and a tensor as bounds")
    return t.clamp(clip_value_min, clip_value_max)


@rule("tf.clip_by_norm", samples=[S(f32(2, 3), 1.0), S(f32(2, 3), 100.0)])
def clip_by_norm(t: Tensor, clip_norm, axes=None, name=None):
    if axes is not None:
        raise Decline("`axes` is given")
    return t * (clip_norm / torch.linalg.vector_norm(t).clamp(min=clip_norm))
