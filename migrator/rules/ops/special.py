"""Special functions and arithmetic with an exception at zero."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_float, is_integer
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor, Tensors
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, declines, f32, i32, no_grad, pos, src, unit
from migrator.rules.ops.math import EDGES
from migrator.rules.ops.pieces import torch_dtype

if TYPE_CHECKING:
    import torch

_ANY = [S(f32(2, 3)), S(f32()), S(f32(0, 3)), S(EDGES)]
_POSITIVE = [S(pos(2, 3)), S(pos(5))]

for _tf, _torch, _samples in (
    ("tf.math.erfc", "torch.special.erfc", _ANY),
    ("tf.math.erfinv", "torch.special.erfinv", [S(src("a * 0.9", a=unit(2, 3))), S(EDGES)]),
    ("tf.math.ndtri", "torch.special.ndtri", [S(src("a * 0.9 + 0.05", a=unit(2, 3)))]),
    ("tf.math.bessel_i0", "torch.special.i0", [S(f32(2, 3)), S(EDGES)]),
    ("tf.math.bessel_i0e", "torch.special.i0e", [S(f32(2, 3))]),
    ("tf.math.bessel_i1", "torch.special.i1", [S(f32(2, 3))]),
    ("tf.math.bessel_i1e", "torch.special.i1e", [S(f32(2, 3))]),
):
    same(_tf, _torch, samples=_samples)

_BOTH = [S(pos(2, 3), pos(2, 3)), S(pos(2, 3), pos(3))]
same(
    "tf.math.igamma", "torch.special.gammainc(a, x)", "a: Tensor, x: Tensor, name=None", samples=[*map(no_grad, _BOTH)]
)
same(
    "tf.math.igammac",
    "torch.special.gammaincc(a, x)",
    "a: Tensor, x: Tensor, name=None",
    samples=[*map(no_grad, _BOTH)],
)
same(
    "tf.math.zeta",
    "torch.special.zeta(x, q)",
    "x: Tensor, q: Tensor, name=None",
    samples=[no_grad(S(src("a + 1.0", a=pos(3)), pos(3)))],
)
same(
    "tf.math.lbeta",
    "torch.lgamma(x).sum(dim=-1) - torch.lgamma(x.sum(dim=-1))",
    "x: Tensor, name=None",
    samples=[S(pos(2, 3)), S(pos(4))],
)
same(
    "tf.math.xlog1py",
    "torch.special.xlog1py(x, y)",
    "x: Tensor, y: Tensor, name=None",
    samples=[*_BOTH, S(src("tf.constant([0.0, 1.0])"), src("tf.constant([-1.0, 0.5])"))],
)
same(
    "tf.math.nextafter",
    "torch.nextafter(x1, x2)",
    "x1: Tensor, x2: Tensor, name=None",
    samples=[no_grad(S(f32(3), f32(3)))],
)
same(
    "tf.nn.zero_fraction",
    "(value == 0).float().mean()",
    "value: Tensor, name=None",
    samples=[no_grad(S(i32(9, low=-1, high=2))), no_grad(S(f32(3, 2)))],
)


def for_floats(dtype: str | None) -> None:
    """Declines what torch computes in another dtype for integers."""
    if is_integer(dtype):
        raise Decline("the result of integers has another dtype in torch")


multiply_no_nan = Helper(
    "multiply_no_nan",
    '''def multiply_no_nan(x, y):
    """`x * y`, and 0 where `y` is 0, even for an infinite `x`."""
    zero = y == 0
    return torch.where(zero, torch.zeros_like(x * y), torch.where(zero, 0.0, x) * y)
''',
    ("import torch",),
)


@rule("tf.math.multiply_no_nan", samples=[S(f32(2, 3), f32(2, 3)), no_grad(S(EDGES, src("tf.zeros([6])")))])
def multiply_without_nan(x: Tensor, y: Tensor, name=None, *, dtype, dtype_y):
    for_floats(dtype)
    for_floats(dtype_y)
    return multiply_no_nan(x, y)


xdivy = Helper(
    "xdivy",
    '''def xdivy(x, y):
    """`x / y`, and 0 where `x` is 0, even for a zero `y`."""
    zero = x == 0
    return (x / torch.where(zero, 1.0, y)).masked_fill(zero, 0.0)
''',
    ("import torch",),
)


@rule(
    "tf.math.xdivy", samples=[S(f32(2, 3), f32(2, 3)), no_grad(S(src("tf.constant([0.0, 1.0])"), src("tf.zeros([2])")))]
)
def x_div_y(x: Tensor, y: Tensor, name=None):
    return xdivy(x, y)


reciprocal_no_nan = Helper(
    "reciprocal_no_nan",
    '''def reciprocal_no_nan(x):
    """`1 / x`, and 0 where `x` is 0."""
    zero = x == 0
    return torch.where(zero, 1.0, x).reciprocal().masked_fill(zero, 0.0)
''',
    ("import torch",),
)


@rule("tf.math.reciprocal_no_nan", samples=[S(f32(2, 3)), S(src("tf.constant([0.0, -2.0, 4.0])"))])
def reciprocal_without_nan(x: Tensor, name=None):
    return reciprocal_no_nan(x)


@rule("tf.truncatediv", samples=[S(i32(6), 2), S(i32(6), -4), S(i32(5), i32(5, low=1, high=4))])
def truncatediv(x: Tensor, y: Tensor, name=None, *, dtype, dtype_y):
    if not (is_integer(dtype) or is_integer(dtype_y)):
        raise Decline("whether these are integers is not known")
    return torch.div(x, y, rounding_mode="trunc")


@rule("tf.truncatemod", samples=[S(i32(6), 3), S(i32(6), -3), no_grad(S(f32(4), 0.7)), no_grad(S(f32(4), f32(4)))])
def truncatemod(x: Tensor, y: Tensor, name=None):
    return torch.fmod(x, y)


@rule("tf.math.polyval", samples=[S(src("[a, b, 2.0]", a=f32(3), b=f32(3)), f32(3)), S([1.0, -2.0, 0.5], f32(2, 3))])
def polynomial(coeffs, x: Tensor, name=None):
    return polyval(coeffs, x)


polyval = Helper(
    "polyval",
    '''def polyval(coeffs, x):
    """The polynomial with these coefficients, the highest power first, at `x`."""
    total = torch.zeros_like(x)
    for c in coeffs:
        total = total * x + c
    return total
''',
    ("import torch",),
)


@rule("tf.math.cumulative_logsumexp", samples=[S(f32(4, 3)), S(f32(4, 3), axis=1), S(f32(4, 3), 1, reverse=True),
                                              declines(f32(3), exclusive=True)])  # fmt: skip
def cumulative_logsumexp(x: Tensor, axis=0, exclusive=False, reverse=False, name=None):
    if exclusive:
        raise Decline("an exclusive sum")
    if reverse:
        return torch.flip(torch.logcumsumexp(torch.flip(x, [axis]), dim=axis), [axis])
    return torch.logcumsumexp(x, dim=axis)


@rule("tf.math.accumulate_n", samples=[S(src("[a, b]", a=f32(2, 3), b=f32(2, 3)))])
def accumulate_n(inputs: Tensors, shape=None, tensor_dtype=None, name=None):
    if shape is not None or tensor_dtype is not None:
        raise Decline("`shape` or `tensor_dtype` is given")
    return sum(inputs)


@rule("tf.scalar_mul", samples=[S(2.5, f32(2, 3)), S(src("a[0]", a=f32(2)), f32(3))])
def scalar_mul(scalar, x: Tensor, name=None):
    return scalar * x


@rule("tf.math.is_non_decreasing", samples=[S(i32(4)), S(src("tf.sort(a)", a=f32(5))), S([1, 1, 2])])
def is_non_decreasing(x: Tensor, name=None):
    return torch.all(x.flatten().diff() >= 0)


@rule("tf.math.is_strictly_increasing", samples=[S(i32(4)), S(src("tf.sort(a)", a=f32(5))), S([1, 1, 2])])
def is_strictly_increasing(x: Tensor, name=None):
    return torch.all(x.flatten().diff() > 0)


@rule("tf.math.invert_permutation", samples=[S([2, 0, 3, 1])])
def invert_permutation(x: Tensor, name=None):
    return torch.argsort(x)


@rule("tf.math.reduce_euclidean_norm", samples=[S(f32(2, 3)), S(f32(2, 3), axis=1), S(f32(2, 3, 4), [0, -1], True)])
def reduce_euclidean_norm(input_tensor: Tensor, axis=None, keepdims=False, name=None, *, dtype):
    for_floats(dtype)
    if axis is None and not keepdims:
        return torch.linalg.vector_norm(input_tensor)
    if keepdims:
        return torch.linalg.vector_norm(input_tensor, dim=axis, keepdim=True)
    return torch.linalg.vector_norm(input_tensor, dim=axis)


@rule(
    "tf.saturate_cast",
    samples=[
        no_grad(S(src("a * 300.0", a=f32(9)), src("tf.uint8"))),
        no_grad(S(src("a * 100", a=i32(9)), src("tf.int8"))),
        no_grad(S(src("a * 0.5", a=f32(4)), src("tf.float64"))),
    ],
)
def saturate_cast(value: Tensor, dtype, name=None):
    target = torch_dtype(dtype)
    if is_float(dtype):
        return value.to(target)
    return saturated(value, target)


saturated = Helper(
    "saturated",
    '''def saturated(x, dtype):
    """`x` in an integer dtype, values beyond its range at its ends."""
    ends = torch.iinfo(dtype)
    return x.double().clamp(ends.min, ends.max).to(dtype)
''',
    ("import torch",),
)


@rule(
    "tf.nn.in_top_k",
    samples=[
        S(i32(4, low=0, high=5), f32(4, 5), 2),
        S(targets=i32(3, low=0, high=4), predictions=src("tf.round(a)", a=f32(3, 4)), k=2),
    ],
)
def in_top(targets: Tensor, predictions: Tensor, k, name=None):
    return in_top_k(targets, predictions, k)


in_top_k = Helper(
    "in_top_k",
    '''def in_top_k(targets, predictions, k):
    """Whether fewer than `k` classes score higher than the target: ties count as hits."""
    target = predictions.gather(1, targets.long()[:, None])
    return ((predictions > target).sum(dim=1) < k) & target[:, 0].isfinite()
''',
    ("import torch",),
)
