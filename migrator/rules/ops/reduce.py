"""Reductions."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.asked import is_integer
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, boolean, declines, f32, i32
from migrator.rules.ops.pieces import torch_dtype

if TYPE_CHECKING:
    import torch

_AXES = [
    S(f32(2, 3)),
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


@rule("tf.reduce_sum", samples=[*_AXES, S(i32(4, 2), axis=0), declines(f32(3), axis=[])], name="torch.sum")
def reduce_sum(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    return torch.sum(input_tensor, dim=axis, keepdim=keepdims)


@rule("tf.reduce_mean", samples=[*_AXES, declines(i32(4))], name="torch.mean")
def reduce_mean(input_tensor: Tensor, axis=None, keepdims=False, name=None, *, dtype):
    not_empty(axis)
    if is_integer(dtype):
        raise Decline("the mean of integers is rounded down in TensorFlow")
    return torch.mean(input_tensor, dim=axis, keepdim=keepdims)


@rule("tf.reduce_max", samples=[*_AXES, S(i32(4, 2), axis=0)])
def reduce_max(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    if axis is None:
        return torch.amax(input_tensor, keepdim=keepdims)
    return torch.amax(input_tensor, dim=axis, keepdim=keepdims)


@rule("tf.reduce_min", samples=[*_AXES, S(i32(4, 2), axis=0)])
def reduce_min(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    if axis is None:
        return torch.amin(input_tensor, keepdim=keepdims)
    return torch.amin(input_tensor, dim=axis, keepdim=keepdims)


@rule(
    "tf.reduce_prod", samples=[S(f32(2, 3)), S(f32(2, 3), axis=1), S(f32(2, 3), 0, True), declines(f32(2, 3), [0, 1])]
)
def reduce_prod(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    if axis is None:
        if keepdims:
            raise Decline("torch.prod over everything keeps no dimensions")
        return torch.prod(input_tensor)
    if not isinstance(axis, int):
        raise Decline("torch.prod takes one dimension")
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


@rule("tf.reduce_logsumexp", samples=[S(f32(2, 3)), S(f32(2, 3), axis=1), S(f32(2, 3, 4), axis=[1, 2], keepdims=True)])
def reduce_logsumexp(input_tensor: Tensor, axis=None, keepdims=False, name=None):
    not_empty(axis)
    if axis is None:
        if keepdims:
            raise Decline("torch.logsumexp wants its dimensions named")
        return torch.logsumexp(input_tensor.flatten(), dim=0)
    return torch.logsumexp(input_tensor, dim=axis, keepdim=keepdims)


@rule("tf.math.reduce_std", samples=_AXES)
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


_INDEX = [S(f32(4, 5)), S(f32(4, 5), axis=1), S(f32(4, 5), -1), S(f32(2, 3, 4), axis=1, output_type=None)][:3]


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


@rule("tf.math.count_nonzero", samples=[S(i32(4, 3)), S(i32(4, 3), axis=1)])
def count_nonzero(input: Tensor, axis=None, keepdims=None, dtype="int64", name=None):
    if keepdims:
        raise Decline("torch.count_nonzero keeps no dimensions")
    if dtype != "int64":
        raise Decline("a dtype other than int64")
    return torch.count_nonzero(input, dim=axis)


@rule(
    "tf.cumsum",
    samples=[S(f32(4, 3)), S(f32(4, 3), axis=1), S(f32(4, 3), 1, reverse=True), declines(f32(4), exclusive=True)],
)
def cumsum(x: Tensor, axis=0, exclusive=False, reverse=False, name=None):
    if exclusive:
        raise Decline("an exclusive cumulative sum")
    if reverse:
        return torch.flip(torch.cumsum(torch.flip(x, [axis]), dim=axis), [axis])
    return torch.cumsum(x, dim=axis)


@rule("tf.math.cumprod", samples=[S(f32(4, 3)), S(f32(4, 3), axis=1), declines(f32(4), exclusive=True)])
def cumprod(x: Tensor, axis=0, exclusive=False, reverse=False, name=None):
    if exclusive:
        raise Decline("an exclusive cumulative product")
    if reverse:
        return torch.flip(torch.cumprod(torch.flip(x, [axis]), dim=axis), [axis])
    return torch.cumprod(x, dim=axis)
