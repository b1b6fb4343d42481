"""`keras.ops` that make tensors."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, declines, f32, i32, no_grad, src
from migrator.rules.engine.template import device_here
from migrator.rules.engine.tensors import has_complex
from migrator.rules.ops.create import no_strings
from migrator.rules.ops.pieces import given, tensors_in, torch_dtype

if TYPE_CHECKING:
    import torch


def plain_values(x: object) -> None:
    """Declines text, and complex numbers, of which torch makes complex64 and Keras complex128."""
    no_strings(x)
    if has_complex(x):
        raise Decline("complex numbers, which are complex64 in torch and complex128 in Keras")


_LISTS = [
    *(
        S([1.0, 2.0]),
        S([[1, 2], [3, 4]]),
        S(2.5),
        S([True, False]),
        S(f32(2, 3)),
        S(i32(3)),
        S([1, 2], dtype="float32"),
    ),
    *(no_grad(S(i32(3), "float32")), S(src("[a, b]", a=f32(2), b=f32(2))), declines("text"), declines([1 + 2j])),
]


@rule("tf.keras.ops.convert_to_tensor", samples=_LISTS)
def convert_to_tensor(x, dtype=None, sparse=None, ragged: Ignored = None, *, kind):
    plain_values(x)
    if sparse:
        raise Decline("a sparse result")
    target = torch_dtype(dtype)
    if kind == "tensor":
        if dtype is None:
            return x
        return x.to(target)
    if tensors_in(x):
        if dtype is not None:
            raise Decline("a list of tensors with a dtype")
        return torch.stack(x)
    if kind in ("number", "sequence"):
        return torch.tensor(x, dtype=target, device=device_here)
    return torch.as_tensor(x, dtype=target, device=device_here)


@rule("tf.keras.ops.array", samples=_LISTS)
def array(x, dtype=None, *, kind):
    plain_values(x)
    target = torch_dtype(dtype)
    if kind == "tensor":
        if dtype is None:
            return x
        return x.to(target)
    if tensors_in(x):
        if dtype is not None:
            raise Decline("a list of tensors with a dtype")
        return torch.stack(x)
    if kind in ("number", "sequence"):
        return torch.tensor(x, dtype=target, device=device_here)
    return torch.as_tensor(x, dtype=target, device=device_here)


@rule("tf.keras.ops.copy", samples=[S(f32(2, 3))])
def copy(x: Tensor):
    return x.clone()


@rule("tf.keras.ops.is_tensor", samples=[no_grad(S(f32(2)))])
def is_tensor(x):
    return torch.is_tensor(x)


same("tf.keras.ops.ndim", "x.ndim", "x: Tensor", samples=[no_grad(S(f32(2, 3)))])
same("tf.keras.ops.size", "x.numel()", "x: Tensor", samples=[no_grad(S(f32(2, 3)))])


@rule(
    "tf.keras.ops.arange",
    samples=[S(5), S(2, 7), S(0, 10, 3), S(3.0), S(10, 0, -2), S(0, 1, 0.25), S(4, dtype="float32"), S(1, 7, step=2)],
)
def arange(start, stop=None, step=None, dtype=None):
    target = torch_dtype(dtype)
    if not given(stop):
        if given(step):
            raise Decline("a step without a stop")
        return torch.arange(start, dtype=target, device=device_here)
    if not given(step):
        return torch.arange(start, stop, dtype=target, device=device_here)
    return torch.arange(start, stop, step, dtype=target, device=device_here)


@rule("tf.keras.ops.full", samples=[S((2, 3), 1.5), S((2,), 3), S((2,), 3, dtype="float32"), S([2, 1], True, "bool")])
def full(shape, fill_value, dtype=None, *, kind_fill_value):
    if kind_fill_value != "number":
        raise Decline("filling with something that is not known to be a number")
    target = torch_dtype(dtype)
    if dtype is None and not isinstance(fill_value, float):  # Keras fills with its default dtype
        return torch.full(shape, fill_value, dtype=torch.float32, device=device_here)
    return torch.full(shape, fill_value, dtype=target, device=device_here)


@rule(
    "tf.keras.ops.full_like", samples=[no_grad(S(f32(2, 3), 2.0)), S(i32(3), 4), no_grad(S(i32(3), 1, dtype="float32"))]
)
def full_like(x: Tensor, fill_value, dtype=None, *, kind_fill_value):
    if kind_fill_value != "number":
        raise Decline("filling with something that is not known to be a number")
    target = torch_dtype(dtype)
    return torch.full_like(x, fill_value, dtype=target)


@rule("tf.keras.ops.zeros_like", samples=[no_grad(S(f32(2, 3))), S(i32(3)), no_grad(S(f32(2), dtype="int32"))])
def zeros_like(x: Tensor, dtype=None):
    target = torch_dtype(dtype)
    return torch.zeros_like(x, dtype=target)


@rule("tf.keras.ops.ones_like", samples=[no_grad(S(f32(2, 3))), S(i32(3)), no_grad(S(f32(2), dtype="int32"))])
def ones_like(x: Tensor, dtype=None):
    target = torch_dtype(dtype)
    return torch.ones_like(x, dtype=target)


@rule("tf.keras.ops.eye", samples=[S(3), S(3, 4), S(2, dtype="int32"), declines(3, k=1)])
def eye(N, M=None, k=0, dtype=None):
    if k != 0:
        raise Decline("a diagonal other than the main one")
    target = torch_dtype(dtype)
    if M is None:
        return torch.eye(N, dtype=target, device=device_here)
    return torch.eye(N, M, dtype=target, device=device_here)


@rule("tf.keras.ops.identity", samples=[S(3), S(2, dtype="int32")])
def identity(n, dtype=None):
    target = torch_dtype(dtype)
    return torch.eye(n, dtype=target, device=device_here)


@rule("tf.keras.ops.tri", samples=[S(3), S(3, 4), S(3, 4, 1), S(3, k=-1)])
def tri(N, M=None, k=0, dtype=None):
    if dtype is not None:
        raise Decline("`dtype` is given")
    if M is None:
        return torch.ones(N, N, device=device_here).tril(k)
    return torch.ones(N, M, device=device_here).tril(k)


@rule(
    "tf.keras.ops.linspace",
    samples=[
        S(0.0, 1.0, 5),
        S(-2, 2, num=3),
        S(0.0, 1.0),
        S(0.0, 1.0, 5, dtype="float64"),
        declines(0.0, 1.0, endpoint=False),
    ],
)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, kind_start, kind_stop):
    if not endpoint or retstep or axis != 0 or kind_start != "number" or kind_stop != "number":
        raise Decline("between tensors, without the end, or with the step")
    target = torch_dtype(dtype)
    return torch.linspace(start, stop, num, dtype=target, device=device_here)


@rule(
    "tf.keras.ops.logspace", samples=[S(0.0, 1.0, 5), S(-2.0, 2.0, num=3, base=2), declines(0.0, 1.0, endpoint=False)]
)
def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0, *, kind_start, kind_stop):
    if not endpoint or dtype is not None or axis != 0 or kind_start != "number" or kind_stop != "number":
        raise Decline("between tensors, without the end, or with a dtype")
    return torch.logspace(start, stop, num, base=base, device=device_here)
