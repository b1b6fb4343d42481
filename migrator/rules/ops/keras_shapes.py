"""`keras.ops` that join, cut and rearrange tensors, pick and place."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_float
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor, Tensors
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, boolean, declines, f32, i32, no_grad, src
from migrator.rules.ops.pieces import flat_paddings, torch_reflects

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F


# --- the same elements elsewhere

for _name, _text, _samples in (
    ("fliplr", "torch.fliplr(x)", [S(f32(2, 3)), S(f32(2, 3, 4))]),
    ("flipud", "torch.flipud(x)", [S(f32(2, 3)), S(f32(3))]),
):
    same(f"tf.keras.ops.{_name}", _text, "x: Tensor", samples=_samples)


@rule("tf.keras.ops.flip", samples=[S(f32(2, 3)), S(f32(2, 3), 1), S(f32(2, 3, 4), axis=(0, -1))])
def flip(x: Tensor, axis=None):
    if axis is None:
        return x.flip(tuple(range(x.ndim)))
    return x.flip(axis)


@rule("tf.keras.ops.roll", samples=[S(f32(2, 3), 1), S(f32(2, 3), -2, axis=1), S(f32(2, 3), (1, 2), (0, 1))])
def roll(x: Tensor, shift, axis=None):
    return torch.roll(x, shift, dims=axis)


@rule(
    "tf.keras.ops.rot90",
    samples=[S(f32(2, 3)), declines(f32(2, 3), 2), S(f32(2, 3, 4), -1, axes=(0, 2)), S(f32(2, 3), k=4)],
)
def rot90(array: Tensor, k=1, axes=(0, 1)):
    if k % 4 == 2:
        raise Decline("half a turn, which Keras gets wrong where the sides differ")
    return torch.rot90(array, k=k, dims=axes)


@rule("tf.keras.ops.moveaxis", samples=[S(f32(2, 3, 4), 0, -1), S(f32(2, 3, 4), (0, 1), (-1, 0))])
def moveaxis(x: Tensor, source, destination):
    return torch.movedim(x, source, destination)


same("tf.keras.ops.swapaxes", "x.transpose(axis1, axis2)", "x: Tensor, axis1, axis2", samples=[S(f32(2, 3, 4), 0, -1)])


@rule("tf.keras.ops.broadcast_to", samples=[S(f32(3), (2, 3)), S(f32(2, 1), shape=(4, 2, 3))])
def broadcast_to(x: Tensor, shape):
    return x.expand(shape)


@rule("tf.keras.ops.tile", samples=[S(f32(2, 3), (2, 1)), S(f32(3), 2), S(f32(2, 3), (2, 1, 2)), S(f32(2, 3), [2])])
def tile(x: Tensor, repeats):
    return torch.tile(x, (repeats,) if isinstance(repeats, int) else repeats)


@rule("tf.keras.ops.repeat", samples=[S(f32(2, 3), 2), S(f32(2, 3), 2, axis=1), S(f32(2, 3), [1, 2], axis=0)])
def repeat(x: Tensor, repeats, axis=None, *, kind_repeats):
    if kind_repeats == "sequence":
        return torch.repeat_interleave(x, torch.tensor(repeats, device=x.device), dim=axis)
    return torch.repeat_interleave(x, repeats, dim=axis)


_TWO = src("[a, b]", a=f32(2, 3), b=f32(2, 3))
_FLAT = src("[a, b]", a=f32(3), b=f32(3))
same("tf.keras.ops.hstack", "torch.hstack(xs)", "xs: Tensors", samples=[S(_TWO), S(_FLAT)])
same("tf.keras.ops.vstack", "torch.cat(xs, dim=0)", "xs: Tensors", samples=[S(_TWO), S(_FLAT)])


@rule("tf.keras.ops.append", samples=[S(f32(2, 3), f32(2, 3)), S(f32(2, 3), f32(1, 3), axis=0)])
def append(x1: Tensor, x2: Tensor, axis=None):
    if axis is None:
        return torch.cat([x1.flatten(), x2.flatten()])
    return torch.cat([x1, x2], dim=axis)


@rule("tf.keras.ops.meshgrid", samples=[S(f32(3), f32(2)), S(f32(3), f32(2), indexing="ij"), declines([1, 2], [3])])
def meshgrid(*x: Tensors, indexing="xy"):
    return torch.meshgrid(*x, indexing=indexing)


@rule(
    "tf.keras.ops.split",
    samples=[S(f32(6, 4), 3), S(f32(2, 8), 2, axis=-1), S(f32(7, 2), [2, 3]), S(f32(2, 5), (1, 4), 1)],
)
def split(x: Tensor, indices_or_sections, axis=0):
    return torch.tensor_split(x, indices_or_sections, dim=axis)


@rule("tf.keras.ops.array_split", samples=[S(f32(7, 4), 3), S(f32(2, 8), 3, axis=-1)])
def array_split(x: Tensor, indices_or_sections, axis=0):
    return torch.tensor_split(x, indices_or_sections, dim=axis)


@rule("tf.keras.ops.unstack", samples=[S(f32(2, 3)), S(f32(2, 3), axis=-1), S(f32(2, 3), 3, 1)])
def unstack(x: Tensor, num: Ignored = None, axis=0):
    return x.unbind(dim=axis)


@rule(
    "tf.keras.ops.pad",
    samples=[
        *(S(f32(2, 3), ((1, 2), (0, 1))), S(f32(2, 3), [[0, 0], [1, 1]], constant_values=2.0)),
        *(
            S(f32(1, 4, 5), ((0, 0), (0, 0), (2, 1)), "reflect"),
            declines(f32(3), 2),
            declines(f32(3, 3), ((1, 1), (1, 1)), "reflect"),
        ),
    ],
)
def pad(x: Tensor, pad_width, mode="constant", constant_values=None):
    if mode == "constant":
        widths = flat_paddings(pad_width)
        if constant_values is None:
            return F.pad(x, widths)
        return F.pad(x, widths, value=constant_values)
    if mode == "reflect" and torch_reflects(pad_width):
        reflected = flat_paddings(pad_width)
        return F.pad(x, reflected, mode="reflect")
    raise Decline("padding with what is there already, in these dimensions")


# --- diagonals and triangles

_SQUARE = [S(f32(3, 3)), S(f32(3, 5), 1), S(f32(2, 3, 4), k=-1)]
same("tf.keras.ops.tril", "torch.tril(x, diagonal=k)", "x: Tensor, k=0", samples=_SQUARE)
same("tf.keras.ops.triu", "torch.triu(x, diagonal=k)", "x: Tensor, k=0", samples=_SQUARE)
same(
    "tf.keras.ops.diag",
    "torch.diag(x, diagonal=k)",
    "x: Tensor, k=0",
    samples=[S(f32(3)), S(f32(3), 1), S(f32(3, 4), k=-1)],
)
same("tf.keras.ops.diagflat", "torch.diagflat(x, offset=k)", "x: Tensor, k=0", samples=[S(f32(3)), S(f32(2, 2), 1)])
same(
    "tf.keras.ops.diagonal",
    "torch.diagonal(x, offset=offset, dim1=axis1, dim2=axis2)",
    "x: Tensor, offset=0, axis1=0, axis2=1",
    samples=[S(f32(3, 4)), S(f32(3, 4), 1), S(f32(2, 3, 4), 0, axis1=1, axis2=2)],
)
same(
    "tf.keras.ops.trace",
    "torch.diagonal(x, offset=offset, dim1=axis1, dim2=axis2).sum(-1)",
    "x: Tensor, offset=0, axis1=0, axis2=1",
    samples=[S(f32(3, 4)), S(f32(3, 4), 1), S(f32(2, 3, 4), 0, axis1=1, axis2=2)],
)


@rule("tf.keras.ops.diff", samples=[S(f32(5)), S(f32(2, 5), 2), S(f32(4, 2), axis=0), S(i32(5))])
def diff(a: Tensor, n=1, axis=-1):
    return torch.diff(a, n=n, dim=axis)


@rule(
    "tf.keras.ops.vander",
    samples=[no_grad(S(f32(3))), no_grad(S(f32(3), 4)), no_grad(S(f32(3), increasing=True)), no_grad(S(i32(3)))],
)
def vander(x: Tensor, N=None, increasing=False):
    return torch.vander(x, N=N, increasing=increasing)


# --- picking and placing


@rule("tf.keras.ops.nonzero", samples=[no_grad(S(i32(4, 3, low=0, high=2))), no_grad(S(boolean(5)))])
def nonzero(x: Tensor):
    return torch.nonzero(x, as_tuple=True)


_PICKED = i32(2, 3, low=0, high=2)


@rule(
    "tf.keras.ops.take_along_axis", samples=[S(f32(2, 4), _PICKED, 1), S(f32(3, 2), i32(2, 2, low=0, high=3), axis=0)]
)
def take_along_axis(x: Tensor, indices: Tensor, axis=None):
    if axis is None:
        raise Decline("without an axis")
    return torch.take_along_dim(x, indices.long(), dim=axis)


@rule(
    "tf.keras.ops.scatter",
    samples=[S(i32(4, 1, low=0, high=5), f32(4, 2), (5, 2)), S([[0, 1], [2, 0]], f32(2), (3, 2))],
)
def scatter(indices: Tensor, values: Tensor, shape):
    return values.new_zeros(shape).index_put(indices.long().unbind(-1), values, accumulate=True)


@rule(
    "tf.keras.ops.scatter_update", samples=[S(f32(5, 2), [[0], [3]], f32(2, 2)), S(f32(3, 4), [[0, 1], [2, 3]], f32(2))]
)
def scatter_update(inputs: Tensor, indices: Tensor, updates: Tensor, reduction=None, *, dtype_inputs, dtype_updates):
    if reduction is not None:
        raise Decline("`reduction` is given")
    if not (is_float(dtype_inputs) and dtype_inputs == dtype_updates):
        return inputs.index_put(indices.long().unbind(-1), updates.to(inputs.dtype))
    return inputs.index_put(indices.long().unbind(-1), updates)


block_at = Helper(
    "block_at",
    '''def block_at(start, shape):
    """The index of a block of this shape that begins at `start`."""
    begins = start.tolist() if torch.is_tensor(start) else start
    return tuple(slice(int(b), int(b) + n) for b, n in zip(begins, shape))
''',
    ("import torch",),
)


@rule("tf.keras.ops.slice", samples=[S(f32(4, 5), (1, 2), (2, 3)), S(f32(4, 5), [0, 1], [3, 2])])
def slice_of(inputs: Tensor, start_indices, shape):
    return inputs[block_at(start_indices, shape)]


@rule("tf.keras.ops.slice_update", samples=[no_grad(S(f32(4, 5), (1, 2), f32(2, 3))), no_grad(S(f32(4), [1], f32(2)))])
def slice_update(inputs: Tensor, start_indices, updates: Tensor):
    return updated_block(inputs, start_indices, updates)


updated_block = Helper(
    "updated_block",
    '''def updated_block(x, start, block):
    """`x` with `block` in the place that begins at `start`."""
    found = x.clone()
    found[block_at(start, block.shape)] = block.to(x.dtype)
    return found
''',
    (),
    (block_at,),
)


@rule("tf.keras.ops.unravel_index", samples=[S(i32(4, low=0, high=6), (2, 3)), S(i32(4, low=0, high=24), (2, 3, 4))])
def unravel_index(indices: Tensor, shape):
    return torch.unravel_index(indices, shape)


@rule("tf.keras.ops.isin", samples=[S(i32(6), i32(4)), S(i32(2, 3), i32(4), invert=True)])
def isin(x1: Tensor, x2: Tensor, assume_unique: Ignored = False, invert=False):
    return torch.isin(x1, x2, invert=invert)


@rule("tf.keras.ops.get_item", samples=[S(f32(4, 3), 1), S(f32(4, 3), key=-1)])
def get_item(x: Tensor, key):
    if not isinstance(key, int):
        raise Decline("an index that is not a number")
    return x[key]
