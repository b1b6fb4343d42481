"""`tf.keras.ops`: NumPy's names for what TensorFlow has."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.asked import is_integer
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor, Tensors
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, boolean, f32, i32, known_gap, loud, no_grad, pos, src, unit
from migrator.rules.engine.template import device_here
from migrator.rules.ops import create
from migrator.rules.ops.gather import TIED_PLACES, first_top_k
from migrator.rules.ops.pieces import dtype_name, elements, torch_dtype
from migrator.rules.ops.reduce import not_empty

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F

_ANY, _POSITIVE = [S(f32(2, 3)), S(f32())], [S(pos(2, 3))]
for _name, _torch, _samples in (
    *((n, f"torch.{n}", _ANY) for n in ("square", "abs", "exp", "sin", "cos", "tan", "tanh", "floor", "sigmoid")),
    *((n, f"torch.{n}", _POSITIVE) for n in ("log", "sqrt", "rsqrt", "log1p")),
    ("absolute", "torch.abs", _ANY),
    ("negative", "torch.negative", _ANY),
    ("sign", "torch.sign", _ANY),
    ("ceil", "torch.ceil", _ANY),
    ("arccos", "torch.acos", [S(unit(3))]),
    ("arcsin", "torch.asin", [S(unit(3))]),
    ("arctan", "torch.atan", _ANY),
    ("relu", "F.relu", _ANY),
    ("relu6", "F.relu6", _ANY),
    ("silu", "F.silu", _ANY),
    ("selu", "F.selu", _ANY),
    ("softplus", "F.softplus", _ANY),
    ("isnan", "torch.isnan", [no_grad(S(f32(3)))]),
    ("isinf", "torch.isinf", [no_grad(S(f32(3)))]),
    ("isfinite", "torch.isfinite", [no_grad(S(f32(3)))]),
    ("ravel", "x.flatten()", _ANY),
    ("logical_not", "torch.logical_not", [S(boolean(4))]),
):
    same(f"tf.keras.ops.{_name}", _torch, "x: Tensor", samples=_samples)


@rule("tf.keras.ops.round", samples=[S(f32(2, 3))])
def nearest(x: Tensor, decimals=0):
    if decimals != 0:
        raise Decline("`decimals` is given")
    return torch.round(x)


_PAIRS = [S(f32(2, 3), f32(2, 3)), S(f32(2, 3), f32(3))]
for _name, _text in (
    ("add", "x1 + x2"),
    ("subtract", "x1 - x2"),
    ("multiply", "x1 * x2"),
    ("maximum", "torch.maximum(x1, x2)"),
    ("minimum", "torch.minimum(x1, x2)"),
    ("matmul", "x1 @ x2"),
):
    _cases = [S(f32(2, 3), f32(3, 4)), S(f32(2, 3, 4), f32(2, 4, 5))] if _name == "matmul" else _PAIRS
    same(f"tf.keras.ops.{_name}", _text, "x1: Tensor, x2: Tensor", samples=_cases)
for _name, _operator in (
    ("equal", "=="),
    ("not_equal", "!="),
    ("less", "<"),
    ("greater", ">"),
    ("less_equal", "<="),
    ("greater_equal", ">="),
):
    same(f"tf.keras.ops.{_name}", f"x1 {_operator} x2", "x1: Tensor, x2", samples=[S(f32(6), 0.0), S(i32(6), i32(6))])

same("tf.keras.ops.shape", "tuple(x.shape)", "x: Tensor", samples=[no_grad(S(f32(2, 3)))])

_AXES = [S(f32(2, 3)), S(f32(2, 3), axis=-1), S(f32(2, 3, 4), 1, True), S(f32(2, 3, 4), axis=(0, 2))]


@rule("tf.keras.ops.mean", samples=[*_AXES, loud(i32(4, 2), 0)])
def mean(x: Tensor, axis=None, keepdims=False, *, dtype):
    not_empty(axis)
    if dtype == "bool" or is_integer(dtype):
        return torch.mean(x.float(), dim=axis, keepdim=keepdims)
    return torch.mean(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.sum", samples=[*_AXES, S(i32(4, 2), 0)])
def total(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return torch.sum(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.std", samples=_AXES)
def std(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return torch.std(x, dim=axis, correction=0, keepdim=keepdims)


@rule("tf.keras.ops.var", samples=_AXES)
def var(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return torch.var(x, dim=axis, correction=0, keepdim=keepdims)


@rule("tf.keras.ops.max", samples=_AXES)
def maximum(x: Tensor, axis=None, keepdims=False, initial=None):
    not_empty(axis)
    if initial is not None:
        raise Decline("`initial` is given")
    if axis is None:
        return torch.amax(x, keepdim=keepdims)
    return torch.amax(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.min", samples=_AXES)
def minimum(x: Tensor, axis=None, keepdims=False, initial=None):
    not_empty(axis)
    if initial is not None:
        raise Decline("`initial` is given")
    if axis is None:
        return torch.amin(x, keepdim=keepdims)
    return torch.amin(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.argmax", samples=[S(f32(3, 4)), S(f32(3, 4), 0), S(f32(3, 4), axis=-1, keepdims=True)])
def argmax(x: Tensor, axis=None, keepdims=False):
    if axis is None:
        if keepdims:
            raise Decline("the place in the whole tensor with its dimensions kept")
        return torch.argmax(x)
    return torch.argmax(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.ops.cast", samples=[no_grad(S(i32(3), "float32")), S(f32(3), "int32"), S(f32(3), dtype="float64")])
def cast(x: Tensor, dtype):
    target = torch_dtype(dtype)
    if dtype_name(dtype) == "float32":
        return x.float()
    return x.to(target)


@rule("tf.keras.ops.expand_dims", samples=[S(f32(2, 3), 0), S(f32(2, 3), axis=-1)])
def expand_dims(x: Tensor, axis):
    if not isinstance(axis, int):
        raise Decline("several axes")
    return x.unsqueeze(axis)


@rule("tf.keras.ops.squeeze", samples=[S(f32(2, 1, 3)), S(f32(2, 1, 3), 1)])
def squeeze(x: Tensor, axis=None):
    if axis is None:
        return x.squeeze()
    return x.squeeze(axis)


@rule("tf.keras.ops.reshape", samples=[S(f32(2, 6), (3, 4)), S(f32(2, 6), (-1,)), S(f32(2, 6), newshape=[4, -1])])
def reshape(x: Tensor, newshape):
    if elements(newshape):
        return x.reshape(*newshape)
    return x.reshape(newshape)


@rule("tf.keras.ops.transpose", samples=[S(f32(2, 3)), S(f32(2, 3, 4)), S(f32(2, 3, 4), (0, 2, 1))])
def transpose(x: Tensor, axes=None, *, rank):
    if axes is None:
        if rank == 2:
            return x.T
        return x.permute(*reversed(range(x.ndim)))
    if elements(axes):
        return x.permute(*axes)
    return x.permute(axes)


_TWO = src("[a, b]", a=f32(2, 3), b=f32(2, 3))


@rule("tf.keras.ops.concatenate", samples=[S(_TWO), S(_TWO, axis=-1)])
def concatenate(xs: Tensors, axis=0):
    return torch.cat(xs, dim=axis)


@rule("tf.keras.ops.stack", samples=[S(_TWO), S(_TWO, axis=-1)])
def stack(x: Tensors, axis=0):
    return torch.stack(x, dim=axis)


@rule(
    "tf.keras.ops.where",
    samples=[S(boolean(3, 4), f32(3, 4), f32(3, 4)), S(boolean(4), f32(4), 0.0), S(boolean(3, 1), f32(3, 4), f32(4))],
)
def where(condition: Tensor, x1=None, x2=None, *, kind_x1, kind_x2):
    if x1 is None or kind_x1 in ("sequence", "numpy") or kind_x2 in ("sequence", "numpy"):
        raise Decline("no values, or a list or an array as value")
    return torch.where(condition, x1, x2)


@rule(
    "tf.keras.ops.clip",
    samples=[
        S(f32(8), 0.0, 1.0),
        S(f32(2, 3), x_min=-0.5, x_max=0.5),
        S(f32(2, 3), -0.5, f32(2, 3)),
        S(f32(2, 3), f32(3), 0.25),
    ],
)
def clip(x: Tensor, x_min, x_max, *, kind_x_min, kind_x_max):
    if "numpy" in (kind_x_min, kind_x_max) or "sequence" in (kind_x_min, kind_x_max):
        raise Decline("bounds that are arrays or lists")
    if kind_x_min != kind_x_max:
        return x.clamp(max=x_max).clamp(min=x_min)  # one call takes numbers alone or tensors alone
    return x.clamp(x_min, x_max)


@rule("tf.keras.ops.softmax", samples=[S(f32(2, 3)), S(f32(2, 3), axis=0)])
def softmax(x: Tensor, axis=-1):
    return F.softmax(x, dim=axis)


@rule("tf.keras.ops.cumsum", samples=[S(f32(3, 4), 1), S(f32(5), axis=0)])
def cumsum(x: Tensor, axis=None, dtype=None):
    if axis is None or dtype is not None:
        raise Decline("without an axis, or with a dtype")
    return torch.cumsum(x, dim=axis)


@rule("tf.keras.ops.zeros", samples=[S((2, 3)), S((2,), dtype="int32")])
def zeros(shape, dtype=None):
    target = torch_dtype(dtype)
    if dtype is None or dtype_name(dtype) == "float32":
        return torch.zeros(shape, device=device_here)
    return torch.zeros(shape, dtype=target, device=device_here)


@rule("tf.keras.ops.ones", samples=[S((2, 3)), S((2,), dtype="int32")])
def ones(shape, dtype=None):
    target = torch_dtype(dtype)
    if dtype is None or dtype_name(dtype) == "float32":
        return torch.ones(shape, device=device_here)
    return torch.ones(shape, dtype=target, device=device_here)


is_class = create.is_class


@rule("tf.keras.ops.one_hot", samples=[S(i32(5, low=-1, high=4), 3), S(i32(2, 3, low=0, high=3), num_classes=3)])
def one_hot(x: Tensor, num_classes, axis=-1, dtype=None, sparse=False):
    if axis != -1 or dtype not in (None, "float32") or sparse:
        raise Decline("another axis or dtype, or a sparse result")
    return is_class(x, num_classes).float()


@rule(
    "tf.keras.ops.take", samples=[S(f32(4, 3), i32(5, low=0, high=4), 0), S(f32(2, 4), i32(3, low=0, high=4), axis=-1)]
)
def take(x: Tensor, indices: Tensor, axis=None):
    if axis == 0:
        return x[indices]
    if axis == -1:
        return x[..., indices]
    raise Decline("an axis other than the first or the last")


@rule(
    "tf.keras.ops.top_k",
    samples=[S(f32(2, 6), 3), S(f32(6), k=2), known_gap(TIED_PLACES, S(i32(4, 40, low=0, high=3), 7))],
    gaps=[TIED_PLACES],
)
def top_k(x: Tensor, k, sorted=True, *, exact):
    if exact:
        return first_top_k(x, k)
    return torch.topk(x, k=k, sorted=sorted)


@rule(
    "tf.keras.ops.norm",
    samples=[S(f32(2, 3)), S(f32(2, 3), axis=1), S(f32(2, 3), None, -1, True), S(f32(2, 3), ord=1, axis=1)],
)
def norm(x: Tensor, ord=None, axis=None, keepdims=False):
    if ord is not None and not isinstance(axis, int):
        raise Decline("a norm of matrices")
    if keepdims:
        return (
            torch.linalg.vector_norm(x, dim=axis, keepdim=True)
            if ord is None
            else torch.linalg.vector_norm(x, ord=ord, dim=axis, keepdim=True)
        )
    return torch.linalg.vector_norm(x, dim=axis) if ord is None else torch.linalg.vector_norm(x, ord=ord, dim=axis)
