"""Decompositions, solutions and diagonals of matrices."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, declines, f32, no_grad, src
from migrator.rules.ops.linalg import plain_product

if TYPE_CHECKING:
    import torch

_SQUARE = src("a + 4.0 * tf.eye(3)", a=f32(3, 3))
_SYMMETRIC = src("a + tf.transpose(a)", a=f32(3, 3))
_POSITIVE = src("tf.matmul(a, a, transpose_b=True) + tf.eye(3)", a=f32(3, 3))
_INPUT = "input: Tensor, name=None"

same("tf.linalg.cholesky", "torch.linalg.cholesky(input)", _INPUT, samples=[no_grad(S(_POSITIVE))])
same("tf.linalg.expm", "torch.linalg.matrix_exp(input)", _INPUT, samples=[S(src("0.3 * a", a=f32(3, 3)))])
same(
    "tf.linalg.slogdet", "torch.linalg.slogdet(input)", _INPUT, samples=[no_grad(S(_SQUARE)), no_grad(S(f32(2, 3, 3)))]
)
same("tf.linalg.logdet", "torch.logdet(matrix)", "matrix: Tensor, name=None", samples=[no_grad(S(_POSITIVE))])
same("tf.linalg.eigvalsh", "torch.linalg.eigvalsh(tensor)", "tensor: Tensor, name=None", samples=[S(_SYMMETRIC)])
same("tf.linalg.adjoint", "matrix.mH", "matrix: Tensor, name=None", samples=[S(f32(2, 3)), S(f32(2, 3, 4))])
same(
    "tf.linalg.cholesky_solve",
    "torch.cholesky_solve(rhs, chol)",
    "chol: Tensor, rhs: Tensor, name=None",
    samples=[no_grad(S(src("tf.linalg.cholesky(tf.matmul(a, a, True) + tf.eye(3))", a=f32(3, 3)), f32(3, 2)))],
)


@rule(
    "tf.linalg.eigh",
    samples=[no_grad(S(src("tf.linalg.diag([3.0, -1.0, 2.0])")))],
    gaps=["the signs of eigenvectors are free in both"],
)
def eigh(tensor: Tensor, name=None):
    return tuple(torch.linalg.eigh(tensor))


svd = Helper(
    "svd",
    '''def svd(x, full_matrices=False):
    """Singular values, U and V (not transposed), as TensorFlow orders them."""
    u, s, vh = torch.linalg.svd(x, full_matrices=full_matrices)
    return s, u, vh.mH
''',
    ("import torch",),
)


@rule(
    "tf.linalg.svd",
    samples=[
        S(f32(3, 4), compute_uv=False),
        S(f32(2, 4, 3), False, False),
        no_grad(S(src("tf.linalg.diag([3.0, 2.0, 1.0])"))),
        no_grad(S(src("tf.linalg.diag([3.0, 2.0, 1.0])[:, :2]"), full_matrices=True)),
    ],
    gaps=["the signs of singular vectors are free in both"],
)
def svd_rule(tensor: Tensor, full_matrices=False, compute_uv=True, name=None):
    if not compute_uv:
        return torch.linalg.svdvals(tensor)
    if full_matrices:
        return svd(tensor, full_matrices=True)
    return svd(tensor)


@rule("tf.linalg.qr", samples=[no_grad(S(_SQUARE)), no_grad(S(f32(4, 3))), no_grad(S(f32(4, 3), full_matrices=True))])
def qr(input: Tensor, full_matrices=False, name=None):
    if full_matrices:
        return tuple(torch.linalg.qr(input, mode="complete"))
    return tuple(torch.linalg.qr(input))


@rule("tf.linalg.solve", samples=[S(_SQUARE, f32(3, 2)), S(matrix=_SQUARE, rhs=f32(3, 2), adjoint=True)])
def solve(matrix: Tensor, rhs: Tensor, adjoint=False, name=None):
    if adjoint:
        return torch.linalg.solve(matrix.mH, rhs)
    return torch.linalg.solve(matrix, rhs)


@rule(
    "tf.linalg.triangular_solve",
    samples=[S(_SQUARE, f32(3, 2)), S(_SQUARE, f32(3, 2), False), S(_SQUARE, f32(3, 2), adjoint=True)],
)
def triangular_solve(matrix: Tensor, rhs: Tensor, lower=True, adjoint=False, name=None):
    if adjoint:
        return torch.linalg.solve_triangular(matrix.mH, rhs, upper=lower)
    return torch.linalg.solve_triangular(matrix, rhs, upper=not lower)


@rule("tf.linalg.lstsq", samples=[no_grad(S(f32(5, 3), f32(5, 2))), declines(f32(5, 3), f32(5, 2), 0.1)])
def lstsq(matrix: Tensor, rhs: Tensor, l2_regularizer=0.0, fast: Ignored = True, name=None):
    if l2_regularizer != 0:
        raise Decline("a regularizer is given")
    return torch.linalg.lstsq(matrix, rhs).solution


@rule("tf.linalg.pinv", samples=[no_grad(S(f32(4, 3)))])
def pinv(a: Tensor, rcond=None, validate_args: Ignored = False, name=None):
    if rcond is not None:
        raise Decline("`rcond` is given")
    return torch.linalg.pinv(a)


@rule("tf.linalg.matrix_transpose", samples=[S(f32(2, 3)), S(f32(2, 3, 4))])
def matrix_transpose(a: Tensor, name="matrix_transpose", conjugate=False):
    plain_product(conjugate)
    return a.mT


@rule("tf.linalg.tensor_diag", samples=[S(f32(3)), declines(f32(2, 2))])
def tensor_diag(diagonal: Tensor, name=None, *, rank):
    if rank != 1:
        raise Decline("the diagonal is not known to be a vector")
    return torch.diag(diagonal)


@rule("tf.linalg.tensor_diag_part", samples=[S(f32(3, 3))])
def tensor_diag_part(input: Tensor, name=None, *, rank):
    if rank != 2:
        raise Decline("the input is not known to be a matrix")
    return torch.diag(input)


set_diag = Helper(
    "set_diag",
    '''def set_diag(x, diagonal):
    """The matrices with another main diagonal."""
    x = x.clone()
    torch.diagonal(x, dim1=-2, dim2=-1).copy_(diagonal)
    return x
''',
    ("import torch",),
)


@rule("tf.linalg.set_diag", samples=[S(f32(3, 4), f32(3)), S(f32(2, 3, 3), f32(2, 3))])
def set_diag_rule(input: Tensor, diagonal: Tensor, name="set_diag", k=0, align: Ignored = "RIGHT_LEFT"):
    if k != 0:
        raise Decline("a diagonal other than the main one")
    return set_diag(input, diagonal)


normalized = Helper(
    "normalized",
    '''def normalized(x, dim=None):
    """`x` over its norm, and that norm with the reduced dimensions kept."""
    norm = torch.linalg.vector_norm(x, dim=dim, keepdim=True)
    return x / norm, norm
''',
    ("import torch",),
)


@rule("tf.linalg.normalize", samples=[S(f32(2, 3)), S(f32(2, 3), axis=1), S(f32(2, 3), "euclidean", -1)])
def normalize(tensor: Tensor, ord="euclidean", axis=None, name=None):
    if ord != "euclidean":
        raise Decline("another norm")
    if axis is None:
        return normalized(tensor)
    return normalized(tensor, axis)


@rule("tf.linalg.matrix_rank", samples=[no_grad(S(f32(3, 4))), no_grad(S(src("tf.ones([3, 3])")))])
def matrix_rank(a: Tensor, tol=None, validate_args: Ignored = False, name=None):
    if tol is not None:
        raise Decline("`tol` is given")
    return torch.linalg.matrix_rank(a)
