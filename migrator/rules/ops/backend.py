"""`tf.keras.backend`: old names of functions that TF has as well."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.asked import is_integer
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor, Tensors
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, f32, i32, no_grad, pos, src
from migrator.rules.ops.pieces import dtype_name, elements, torch_dtype
from migrator.rules.ops.reduce import not_empty

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F

_ANY = [S(f32(2, 3))]
_POSITIVE = [S(pos(2, 3))]
_AXES = [S(f32(2, 3)), S(f32(2, 3), axis=-1), S(f32(2, 3, 4), 1, True)]
_TWO = src("[a, b]", a=f32(2, 3), b=f32(2, 3))

for _name, _torch, _samples in (
    ("square", "torch.square", _ANY),
    ("abs", "torch.abs", _ANY),
    ("exp", "torch.exp", _ANY),
    ("log", "torch.log", _POSITIVE),
    ("round", "torch.round", _ANY),
    ("sign", "torch.sign", _ANY),
    ("sin", "torch.sin", _ANY),
    ("cos", "torch.cos", _ANY),
    ("sigmoid", "torch.sigmoid", _ANY),
    ("tanh", "torch.tanh", _ANY),
    ("softplus", "F.softplus", _ANY),
    ("softsign", "F.softsign", _ANY),
):
    same(f"tf.keras.backend.{_name}", _torch, "x: Tensor", samples=_samples)

same("tf.keras.backend.floatx", '"float32"', "", samples=[no_grad(S())])
same("tf.keras.backend.epsilon", "1e-7", "", samples=[no_grad(S())])
same("tf.keras.backend.image_data_format", '"channels_last"', "", samples=[no_grad(S())])
same("tf.keras.backend.flatten", "x.flatten()", "x: Tensor", samples=_ANY)
same("tf.keras.backend.maximum", "torch.maximum(x, y)", "x: Tensor, y: Tensor", samples=[S(f32(3), f32(3))])
same("tf.keras.backend.minimum", "torch.minimum(x, y)", "x: Tensor, y: Tensor", samples=[S(f32(3), f32(3))])
same("tf.keras.backend.equal", "x == y", "x: Tensor, y", samples=[S(i32(5), i32(5))])
same("tf.keras.backend.not_equal", "x != y", "x: Tensor, y", samples=[S(i32(5), i32(5))])
same("tf.keras.backend.greater", "x > y", "x: Tensor, y", samples=[S(f32(5), 0.0)])
same("tf.keras.backend.greater_equal", "x >= y", "x: Tensor, y", samples=[S(f32(5), 0.0)])
same("tf.keras.backend.less", "x < y", "x: Tensor, y", samples=[S(f32(5), 0.0)])
same("tf.keras.backend.less_equal", "x <= y", "x: Tensor, y", samples=[S(f32(5), 0.0)])
same("tf.keras.backend.pow", "torch.pow(x, a)", "x: Tensor, a", samples=[S(pos(3), 2.0)])
same(
    "tf.keras.backend.clip",
    "x.clamp(min_value, max_value)",
    "x: Tensor, min_value, max_value",
    samples=[S(f32(8), 0.0, 1.0)],
)
same("tf.keras.backend.sqrt", "torch.sqrt(x.clamp(min=0.0))", "x: Tensor", samples=_POSITIVE)
same("tf.keras.backend.transpose", "x.T", "x: Tensor", samples=_ANY)
same("tf.keras.backend.shape", "x.shape", "x", samples=[no_grad(S(f32(2, 3)))])
same("tf.keras.backend.int_shape", "tuple(x.shape)", "x", samples=[no_grad(S(f32(2, 3)))])
same("tf.keras.backend.ndim", "x.ndim", "x", samples=[no_grad(S(f32(2, 3)))])
same(
    "tf.keras.backend.gather",
    "reference[indices]",
    "reference: Tensor, indices: Tensor",
    samples=[S(f32(4, 2), i32(3, low=0, high=4))],
)


@rule("tf.keras.backend.sum", samples=_AXES)
def backend_sum(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return torch.sum(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.backend.mean", samples=_AXES)
def backend_mean(x: Tensor, axis=None, keepdims=False, *, dtype):
    not_empty(axis)
    if dtype == "bool" or is_integer(dtype):
        raise Decline("the mean of booleans or integers")
    return torch.mean(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.backend.max", samples=_AXES)
def backend_max(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    if axis is None:
        return torch.amax(x, keepdim=keepdims)
    return torch.amax(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.backend.min", samples=_AXES)
def backend_min(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    if axis is None:
        return torch.amin(x, keepdim=keepdims)
    return torch.amin(x, dim=axis, keepdim=keepdims)


@rule("tf.keras.backend.std", samples=_AXES)
def backend_std(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return torch.std(x, dim=axis, correction=0, keepdim=keepdims)


@rule("tf.keras.backend.var", samples=_AXES)
def backend_var(x: Tensor, axis=None, keepdims=False):
    not_empty(axis)
    return torch.var(x, dim=axis, correction=0, keepdim=keepdims)


@rule("tf.keras.backend.argmax", samples=[S(f32(3, 4)), S(f32(3, 4), axis=0)])
def backend_argmax(x: Tensor, axis=-1):
    return torch.argmax(x, dim=axis)


@rule("tf.keras.backend.cast", samples=[no_grad(S(i32(3), "float32")), S(f32(3), "int32")])
def backend_cast(x: Tensor, dtype):
    target = torch_dtype(dtype)
    if dtype_name(dtype) == "float32":
        return x.float()
    return x.to(target)


@rule("tf.keras.backend.reshape", samples=[S(f32(2, 6), (3, 4)), S(f32(2, 6), [-1])])
def backend_reshape(x: Tensor, shape):
    if elements(shape):
        return x.reshape(*shape)
    return x.reshape(shape)


@rule("tf.keras.backend.expand_dims", samples=[S(f32(2, 3)), S(f32(2, 3), 1)])
def backend_expand_dims(x: Tensor, axis=-1):
    return x.unsqueeze(axis)


@rule("tf.keras.backend.squeeze", samples=[S(f32(2, 1, 3), 1)])
def backend_squeeze(x: Tensor, axis):
    return x.squeeze(axis)


@rule("tf.keras.backend.concatenate", samples=[S(_TWO), S(_TWO, axis=0)])
def backend_concatenate(tensors: Tensors, axis=-1):
    return torch.cat(tensors, dim=axis)


@rule("tf.keras.backend.stack", samples=[S(_TWO), S(_TWO, axis=-1)])
def backend_stack(x: Tensors, axis=0):
    return torch.stack(x, dim=axis)


@rule("tf.keras.backend.permute_dimensions", samples=[S(f32(2, 3, 4), (0, 2, 1))])
def backend_permute(x: Tensor, pattern):
    if elements(pattern):
        return x.permute(*pattern)
    return x.permute(pattern)


@rule("tf.keras.backend.dot", samples=[S(f32(2, 3), f32(3, 4)), S(f32(2, 5, 3), f32(3, 4))])
def backend_dot(x: Tensor, y: Tensor, *, rank_y):
    if rank_y != 2:
        raise Decline("the second factor is not known to be a matrix")
    return x @ y


@rule("tf.keras.backend.softmax", samples=[S(f32(2, 3))])
def backend_softmax(x: Tensor, axis=-1):
    return F.softmax(x, dim=axis)


@rule("tf.keras.backend.relu", samples=[S(f32(2, 3)), S(f32(8), max_value=1.0)])
def backend_relu(x: Tensor, alpha=0.0, max_value=None, threshold=0.0):
    if threshold != 0 or alpha != 0:
        raise Decline("`alpha` or `threshold` is given")
    return F.relu(x) if max_value is None else x.clamp(0.0, max_value)


@rule("tf.keras.backend.zeros_like", samples=[no_grad(S(f32(2, 3)))])
def backend_zeros_like(x: Tensor, dtype=None, name=None):
    target = torch_dtype(dtype)
    return torch.zeros_like(x, dtype=target)


@rule("tf.keras.backend.ones_like", samples=[no_grad(S(f32(2, 3)))])
def backend_ones_like(x: Tensor, dtype=None, name=None):
    target = torch_dtype(dtype)
    return torch.ones_like(x, dtype=target)
