"""Spellings of TensorFlow 1 with the meaning of a rule of today."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import legacy, rule, same
from migrator.rules.engine.samples import S, boolean, f32, i32, loud, no_grad, pos, random, src, unit
from migrator.rules.ops import conv as _conv
from migrator.rules.ops import create as _create
from migrator.rules.ops import gather as _gather
from migrator.rules.ops import linalg as _linalg
from migrator.rules.ops import math as _math
from migrator.rules.ops import nn as _nn
from migrator.rules.ops import random as _random
from migrator.rules.ops import reduce as _reduce
from migrator.rules.ops import shape as _shape
from migrator.rules.ops import special as _special

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F

_BASES = (_conv, _create, _gather, _linalg, _math, _nn, _random, _reduce, _shape, _special)  # their rules come first

_REDUCED = {"keep_dims": "keepdims", "reduction_indices": "axis"}
_AXES = [
    S(f32(2, 3)),
    S(f32(2, 3), 1),
    S(f32(2, 3, 4), reduction_indices=[0, 2]),
    S(f32(2, 3), reduction_indices=1, keep_dims=True),
    S(f32(2, 3), axis=-1, keepdims=True),
]
_BOOLEAN = [S(boolean(2, 3)), S(boolean(2, 3), reduction_indices=[1], keep_dims=True)]
for _name, _samples in (
    *((_n, _AXES) for _n in ("sum", "max", "min", "prod", "logsumexp")),
    ("mean", [*_AXES, loud(i32(4, 3), reduction_indices=[0])]),
    *((_n, _BOOLEAN) for _n in ("all", "any")),
):
    legacy(
        f"tf.compat.v1.reduce_{_name}",
        "input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None",
        of=f"tf.reduce_{_name}",
        old=_REDUCED,
        samples=_samples,
    )
legacy(
    "tf.compat.v1.count_nonzero",
    "input_tensor=None, axis=None, keepdims=None, dtype='int64', name=None, reduction_indices=None, keep_dims=None, "
    "input=None",
    of="tf.math.count_nonzero",
    old={**_REDUCED, "input_tensor": "input"},
    samples=[S(i32(4, 3)), S(i32(4, 3), reduction_indices=1), S(input=i32(4, 3), axis=0, keep_dims=True)],
)
legacy(
    "tf.compat.v1.norm",
    "tensor, ord='euclidean', axis=None, keepdims=None, name=None, keep_dims=None",
    of="tf.norm",
    old={"keep_dims": "keepdims"},
    samples=[S(f32(2, 3)), S(f32(2, 3), axis=1, keep_dims=True)],
)
legacy(
    "tf.compat.v1.nn.moments",
    "x, axes, shift=None, name=None, keep_dims=None, keepdims=None",
    of="tf.nn.moments",
    old={"keep_dims": "keepdims"},
    samples=[S(f32(2, 3, 4), [0, 1]), S(f32(2, 3), axes=[1], keep_dims=True)],
)
for _name in ("argmax", "argmin"):
    legacy(
        f"tf.compat.v1.{_name}",
        "input, axis=None, name=None, dimension=None, output_type='int64'",
        of=f"tf.{_name}",
        old={"dimension": "axis"},
        samples=[S(f32(4, 5)), S(f32(4, 5), 1), S(f32(4, 5), dimension=-1)],
    )
for _name in ("max", "min"):
    legacy(
        f"tf.compat.v1.arg_{_name}",
        "input, dimension, output_type='int64', name=None",
        of=f"tf.arg{_name}",
        old={"dimension": "axis"},
        samples=[S(f32(4, 5), 0), S(f32(4, 5), dimension=-1)],
    )
for _name in ("softmax", "log_softmax"):
    legacy(
        f"tf.compat.v1.nn.{_name}",
        "logits, axis=None, name=None, dim=None",
        of=f"tf.nn.{_name}",
        old={"dim": "axis"},
        samples=[S(f32(2, 3)), S(f32(2, 3, 4), dim=1), S(f32(2, 3, 4), 0)],
    )
legacy(
    "tf.compat.v1.expand_dims",
    "input, axis=None, name=None, dim=None",
    of="tf.expand_dims",
    old={"dim": "axis"},
    samples=[S(f32(2, 3), 0), S(f32(2, 3), dim=-1)],
)
legacy(
    "tf.compat.v1.squeeze",
    "input, axis=None, name=None, squeeze_dims=None",
    of="tf.squeeze",
    old={"squeeze_dims": "axis"},
    samples=[S(f32(2, 1, 3)), S(f32(1, 2, 1), squeeze_dims=[0]), S(f32(1, 2, 1), [0, 2])],
)
legacy(
    "tf.compat.v1.gather",
    "params, indices, validate_indices=None, name=None, axis=None, batch_dims=0",
    of="tf.gather",
    samples=[S(f32(3, 2), i32(4, low=0, high=3)), S(f32(2, 3), i32(4, low=0, high=3), axis=1)],
)
legacy(
    "tf.compat.v1.gather_nd",
    "params, indices, name=None, batch_dims=0, bad_indices_policy=''",
    of="tf.gather_nd",
    samples=[S(f32(3, 4), i32(5, 2, low=0, high=3))],
)
legacy(
    "tf.compat.v1.boolean_mask",
    "tensor, mask, name='boolean_mask', axis=None",
    of="tf.boolean_mask",
    samples=[S(f32(4, 3), boolean(4)), S(f32(4, 3), boolean(3), axis=1)],
)
for _name in ("zeros_like", "ones_like"):
    legacy(
        f"tf.compat.v1.{_name}",
        "tensor, dtype=None, name=None, optimize=True",
        of=f"tf.{_name}",
        old={"tensor": "input", "optimize": ""},
        samples=[no_grad(S(f32(2, 3))), no_grad(S(tensor=f32(2), dtype=src("tf.int32")))],
    )
legacy(
    "tf.compat.v1.constant",
    "value, dtype=None, shape=None, name='Const', verify_shape=False",
    of="tf.constant",
    old={"verify_shape": ""},
    samples=[S([1.0, 2.0]), S([[1, 2], [3, 4]], src("tf.float32")), S(2.0)],
)
legacy(
    "tf.compat.v1.convert_to_tensor",
    "value, dtype=None, name=None, preferred_dtype=None, dtype_hint=None",
    of="tf.convert_to_tensor",
    old={"preferred_dtype": "dtype_hint"},
    samples=[S(f32(2, 3)), S([1, 2], src("tf.float32"))],
)
legacy(
    "tf.compat.v1.transpose",
    "a, perm=None, name='transpose', conjugate=False",
    of="tf.transpose",
    samples=[S(f32(2, 3)), S(f32(2, 3, 4), [0, 2, 1])],
)
legacy(
    "tf.compat.v1.pad",
    "tensor, paddings, mode='CONSTANT', name=None, constant_values=0",
    of="tf.pad",
    samples=[S(f32(2, 3), [[1, 2], [0, 3]]), S(f32(2, 3), [[1, 1], [1, 1]], "SYMMETRIC")],
)
for _name in ("shape", "size"):
    legacy(
        f"tf.compat.v1.{_name}",
        "input, name=None, out_type=None",
        of=f"tf.{_name}",
        samples=[no_grad(S(f32(2, 3)))],
    )
legacy(
    "tf.compat.v1.nn.embedding_lookup",
    "params, ids, partition_strategy='mod', name=None, validate_indices=True, max_norm=None",
    of="tf.nn.embedding_lookup",
    old={"partition_strategy": "", "validate_indices": ""},
    samples=[S(f32(5, 3), i32(2, 4, low=0, high=5)), S(f32(5, 3), i32(4, low=0, high=5), partition_strategy="div")],
)
legacy(
    "tf.compat.v1.nn.sigmoid_cross_entropy_with_logits",
    "labels=None, logits=None, name=None",
    of="tf.nn.sigmoid_cross_entropy_with_logits",
    samples=[S(labels=unit(4), logits=f32(4))],
)
legacy(
    "tf.compat.v1.nn.weighted_cross_entropy_with_logits",
    "labels=None, logits=None, pos_weight=None, name=None, targets=None",
    of="tf.nn.weighted_cross_entropy_with_logits",
    old={"targets": "labels"},
    samples=[S(unit(2, 3), f32(2, 3), 2.0), S(targets=unit(2, 3), logits=f32(2, 3), pos_weight=0.5)],
)
legacy(
    "tf.compat.v1.nn.sparse_softmax_cross_entropy_with_logits",
    "labels=None, logits=None, name=None",
    of="tf.nn.sparse_softmax_cross_entropy_with_logits",
    samples=[S(labels=i32(4, low=0, high=3), logits=f32(4, 3))],
)
legacy(
    "tf.compat.v1.nn.softmax_cross_entropy_with_logits_v2",
    "labels, logits, axis=None, name=None, dim=None",
    of="tf.nn.softmax_cross_entropy_with_logits",
    old={"dim": "axis"},
    samples=[S(labels=src("tf.nn.softmax(y)", y=f32(2, 3)), logits=f32(2, 3))],
)


@rule(
    "tf.compat.v1.nn.softmax_cross_entropy_with_logits",
    samples=[S(labels=src("tf.nn.softmax(y)", y=f32(2, 3)), logits=f32(2, 3))],
)
def softmax_cross_entropy_v1(labels: Tensor = None, logits: Tensor = None, dim=-1, name=None, axis=None):
    if axis is not None:
        raise Decline("`axis` is given")
    return -torch.sum(labels.detach() * F.log_softmax(logits, dim=dim), dim=dim)


@rule("tf.compat.v1.where", samples=[S(boolean(3, 4), f32(3, 4), f32(3, 4)), S(boolean(3), f32(3, 4), f32(3, 4)),
                                    S(boolean(3), f32(3, 4, 2), f32(3, 4, 2)),
        S(boolean(3, 4)), S(boolean(4), f32(4), f32(4))])  # fmt: skip
def where_v1(condition: Tensor, x: Tensor = None, y: Tensor = None, name=None, *, rank, rank_x):
    if x is None:
        return torch.nonzero(condition)
    if rank is None or rank_x is None:
        raise Decline("whether whole rows are chosen is not known")
    if rank == 1 and rank_x > 1:
        if rank_x > 3:
            raise Decline("rows of more than three dimensions")
        return torch.where(condition[:, None], x, y) if rank_x == 2 else torch.where(condition[:, None, None], x, y)
    return torch.where(condition, x, y)


@rule("tf.compat.v1.nn.dropout", samples=[random(pos(4000), 0.25), random(pos(4000), rate=0.75),
                                         random(pos(4000), keep_prob=0.25)])  # fmt: skip
def dropout_v1(x: Tensor, keep_prob=None, noise_shape=None, seed=None, name=None, rate=None):
    if noise_shape is not None or seed is not None:
        raise Decline("`noise_shape` or `seed` is given")
    if keep_prob is not None:
        return F.dropout(x, p=1 - keep_prob)
    return F.dropout(x, p=rate)


for _name, _method, _dtype in (
    ("float", "x.float()", "float32"),
    ("double", "x.double()", "float64"),
    ("int32", "x.to(torch.int32)", "int32"),
    ("int64", "x.long()", "int64"),
    ("bfloat16", "x.to(torch.bfloat16)", "bfloat16"),
):
    same(
        f"tf.compat.v1.to_{_name}",
        _method,
        f"x: Tensor, name='To{'BFloat16' if _name == 'bfloat16' else _name.capitalize()}'",
        samples=[no_grad(S(i32(4))), no_grad(S(f32(2, 3)))] if _name != "bfloat16" else [],
    )


def divides_integers(dtype: str | None, dtype_y: str | None) -> bool:
    """Whether `tf.div` rounds down, as it does for integers."""
    known = [name for name in (dtype, dtype_y) if name is not None]
    if not known:
        raise Decline("whether these are integers is not known")
    return "int" in known[0]


@rule("tf.compat.v1.div", samples=[S(f32(4), pos(4)), S(i32(6), 2), S(i32(6), -4), S(f32(4), 2.0)])
def div(x: Tensor, y, name=None, *, dtype, dtype_y):
    if divides_integers(dtype, dtype_y):
        return x // y
    return x / y


same("tf.compat.v1.floor_div", "x // y", "x: Tensor, y, name=None", samples=[S(i32(6), 4), S(i32(6), -4)])
same(
    "tf.compat.v1.nn.xw_plus_b",
    "x @ weights + biases",
    "x: Tensor, weights: Tensor, biases: Tensor, name=None",
    samples=[S(f32(2, 3), f32(3, 4), f32(4))],
)
same(
    "tf.compat.v1.nn.relu_layer",
    "F.relu(x @ weights + biases)",
    "x: Tensor, weights: Tensor, biases: Tensor, name=None",
    samples=[S(f32(2, 3), f32(3, 4), f32(4))],
)
same(
    "tf.compat.v1.batch_gather",
    "torch.stack([p[i] for p, i in zip(params, indices, strict=True)])",
    "params: Tensor, indices: Tensor, name=None",
    samples=[S(f32(2, 4), i32(2, 3, low=0, high=4)), S(f32(2, 4, 3), i32(2, 3, low=0, high=4))],
)
legacy(
    "tf.compat.v1.nn.in_top_k",
    "predictions, targets, k, name=None",
    of="tf.nn.in_top_k",
    samples=[S(f32(4, 5), i32(4, low=0, high=5), 2), S(f32(4, 5), targets=i32(4, low=0, high=5), k=1)],
)
same("tf.compat.v1.set_random_seed", "torch.manual_seed(seed)", "seed", samples=())
legacy(
    "tf.compat.v1.multinomial",
    "logits, num_samples, seed=None, name=None, output_dtype=None",
    of="tf.random.categorical",
    old={"output_dtype": "dtype"},
    samples=[random(f32(1, 4), 5000)],
)
