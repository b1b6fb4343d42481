"""Linear algebra."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, declines, f32, known_gap, src

if TYPE_CHECKING:
    import torch


def plain_product(*flags: object) -> None:
    """Declines the flags of matmul for complex and sparse arguments."""
    if any(flags):
        raise Decline("an adjoint or sparse product")


@rule(
    "tf.matmul",
    samples=[
        S(f32(2, 3), f32(3, 4)),
        S(f32(2, 3), f32(4, 3), transpose_b=True),
        S(f32(3, 2), f32(3, 4), True),
        S(f32(2, 3, 4), f32(2, 5, 4), transpose_b=True),
        S(f32(2, 3), f32(4, 2), True, True),
        S([[1.0, 2.0]], [[3.0], [4.5]]),
        S([[1, 2]], [[3], [4]]),
        declines([[1, 2]], [[3, 4]], transpose_b=True),
        declines(f32(2, 2), [[3.0], [4.5]]),
    ],
    name="torch.matmul",
)
def matmul(
    a: Tensor,
    b: Tensor,
    transpose_a=False,
    transpose_b=False,
    adjoint_a=False,
    adjoint_b=False,
    a_is_sparse=False,
    b_is_sparse=False,
    output_type=None,
    grad_a=False,
    grad_b=False,
    name=None,
    *,
    rank_a,
    rank_b,
):
    plain_product(adjoint_a, adjoint_b, a_is_sparse, b_is_sparse, output_type, grad_a, grad_b)
    if isinstance(a, (list, tuple)) != isinstance(b, (list, tuple)):
        raise Decline("a list beside a tensor, whose dtype it takes")
    if isinstance(a, (list, tuple)):
        if transpose_a or transpose_b:
            raise Decline("a list that is transposed")
        return torch.matmul(a, b)
    left = a if not transpose_a else (a.T if rank_a == 2 else a.mT)
    right = b if not transpose_b else (b.T if rank_b == 2 else b.mT)
    return left @ right


@rule("tf.linalg.matvec", samples=[S(f32(2, 3), f32(3)), S(f32(2, 3, 4), f32(2, 4)), S(f32(3, 2), f32(3), True)])
def matvec(a: Tensor, b: Tensor, transpose_a=False, adjoint_a=False, a_is_sparse=False, b_is_sparse=False, name=None):
    plain_product(adjoint_a, a_is_sparse, b_is_sparse)
    left = a.mT if transpose_a else a
    return (left @ b.unsqueeze(-1)).squeeze(-1)


def pairs(axes: object) -> object:
    """`axes=[1, 0]` means `[[1], [0]]`."""
    if isinstance(axes, (list, tuple)) and all(isinstance(a, int) for a in axes):
        return [[a] for a in axes]
    return axes


@rule(
    "tf.tensordot",
    samples=[
        S(f32(2, 3), f32(3, 4), 1),
        S(f32(2, 3, 4), f32(4, 3), [[1, 2], [1, 0]]),
        S(f32(2, 3), f32(2, 4), axes=[0, 0]),
    ],
)
def tensordot(a: Tensor, b: Tensor, axes, name=None):
    dims = pairs(axes)
    return torch.tensordot(a, b, dims=dims)


@rule(
    "tf.einsum",
    samples=[
        S("ij,jk->ik", f32(2, 3), f32(3, 4)),
        S("bhqd,bhkd->bhqk", f32(2, 2, 3, 4), f32(2, 2, 5, 4)),
        S("ii->i", f32(3, 3)),
    ],
)
def einsum(equation, *inputs):
    return torch.einsum(equation, *inputs)


_AT_ZERO = "the gradient at zero is nan in TensorFlow, 0 in torch"


@rule(
    "tf.norm",
    samples=[
        *(S(f32(2, 3)), S(f32(2, 3), axis=1), S(f32(2, 3), 1, -1, True), S(f32(2, 3, 4), axis=[1, 2])),
        *(S(f32(2, 3), axis=1, keepdims=True), known_gap(_AT_ZERO, S(src("a * 0.0", a=f32(3))))),
    ],
    gaps=[_AT_ZERO],
)
def norm(tensor: Tensor, ord="euclidean", axis=None, keepdims=None, name=None, *, exact):
    if ord == "euclidean":
        if exact:
            return torch.sqrt(torch.sum(torch.square(tensor), dim=axis, keepdim=bool(keepdims)))
        if keepdims:
            return torch.linalg.vector_norm(tensor, dim=axis, keepdim=True)
        return torch.linalg.vector_norm(tensor, dim=axis)
    if isinstance(ord, str) or (axis is not None and not isinstance(axis, int)):
        raise Decline("a matrix norm")
    if keepdims:
        return torch.linalg.vector_norm(tensor, ord=ord, dim=axis, keepdim=True)
    return torch.linalg.vector_norm(tensor, ord=ord, dim=axis)


@rule("tf.linalg.band_part", samples=[S(f32(4, 4), -1, 0), S(f32(3, 5), 0, -1), S(f32(4, 4), num_lower=1, num_upper=2)])
def band_part(input: Tensor, num_lower, num_upper, name=None):
    if num_lower == -1 and num_upper == 0:
        return torch.tril(input)
    if num_lower == 0 and num_upper == -1:
        return torch.triu(input)
    if num_lower < 0 or num_upper < 0:
        raise Decline("an open band")
    return torch.triu(torch.tril(input, num_upper), -num_lower)


@rule("tf.linalg.diag", samples=[S(f32(3)), S(f32(2, 3))])
def diag(diagonal: Tensor, name="diag", k=0, num_rows=-1, num_cols=-1, padding_value=0, align: Ignored = "RIGHT_LEFT"):
    if num_rows != -1 or num_cols != -1 or padding_value != 0 or k != 0:
        raise Decline("a matrix that is more than the diagonal")
    return torch.diag_embed(diagonal)


@rule("tf.linalg.diag_part", samples=[S(f32(3, 3)), S(f32(2, 3, 4))])
def diag_part(input: Tensor, name="diag_part", k=0, padding_value=0, align: Ignored = "RIGHT_LEFT"):
    if k != 0 or padding_value != 0:
        raise Decline("a diagonal other than the main one")
    return torch.diagonal(input, dim1=-2, dim2=-1)


same(
    "tf.linalg.trace",
    "torch.diagonal(x, dim1=-2, dim2=-1).sum(-1)",
    "x: Tensor, name=None",
    samples=[S(f32(3, 3)), S(f32(2, 3, 3))],
)


@rule("tf.linalg.inv", samples=[S(src("a + 3.0 * tf.eye(3)", a=f32(3, 3)))])
def inv(input: Tensor, adjoint=False, name=None):
    plain_product(adjoint)
    return torch.linalg.inv(input)


same(
    "tf.linalg.det",
    "torch.linalg.det(input)",
    "input: Tensor, name=None",
    samples=[S(src("a + 3.0 * tf.eye(3)", a=f32(3, 3)))],
)
same(
    "tf.linalg.cross", "torch.linalg.cross(a, b)", "a: Tensor, b: Tensor, name=None", samples=[S(f32(2, 3), f32(2, 3))]
)
