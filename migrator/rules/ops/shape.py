"""Shapes: reshape, transpose, join, split and pad."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor, Tensors
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, declines, f32, no_grad, src
from migrator.rules.ops.pieces import check_mode, elements, flat_paddings, torch_dtype

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F


@rule(
    "tf.reshape",
    samples=[
        S(f32(2, 6), [3, 4]),
        S(f32(2, 6), (-1,)),
        S(f32(2, 6), [-1, 2]),
        S(f32(1, 1), []),
        S(f32(4), src("tf.shape(a)", a=f32(2, 2))),
    ],
)
def reshape(tensor: Tensor, shape, name=None):
    if elements(shape):
        return tensor.reshape(*shape)
    return tensor.reshape(shape)


@rule(
    "tf.transpose",
    samples=[
        S(f32(2, 3)),
        S(f32(2, 3, 4)),
        S(f32(2, 3, 4), [0, 2, 1]),
        S(f32(2, 3), perm=[1, 0]),
        S(f32(2, 3, 4), perm=(2, 0, 1)),
    ],
)
def transpose(a: Tensor, perm=None, conjugate=False, name="transpose", *, rank):
    if conjugate:
        raise Decline("a conjugate transpose")
    if perm is None:
        if rank == 2:
            return a.T
        return a.permute(*reversed(range(a.ndim)))
    if elements(perm):
        return a.permute(*perm)
    return a.permute(perm)


@rule("tf.expand_dims", samples=[S(f32(2, 3), 0), S(f32(2, 3), -1), S(f32(2, 3), axis=1)])
def expand_dims(input: Tensor, axis, name=None):
    if isinstance(axis, (list, tuple)):
        raise Decline("axis is a list")
    return input.unsqueeze(axis)


@rule("tf.squeeze", samples=[S(f32(2, 1, 3)), S(f32(1, 2, 1), 0), S(f32(1, 2, 1), axis=-1), S(f32(1, 2, 1), [0, 2])])
def squeeze(input: Tensor, axis=None, name=None):
    if axis is None:
        return input.squeeze()
    if isinstance(axis, list):
        dims = tuple(axis)
        return input.squeeze(dims if len(dims) != 1 else dims[0])
    return input.squeeze(axis)


_TWO = src("[a, b]", a=f32(2, 3), b=f32(2, 3))


@rule(
    "tf.concat",
    samples=[S(_TWO, 0), S(_TWO, axis=-1), S(_TWO, axis=1), declines(src("[tf.shape(a), [1]]", a=f32(2)), 0)],
)
def concat(values: Tensors, axis, name="concat"):
    return torch.cat(values, dim=axis)


@rule("tf.stack", samples=[S(_TWO), S(_TWO, -1), S(_TWO, axis=1)])
def stack(values: Tensors, axis=0, name="stack", *, kind):
    if kind == "tensor":
        raise Decline("stacking a tensor")
    return torch.stack(values, dim=axis)


@rule("tf.unstack", samples=[S(f32(2, 3)), S(f32(2, 3), axis=-1), S(f32(2, 3), 3, 1)])
def unstack(value: Tensor, num: Ignored = None, axis=0, name="unstack"):
    return value.unbind(dim=axis)


def no_open_size(sizes: object) -> None:
    """Declines a list of sizes with a -1, which torch cannot fill in."""
    if isinstance(sizes, (list, tuple)) and any(isinstance(s, int) and s < 0 for s in sizes):
        raise Decline("a size of -1 in split")


@rule(
    "tf.split",
    samples=[S(f32(6, 4), 3), S(f32(2, 8), 2, axis=-1), S(f32(2, 5), [2, 3], 1), declines(f32(2, 5), [2, -1], 1)],
)
def split(value: Tensor, num_or_size_splits, axis=0, num=None, name="split", *, kind_num_or_size_splits):
    if num is not None:
        raise Decline("`num` is given")
    if kind_num_or_size_splits == "number":
        return value.chunk(num_or_size_splits, dim=axis)
    if kind_num_or_size_splits != "sequence":
        raise Decline("whether a number or a list of sizes is given is not known")
    no_open_size(num_or_size_splits)
    return value.split(num_or_size_splits, dim=axis)


@rule("tf.tile", samples=[S(f32(2, 3), [2, 1]), S(f32(2, 1, 3), multiples=[1, 2, 3])])
def tile(input: Tensor, multiples, name=None):
    if elements(multiples):
        return input.repeat(*multiples)
    return input.repeat(multiples)


@rule("tf.repeat", samples=[S(f32(2, 3), 2), S(f32(2, 3), 2, axis=1), S(f32(3, 2), [1, 0, 2], axis=0)])
def repeat(input: Tensor, repeats, axis=None, name=None, *, kind_repeats):
    if kind_repeats == "sequence":
        return input.repeat_interleave(torch.tensor(repeats), dim=axis)
    if axis is None:
        return input.repeat_interleave(repeats)
    return input.repeat_interleave(repeats, dim=axis)


@rule("tf.reverse", samples=[S(f32(2, 3), [0]), S(f32(2, 3), axis=[0, 1]), S(f32(2, 3), axis=[-1])])
def reverse(tensor: Tensor, axis, name=None):
    if elements(axis):
        return tensor.flip(*axis)
    return tensor.flip(axis)


same(
    "tf.broadcast_to",
    "torch.broadcast_to(input, shape)",
    "input: Tensor, shape, name=None",
    samples=[S(f32(1, 3), [2, 3]), S(f32(3), (2, 3))],
)
same(
    "tf.roll",
    "torch.roll(input, shift, dims=axis)",
    "input: Tensor, shift, axis, name=None",
    samples=[S(f32(4, 3), 1, 0), S(f32(4, 3), shift=[1, 2], axis=[0, 1])],
)
same("tf.identity", "input", "input: Tensor, name=None", samples=[S(f32(2, 3))])
same("tf.stop_gradient", "input.detach()", "input: Tensor, name=None", samples=[no_grad(S(f32(2, 3)))])


@rule("tf.shape", samples=[no_grad(S(f32(2, 3)))])
def shape(input, out_type=None, name=None, *, kind):
    torch_dtype(out_type)
    if kind not in ("tensor", "numpy", None):
        raise Decline("the shape of something that is no tensor")
    return input.shape


@rule("tf.size", samples=[no_grad(S(f32(2, 3)))])
def size(input, out_type=None, name=None, *, kind):
    torch_dtype(out_type)
    if kind not in ("tensor", None):
        raise Decline("the size of something that is no tensor")
    return input.numel()


@rule("tf.rank", samples=[no_grad(S(f32(2, 3)))])
def rank_of(input, name=None, *, kind):
    if kind not in ("tensor", "numpy", None):
        raise Decline("the rank of something that is no tensor")
    return input.ndim


@rule(
    "tf.pad",
    samples=[
        S(f32(2, 3), [[1, 2], [0, 3]]),
        S(f32(2, 4, 5, 3), [[0, 0], [1, 1], [2, 2], [0, 0]], mode="REFLECT"),
        S(f32(2, 4, 5, 3), [[0, 0], [1, 0], [0, 2], [0, 0]], "CONSTANT", 1.5),
        declines(f32(2, 3), [[1, 1], [1, 1]], "SYMMETRIC"),
        declines(f32(2, 3), [[1, 1], [1, 1]], "REFLECT"),
    ],
)
def pad(tensor: Tensor, paddings, mode="CONSTANT", constant_values=0, name=None):
    pads = flat_paddings(paddings)
    check_mode(mode, paddings)
    if mode.upper() == "REFLECT":
        return F.pad(tensor, pads, mode="reflect")
    return F.pad(tensor, pads, value=constant_values)
