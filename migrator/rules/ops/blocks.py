"""Blocks of tensors: slices, tiles of images, partitions, and what is said of shapes."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.args import Arg, Code
from migrator.rules.engine.asked import is_variable
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import legacy, rule, same
from migrator.rules.engine.samples import S, declines, f32, i32, no_grad, src
from migrator.rules.ops.pieces import elements, on_arguments, text, torch_dtype

if TYPE_CHECKING:
    pass

slice_of = Helper(
    "slice_of",
    '''def slice_of(x, begin, size):
    """The block of `x` that begins there; a size of -1 is up to the end."""
    return x[tuple(slice(b, None if n == -1 else b + n) for b, n in zip(begin, size, strict=True))]
''',
)


@on_arguments
def sliced(input_: object, begin: object, size: object) -> Code | None:
    """`x[1:3, :, 2:]` where begin and size are lists of numbers that are written out, else None."""
    starts, sizes = elements(begin), elements(size)
    if not isinstance(input_, Arg) or not starts or not sizes or len(starts) != len(sizes):
        return None
    parts = []
    for start, amount in zip(map(text, starts), map(text, sizes), strict=True):
        if not start.isdigit() or not (amount.isdigit() or amount == "-1"):
            return None
        first = "" if start == "0" else start
        parts.append(f"{first}:" if amount == "-1" else f"{first}:{int(start) + int(amount)}")
    return Code(f"{{input_}}[{', '.join(parts)}]", (("input_", input_),), ("begin", "size"))


@rule(
    "tf.slice",
    samples=[
        *(S(f32(4, 5), [1, 2], [2, -1]), S(f32(4, 5), begin=[0, 0], size=[-1, 3]), S(f32(4, 5), (0, 1), (4, 4))),
        S(f32(4, 5), [0, 1], src("[tf.shape(b)[0], 2]", b=f32(3))),
        S(f32(4, 5), src("tf.constant([1, 0])"), src("tf.constant([2, -1])")),
    ],
)
def slice_rule(input_: Tensor, begin, size, name=None):
    block = sliced(input_, begin, size)
    return slice_of(input_, begin, size) if block is None else block


strided_slice = Helper(
    "strided_slice",
    '''def strided_slice(x, begin, end, strides=None):
    """`x[begin:end:stride]` along its first axes; steps are positive."""
    steps = [1] * len(begin) if strides is None else strides
    return x[tuple(slice(b, e, s) for b, e, s in zip(begin, end, steps, strict=True))]
''',
)


@rule(
    "tf.strided_slice",
    samples=[
        *(S(f32(4, 5), [1, 0], [3, 5]), S(f32(4, 5), [0, 0], [4, -1], [1, 2])),
        *(S(f32(4, 5), [1], [3]), declines(f32(4), [3], [0], [-1])),
    ],
)
def strided_slice_rule(
    input_: Tensor,
    begin,
    end,
    strides=None,
    begin_mask=0,
    end_mask=0,
    ellipsis_mask=0,
    new_axis_mask=0,
    shrink_axis_mask=0,
    var=None,
    name=None,
):
    only_forward(strides)
    if begin_mask or end_mask or ellipsis_mask or new_axis_mask or shrink_axis_mask or var is not None:
        raise Decline("a mask is given")
    return strided_slice(input_, begin, end, strides)


def only_forward(strides: object) -> None:
    """Declines steps that are not known to be positive: torch has no others."""
    if strides is not None and not (isinstance(strides, (list, tuple)) and all(s > 0 for s in strides)):
        raise Decline("steps that are not known to be positive")


space_to_depth = Helper(
    "space_to_depth",
    '''def space_to_depth(x, block):
    """NHWC images with each block of pixels as channels, in TensorFlow's order (block, block, channel)."""
    n, h, w, c = x.shape
    x = x.reshape(n, h // block, block, w // block, block, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(n, h // block, w // block, block * block * c)
''',
)
depth_to_space = Helper(
    "depth_to_space",
    '''def depth_to_space(x, block):
    """NHWC images with channels laid out as blocks of pixels, in TensorFlow's order (block, block, channel)."""
    n, h, w, c = x.shape
    x = x.reshape(n, h, w, block, block, c // (block * block))
    return x.permute(0, 1, 3, 2, 4, 5).reshape(n, h * block, w * block, c // (block * block))
''',
)


def only_nhwc(data_format: object) -> None:
    """Declines channels first."""
    if data_format != "NHWC":
        raise Decline("channels first")


@rule(
    "tf.nn.space_to_depth",
    samples=[S(f32(2, 4, 6, 3), 2), S(f32(1, 3, 6, 2), block_size=3), declines(f32(1, 4, 4, 4), 2, "NCHW")],
)
def space_to_depth_rule(input: Tensor, block_size, data_format="NHWC", name=None):
    only_nhwc(data_format)
    return space_to_depth(input, block_size)


@rule("tf.nn.depth_to_space", samples=[S(f32(2, 3, 2, 12), 2), S(f32(1, 2, 1, 9), block_size=3)])
def depth_to_space_rule(input: Tensor, block_size, data_format="NHWC", name=None):
    only_nhwc(data_format)
    return depth_to_space(input, block_size)


for _name in ("space_to_depth", "depth_to_space"):
    for _old in (f"tf.compat.v1.{_name}", f"tf.compat.v1.nn.{_name}"):
        legacy(
            _old,
            "input, block_size, name=None, data_format='NHWC'",
            of=f"tf.nn.{_name}",
            samples=[S(f32(2, 4, 6, 8), 2)],
        )

space_to_batch = Helper(
    "space_to_batch",
    '''def space_to_batch(x, block_shape, paddings):
    """Blocks of the axes behind the first, zero-padded, moved into the batch."""
    block, rest = list(map(int, block_shape)), x.shape[1 + len(block_shape) :]
    x = F.pad(x, [0] * 2 * len(rest) + [int(p) for pair in reversed(list(paddings)) for p in pair])
    n = x.shape[0]
    sizes = [s // b for s, b in zip(x.shape[1:], block, strict=False)]
    x = x.reshape(n, *(v for pair in zip(sizes, block, strict=True) for v in pair), *rest)
    k = len(block)
    order = [*range(2, 2 * k + 1, 2), 0, *range(1, 2 * k, 2), *range(2 * k + 1, x.dim())]
    return x.permute(order).reshape(-1, *sizes, *rest)
''',
    ("import torch.nn.functional as F",),
)
batch_to_space = Helper(
    "batch_to_space",
    '''def batch_to_space(x, block_shape, crops):
    """The batch moved back into blocks of the axes behind it, then cropped."""
    block, k = list(map(int, block_shape)), len(block_shape)
    sizes, rest = x.shape[1 : k + 1], x.shape[k + 1 :]
    x = x.reshape(*block, -1, *sizes, *rest)
    order = [k, *(v for i in range(k) for v in (k + 1 + i, i)), *range(2 * k + 1, x.dim())]
    x = x.permute(order).reshape(-1, *(s * b for s, b in zip(sizes, block, strict=True)), *rest)
    for axis, (before, after) in enumerate(crops, start=1):
        x = x.narrow(axis, int(before), x.shape[axis] - int(before) - int(after))
    return x
''',
)


@rule("tf.space_to_batch", samples=[S(f32(2, 3, 6, 3), [2, 3], [[1, 0], [0, 0]]), S(f32(2, 4, 3), [2], [[0, 2]])])
def space_to_batch_rule(input: Tensor, block_shape, paddings, name=None, *, kind_block_shape):
    if kind_block_shape == "number":
        raise Decline("a block given as one number")
    return space_to_batch(input, block_shape, paddings)


@rule("tf.batch_to_space", samples=[S(f32(12, 2, 3, 3), [2, 3], [[1, 0], [0, 2]]), S(f32(4, 4, 3), [2], [[0, 1]])])
def batch_to_space_rule(input: Tensor, block_shape, crops, name=None, *, kind_block_shape):
    if kind_block_shape == "number":
        raise Decline("a block given as one number")
    return batch_to_space(input, block_shape, crops)


reverse_sequence = Helper(
    "reverse_sequence",
    '''def reverse_sequence(x, lengths, seq_axis, batch_axis=0):
    """`x` with the first `lengths[i]` steps of sequence `i` in reverse order, the others in place."""
    shape = [1] * x.dim()
    shape[batch_axis] = -1
    lengths = lengths.long().view(shape)
    shape[batch_axis], shape[seq_axis] = 1, -1
    steps = torch.arange(x.shape[seq_axis], device=x.device).view(shape)
    index = torch.where(steps < lengths, lengths - 1 - steps, steps)
    return x.gather(seq_axis, index.expand_as(x))
''',
    ("import torch",),
)


@rule(
    "tf.reverse_sequence",
    samples=[
        *(S(f32(3, 5), [2, 0, 5], seq_axis=1), S(f32(3, 5, 2), [2, 4, 5], 1, 0), S(f32(5, 3), [2, 1, 4], 0, 1)),
        S(f32(5, 3, 2), i32(3, low=0, high=6), seq_axis=0, batch_axis=1),
    ],
)
def reverse_sequence_rule(input: Tensor, seq_lengths: Tensor, seq_axis=None, batch_axis=None, name=None):
    if batch_axis is None or batch_axis == 0:
        return reverse_sequence(input, seq_lengths, seq_axis)
    return reverse_sequence(input, seq_lengths, seq_axis, batch_axis)


legacy(
    "tf.compat.v1.reverse_sequence",
    "input, seq_lengths, seq_axis=None, batch_axis=None, name=None, seq_dim=None, batch_dim=None",
    of="tf.reverse_sequence",
    old={"seq_dim": "seq_axis", "batch_dim": "batch_axis"},
    samples=[S(f32(3, 5), [2, 0, 5], seq_dim=1, batch_dim=0)],
)

same(
    "tf.dynamic_partition",
    "[data[partitions == i] for i in range(num_partitions)]",
    "data: Tensor, partitions: Tensor, num_partitions, name=None",
    samples=[S(f32(5, 2), [0, 2, 0, 1, 2], 4), S(f32(2, 3), i32(2, 3, low=0, high=2), 2)],
)

dynamic_stitch = Helper(
    "dynamic_stitch",
    '''def dynamic_stitch(indices, data):
    """Rows put at their indices; among rows for the same place the last one stays."""
    places = torch.cat([i.reshape(-1) for i in indices])
    rows = torch.cat([d.reshape(-1, *d.shape[i.dim() :]) for i, d in zip(indices, data, strict=True)])
    last = {int(p): n for n, p in enumerate(places)}
    order = [last.get(p, -1) for p in range(int(places.max()) + 1)]
    return torch.stack([rows[n] if n >= 0 else torch.zeros_like(rows[0]) for n in order])
''',
    ("import torch",),
)


@rule(
    "tf.dynamic_stitch",
    samples=[S(src("[tf.constant([0, 2]), tf.constant([3, 1])]"), src("[a, b]", a=f32(2, 3), b=f32(2, 3)))],
)
def dynamic_stitch_rule(indices, data, name=None):
    return dynamic_stitch(indices, data)


ensure_shape = Helper(
    "ensure_shape",
    '''def ensure_shape(x, shape):
    """`x`, which must have this shape; None stands for any size."""
    if len(x.shape) != len(shape) or any(n is not None and n != m for n, m in zip(shape, x.shape, strict=True)):
        raise ValueError(f"shape {tuple(x.shape)} is not {tuple(shape)}")
    return x
''',
)


@rule("tf.ensure_shape", samples=[S(f32(2, 3), [2, None]), S(f32(2), (2,))])
def ensure_shape_rule(x: Tensor, shape, name=None, *, kind_shape):
    if kind_shape not in ("sequence", "shape"):
        raise Decline("whether the rank is checked is not known")
    return ensure_shape(x, shape)


for _name in ("dynamic", "static"):
    same(
        f"tf.broadcast_{_name}_shape",
        "torch.broadcast_shapes(shape_x, shape_y)",
        "shape_x, shape_y",
        samples=[no_grad(S(src("tf.shape(a)", a=f32(2, 1)), src("tf.shape(b)", b=f32(3))))]
        if _name == "dynamic"
        else [],
    )

same("tf.identity_n", "list(input)", "input, name=None", samples=[S(src("[a, b]", a=f32(2), b=f32(3)))])
same("tf.guarantee_const", "input", "input: Tensor, name=None", samples=[no_grad(S(f32(2)))])
same("tf.parallel_stack", "torch.stack(values)", "values, name='parallel_stack'", samples=[])
same(
    "tf.unravel_index",
    "torch.stack(torch.unravel_index(indices, dims))",
    "indices: Tensor, dims, name=None",
    samples=[S([5, 7, 1], [3, 4])],
)


@rule("tf.bitcast", samples=[no_grad(S(f32(3), src("tf.int32"))), no_grad(S(i32(4), src("tf.float32")))])
def bitcast(input: Tensor, type, name=None, *, dtype):
    target = torch_dtype(type)
    if dtype not in ("float32", "int32"):
        raise Decline("the size of the elements is not known to stay")
    if type not in ("float32", "int32"):
        raise Decline("elements of another size")
    return input.view(target)


same("tf.compat.dimension_value", "dimension", "dimension", samples=[no_grad(S(src("a.shape[0]", a=f32(2, 3))))])
same("tf.is_tensor", "torch.is_tensor", "x", samples=[no_grad(S(f32(2))), no_grad(S(2.0))])


@rule("tf.as_dtype", samples=())
def as_dtype(type_value, *, kind):
    target = torch_dtype(type_value)
    if kind not in ("dtype", "string"):
        raise Decline("whether this is a dtype or its name is not known")
    return target


@rule("tf.get_static_value", samples=[no_grad(S(f32(2, 3))), no_grad(S(i32(4)))])
def get_static_value(tensor, partial=False, *, kind):
    if partial or kind != "tensor" or is_variable(tensor):
        raise Decline("no tensor, or a part of one")
    return tensor.detach().cpu().numpy()
