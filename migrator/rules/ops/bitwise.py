"""Bits of integers, and complex numbers."""

from __future__ import annotations

from migrator.rules.engine.registry import same
from migrator.rules.engine.samples import S, f32, i32, i64, no_grad, src

_BITS = [S(i32(6, low=-9, high=9), i32(6, low=0, high=5)), S(i64(2, 3), i64(3, low=0, high=4))]
for _name, _operator in (
    ("bitwise_and", "&"),
    ("bitwise_or", "|"),
    ("bitwise_xor", "^"),
    ("left_shift", "<<"),
    ("right_shift", ">>"),
):
    same(f"tf.bitwise.{_name}", f"x {_operator} y", "x: Tensor, y: Tensor, name=None", samples=_BITS)
same("tf.bitwise.invert", "~x", samples=[S(i32(6)), S(i64(2, 3))])

_COMPLEX = src("tf.complex(a, b)", a=f32(2, 3), b=f32(2, 3))
same(
    "tf.complex",
    "torch.complex(real, imag)",
    "real: Tensor, imag: Tensor, name=None",
    samples=[S(f32(2, 3), f32(2, 3))],
)
same("tf.math.real", "torch.real", "input: Tensor, name=None", samples=[S(_COMPLEX), S(f32(3))])
same("tf.math.imag", "torch.imag", "input: Tensor, name=None", samples=[S(_COMPLEX)])
same("tf.math.conj", "torch.conj_physical", "x: Tensor, name=None", samples=[S(_COMPLEX), S(f32(3))])
same("tf.math.angle", "torch.angle", "input: Tensor, name=None", samples=[no_grad(S(_COMPLEX)), no_grad(S(f32(3)))])
