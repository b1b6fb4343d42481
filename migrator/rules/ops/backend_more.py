"""The rest of `tf.keras.backend`, and `tf.keras.ops`: other names of what TensorFlow has."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import legacy, rule, same
from migrator.rules.engine.samples import S, boolean, declines, f32, i32, pos, random, src, unit
from migrator.rules.engine.template import device_here
from migrator.rules.ops import backend as _backend
from migrator.rules.ops import create as _create
from migrator.rules.ops import linalg as _linalg
from migrator.rules.ops import math as _math
from migrator.rules.ops import nn as _nn
from migrator.rules.ops import random as _random
from migrator.rules.ops import reduce as _reduce
from migrator.rules.ops import shape as _shape
from migrator.rules.ops.pieces import dtype_name, torch_dtype

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F

_BASES = (_backend, _create, _linalg, _math, _nn, _random, _reduce, _shape)  # their rules come first
_AXES = [S(f32(2, 3)), S(f32(2, 3), axis=-1), S(f32(2, 3, 4), 1, True)]

for _name, _of, _samples in (
    ("prod", "tf.reduce_prod", _AXES),
    ("any", "tf.reduce_any", [S(boolean(2, 3)), S(boolean(2, 3), axis=1, keepdims=True)]),
    ("all", "tf.reduce_all", [S(boolean(2, 3)), S(boolean(2, 3), axis=1)]),
):
    legacy(
        f"tf.keras.backend.{_name}",
        "x, axis=None, keepdims=False",
        of=_of,
        old={"x": "input_tensor"},
        samples=_samples,
    )
legacy(
    "tf.keras.backend.argmin",
    "x, axis=-1",
    of="tf.argmin",
    old={"x": "input"},
    samples=[S(f32(3, 4), 0), S(f32(3, 4), axis=1)],
)
legacy("tf.keras.backend.cumsum", "x, axis=0", of="tf.cumsum", samples=[S(f32(3, 4)), S(f32(3, 4), 1)])
legacy("tf.keras.backend.cumprod", "x, axis=0", of="tf.math.cumprod", samples=[S(f32(3, 4)), S(f32(3, 4), 1)])
legacy(
    "tf.keras.backend.tile", "x, n", of="tf.tile", old={"x": "input", "n": "multiples"}, samples=[S(f32(2, 3), [2, 1])]
)
legacy(
    "tf.keras.backend.reverse",
    "x, axes",
    of="tf.reverse",
    old={"x": "tensor", "axes": "axis"},
    samples=[S(f32(2, 3), [0])],
)
legacy("tf.keras.backend.dropout", "x, level, noise_shape=None, seed=None", of="tf.nn.dropout", old={"level": "rate"},
       samples=[random(pos(4000), 0.25)])  # fmt: skip
legacy(
    "tf.keras.backend.l2_normalize",
    "x, axis=None",
    of="tf.nn.l2_normalize",
    samples=[S(f32(2, 3), axis=-1), S(f32(4, 3), 0)],
)
legacy("tf.keras.backend.elu", "x, alpha=1.0", of="tf.keras.activations.elu", samples=[S(f32(2, 3)), S(f32(3), 0.5)])
legacy("tf.keras.backend.constant", "value, dtype=None, shape=None, name=None", of="tf.constant",
       samples=[S([1.0, 2.0]), S(2.0)])  # fmt: skip


@rule("tf.keras.backend.backend", samples=[declines()])
def backend():
    raise Decline("the backend's name decides which code runs")


same("tf.keras.backend.repeat", "x[:, None].repeat(1, n, 1)", "x: Tensor, n", samples=[S(f32(2, 3), 4)])
same(
    "tf.keras.backend.repeat_elements",
    "x.repeat_interleave(rep, dim=axis)",
    "x: Tensor, rep, axis",
    samples=[S(f32(2, 3), 2, 1), S(f32(2, 3), rep=3, axis=0)],
)
same("tf.keras.backend.batch_flatten", "x.flatten(1)", "x: Tensor", samples=[S(f32(2, 3, 4)), S(f32(2, 3))])
same("tf.keras.backend.hard_sigmoid", "(0.2 * x + 0.5).clamp(0.0, 1.0)", "x: Tensor", samples=[S(f32(9))])
same(
    "tf.keras.backend.temporal_padding",
    "F.pad(x, (0, 0, *padding))",
    "x: Tensor, padding=(1, 1)",
    samples=[S(f32(2, 3, 4)), S(f32(2, 3, 4), padding=(2, 1))],
)


@rule("tf.keras.backend.one_hot", samples=[S(i32(5, low=-1, high=4), 3), S(i32(2, 3, low=0, high=3), num_classes=3)])
def backend_one_hot(indices: Tensor, num_classes):
    return is_class(indices, num_classes).float()


is_class = _create.is_class


@rule("tf.keras.backend.bias_add", samples=[S(f32(2, 3), f32(3)), S(f32(2, 4, 5, 3), f32(3), "channels_last"),
                                           declines(f32(2, 3, 4, 5), f32(3), "channels_first")])  # fmt: skip
def backend_bias_add(x: Tensor, bias: Tensor, data_format=None, *, rank_bias):
    if data_format not in (None, "channels_last") or rank_bias != 1:
        raise Decline("channels first, or a bias that is not known to be a vector")
    return x + bias


@rule("tf.keras.backend.zeros", samples=[S((2, 3)), S((2,), dtype="int32")])
def backend_zeros(shape, dtype=None, name=None):
    target = torch_dtype(dtype)  # None is float32 here as it is in torch
    if dtype_name(dtype) == "float32":
        return torch.zeros(shape, device=device_here)
    return torch.zeros(shape, dtype=target, device=device_here)


@rule("tf.keras.backend.ones", samples=[S((2, 3)), S((2,), dtype="int32")])
def backend_ones(shape, dtype=None, name=None):
    target = torch_dtype(dtype)  # None is float32 here as it is in torch
    if dtype_name(dtype) == "float32":
        return torch.ones(shape, device=device_here)
    return torch.ones(shape, dtype=target, device=device_here)


@rule("tf.keras.backend.eye", samples=[S(3), S(2, dtype="float64")])
def backend_eye(size, dtype=None, name=None):
    target = torch_dtype(dtype)  # None is float32 here as it is in torch
    if dtype_name(dtype) == "float32":
        return torch.eye(size, device=device_here)
    return torch.eye(size, dtype=target, device=device_here)


@rule("tf.keras.backend.arange", samples=[S(5), S(1, 7), S(0, 10, 3), S(4, dtype="float32"), S(0, 6, step=2)])
def backend_arange(start, stop=None, step=1, dtype="int32"):
    target = torch_dtype(dtype)
    if stop is None:
        return torch.arange(start, dtype=target, device=device_here)
    if step == 1:
        return torch.arange(start, stop, dtype=target, device=device_here)
    return torch.arange(start, stop, step, dtype=target, device=device_here)


@rule("tf.keras.backend.random_normal", samples=[random((300, 20)), random((6000,), 2.0, 0.5)])
def backend_random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed: Ignored = None):
    if dtype is not None and dtype != "float32":
        raise Decline("a dtype other than float32")
    return torch.empty(shape, device=device_here).normal_(mean, stddev)


@rule("tf.keras.backend.random_uniform", samples=[random((300, 20)), random((6000,), -1.0, 2.0)])
def backend_random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed: Ignored = None):
    if dtype is not None and dtype != "float32":
        raise Decline("a dtype other than float32")
    return torch.empty(shape, device=device_here).uniform_(minval, maxval)


@rule(
    "tf.keras.backend.switch",
    samples=[S(boolean(4), f32(4), f32(4)), S(boolean(4, 3), f32(4, 3), f32(4, 3))],
)
def switch(condition: Tensor, then_expression, else_expression, *, rank, rank_then_expression, kind_then_expression):
    if kind_then_expression != "tensor" or rank is None or rank_then_expression is None:
        raise Decline("whether branches or elements are chosen is not known")
    if rank == 0:
        raise Decline("a branch is chosen")
    if rank == rank_then_expression:
        return torch.where(condition, then_expression, else_expression)
    raise Decline("a condition that is spread over several axes")


batch_dot = Helper(
    "batch_dot",
    '''def batch_dot(x, y, axes=None):
    """Products of samples summed over one axis of each, a batch of at least two axes."""
    first, second = (x.dim() - 1, y.dim() - 1 if y.dim() == 2 else y.dim() - 2) if axes is None else axes
    x, y = x.movedim(first, -1), y.movedim(second, 1)
    left, right = x.shape[1:-1], y.shape[2:]
    product = x.reshape(len(x), -1, x.shape[-1]) @ y.reshape(len(y), y.shape[1], -1)
    product = product.reshape(len(x), *left, *right)
    return product if product.dim() > 1 else product[:, None]
''',
)


@rule(
    "tf.keras.backend.batch_dot",
    samples=[
        *(S(f32(2, 3, 4), f32(2, 4, 5)), S(f32(2, 3, 4), f32(2, 5, 4), axes=[2, 2]), S(f32(2, 3), f32(2, 3), axes=1)),
        *(
            S(f32(2, 4), f32(2, 4, 5), (1, 1)),
            S(f32(2, 3, 4), f32(2, 4), [2, 1]),
            S(f32(2, 3, 4, 5), f32(2, 5, 6), (3, 1)),
        ),
    ],
)
def backend_batch_dot(x: Tensor, y: Tensor, axes=None):
    if axes is None:
        return batch_dot(x, y)
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    if min(pair) < 0:
        raise Decline("axes counted from the end")
    return batch_dot(x, y, pair)


@rule(
    "tf.keras.backend.binary_crossentropy",
    samples=[S(i32(4, 3, low=0, high=2), unit(4, 3)), S(unit(4, 3), f32(4, 3), True), S(unit(4, 3), unit(4, 3))][1:],
)
def backend_binary_crossentropy(target: Tensor, output: Tensor, from_logits=False):
    if from_logits:
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")
    return F.binary_cross_entropy(output.clamp(1e-7, 1.0 - 1e-7), target, reduction="none")


@rule(
    "tf.keras.backend.categorical_crossentropy",
    samples=[
        S(src("tf.one_hot(a, 3)", a=i32(4, low=0, high=3)), unit(4, 3)),
        S(src("tf.one_hot(a, 3)", a=i32(4, low=0, high=3)), f32(4, 3), True),
    ],
)
def backend_categorical_crossentropy(target: Tensor, output: Tensor, from_logits=False, axis=-1):
    if axis != -1:
        raise Decline("classes along another axis")
    if from_logits:
        return -(target * F.log_softmax(output, dim=-1)).sum(dim=-1)
    return class_crossentropy(target, output)


class_crossentropy = Helper(
    "class_crossentropy",
    '''def class_crossentropy(target, output):
    """Cross-entropy along the last axis; probabilities are scaled to sum to 1 and kept 1e-7 away from 0 and 1."""
    output = (output / output.sum(dim=-1, keepdim=True)).clamp(1e-7, 1.0 - 1e-7)
    return -(target * output.log()).sum(dim=-1)
''',
)
