"""Reductions."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_integer
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, boolean, declines, f32, i32, loud, no_grad, src
from migrator.rules.ops.math import EDGES
from migrator.rules.ops.pieces import torch_dtype

if TYPE_CHECKING:
    import torch

_AXES = [
    S(f32(2, 3)),
    S(f32()),
    S(f32(2, 3, 4), -2),
    S(f32(2, 3), axis=1),
    S(f32(2, 3, 4), 1, True),
    S(f32(2, 3, 4), axis=[0, -1], keepdims=True),
    S(f32(2, 3, 4), axis=(1, 2)),
    S(f32(2, 3), keepdims=True),
]


def not_empty(axis: object) -> None:
    """Declines `axis=[]`, which reduces nothing in TF and everything in torch."""
    if isinstance(axis, (list, tuple)) and not axis:
        raise Decline("an empty list of axes reduces nothing in TensorFlow, everything in torch")


@rule(
    "tf.reduce_sum",
    samples=[*_AXES, S(i32(4, 2), axis=0), S(f32(0, 3)), S(f32(0, 3), -1), declines(f32(3), axis=[])],
    name="torch.sum",
)
def reduce_sum(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    return torch.sum(input_tensor, dim=axis, keepdim=keepdims)


mean_of_integers = Helper(
    "mean_of_integers",
    '''def mean_of_integers(x, dim=None, keepdim=False):
    """The mean of integers as an integer, rounded towards zero."""
    total = torch.sum(x, dim=dim, keepdim=keepdim)
    return torch.div(total, x.numel() // max(total.numel(), 1), rounding_mode="trunc").to(x.dtype)
''',
    ("import torch",),
)


@rule(
    "tf.reduce_mean",
    samples=[*_AXES, loud(i32(4)), loud(i32(4, 3), 1), loud(i32(2, 3, 2), axis=[0, 1], keepdims=True), S(f32(0, 3), 0)],
    name="torch.mean",
)
def reduce_mean(input_tensor: Tensor, axis=None, keepdims=False, name=None, *, dtype):
    not_empty(axis)
    if is_integer(dtype):
        return mean_of_integers(input_tensor, dim=axis, keepdim=keepdims)
    return torch.mean(input_tensor, dim=axis, keepdim=keepdims)


@rule("tf.reduce_max", samples=[*_AXES, S(i32(4, 2), axis=0), S(EDGES), S(src("tf.round(a)", a=f32(3, 8)), 1)])
def reduce_max(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    if axis is None:
        return torch.amax(input_tensor, keepdim=keepdims)
    return torch.amax(input_tensor, dim=axis, keepdim=keepdims)


@rule("tf.reduce_min", samples=[*_AXES, S(i32(4, 2), axis=0), S(EDGES), S(src("tf.round(a)", a=f32(3, 8)), 1)])
def reduce_min(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    if axis is None:
        return torch.amin(input_tensor, keepdim=keepdims)
    return torch.amin(input_tensor, dim=axis, keepdim=keepdims)


prod_over = Helper(
    "prod_over",
    '''def prod_over(x, dims=None, keepdim=False):
    """The product over several dimensions, or over all."""
    dims = range(x.dim()) if dims is None else sorted((d % x.dim() for d in dims))
    for dim in reversed(dims):
        x = torch.prod(x, dim=dim, keepdim=keepdim)
    return x
''',
    ("import torch",),
)


@rule(
    "tf.reduce_prod",
    samples=[
        S(f32(2, 3)),
        S(f32(2, 3), axis=1),
        S(f32(2, 3), 0, True),
        S(f32(2, 3, 4), [0, -1]),
        S(f32(2, 3), keepdims=True),
        S(i32(4, 2, low=1, high=4), axis=(0, 1), keepdims=True),
    ],
)
def reduce_prod(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    if axis is None:
        if keepdims:
            return prod_over(input_tensor, keepdim=True)
        return torch.prod(input_tensor)
    if isinstance(axis, (list, tuple)):
        return prod_over(input_tensor, axis, keepdim=keepdims) if keepdims else prod_over(input_tensor, axis)
    if not isinstance(axis, int):
        raise Decline("whether one or several axes are meant is not known")
    return torch.prod(input_tensor, dim=axis, keepdim=keepdims)


_BOOLEAN = [S(boolean(2, 3)), S(boolean(2, 3), axis=1), S(boolean(2, 3, 2), axis=[0, 2], keepdims=True)]


@rule("tf.reduce_all", samples=_BOOLEAN)
def reduce_all(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    return torch.all(input_tensor, dim=axis, keepdim=keepdims)


@rule("tf.reduce_any", samples=_BOOLEAN)
def reduce_any(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    return torch.any(input_tensor, dim=axis, keepdim=keepdims)


@rule(
    "tf.reduce_logsumexp",
    samples=[
        *(S(f32(2, 3)), S(f32(2, 3), axis=1), S(f32(2, 3, 4), axis=[1, 2], keepdims=True)),
        *(S(f32(2, 3), keepdims=True), S(src("a * 100.0", a=f32(3, 4)), -1)),
    ],
)
def reduce_logsumexp(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    if axis is None:
        if keepdims:
            return torch.logsumexp(input_tensor, dim=tuple(range(input_tensor.ndim)), keepdim=True)
        return torch.logsumexp(input_tensor.flatten(), dim=0)
    return torch.logsumexp(input_tensor, dim=axis, keepdim=keepdims)


@rule("tf.math.reduce_std", samples=[*(s for s in _AXES if s.args != (f32(),)), no_grad(S(f32()))])
def reduce_std(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    return torch.std(input_tensor, dim=axis, correction=0, keepdim=keepdims)


@rule("tf.math.reduce_variance", samples=_AXES)
def reduce_variance(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    return torch.var(input_tensor, dim=axis, correction=0, keepdim=keepdims)


@rule("tf.nn.moments", samples=[S(f32(2, 3, 4), [0, 1]), S(f32(2, 3), axes=[1], keepdims=True), S(f32(4, 3), axes=[0])])
def moments(x: Tensor, axes, shift=None, keepdims=False, name=None):
    if shift is not None:
        raise Decline("`shift` is not supported")
    return torch.var_mean(x, dim=axes, correction=0, keepdim=keepdims)[::-1]


_INDEX = [
    *(S(f32(4, 5)), S(f32(4, 5), axis=1), S(f32(4, 5), -1), S(f32(2, 3, 4), -2), S(i32(9, low=0, high=3), 0)),
    S(f32(2, 3, 4), axis=1, output_type=src("tf.int32")),
]


@rule("tf.argmax", samples=_INDEX)
def argmax(input: Tensor, axis=None, output_type="int64", name=None):
    kept = torch_dtype(output_type)
    if output_type == "int64":
        return torch.argmax(input, dim=0 if axis is None else axis)
    return torch.argmax(input, dim=0 if axis is None else axis).to(kept)


@rule("tf.argmin", samples=_INDEX)
def argmin(input: Tensor, axis=None, output_type="int64", name=None):
    kept = torch_dtype(output_type)
    if output_type == "int64":
        return torch.argmin(input, dim=0 if axis is None else axis)
    return torch.argmin(input, dim=0 if axis is None else axis).to(kept)


@rule(
    "tf.math.count_nonzero",
    samples=[
        *(S(i32(4, 3)), S(i32(4, 3), axis=1), S(i32(4, 3), axis=[0, 1], keepdims=True)),
        *(S(boolean(4, 3), -1, True), no_grad(S(src("tf.nn.relu(a)", a=f32(5)), dtype=src("tf.int32")))),
        no_grad(S(src("tf.nn.relu(a)", a=f32(5)), dtype=src("tf.float32"))),
    ],
)
def count_nonzero(input: Tensor, axis=None, keepdims=None, dtype="int64", name=None):
    not_empty(axis)
    target = torch_dtype(dtype)
    if dtype != "int64":
        if keepdims:
            return (input != 0).sum(dim=axis, keepdim=True).to(target)
        return torch.count_nonzero(input, dim=axis).to(target)
    if keepdims:
        return (input != 0).sum(dim=axis, keepdim=True)
    return torch.count_nonzero(input, dim=axis)


exclusive_scan = Helper(
    "exclusive_scan",
    '''def exclusive_scan(scan, x, dim, first):
    """`scan` of everything before each element, `first` at the start."""
    start = torch.full_like(x.narrow(dim, 0, 1), first)
    return scan(torch.cat([start, x.narrow(dim, 0, x.shape[dim] - 1)], dim), dim)
''',
    ("import torch",),
)
_SCANS = [
    *(S(f32(4, 3)), S(f32(4, 3), axis=1), S(f32(4, 3), 1, reverse=True), S(f32(4, 3), -1, True)),
    *(S(f32(4), exclusive=True, reverse=True), S(f32(1), 0, True), S(i32(5)), S(i32(5), 0, True)),
]


@rule("tf.cumsum", samples=_SCANS)
def cumsum(x: Tensor, axis=0, exclusive=False, reverse=False, name=None):
    if exclusive:
        if reverse:
            return exclusive_scan(torch.cumsum, x.flip(axis), axis, 0).flip(axis)
        return exclusive_scan(torch.cumsum, x, axis, 0)
    if reverse:
        return torch.cumsum(x.flip(axis), dim=axis).flip(axis)
    return torch.cumsum(x, dim=axis)


@rule("tf.math.cumprod", samples=_SCANS)
def cumprod(x: Tensor, axis=0, exclusive=False, reverse=False, name=None):
    if exclusive:
        if reverse:
            return exclusive_scan(torch.cumprod, x.flip(axis), axis, 1).flip(axis)
        return exclusive_scan(torch.cumprod, x, axis, 1)
    if reverse:
        return torch.cumprod(x.flip(axis), dim=axis).flip(axis)
    return torch.cumprod(x, dim=axis)
