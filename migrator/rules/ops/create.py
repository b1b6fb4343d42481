"""New tensors: constants, ranges and casts."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_variable
from migrator.rules.engine.asked import kind as kind_of
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor, Tensors
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, block, boolean, declined_block, declines, f32, i32, no_grad, src
from migrator.rules.engine.template import device_here
from migrator.rules.engine.tensors import has_complex
from migrator.rules.ops.pieces import (
    dtype_name,
    given,
    is_text,
    plain,
    tensors_in,
    text_alone,
    torch_dtype,
    written_dtype,
    written_number,
)
from migrator.rules.ops.text_code import text_of

if TYPE_CHECKING:
    import torch


@rule(
    "tf.cast",
    samples=[
        S(f32(2, 3), src("tf.int32")),
        no_grad(S(i32(4), src("tf.float32"))),
        S(f32(3), "float64"),
        no_grad(S(boolean(4), src("tf.float32"))),
        no_grad(S(i32(3), src("tf.bool"))),
        S(f32(3), src("b.dtype", b=f32(2))),
        no_grad(S(3, src("tf.float32"))),
        S(f32(3), dtype=src("tf.float16")),
    ],
)
def cast(x, dtype, name=None, *, kind):
    target = torch_dtype(dtype)
    if kind == "number":
        return torch.tensor(x, dtype=target)
    if kind in ("sequence", "shape"):
        return torch.tensor(x, dtype=target, device=device_here)
    if kind == "numpy":
        return torch.as_tensor(x, dtype=target, device=device_here)
    short = dtype_name(dtype)
    if short == "float32":
        return x.float()
    if short == "bool":
        return x.bool()
    return x.to(target)


def no_strings(value: object) -> None:
    """Declines text: torch has no string tensors."""
    if kind_of(value) == "string":
        raise Decline("torch has no string tensors")
    if isinstance(value, (list, tuple)):
        for item in value:
            no_strings(item)


@rule(
    "tf.constant",
    samples=[
        no_grad(S(src("[[1 + 2j], [-1.5 - 0.5j]]"))),
        no_grad(S(src("2j"))),
        declines(src("[2j]"), shape=[2]),
        no_grad(S(src("[2j]"), src("tf.complex64"))),
        S(2.0),
        S([1.0, 2.0]),
        S([[1, 2], [3, 4]]),
        S([1, 2], src("tf.float32")),
        S(0.5, shape=[2, 3]),
        S([1, 2, 3, 4], shape=(2, 2)),
        no_grad(block("return tf.constant('text')")),
        no_grad(block("return tf.constant([['a', 'é'], ['', 'b']], dtype=tf.string)")),
        no_grad(block("names = ['b', 'c']\nreturn tf.constant(names), tf.convert_to_tensor('x')")),
        declined_block("return tf.constant(['a'], shape=[1])"),
    ],
)
def constant(value, dtype=None, shape=None, name="Const", *, kind):
    if is_text(value, dtype):
        if shape is not None:
            raise Decline("text of a shape")
        return text_of(text_alone(value, dtype))
    if kind == "tensor":
        raise Decline("a constant made from a tensor")
    if dtype is None and has_complex(value):
        if shape is not None:
            raise Decline("a complex constant of a shape")
        return torch.tensor(value, dtype=torch.complex128, device=device_here)
    target = torch_dtype(dtype)
    if shape is None:
        return (
            torch.tensor(value, dtype=target)
            if kind == "number"
            else torch.tensor(value, dtype=target, device=device_here)
        )
    if kind == "number":
        if dtype is None:
            return torch.full(shape, value, device=device_here)
        return torch.full(shape, value, dtype=target, device=device_here)
    return torch.tensor(value, dtype=target, device=device_here).reshape(shape)


@rule(
    "tf.convert_to_tensor",
    samples=[S([1.0, 2.0]), S(f32(2, 3)), S([1, 2], dtype=src("tf.float32")), S(src("[a, b]", a=f32(2), b=f32(2))),
             block("v = tf.Variable([1.0, 2.0])\na = tf.convert_to_tensor(v)\nv.assign([3.0, 4.0])\nreturn a * 1.0")],
)  # fmt: skip
def convert_to_tensor(value, dtype=None, dtype_hint=None, name=None, *, kind):
    if dtype_hint is not None:
        raise Decline("`dtype_hint` is given")
    if is_text(value, dtype):
        return text_of(text_alone(value, dtype))
    target = torch_dtype(dtype)
    if kind == "tensor" and dtype is None:
        return value.clone() if is_variable(value) else value
    if tensors_in(value):
        if dtype is not None:
            raise Decline("a list of tensors with a dtype")
        return torch.stack(value)
    if kind == "number":
        return torch.as_tensor(value, dtype=target)
    return torch.as_tensor(value, dtype=target, device=device_here)


@rule("tf.zeros", samples=[S([2, 3]), S((2,)), S([2], src("tf.int32")), S(3), S(src("tf.shape(a)", a=f32(2, 3)))])
def zeros(shape, dtype="float32", name=None, layout=None):
    if layout is not None:
        raise Decline("`layout` is given")
    target = torch_dtype(dtype)
    if dtype_name(dtype) == "float32":
        return torch.zeros(shape, device=device_here)
    return torch.zeros(shape, dtype=target, device=device_here)


@rule("tf.ones", samples=[S([2, 3]), S((2,)), S([2], src("tf.int32")), S(3), S(src("tf.shape(a)", a=f32(2, 3)))])
def ones(shape, dtype="float32", name=None, layout=None):
    if layout is not None:
        raise Decline("`layout` is given")
    target = torch_dtype(dtype)
    if dtype_name(dtype) == "float32":
        return torch.ones(shape, device=device_here)
    return torch.ones(shape, dtype=target, device=device_here)


@rule("tf.zeros_like", samples=[no_grad(S(f32(2, 3))), S(i32(3)), no_grad(S(f32(2), dtype=src("tf.int32")))])
def zeros_like(input: Tensor, dtype=None, name=None, layout=None):
    if layout is not None:
        raise Decline("`layout` is given")
    target = torch_dtype(dtype)
    return torch.zeros_like(input, dtype=target)


@rule("tf.ones_like", samples=[no_grad(S(f32(2, 3))), S(i32(3)), no_grad(S(f32(2), dtype=src("tf.int32")))])
def ones_like(input: Tensor, dtype=None, name=None, layout=None):
    if layout is not None:
        raise Decline("`layout` is given")
    target = torch_dtype(dtype)
    return torch.ones_like(input, dtype=target)


@rule(
    "tf.fill",
    samples=[
        S([2, 3], 1.5),
        S((2,), 3),
        no_grad(block("return tf.fill([2], tf.constant(3, tf.int64)), tf.fill([2, 1], tf.constant(True))")),
        block("return tf.fill([tf.shape(a)[0], 2], tf.constant(0.5)) * tf.reduce_sum(a)", a=f32(2, 3)),
        block("total = tf.reduce_sum(a)\nreturn tf.fill([2, 3], total) * 2.0", a=f32(3)),
        block("return tf.fill(tf.shape(a), tf.reduce_max(a)) - a", a=f32(2, 3)),
        declined_block("return tf.fill([2], a)", a=f32(1)),
    ],
)
def fill(dims, value, name=None, layout=None, *, kind_value, rank_value):
    if layout is not None:
        raise Decline("`layout` is given")
    if kind_value != "tensor":
        return torch.full(dims, value, device=device_here)
    if written_number(value) is not None:
        number = written_number(value)
        target = written_dtype(value)
        return torch.full(dims, number, dtype=target, device=device_here)
    if rank_value != 0:
        raise Decline("filling with a tensor that is not known to be a single number")
    return value.expand(dims)


@rule("tf.eye", samples=[S(3), S(3, 4), S(2, dtype=src("tf.float64")), declines(2, batch_shape=[3])])
def eye(num_rows, num_columns=None, batch_shape=None, dtype="float32", name=None):
    if batch_shape is not None:
        raise Decline("`batch_shape` is given")
    target = torch_dtype(dtype)
    if dtype_name(dtype) == "float32":
        if num_columns is None:
            return torch.eye(num_rows, device=device_here)
        return torch.eye(num_rows, num_columns, device=device_here)
    if num_columns is None:
        return torch.eye(num_rows, dtype=target, device=device_here)
    return torch.eye(num_rows, num_columns, dtype=target, device=device_here)


@rule(
    "tf.range",
    samples=[
        S(5),
        S(2, 7),
        S(0, 10, 3),
        S(0, 6, 2, dtype=src("tf.float32")),
        S(4, dtype=src("tf.float32")),
        S(src("tf.shape(a)[0]", a=f32(3))),
        S(10, 0, -2),
    ],
)
def arange(start, limit=None, delta=1, dtype=None, name="range"):
    target = torch_dtype(dtype)
    if not given(limit):
        return torch.arange(start, dtype=target, device=device_here)
    if delta == 1:
        return torch.arange(start, limit, dtype=target, device=device_here)
    return torch.arange(start, limit, delta, dtype=target, device=device_here)


@rule(
    "tf.linspace", samples=[S(0.0, 1.0, 5), S(-2.0, 2.0, num=3), declines(0, 1, 5), declines([0.0, 5.0], [1.0, 9.0], 3)]
)
def linspace(start, stop, num, name=None, axis=0, *, kind_start, kind_stop, rank_start):
    if axis != 0:
        raise Decline("`axis` is given")
    if kind_start == "number" and isinstance(start, int):
        raise Decline("from integers TensorFlow makes float64")
    if kind_start in ("sequence", "numpy") or kind_stop in ("sequence", "numpy") or (rank_start or 0) > 0:
        raise Decline("between tensors")
    return torch.linspace(start, stop, num, device=device_here)


_LENGTHS = i32(4, low=0, high=6)


@rule(
    "tf.sequence_mask",
    samples=[
        S(_LENGTHS, 5),
        S(_LENGTHS, maxlen=6, dtype=src("tf.float32")),
        S(_LENGTHS),
        S(i32(2, 3, low=0, high=4), 4),
    ],
)
def sequence_mask(lengths: Tensor, maxlen=None, dtype="bool", name=None, *, rank):
    target = torch_dtype(dtype)
    if maxlen is None:
        steps = torch.arange(lengths.max(), device=lengths.device)
    else:
        steps = torch.arange(maxlen, device=lengths.device)
    if rank == 1:
        mask = steps < lengths[:, None]
    else:
        mask = steps < lengths[..., None]
    if dtype_name(dtype) == "bool":
        return mask
    return mask.to(target)


is_class = Helper(
    "is_class",
    '''def is_class(labels, depth):
    """Boolean rows with one True at the label; none for a label out of range."""
    return labels[..., None] == torch.arange(depth, device=labels.device)
''',
    ("import torch",),
)


@rule(
    "tf.one_hot",
    samples=[
        S(i32(5, low=-1, high=4), 3),
        S(i32(2, 3, low=0, high=3), depth=3),
        S(i32(4, low=0, high=3), 3, dtype=src("tf.int32")),
        S(i32(4, low=0, high=3), 3, 0.9, 0.1),
        S(src("a % 3", a=i32(4)), 3),
        S(2, 4),
    ],
)
def one_hot(indices: Tensor, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None, *, rank):
    if axis is not None and axis != -1:
        raise Decline("an axis other than the last")
    target = torch_dtype(dtype)
    if not plain(indices):
        hot = is_class(indices, depth)
    elif rank == 1:
        hot = indices[:, None] == torch.arange(depth, device=indices.device)
    else:
        hot = indices[..., None] == torch.arange(depth, device=indices.device)
    if on_value is not None or off_value is not None:
        if on_value is None or off_value is None or dtype is not None:
            raise Decline("on_value or off_value without the other, or with a dtype")
        return torch.where(hot, on_value, off_value)
    if dtype is None or dtype_name(dtype) == "float32":
        return hot.float()
    return hot.to(target)


@rule("tf.meshgrid", samples=[S(f32(3), f32(2)), S(f32(3), f32(2), indexing="ij"), declines([1, 2], [3])])
def meshgrid(*args: Tensors, indexing="xy", name=None):
    return torch.meshgrid(*args, indexing=indexing)
