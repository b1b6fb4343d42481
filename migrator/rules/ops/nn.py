"""Activations, normalisation and losses of `tf.nn`."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, declines, f32, i32, known_gap, pos, random, src, unit
from migrator.rules.engine.template import device_here

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


@rule("tf.nn.gelu", samples=[*_ANY, S(f32(4), approximate=True)], name="F.gelu")
def gelu(features: Tensor, approximate=False, name=None):
    if approximate:
        return F.gelu(features, approximate="tanh")
    return F.gelu(features)


@rule("tf.nn.silu", samples=[*_ANY, S(f32(4), 1.5), S(f32(4), beta=0.5)], name="F.silu")
def silu(features: Tensor, beta=1.0):
    if beta != 1.0:
        return scaled_silu(features, beta)
    return F.silu(features)


scaled_silu = Helper(
    "scaled_silu",
    '''def scaled_silu(x, beta):
    """`x * sigmoid(beta * x)`."""
    return x * torch.sigmoid(beta * x)
''',
    ("import torch",),
)
crelu = Helper(
    "crelu",
    '''def crelu(x, dim=-1):
    """The positive and the negative part side by side."""
    return torch.cat([F.relu(x), F.relu(-x)], dim=dim)
''',
    ("import torch", "import torch.nn.functional as F"),
)


@rule("tf.nn.crelu", samples=[S(f32(2, 3)), S(f32(2, 3), axis=0)])
def crelu_rule(features: Tensor, axis=-1, name=None):
    if axis == -1:
        return crelu(features)
    return crelu(features, axis)


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


def is_rate(rate: object) -> None:
    """Declines a rate that cannot be one."""
    if isinstance(rate, (int, float)) and not 0 <= rate < 1:
        raise Decline("the rate is not between 0 and 1")


@rule(
    "tf.nn.dropout",
    samples=[
        *(random(pos(4000), 0.25), random(pos(4000), rate=0.5), random(pos(40, 100, 2), 0.5, noise_shape=[40, 100, 1])),
        declines(f32(3), 1.5),
    ],
    gaps=["the seed is dropped: random streams differ anyway"],
)
def dropout(x: Tensor, rate, noise_shape=None, seed: Ignored = None, name=None):
    is_rate(rate)
    if noise_shape is None:
        return F.dropout(x, p=rate)
    if any_open(noise_shape):
        raise Decline("a None in `noise_shape`")
    return x * F.dropout(torch.ones(noise_shape, device=device_here), p=rate)


def any_open(shape: object) -> bool:
    """Whether a shape has a None in it."""
    return not isinstance(shape, (list, tuple)) or None in shape


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


normalize_whole = Helper(
    "normalize_whole",
    '''def normalize_whole(x, epsilon=1e-12):
    """`x` over the norm of all its elements; `epsilon` is the least squared norm."""
    return x * torch.rsqrt(torch.sum(torch.square(x)).clamp(min=epsilon))
''',
    ("import torch",),
)


@rule(
    "tf.nn.l2_normalize",
    samples=[
        *(S(f32(2, 3), axis=-1), S(f32(2, 3), 1), S(f32(2, 3, 4), axis=[1, 2]), S(f32(5)), S(f32(2, 3), -1, 1e-6)),
        *(S(f32(2, 3)), S(f32(2, 3), dim=1), S(src("a * 1e-5", a=f32(2, 3)), -1), S(src("tf.zeros([2, 3])"), 1)),
    ],
)
def l2_normalize(x: Tensor, axis=None, epsilon=1e-12, name=None, dim=None, *, rank):
    floor = square_root(epsilon)
    if dim is not None:
        return F.normalize(x, dim=dim, eps=floor)
    if axis is None:
        if rank == 1:
            return F.normalize(x, dim=0, eps=floor)
        return normalize_whole(x) if epsilon == 1e-12 else normalize_whole(x, epsilon)
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


OPEN_SUM = "where labels do not sum to one, TensorFlow's gradient is still softmax minus labels"
softmax_loss = Helper(
    "softmax_loss",
    '''def softmax_loss(labels, logits, dim=-1):
    """Cross entropy whose gradient is softmax minus labels, whatever the labels sum to."""
    total = torch.logsumexp(logits, dim)
    missing = (1 - labels.sum(dim)).detach() * (total - total.detach())
    return missing - (labels * F.log_softmax(logits, dim)).sum(dim)
''',
    ("import torch", "import torch.nn.functional as F"),
)


@rule(
    "tf.nn.softmax_cross_entropy_with_logits",
    samples=[S(src("tf.nn.softmax(y)", y=f32(2, 3)), f32(2, 3)), known_gap(OPEN_SUM, S(unit(4, 3), f32(4, 3)))],
    gaps=[OPEN_SUM],
)
def softmax_cross_entropy(labels: Tensor, logits: Tensor, axis=-1, name=None, *, exact):
    if exact:
        return softmax_loss(labels, logits, axis) if axis != -1 else softmax_loss(labels, logits)
    return -torch.sum(labels * F.log_softmax(logits, dim=axis), dim=axis)


@rule(
    "tf.nn.sparse_softmax_cross_entropy_with_logits",
    samples=[S(i32(4, low=0, high=3), f32(4, 3)), S(labels=i32(2, 4, low=0, high=3), logits=f32(2, 4, 3))],
)
def sparse_softmax_cross_entropy(labels: Tensor, logits: Tensor, name=None, *, rank_logits):
    if rank_logits == 2:
        return F.cross_entropy(logits, labels.long(), reduction="none")
    return F.cross_entropy(logits.movedim(-1, 1), labels.long(), reduction="none")


@rule(
    "tf.nn.batch_normalization",
    samples=[
        *(S(f32(4, 3), f32(3), pos(3), f32(3), f32(3), 1e-3), S(f32(4, 3), f32(3), pos(3), None, f32(3), 1e-3)),
        *(S(f32(4, 3), f32(3), pos(3), f32(3), None, 1e-3), S(f32(4, 3), f32(3), pos(3), None, None, 1e-3)),
    ],
)
def batch_normalization(x: Tensor, mean: Tensor, variance: Tensor, offset, scale, variance_epsilon, name=None):
    if offset is None:
        if scale is None:
            return (x - mean) * torch.rsqrt(variance + variance_epsilon)
        return (x - mean) * torch.rsqrt(variance + variance_epsilon) * scale
    if scale is None:
        return (x - mean) * torch.rsqrt(variance + variance_epsilon) + offset
    return (x - mean) * torch.rsqrt(variance + variance_epsilon) * scale + offset


@rule(
    "tf.nn.lrn",
    samples=[S(f32(2, 4, 5, 7)), S(f32(2, 4, 5, 7), 2, 1.5, 0.1, 0.75), S(f32(2, 3, 2, 9), depth_radius=3)],
)
def local_response_normalization(input: Tensor, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    size = 2 * depth_radius + 1
    total = float(alpha * size)  # torch divides alpha by the size
    return F.local_response_norm(input.permute(0, 3, 1, 2), size, alpha=total, beta=beta, k=float(bias)).permute(
        0, 2, 3, 1
    )


@rule(
    "tf.clip_by_value",
    samples=[
        S(f32(2, 3), -0.5, 0.5),
        S(f32(4), clip_value_min=0.0, clip_value_max=1.0),
        S(f32(2, 3), -0.5, f32(2, 3)),
        S(f32(2, 3), f32(3), 0.25),
    ],
)
def clip_by_value(t: Tensor, clip_value_min, clip_value_max, name=None, *, kind_clip_value_min, kind_clip_value_max):
    if "numpy" in (kind_clip_value_min, kind_clip_value_max) or "sequence" in (
        kind_clip_value_min,
        kind_clip_value_max,
    ):
        raise Decline("bounds that are arrays or lists")
    if kind_clip_value_min != kind_clip_value_max:
        return t.clamp(max=clip_value_max).clamp(min=clip_value_min)  # one call takes numbers alone or tensors alone
    return t.clamp(clip_value_min, clip_value_max)


clip_norm_over = Helper(
    "clip_norm_over",
    '''def clip_norm_over(x, max_norm, dims):
    """`x` scaled so that its norms over `dims` are at most `max_norm`."""
    norm = torch.linalg.vector_norm(x, dim=dims, keepdim=True)
    return x * max_norm / torch.clamp(norm, min=max_norm)
''',
    ("import torch",),
)


@rule(
    "tf.clip_by_norm",
    samples=[S(f32(2, 3), 1.0), S(f32(2, 3), 100.0), S(f32(2, 3), 0.8, axes=[1]), S(f32(2, 3), 0.5, 0)],
)
def clip_by_norm(t: Tensor, clip_norm, axes=None, name=None):
    if axes is not None:
        return clip_norm_over(t, clip_norm, axes)
    return t * (clip_norm / torch.linalg.vector_norm(t).clamp(min=clip_norm))
