"""`keras.ops` that map elements to elements."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import dtype as dtype_of
from migrator.rules.engine.asked import is_float, is_integer
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, boolean, declines, f32, i32, i64, no_grad, pos, src, unit
from migrator.rules.ops.math import EDGES

if TYPE_CHECKING:
    import torch

_ANY = [S(f32(2, 3)), S(f32()), S(f32(0, 3)), S(i32(4)), S([0.5, -1.5])]
_FLOATS = [S(f32(2, 3)), S(f32()), S(EDGES)]
_POSITIVE = [S(pos(2, 3)), S(pos()), S(EDGES)]
_TESTED = [no_grad(S(EDGES))]
_COMPLEX = src("tf.complex(a, b)", a=f32(2, 3), b=f32(2, 3))
for _name, _torch, _samples in (
    *((n, f"torch.{n}", _ANY) for n in ("sinh", "cosh", "expm1", "exp2", "deg2rad", "rad2deg")),
    *((n, f"torch.{n}", _POSITIVE) for n in ("log2", "log10", "reciprocal")),
    ("erf", "torch.erf", _FLOATS),
    ("erfc", "torch.erfc", _FLOATS),
    ("erfinv", "torch.erfinv", [S(src("a * 0.9", a=unit(2, 3)))]),
    ("arccosh", "torch.acosh", [S(src("a + 1.0", a=pos(2, 3)))]),
    ("arcsinh", "torch.asinh", _ANY),
    ("arctanh", "torch.atanh", [S(src("a * 0.9", a=unit(2, 3)))]),
    ("i0", "torch.special.i0", [S(f32(5))]),
    ("isneginf", "torch.isneginf", _TESTED),
    ("isposinf", "torch.isposinf", _TESTED),
    ("signbit", "torch.signbit", [no_grad(S(src("tf.constant([-0.0, 2.5, -0.5])")))]),
    ("bitwise_not", "~x", [S(i32(5)), S(i64(2, 3))]),
    ("bitwise_invert", "~x", [S(i32(5)), S(i64(2, 3))]),
    ("real", "torch.real", [S(_COMPLEX), S(f32(3))]),
    ("imag", "torch.imag", [S(_COMPLEX)]),
    ("conj", "torch.conj_physical", [S(_COMPLEX), S(f32(3))]),
    ("conjugate", "torch.conj_physical", [S(_COMPLEX), S(f32(3))]),
    ("angle", "torch.angle", [no_grad(S(_COMPLEX))]),
):
    same(f"tf.keras.ops.{_name}", _torch, "x: Tensor", samples=_samples)

same("tf.keras.ops.view_as_real", "torch.view_as_real(x)", "x: Tensor", samples=[S(_COMPLEX)])


def floating(dtype: object) -> None:
    """Declines integers, which Keras makes floating first."""
    if dtype == "bool" or is_integer(dtype if isinstance(dtype, str) else None):
        raise Decline("integers, which Keras makes floating")


@rule("tf.keras.ops.view_as_complex", samples=[declines(src("tf.cast(a, tf.float64)", a=f32(2, 2)))])
def view_as_complex(x: Tensor, *, dtype):
    if dtype != "float32":  # Keras makes complex64 of float64 as well
        raise Decline("the numbers are not known to be float32")
    return torch.view_as_complex(x)


@rule("tf.keras.ops.fabs", samples=[S(f32(2, 3)), no_grad(S(i32(4))), declines(boolean(3))])
def fabs(x: Tensor, *, dtype):
    if is_integer(dtype):
        return x.abs().float()
    if dtype is None:
        raise Decline("whether these are integers is not known")
    floating(dtype)
    return x.abs()


@rule("tf.keras.ops.trunc", samples=[S(f32(2, 3)), S(f32(0)), S(EDGES), declines(boolean(4))])
def trunc(x: Tensor, *, dtype):
    if dtype == "bool":
        raise Decline("the whole part of booleans")
    return torch.trunc(x)


@rule("tf.keras.ops.isreal", samples=[no_grad(S(f32(3)))])
def isreal(x: Tensor):
    return torch.isreal(x)


cube_root = Helper(
    "cube_root",
    '''def cube_root(x):
    """The real cube root, of negative numbers too."""
    return torch.sign(x) * torch.pow(torch.abs(x), 1.0 / 3.0)
''',
    ("import torch",),
)


@rule("tf.keras.ops.cbrt", samples=[S(f32(2, 3)), no_grad(S(i32(4))), declines(i64(3))])
def cbrt(x: Tensor, *, dtype):
    if dtype == "int64":
        raise Decline("the root of 64 bit integers, which Keras takes in float64")
    return cube_root(x)


@rule(
    "tf.keras.ops.nan_to_num",
    samples=[S(EDGES), S(EDGES, 1.0), S(EDGES, posinf=2.0, neginf=-3.0), no_grad(S(i32(3))), S(f32(2, 3))],
)
def nan_to_num(x: Tensor, nan=0.0, posinf=None, neginf=None):
    return torch.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@rule("tf.keras.ops.sinc", samples=[S(f32(2, 3)), no_grad(S([0.0, 0.5, -1.0]))])
def sinc(x: Tensor):
    return torch.sinc(x)


# --- two operands

_PAIRS = [S(f32(2, 3), f32(2, 3)), S(f32(2, 3), f32(3)), S(f32(2, 3), 2.0), S(3.0, f32(2, 3)), S(i32(4), f32(4))]
_WHOLE = [S(i32(6, low=-9, high=9), i32(6, low=1, high=5)), S(i64(2, 3), i64(3, low=1, high=4)), S(i32(4), 3)]
_QUOTIENTS = [S(i32(6), i32(6, low=1, high=5)), S(i32(6), 2), S(f32(2, 3), [1.0, 2.0, 4.0])]
_BITS = [S(i32(6, low=-9, high=9), i32(6, low=0, high=5)), S(i64(2, 3), i64(3, low=0, high=4)), S(i32(3), 1)]
for _name, _text, _samples in (
    ("divide", "x1 / x2", [*_PAIRS, *_QUOTIENTS]),
    ("true_divide", "x1 / x2", [*_PAIRS, *_QUOTIENTS]),
    ("arctan2", "torch.atan2(x1, x2)", [S(f32(2, 3), f32(2, 3)), S(f32(4), f32())]),
    ("floor_divide", "x1 // x2", [*map(no_grad, _PAIRS), *_WHOLE]),
    ("mod", "x1 % x2", [*map(no_grad, _PAIRS), *_WHOLE]),
    ("logical_and", "torch.logical_and(x1, x2)", [S(boolean(4), boolean(4)), S(i32(4), i32(4))]),
    ("logical_or", "torch.logical_or(x1, x2)", [S(boolean(4), boolean(4)), S(i32(4), i32(4))]),
    ("logical_xor", "torch.logical_xor(x1, x2)", [S(boolean(4), boolean(4)), S(boolean(2, 3), boolean(3))]),
    ("gcd", "torch.gcd(x1, x2)", [S(i32(6), i32(6)), S(i64(2, 3), i64(3))]),
    ("lcm", "torch.lcm(x1, x2)", [S(i32(6, low=1), i32(6, low=1)), S(i64(2, 3, low=1), i64(3, low=1))]),
    ("nextafter", "torch.nextafter(x1, x2)", [no_grad(S(f32(4), f32(4)))]),
    ("outer", "torch.outer(x1.flatten(), x2.flatten())", [S(f32(3), f32(4)), S(f32(2, 2), f32(3))]),
    ("kron", "torch.kron(x1, x2)", [S(f32(2, 3), f32(2, 2)), S(f32(3), f32(2))]),
    ("vdot", "torch.dot(x1.flatten(), x2.flatten())", [S(f32(3), f32(3)), S(f32(2, 2), f32(2, 2))]),
):
    same(f"tf.keras.ops.{_name}", _text, "x1: Tensor, x2: Tensor", samples=_samples)
for _name, _operator in (
    ("bitwise_and", "&"),
    ("bitwise_or", "|"),
    ("bitwise_xor", "^"),
    ("bitwise_left_shift", "<<"),
    ("bitwise_right_shift", ">>"),
    ("left_shift", "<<"),
    ("right_shift", ">>"),
):
    same(f"tf.keras.ops.{_name}", f"x {_operator} y", "x: Tensor, y: Tensor", samples=_BITS)


@rule(
    "tf.keras.ops.power",
    samples=[
        S(pos(2, 3), f32(2, 3)),
        S(f32(2, 3), 2.0),
        S(f32(2, 3), 3),
        no_grad(S(i32(4), i32(4, low=0))),
        S(2.0, f32(3)),
    ],
)
def power(x1: Tensor, x2: Tensor):
    return x1**x2


_FLOAT_PAIRS = [*_PAIRS[:2], S([1.0, 2.0], [3.0, 0.5]), declines(i32(4), i32(4))]


def known_floats(first: object, second: object) -> None:
    """Declines operands that torch's function takes in floating point only, where that is not known."""
    for operand in (first, second):
        found = dtype_of(operand)
        if not (is_float(found) or has_floats(operand)):
            raise Decline("whether these are integers is not known")


def has_floats(value: object) -> bool:
    """Whether a list or number that is written out makes a floating tensor."""
    if isinstance(value, (list, tuple)):
        return any(map(has_floats, value))
    return isinstance(value, float)


@rule("tf.keras.ops.logaddexp", samples=_FLOAT_PAIRS)
def logaddexp(x1: Tensor, x2: Tensor):
    known_floats(x1, x2)
    return torch.logaddexp(x1, x2)


@rule("tf.keras.ops.logaddexp2", samples=_FLOAT_PAIRS)
def logaddexp2(x1: Tensor, x2: Tensor):
    known_floats(x1, x2)
    return torch.logaddexp2(x1, x2)


@rule("tf.keras.ops.hypot", samples=[*_FLOAT_PAIRS[:3], declines(i32(4), i32(4))])
def hypot(x1: Tensor, x2: Tensor):
    known_floats(x1, x2)
    return torch.hypot(x1, x2)


no_nan_quotient = Helper(
    "no_nan_quotient",
    '''def no_nan_quotient(x, y):
    """x / y, and 0 where y is 0."""
    safe = torch.where(y == 0, torch.ones_like(y), y)
    return torch.where(y == 0, torch.zeros_like(x / safe), x / safe)
''',
    ("import torch",),
)
_ZEROS = src("tf.round(b)", b=f32(9))


@rule("tf.keras.ops.divide_no_nan", samples=[S(f32(2, 3), f32(3)), S(f32(9), _ZEROS)])
def divide_no_nan(x1: Tensor, x2: Tensor):
    return no_nan_quotient(x1, x2)


@rule("tf.keras.ops.fmod", samples=[no_grad(S(f32(2, 3), f32(3))), S(i32(6, low=-9), i32(6, low=1))])
def fmod(x1: Tensor, x2: Tensor):
    return torch.fmod(x1, x2)


_WITH_NAN = src("b / tf.nn.relu(b) * b", b=f32(2, 9))


@rule("tf.keras.ops.fmax", samples=[S(f32(2, 3), f32(3)), no_grad(S(f32(2, 9), _WITH_NAN))])
def fmax(x1: Tensor, x2: Tensor):
    return torch.fmax(x1, x2)


@rule("tf.keras.ops.fmin", samples=[S(f32(2, 3), f32(3)), no_grad(S(f32(2, 9), _WITH_NAN))])
def fmin(x1: Tensor, x2: Tensor):
    return torch.fmin(x1, x2)


@rule("tf.keras.ops.heaviside", samples=[no_grad(S(_ZEROS, 0.5)), declines(i32(4), i32(4))])
def heaviside(x1: Tensor, x2: Tensor, *, dtype_x1, dtype_x2):
    floating(dtype_x1)
    floating(dtype_x2)
    return torch.heaviside(x1, x2)


@rule("tf.keras.ops.ldexp", samples=[S(f32(4), i32(4)), S(f32(2, 3), i32(3))])
def ldexp(x1: Tensor, x2: Tensor):
    return torch.ldexp(x1, x2)


are_close = Helper(
    "are_close",
    '''def are_close(x, y, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether elements agree up to these tolerances; infinities never do, integers when they are the same."""
    if not torch.result_type(x, y).is_floating_point:
        return x == y
    close = torch.abs(x - y) <= atol + rtol * torch.abs(y)
    return close | (x.isnan() & y.isnan()) if equal_nan else close
''',
    ("import torch",),
)
_CLOSE = [
    *(S(f32(4), src("a0 + 1e-6")), S(f32(2, 3), f32(2, 3), 1.0, 0.1), S(EDGES, EDGES, equal_nan=True)),
    *(S(EDGES, EDGES), S(i32(4, low=0, high=2), i32(4, low=0, high=2))),
]


@rule("tf.keras.ops.isclose", samples=[*map(no_grad, _CLOSE)])
def isclose(x1: Tensor, x2: Tensor, rtol=1e-05, atol=1e-08, equal_nan=False):
    return are_close(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)


@rule("tf.keras.ops.allclose", samples=[*map(no_grad, _CLOSE[:-1])])
def allclose(x1: Tensor, x2: Tensor, rtol=1e-05, atol=1e-08, equal_nan=False):
    return torch.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan).all()


@rule("tf.keras.ops.polar", samples=[S(pos(4), f32(4))])
def polar(abs_: Tensor, angle: Tensor):
    return torch.polar(abs_, angle)


@rule("tf.keras.ops.saturate_cast", samples=[no_grad(S(src("a * 300.0", a=f32(9)), "uint8"))])
def saturate_cast(x: Tensor, dtype):
    if dtype not in ("uint8", "int8", "int16"):
        raise Decline("a dtype whose ends floats do not hit")
    low = {"uint8": 0, "int8": -128, "int16": -32768}[dtype]
    high = {"uint8": 255, "int8": 127, "int16": 32767}[dtype]
    if dtype == "uint8":
        return x.clamp(low, high).to(torch.uint8)
    if dtype == "int8":
        return x.clamp(low, high).to(torch.int8)
    return x.clamp(low, high).to(torch.int16)
