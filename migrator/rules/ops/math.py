"""Arithmetic: elementwise functions and operators."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import dtype as dtype_of
from migrator.rules.engine.asked import is_integer
from migrator.rules.engine.asked import kind as kind_of
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor, Tensors
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, boolean, declines, f32, i32, known_gap, no_grad, pos, src, unit

if TYPE_CHECKING:
    import torch

EDGES = src("tf.constant([-0.0, 2.5, -0.5, float('inf'), float('-inf'), float('nan')])")
_ANY = [S(f32(2, 3)), S(f32(4, 1, 2)), S(f32()), S(f32(0, 3)), S(EDGES)]
_COMPLEX_SIGN = no_grad(S(src("tf.constant([3 + 4j, -1j])")))
_POSITIVE = [S(pos(2, 3)), S(pos(5)), S(pos()), S(EDGES)]

for _tf, _torch, _samples in (
    ("tf.exp", "torch.exp", _ANY),
    ("tf.math.expm1", "torch.expm1", _ANY),
    ("tf.sqrt", "torch.sqrt", _POSITIVE),
    ("tf.math.rsqrt", "torch.rsqrt", _POSITIVE),
    ("tf.math.log", "torch.log", _POSITIVE),
    ("tf.math.log1p", "torch.log1p", _POSITIVE),
    ("tf.square", "torch.square", [*_ANY, S(i32(3))]),
    ("tf.abs", "torch.abs", [*_ANY, S(i32(3))]),
    ("tf.floor", "torch.floor", _ANY),
    ("tf.math.ceil", "torch.ceil", _ANY),
    ("tf.round", "torch.round", [S(f32(3, 2)), S(src("a * 2.5", a=f32(4)))]),
    ("tf.math.rint", "torch.round", _ANY),
    ("tf.sin", "torch.sin", _ANY),
    ("tf.cos", "torch.cos", _ANY),
    ("tf.tan", "torch.tan", _ANY),
    ("tf.asin", "torch.asin", [S(unit(3))]),
    ("tf.acos", "torch.acos", [S(unit(3))]),
    ("tf.atan", "torch.atan", _ANY),
    ("tf.sinh", "torch.sinh", _ANY),
    ("tf.cosh", "torch.cosh", _ANY),
    ("tf.asinh", "torch.asinh", _ANY),
    ("tf.acosh", "torch.acosh", [S(src("a + 1.0", a=pos(2, 3))), S(EDGES)]),
    ("tf.atanh", "torch.atanh", [S(src("a * 0.9", a=unit(2, 3))), S(EDGES)]),
    ("tf.tanh", "torch.tanh", _ANY),
    ("tf.sigmoid", "torch.sigmoid", _ANY),
    ("tf.math.erf", "torch.erf", _ANY),
    ("tf.math.reciprocal", "torch.reciprocal", _POSITIVE),
    ("tf.math.log_sigmoid", "torch.nn.functional.logsigmoid", _ANY),
    ("tf.math.lgamma", "torch.lgamma", _POSITIVE),
    ("tf.math.digamma", "torch.digamma", _POSITIVE[:-1]),
    ("tf.math.is_nan", "torch.isnan", [no_grad(S(f32(3))), S(EDGES)]),
    ("tf.math.is_inf", "torch.isinf", [no_grad(S(f32(3))), S(EDGES)]),
    ("tf.math.is_finite", "torch.isfinite", [no_grad(S(f32(3))), S(EDGES)]),
    ("tf.logical_not", "torch.logical_not", [S(boolean(4))]),
):
    same(_tf, _torch, samples=_samples)


sign_of = Helper(
    "sign_of",
    '''def sign_of(x):
    """-1, 0 or 1; NaN of NaN."""
    return torch.where(torch.isnan(x), x.detach(), torch.sign(x))
''',
    ("import torch",),
)


@rule(
    "tf.sign",
    samples=[
        *_ANY[:-1],
        S(i32(3)),
        known_gap("the sign of NaN is 0 in torch", S(EDGES)),
        _COMPLEX_SIGN,
        declines([1 + 1j]),
    ],
)
def sign(x: Tensor, name=None, *, dtype, exact):
    if dtype in ("complex64", "complex128"):
        return torch.sgn(x)
    if exact and not is_integer(dtype):
        return sign_of(x)
    return torch.sign(x)


same("tf.negative", "-x", samples=[S(f32(2, 3)), S(src("a + b", a=f32(2), b=f32(2)))])

_PAIRS = [S(f32(2, 3), f32(2, 3)), S(f32(2, 3), f32(3)), S(f32(2, 3), 2.0)]
_COMPARED = [S(i32(8, low=0, high=3), i32(8, low=0, high=3)), S(f32(2, 3), 0.0), S(f32(2, 3), f32(3))]


def needs_tensor(x: object, y: object) -> None:
    """Declines arithmetic on two plain numbers, which TF would make a tensor of."""
    plain = ("number", "shape", "sequence", "numpy")
    if kind_of(x) in plain and kind_of(y) in plain:
        raise Decline("no argument is a tensor")
    if "sequence" in (kind_of(x), kind_of(y)):
        raise Decline("a list beside a tensor, whose dtype it takes")


def whole(x: object, y: object) -> bool:
    """Whether integers of 32 or 64 bits are divided: TF divides them in float64."""
    if dtype_of(x) is None and dtype_of(y) is None and not (isinstance(x, float) or isinstance(y, float)):
        raise Decline("whether these are integers is not known")
    narrow = [name for name in (dtype_of(x), dtype_of(y)) if is_integer(name) and name not in ("int32", "int64")]
    if narrow:
        raise Decline(f"division of {narrow[0]}")
    return is_integer(dtype_of(x)) or is_integer(dtype_of(y))


@rule("tf.add", samples=_PAIRS, name="torch.add")
def add(x, y, name=None):
    needs_tensor(x, y)
    return x + y


@rule("tf.subtract", samples=_PAIRS, name="torch.subtract")
def subtract(x, y, name=None):
    needs_tensor(x, y)
    return x - y


@rule("tf.multiply", samples=_PAIRS, name="torch.multiply")
def multiply(x, y, name=None):
    needs_tensor(x, y)
    return x * y


_QUOTIENTS = [S(i32(6, low=1, high=9), 2), S(i32(4), i32(4, low=1, high=5)), S(3, i32(4, low=1, high=5))]


@rule("tf.divide", samples=[*_PAIRS, *_QUOTIENTS])
def divide(x, y, name=None, *, kind_x):
    needs_tensor(x, y)
    if whole(x, y):
        if kind_x == "number":
            return x / y.double()
        return x.double() / y
    return x / y


@rule("tf.truediv", samples=[*_PAIRS, *_QUOTIENTS])
def truediv(x, y, name=None, *, kind_x):
    needs_tensor(x, y)
    if whole(x, y):
        if kind_x == "number":
            return x / y.double()
        return x.double() / y
    return x / y


@rule("tf.math.floordiv", samples=[S(i32(6), 2), S(i32(6), -4), no_grad(S(f32(4), 0.7)), no_grad(S(f32(4), f32(4)))])
def floordiv(x, y, name=None):
    needs_tensor(x, y)
    return x // y


@rule("tf.math.mod", samples=[S(i32(6), 3), S(i32(6), -3), S(f32(4), 0.7), S(f32(4), -0.7)])
def floormod(x, y, name=None):
    needs_tensor(x, y)
    return x % y


@rule("tf.pow", samples=[S(pos(2, 3), 2.0), S(pos(2, 3), f32(2, 3)), S(0.9, f32(3)), S(i32(4), 2)])
def power(x, y, name=None):
    needs_tensor(x, y)
    return torch.pow(x, y)


@rule("tf.math.squared_difference", samples=_PAIRS)
def squared_difference(x, y, name=None):
    needs_tensor(x, y)
    return torch.square(x - y)


_TIES = ["where both arguments are equal TensorFlow gives the gradient to the first, torch half to each"]
_EXTREMES = [
    *(S(f32(2, 3), 0.0), S(f32(2, 3), f32(2, 3)), S(f32(2, 3), f32(3)), S(0.5, f32(3)), S(i32(5), 1)),
    *(
        known_gap(_TIES[0], S(f32(9), src("tf.stop_gradient(a0)"))),
        known_gap(_TIES[0], S(0.5, src("a - tf.stop_gradient(a) + 0.5", a=f32(4)))),
    ),
    *(no_grad(S(EDGES, 0.25)), no_grad(S(EDGES, src("a * 0.0 + 0.25", a=f32(6))))),
]


larger = Helper(
    "larger",
    '''def larger(x, y):
    """The larger of both; where they are equal the gradient is that of `x`."""
    return torch.where((x >= y) | (x != x), x, y)
''',
    ("import torch",),
)


@rule("tf.maximum", samples=_EXTREMES, gaps=_TIES)
def maximum(x, y, name=None, *, kind_x, kind_y, exact):
    needs_tensor(x, y)
    if kind_y == "number":  # at the number itself the gradient is that of `x` in both
        return x.clamp(min=y)
    if exact:
        return larger(x, y)
    if kind_x == "number":
        return y.clamp(min=x)
    return torch.maximum(x, y)


smaller = Helper(
    "smaller",
    '''def smaller(x, y):
    """The smaller of both; where they are equal the gradient is that of `x`."""
    return torch.where((x <= y) | (x != x), x, y)
''',
    ("import torch",),
)


@rule("tf.minimum", samples=_EXTREMES, gaps=_TIES)
def minimum(x, y, name=None, *, kind_x, kind_y, exact):
    needs_tensor(x, y)
    if kind_y == "number":  # at the number itself the gradient is that of `x` in both
        return x.clamp(max=y)
    if exact:
        return smaller(x, y)
    if kind_x == "number":
        return y.clamp(max=x)
    return torch.minimum(x, y)


def comparisons() -> None:
    """Registers the comparison operators."""
    for tf_name, operator in (
        ("tf.equal", "=="),
        ("tf.not_equal", "!="),
        ("tf.less", "<"),
        ("tf.less_equal", "<="),
        ("tf.greater", ">"),
        ("tf.greater_equal", ">="),
    ):
        same(tf_name, f"x {operator} y", "x: Tensor, y, name=None", samples=_COMPARED)


comparisons()
same(
    "tf.logical_and", "torch.logical_and(x, y)", "x: Tensor, y: Tensor, name=None", samples=[S(boolean(6), boolean(6))]
)
same("tf.logical_or", "torch.logical_or(x, y)", "x: Tensor, y: Tensor, name=None", samples=[S(boolean(6), boolean(6))])
same(
    "tf.math.logical_xor",
    "torch.logical_xor(x, y)",
    "x: Tensor, y: Tensor, name=None",
    samples=[S(boolean(6), boolean(6))],
)
same("tf.atan2", "torch.atan2(y, x)", "y: Tensor, x: Tensor, name=None", samples=[S(f32(4), f32(4))])
same("tf.math.xlogy", "torch.xlogy(x, y)", "x: Tensor, y: Tensor, name=None", samples=[S(pos(4), pos(4))])

_DIVIDE_NO_NAN = Helper(
    "divide_no_nan",
    '''def divide_no_nan(x, y):
    """`x / y`, and 0 where `y` is 0; the gradient there is 0 as well."""
    zero = y == 0
    return (x / torch.where(zero, 1.0, y)).masked_fill(zero, 0.0)
''',
    ("import torch",),
)
divide_no_nan = _DIVIDE_NO_NAN


@rule(
    "tf.math.divide_no_nan",
    samples=[S(f32(2, 3), f32(2, 3)), S(f32(2, 3), src("tf.constant([0.0, 1.0, 2.0])")), S(f32(4), f32(4))],
)
def div_no_nan(x: Tensor, y: Tensor, name=None):
    return divide_no_nan(x, y)


@rule("tf.add_n", samples=[S(src("[a, b, c]", a=f32(2, 3), b=f32(2, 3), c=f32(2, 3)))])
def add_n(inputs: Tensors, name=None):
    return sum(inputs)
