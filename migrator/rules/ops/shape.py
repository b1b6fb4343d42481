"""Shapes: reshape, transpose, join, split and pad."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_variable
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor, Tensors
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, block, declines, f32, i32, no_grad, src
from migrator.rules.ops.pieces import elements, flat_paddings, rows, torch_dtype, torch_reflects

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


def may_be_one(shape: tuple[object, ...] | None, axis: int) -> bool:
    """Whether an axis may be of size 1, by what is known of the shape."""
    if shape is None or not -len(shape) <= axis < len(shape):
        return True
    return not isinstance(shape[axis], int) or shape[axis] == 1


@rule("tf.squeeze", samples=[S(f32(2, 1, 3)), S(f32(1, 2, 1), 0), S(f32(1, 2, 1), axis=-1), S(f32(1, 2, 1), [0, 2]),
                            declines(f32(1, 2), 1), declines(f32(2, 1), [0, 1])])  # fmt: skip
def squeeze(input: Tensor, axis=None, name=None, *, shape):
    if axis is None:
        return input.squeeze()
    if any(not may_be_one(shape, place) for place in (axis if isinstance(axis, list) else [axis])):
        raise Decline("an axis whose size is not 1, which torch leaves as it is")
    if isinstance(axis, list):
        dims = tuple(axis)
        return input.squeeze(dims if len(dims) != 1 else dims[0])
    return input.squeeze(axis)


_TWO = src("[a, b]", a=f32(2, 3), b=f32(2, 3))


@rule(
    "tf.concat",
    samples=[
        S(_TWO, 0),
        S(_TWO, axis=-1),
        S(_TWO, axis=1),
        declines(1, _TWO),
        declines(src("[tf.shape(a), [1]]", a=f32(2)), 0),
    ],
)
def concat(values: Tensors, axis, name="concat", *, kind):
    if kind == "number":
        raise Decline("the argument order of a TensorFlow before 1.0")
    return torch.cat(values, dim=axis)


@rule("tf.stack", samples=[S(_TWO), S(_TWO, -1), S(_TWO, axis=1)])
def stack(values: Tensors, axis=0, name="stack", *, kind):
    if kind == "tensor":
        raise Decline("stacking a tensor")
    return torch.stack(values, dim=axis)


@rule("tf.unstack", samples=[S(f32(2, 3)), S(f32(2, 3), axis=-1), S(f32(2, 3), 3, 1)])
def unstack(value: Tensor, num: Ignored = None, axis=0, name="unstack"):
    return value.unbind(dim=axis)


@rule(
    "tf.split",
    samples=[
        *(S(f32(6, 4), 3), S(f32(2, 8), 2, axis=-1), S(f32(2, 5), [2, 3], 1), S(f32(2, 5), [2, -1], 1)),
        *(S(f32(7, 2), [-1, 1, 2]), S(f32(2, 3, 6), num_or_size_splits=[1, 2, 3], axis=-1)),
    ],
)
def split(value: Tensor, num_or_size_splits, axis=0, num=None, name="split", *, kind, kind_num_or_size_splits):
    if num is not None:
        raise Decline("`num` is given")
    if kind == "sequence":
        raise Decline("the argument order of a TensorFlow before 1.0")
    if kind_num_or_size_splits == "number":
        return value.chunk(num_or_size_splits, dim=axis)
    if kind_num_or_size_splits != "sequence":
        raise Decline("whether a number or a list of sizes is given is not known")
    if has_open_size(num_or_size_splits):
        return split_open(value, num_or_size_splits, axis)
    return value.split(num_or_size_splits, dim=axis)


def has_open_size(sizes: object) -> bool:
    """Whether a list of sizes has a -1, which torch cannot fill in."""
    return isinstance(sizes, (list, tuple)) and any(isinstance(s, int) and s < 0 for s in sizes)


split_open = Helper(
    "split_open",
    '''def split_open(x, sizes, dim=0):
    """`x` in parts of these sizes; one of them may be -1 for what is left."""
    rest = x.shape[dim] - sum(s for s in sizes if s != -1)
    return x.split([rest if s == -1 else s for s in sizes], dim=dim)
''',
)


@rule(
    "tf.tile",
    samples=[
        *(S(f32(2, 3), [2, 1]), S(f32(2, 1, 3), multiples=[1, 2, 3]), S(i32(3), [2])),
        S(f32(2, 3), src("tf.constant([2, 1])")),
    ],
)
def tile(input: Tensor, multiples, name=None, *, kind_multiples):
    if elements(multiples):
        return input.repeat(*multiples)
    if kind_multiples == "tensor":
        return input.repeat(multiples.tolist())
    return input.repeat(multiples)


@rule(
    "tf.repeat",
    samples=[
        *(S(f32(2, 3), 2), S(f32(2, 3), 2, axis=1), S(f32(3, 2), [1, 0, 2], axis=0), S(f32(2, 3), 3, -1)),
        *(S(f32(3, 2), i32(3, low=0, high=4), 0), S([1, 2], 3)),
    ],
)
def repeat(input: Tensor, repeats, axis=None, name=None, *, kind_repeats):
    if kind_repeats == "sequence":
        return input.repeat_interleave(torch.tensor(repeats, device=input.device), dim=axis)
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
_READ = "v = tf.Variable([1.0, 2.0])\nold = {}(v)\nv.assign([3.0, 4.0])\nreturn old * 1.0"


@rule("tf.identity", samples=[S(f32(2, 3)), S(2.5), block(_READ.format("tf.identity"))])
def identity(input: Tensor, name=None, *, kind):
    if is_variable(input) or kind is None:
        return input.clone()  # what is read of a variable stays when that changes
    return input


@rule("tf.stop_gradient", samples=[no_grad(S(f32(2, 3))), block(_READ.format("tf.stop_gradient"))])
def stop_gradient(input: Tensor, name=None):
    if is_variable(input):
        return input.detach().clone()
    return input.detach()


@rule("tf.keras.ops.stop_gradient", samples=[no_grad(S(f32(3))), block(_READ.format("tf.keras.ops.stop_gradient"))])
def ops_stop_gradient(variable: Tensor):
    if is_variable(variable):
        return variable.detach().clone()
    return variable.detach()


@rule(
    "tf.keras.backend.stop_gradient",
    samples=[no_grad(S(f32(3))), block(_READ.format("tf.keras.backend.stop_gradient"))],
)
def backend_stop_gradient(variables: Tensor):
    if is_variable(variables):
        return variables.detach().clone()
    return variables.detach()


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


mirror_pad = Helper(
    "mirror_pad",
    '''def mirror_pad(x, paddings, edge):
    """`x` continued by its mirror image; `edge`: the border itself is repeated too."""
    for dim, (before, after) in enumerate(paddings):
        n, skip = x.shape[dim], 0 if edge else 1
        index = torch.arange(-before, n + after, device=x.device)
        index = torch.where(index < 0, skip - 1 - index, index)
        index = torch.where(index >= n, 2 * n - 1 - skip - index, index)
        x = x.index_select(dim, index)
    return x
''',
    ("import torch",),
)


@rule(
    "tf.pad",
    samples=[
        S(f32(2, 3), [[1, 2], [0, 3]]),
        S(f32(2, 4, 5, 3), [[0, 0], [1, 1], [2, 2], [0, 0]], mode="REFLECT"),
        S(f32(2, 4, 5, 3), [[0, 0], [1, 0], [0, 2], [0, 0]], "CONSTANT", 1.5),
        S(f32(2, 3), [[1, 1], [1, 2]], "SYMMETRIC"),
        S(f32(3, 4), [[1, 1], [2, 1]], "REFLECT"),
        S(f32(2, 3, 4), [[1, 0], [0, 2], [3, 1]], mode="reflect"),
        S(i32(2, 3), src("[[0, 0], [0, tf.shape(b)[0]]]", b=f32(4))),
        S(f32(2, 3), src("tf.constant([[1, 0], [2, 1]])"), constant_values=-1.0),
    ],
)
def pad(tensor: Tensor, paddings, mode="CONSTANT", constant_values=0, name=None, *, kind_paddings):
    how = pad_mode(mode)
    if how == "constant" and rows(paddings) is None:
        if constant_values == 0:
            return F.pad(tensor, torch.as_tensor(paddings).flip(0).flatten().tolist())
        return F.pad(tensor, torch.as_tensor(paddings).flip(0).flatten().tolist(), value=constant_values)
    if how == "constant":
        pads = flat_paddings(paddings)
        return F.pad(tensor, pads, value=constant_values)
    if how == "reflect" and torch_reflects(paddings):
        pads = flat_paddings(paddings)
        return F.pad(tensor, pads, mode="reflect")
    if kind_paddings == "tensor":
        return mirror_pad(tensor, paddings.tolist(), edge=how == "symmetric")
    return mirror_pad(tensor, paddings, edge=how == "symmetric")


def pad_mode(mode: object) -> str:
    """constant, reflect or symmetric."""
    name = str(mode).lower()
    if name not in ("constant", "reflect", "symmetric"):
        raise Decline("an unknown mode of padding")
    return name
