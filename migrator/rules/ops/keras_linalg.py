"""`keras.ops` of linear algebra, bits of signals, and control flow."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, declines, f32, no_grad, src
from migrator.rules.ops.control import map_rows
from migrator.rules.ops.linalg import pairs

if TYPE_CHECKING:
    import torch

_REGULAR = src("a + 3.0 * tf.eye(3)", a=f32(3, 3))
_POSITIVE = src("tf.matmul(a, a, transpose_b=True) + tf.eye(3)", a=f32(3, 3))


@rule(
    "tf.keras.ops.einsum",
    samples=[S("ij,jk->ik", f32(2, 3), f32(3, 4)), S("ii->i", f32(3, 3)), S("i,i", f32(3), f32(3))],
)
def einsum(subscripts, *operands):
    return torch.einsum(subscripts, *operands)


@rule(
    "tf.keras.ops.tensordot",
    samples=[S(f32(2, 3), f32(3, 4), 1), S(f32(2, 3, 4), f32(3, 4, 5)), S(f32(2, 3), f32(2, 4), axes=[0, 0])],
)
def tensordot(x1: Tensor, x2: Tensor, axes=2):
    dims = pairs(axes)
    return torch.tensordot(x1, x2, dims=dims)


@rule(
    "tf.keras.ops.dot",
    samples=[S(f32(3), f32(3)), S(f32(2, 3), f32(3, 4)), S(f32(2, 3), f32(3)), declines(f32(2, 3, 4), f32(2, 4, 3))],
)
def dot(x1: Tensor, x2: Tensor, *, rank_x1, rank_x2):
    if rank_x1 in (1, 2) and rank_x2 in (1, 2):
        return x1 @ x2
    raise Decline("the ranks are not known to be one or two")


@rule("tf.keras.ops.inner", samples=[S(f32(3), f32(3)), S(f32(2, 3), f32(4, 3))])
def inner(x1: Tensor, x2: Tensor):
    return torch.inner(x1, x2)


@rule("tf.keras.ops.cross", samples=[S(f32(3), f32(3)), S(f32(2, 3), f32(2, 3)), declines(f32(2), f32(2))])
def cross(x1: Tensor, x2: Tensor, axisa=-1, axisb=-1, axisc=-1, axis=None, *, shape_x1, shape_x2):
    if axisa != -1 or axisb != -1 or axisc != -1 or axis is not None or not shape_x1 or not shape_x2:
        raise Decline("another axis than the last, or vectors of unknown length")
    if shape_x1[-1] != 3 or shape_x2[-1] != 3:
        raise Decline("vectors that are not known to have three elements")
    return torch.linalg.cross(x1, x2)


for _name, _text, _samples in (
    ("inv", "torch.linalg.inv(x)", [S(_REGULAR)]),
    ("det", "torch.linalg.det(x)", [S(_REGULAR), S(f32(2, 3, 3))]),
    ("logdet", "torch.logdet(x)", [S(_POSITIVE)]),
    ("slogdet", "torch.linalg.slogdet(x)", [no_grad(S(_REGULAR))]),
):
    same(f"tf.keras.ops.{_name}", _text, "x: Tensor", samples=_samples)


@rule("tf.keras.ops.cholesky", samples=[S(_POSITIVE), no_grad(S(_POSITIVE, upper=True))])
def cholesky(x: Tensor, upper=False):
    return torch.linalg.cholesky(x, upper=upper)


@rule("tf.keras.ops.solve", samples=[S(_REGULAR, f32(3, 2)), S(_REGULAR, f32(3))])
def solve(a: Tensor, b: Tensor):
    return torch.linalg.solve(a, b)


@rule("tf.keras.ops.solve_triangular", samples=[S(_REGULAR, f32(3, 2)), S(_REGULAR, f32(3, 2), lower=True)])
def solve_triangular(a: Tensor, b: Tensor, lower=False):
    return torch.linalg.solve_triangular(a, b, upper=not lower)


@rule("tf.keras.ops.pinv", samples=[no_grad(S(f32(3, 2))), declines(f32(3, 2), 0.1)])
def pinv(x: Tensor, rcond=None):
    if rcond is not None:
        raise Decline("`rcond` is given")
    return torch.linalg.pinv(x)


@rule("tf.keras.ops.svd", samples=[no_grad(S(f32(3, 3), compute_uv=False)), declines(f32(3, 3))])
def svd(x: Tensor, full_matrices: Ignored = True, compute_uv=True):
    if compute_uv:
        raise Decline("the signs of singular vectors are not determined")
    return torch.linalg.svdvals(x)


@rule("tf.keras.ops.trapezoid", samples=[S(f32(5)), S(f32(2, 5), dx=0.5), S(f32(5), f32(5))])
def trapezoid(y: Tensor, x=None, dx=1.0, axis=-1):
    if x is None:
        return torch.trapezoid(y, dx=dx, dim=axis)
    return torch.trapezoid(y, x, dim=axis)


for _name, _window in (
    ("hanning", "hann_window"),
    ("hamming", "hamming_window"),
    ("blackman", "blackman_window"),
    ("bartlett", "bartlett_window"),
):
    same(f"tf.keras.ops.{_name}", f"torch.{_window}(x, periodic=False)", "x", samples=[S(7), S(8)])


@rule("tf.keras.ops.kaiser", samples=[S(7, 14.0), S(8, beta=5.0)])
def kaiser(x, beta):
    return torch.kaiser_window(x, periodic=False, beta=beta)


# --- segments

_IDS = src("tf.constant([0, 0, 1, 3])")


@rule(
    "tf.keras.ops.segment_sum",
    samples=[S(f32(4), _IDS, 4), S(f32(4, 2), _IDS, num_segments=5)],
)
def segment_sum(data: Tensor, segment_ids: Tensor, num_segments=None, sorted=False):
    if num_segments is None or sorted:
        raise Decline("the number of segments is not given")
    return data.new_zeros((num_segments, *data.shape[1:])).index_add(0, segment_ids, data)


# --- control flow


_ROWS = [
    *(S(src("lambda x: x * 2.0"), f32(4, 2)), S(src("lambda x: (x, tf.reduce_sum(x))"), f32(4, 2))),
    S(src("lambda x: {'a': x, 'b': [x, -x]}"), f32(4, 2)),
]


@rule("tf.keras.ops.map", samples=_ROWS)
def mapped(f, xs):
    return map_rows(f, xs)


@rule("tf.keras.ops.vectorized_map", samples=_ROWS)
def vectorized_map(function, elements):
    return map_rows(function, elements)
