"""`keras.ops` of neural networks: activations, norms, losses, attention."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, boolean, declines, f32, i32, known_gap, pos, src, unit
from migrator.rules.ops.create import is_class
from migrator.rules.ops.nn import OPEN_SUM, softmax_loss

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F

_ANY = [S(f32(2, 3)), S(f32()), S(f32(0, 3)), S(src("a * 3.0", a=f32(3, 8)))]
for _name, _torch in (
    ("log_sigmoid", "F.logsigmoid"),
    ("softsign", "F.softsign"),
    ("hard_sigmoid", "F.hardsigmoid"),
    ("hard_silu", "F.hardswish"),
    ("hard_tanh", "F.hardtanh"),
    ("tanh_shrink", "F.tanhshrink"),
    ("sparse_sigmoid", "(0.5 * (x + 1)).clamp(0.0, 1.0)"),
):
    same(f"tf.keras.ops.{_name}", _torch, "x: Tensor", samples=_ANY)


@rule("tf.keras.ops.elu", samples=[*_ANY, S(f32(2, 3), 0.5), S(f32(2, 3), alpha=2)])
def elu(x: Tensor, alpha=1.0):
    return F.elu(x, alpha=alpha)


@rule("tf.keras.ops.celu", samples=[*_ANY, S(f32(2, 3), 0.5)])
def celu(x: Tensor, alpha=1.0):
    return F.celu(x, alpha=alpha)


@rule("tf.keras.ops.gelu", samples=[*_ANY, S(f32(2, 3), False), S(f32(2, 3), approximate=True)])
def gelu(x: Tensor, approximate=True):
    if approximate:
        return F.gelu(x, approximate="tanh")
    return F.gelu(x)


@rule("tf.keras.ops.glu", samples=[S(f32(3, 4)), S(f32(4, 3), axis=0)])
def glu(x: Tensor, axis=-1):
    return F.glu(x, dim=axis)


@rule("tf.keras.ops.leaky_relu", samples=[*_ANY, S(f32(2, 3), 0.1), S(f32(2, 3), negative_slope=0.3)])
def leaky_relu(x: Tensor, negative_slope=0.2):
    return F.leaky_relu(x, negative_slope)


@rule("tf.keras.ops.soft_shrink", samples=[*_ANY, S(f32(2, 3), 0.2)])
def soft_shrink(x: Tensor, threshold=0.5):
    return F.softshrink(x, threshold)


@rule("tf.keras.ops.hard_shrink", samples=[*_ANY, S(f32(2, 3), 0.2)])
def hard_shrink(x: Tensor, threshold=0.5):
    return F.hardshrink(x, threshold)


@rule("tf.keras.ops.threshold", samples=[S(f32(2, 3), 0.1, 20.0), S(f32(3, 8), threshold=-0.5, default_value=0.0)])
def threshold(x: Tensor, threshold, default_value):
    return F.threshold(x, threshold, default_value)


sparse_plus_of = Helper(
    "sparse_plus_of",
    '''def sparse_plus_of(x):
    """0 up to -1, the identity from 1 on, a parabola between."""
    return torch.where(x <= -1, torch.zeros_like(x), torch.where(x < 1, (x + 1) ** 2 / 4, x))
''',
    ("import torch",),
)


@rule("tf.keras.ops.sparse_plus", samples=_ANY)
def sparse_plus(x: Tensor):
    return sparse_plus_of(x)


@rule("tf.keras.ops.squareplus", samples=[*_ANY, S(f32(2, 3), 2)])
def squareplus(x: Tensor, b=4):
    return square_plus(x, b) if b != 4 else square_plus(x)


square_plus = Helper(
    "square_plus",
    '''def square_plus(x, b=4):
    """A smooth rectifier: (x + sqrt(x^2 + b)) / 2."""
    return (x + torch.sqrt(x * x + b)) / 2
''',
    ("import torch",),
)


sparsemax_of = Helper(
    "sparsemax_of",
    '''def sparsemax_of(x, dim=-1):
    """The projection of `x` onto the simplex: softmax with exact zeros."""
    ordered = torch.sort(x, dim=dim, descending=True).values
    total = torch.cumsum(ordered, dim)
    shape = [1] * x.ndim
    shape[dim] = -1
    ranks = torch.arange(1, x.shape[dim] + 1, dtype=x.dtype, device=x.device).reshape(shape)
    support = ordered - (total - 1) / ranks > 0
    size = support.sum(dim, keepdim=True)
    threshold = (torch.where(support, total, 0.0).sum(dim, keepdim=True) - 1) / size
    return torch.clamp(x - threshold, min=0)
''',
    ("import torch",),
)


@rule("tf.keras.ops.sparsemax", samples=[S(f32(2, 5)), S(f32(4, 3), axis=0)])
def sparsemax(x: Tensor, axis=-1):
    return sparsemax_of(x, dim=axis)


@rule("tf.keras.ops.log_softmax", samples=[S(f32(2, 3)), S(f32(2, 3), axis=0), S(f32(3, 4), -1)])
def log_softmax(x: Tensor, axis=-1):
    return F.log_softmax(x, dim=axis)


# --- norms


@rule(
    "tf.keras.ops.normalize",
    samples=[S(f32(2, 3)), S(f32(2, 3), axis=0), S(f32(3, 4), -1, 1), S(f32(2, 3), axis=-1, order=3), S([[0.0, 0.0]])],
)
def normalize(x: Tensor, axis=-1, order=2, epsilon=None):
    if epsilon is not None or not isinstance(axis, int):
        raise Decline("`epsilon` or several axes")
    if order == 2:
        return F.normalize(x, dim=axis, eps=1e-6)
    return F.normalize(x, p=order, dim=axis)


@rule(
    "tf.keras.ops.batch_normalization",
    samples=[
        S(f32(4, 3), f32(3), pos(3), -1),
        S(f32(4, 3), f32(3), pos(3), axis=-1, offset=f32(3), scale=f32(3)),
        S(f32(4, 3), f32(3), pos(3), -1, None, f32(3), 1e-5),
        declines(f32(4, 3, 2), f32(3), pos(3), 1),
    ],
)
def batch_normalization(x: Tensor, mean, variance, axis, offset=None, scale=None, epsilon=0.001):
    if axis != -1:
        raise Decline("an axis other than the last")
    normal = (x - mean) * torch.rsqrt(variance + epsilon)
    scaled = normal if scale is None else normal * scale
    return scaled if offset is None else scaled + offset


@rule("tf.keras.ops.psnr", samples=[S(unit(2, 4, 4), unit(2, 4, 4), 1.0), S(unit(9), unit(9), max_val=2.0)])
def psnr(x1: Tensor, x2: Tensor, max_val):
    if not isinstance(max_val, (int, float)):
        raise Decline("the largest value is not a number that is known")
    top = 20.0 * log10(max_val)
    return top - 10.0 * torch.log10(torch.mean((x1 - x2) ** 2))


def log10(number: float) -> float:
    """The decimal logarithm, of what is known when rewriting."""
    import math

    return math.log10(number)


# --- losses


@rule(
    "tf.keras.ops.binary_crossentropy",
    samples=[S(unit(2, 3), unit(2, 3)), S(unit(2, 3), f32(2, 3), True), S(unit(4), unit(4), from_logits=False)],
)
def binary_crossentropy(target: Tensor, output: Tensor, from_logits=False):
    if from_logits:
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")
    return F.binary_cross_entropy(output.clamp(1e-7, 1.0 - 1e-7), target, reduction="none")


@rule(
    "tf.keras.ops.categorical_crossentropy",
    samples=[
        S(unit(2, 3), unit(2, 3)),
        known_gap(OPEN_SUM, S(unit(2, 3), f32(2, 3), True)),
        S(unit(4, 3), unit(4, 3), axis=0),
    ],
    gaps=[OPEN_SUM],
)
def categorical_crossentropy(target: Tensor, output: Tensor, from_logits=False, axis=-1, *, exact):
    if from_logits and exact:
        return softmax_loss(target, output, axis) if axis != -1 else softmax_loss(target, output)
    if from_logits:
        return -(target * F.log_softmax(output, dim=axis)).sum(axis)
    return crossentropy_of(target, output, axis) if axis != -1 else crossentropy_of(target, output)


crossentropy_of = Helper(
    "crossentropy_of",
    '''def crossentropy_of(target, probabilities, dim=-1):
    """Cross entropy of probabilities, which are made to sum to one and kept away from 0 and 1."""
    share = probabilities / probabilities.sum(dim, keepdim=True)
    return -(target * share.clamp(1e-7, 1.0 - 1e-7).log()).sum(dim)
''',
)


@rule(
    "tf.keras.ops.sparse_categorical_crossentropy",
    samples=[
        S(i32(4, low=0, high=3), unit(4, 3)),
        S(i32(4, low=0, high=3), f32(4, 3), True),
        S(i32(2, 4, low=0, high=3), unit(2, 4, 3)),
        declines(i32(4, 1, low=0, high=3), unit(4, 3)),
    ],
)
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits=False, axis=-1, *, rank_target, rank_output
):
    if axis != -1 or rank_target is None or rank_output is None or rank_target + 1 != rank_output:
        raise Decline("another axis, or labels that are not known to be one dimension less")
    scores = output if from_logits else output.clamp(1e-7, 1.0 - 1e-7).log()
    return (
        F.cross_entropy(scores, target.long(), reduction="none")
        if rank_output == 2
        else rows_crossentropy(scores, target)
    )


rows_crossentropy = Helper(
    "rows_crossentropy",
    '''def rows_crossentropy(logits, labels):
    """Cross entropy of class scores in the last dimension, one value for each label."""
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten().long(), reduction="none").reshape(labels.shape)
''',
    ("import torch.nn.functional as F",),
)


@rule(
    "tf.keras.ops.multi_hot",
    samples=[
        S(i32(4, low=0, high=5), 5),
        S(i32(3, 4, low=0, high=5), num_classes=5),
        declines(i32(3, 4, 2, low=0, high=2), 2),
    ],
)
def multi_hot(inputs: Tensor, num_classes=None, axis=-1, dtype=None, sparse=False, *, rank):
    if axis != -1 or dtype is not None or sparse or num_classes is None or rank not in (1, 2):
        raise Decline("another axis or dtype, a sparse result, or more than two dimensions")
    hot = is_class(inputs, num_classes)
    return hot.any(0).float() if rank == 1 else hot.any(1).float()


# --- attention


@rule(
    "tf.keras.ops.dot_product_attention",
    samples=[
        S(f32(2, 4, 3, 5), f32(2, 6, 3, 5), f32(2, 6, 3, 5)),
        S(f32(2, 4, 3, 5), f32(2, 4, 3, 5), f32(2, 4, 3, 5), is_causal=True),
        S(f32(2, 4, 3, 5), f32(2, 6, 3, 5), f32(2, 6, 3, 5), scale=0.5),
        declines(f32(2, 4, 3, 5), f32(2, 6, 3, 5), f32(2, 6, 3, 5), mask=boolean(2, 3, 4, 6)),
    ],
)
def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias=None,
    mask=None,
    scale=None,
    is_causal=False,
    flash_attention: Ignored = None,
    attn_logits_soft_cap=None,
    *,
    shape_query,
    shape_key,
):
    if bias is not None or mask is not None or attn_logits_soft_cap is not None:
        raise Decline("a bias, a mask or a cap")
    if shape_query is None or shape_key is None or shape_query[2] is None or shape_query[2] != shape_key[2]:
        raise Decline("the numbers of heads are not known to agree")
    return F.scaled_dot_product_attention(
        query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), is_causal=is_causal, scale=scale
    ).transpose(1, 2)
