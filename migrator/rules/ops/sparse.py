"""Sparse tensors: torch's in coordinates, for those whose places occur once."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.args import Arg, Code
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, block, declines, f32, i32, i64, no_grad, src
from migrator.rules.ops.pieces import dtype_name, elements, on_arguments, text, torch_dtype

if TYPE_CHECKING:
    import torch

_TEXT = "tf.SparseTensor([[0, 1], [0, 3], [2, 0]], a, [3, 4])"
_MATRIX = src(_TEXT, a=f32(3))
_COUNTED = "a place that occurs twice is summed in torch"


@on_arguments
def the_only(args: object) -> Code:
    """The one argument behind the function."""
    found = elements(args)
    if not isinstance(args, Arg) or found is None or len(found) != 1:
        raise Decline("several arguments of the function")
    return Code(text(found[0]), covers=(args.name,))


def known_sizes(shape: object, kind: object) -> None:
    """Declines a shape that is a tensor, or nothing is known of."""
    if kind not in ("sequence", "shape"):
        raise Decline("the dense shape is not known to be a list or tuple")


@rule(
    "tf.SparseTensor",
    samples=[
        block(f"return tf.sparse.to_dense({_TEXT})", a=f32(3)),
        block(
            "return tf.sparse.to_dense(tf.SparseTensor(i, a, dense_shape=(3, 4)))", i=i64(1, 2, low=0, high=3), a=f32(1)
        ),
        block("return tf.sparse.to_dense(tf.sparse.SparseTensor([[1]], [True], [3]))"),
        declines(src("[[0, 1]]"), f32(1), src("b", b=i32(2, low=3, high=5))),
    ],
    gaps=[_COUNTED],
)
def sparse_tensor(indices: Tensor, values: Tensor, dense_shape, *, kind_dense_shape):
    known_sizes(dense_shape, kind_dense_shape)
    return torch.sparse_coo_tensor(indices.T, values, dense_shape)


@rule(
    "tf.sparse.to_dense",
    samples=[S(_MATRIX), S(_MATRIX, 0.0), declines(_MATRIX, -1.0)],
    gaps=[_COUNTED],
)
def to_dense(sp_input, default_value=None, validate_indices: Ignored = True, name=None):
    if default_value is not None and default_value != 0:
        raise Decline("a default other than zero")
    return sp_input.to_dense()


@rule(
    "tf.sparse.from_dense",
    samples=[block("return tf.sparse.to_dense(tf.sparse.from_dense(tf.nn.relu(a)))", a=f32(3, 4))],
)
def from_dense(tensor: Tensor, name=None):
    return tensor.to_sparse()


@rule(
    "tf.sparse.reorder",
    samples=[block(f"return tf.sparse.to_dense(tf.sparse.reorder({_TEXT}))", a=f32(3))],
    gaps=[_COUNTED],
)
def reorder(sp_input, name=None):
    return sp_input.coalesce()


@rule(
    "tf.sparse.eye",
    samples=[
        block("return tf.sparse.to_dense(tf.sparse.eye(3))"),
        block("return tf.sparse.to_dense(tf.sparse.eye(2, 3, tf.float64))"),
    ],
)
def eye(num_rows, num_columns=None, dtype="float32", name=None):
    target = torch_dtype(dtype)
    if dtype_name(dtype) == "float32":
        return torch.eye(num_rows, num_rows if num_columns is None else num_columns).to_sparse()
    return torch.eye(num_rows, num_rows if num_columns is None else num_columns, dtype=target).to_sparse()


@rule(
    "tf.sparse.sparse_dense_matmul",
    samples=[
        S(_MATRIX, f32(4, 2)),
        S(_MATRIX, f32(3, 2), adjoint_a=True),
        S(_MATRIX, src("tf.transpose(b)", b=f32(2, 4))),
        declines(_MATRIX, f32(2, 4), adjoint_b=True),
    ],
)
def sparse_dense_matmul(sp_a, b: Tensor, adjoint_a=False, adjoint_b=False, name=None):
    if adjoint_b:
        raise Decline("the adjoint of the dense matrix")
    if adjoint_a:
        return torch.sparse.mm(sp_a.t(), b)
    return torch.sparse.mm(sp_a, b)


@rule(
    "tf.sparse.reduce_sum",
    samples=[
        S(_MATRIX),
        S(_MATRIX, 1),
        S(_MATRIX, axis=[0], keepdims=True),
        declines(_MATRIX, 1, output_is_sparse=True),
    ],
)
def reduce_sum(sp_input, axis=None, keepdims=None, output_is_sparse=False, name=None):
    if output_is_sparse:
        raise Decline("a sparse result")
    if keepdims:
        return sp_input.to_dense().sum(dim=axis, keepdim=True)
    return sp_input.to_dense().sum() if axis is None else sp_input.to_dense().sum(dim=axis)


@rule(
    "tf.sparse.transpose",
    samples=[block(f"return tf.sparse.to_dense(tf.sparse.transpose({_TEXT}))", a=f32(3)), declines(_MATRIX, [0, 1])],
)
def transpose(sp_input, perm=None, name=None, *, rank):
    if rank != 2 or (perm is not None and list(perm) != [1, 0]):
        raise Decline("other than the transpose of a matrix")
    return sp_input.t()


@rule(
    "tf.keras.backend.is_sparse",
    samples=[no_grad(S(f32(2))), no_grad(S(_MATRIX)), block("return [tf.keras.backend.is_sparse(np.ones(3))]")],
)
def is_sparse(tensor):
    return getattr(tensor, "is_sparse", False)


same("tf.keras.backend.to_dense", "tensor.to_dense()", "tensor: Tensor", samples=[S(f32(2, 3)), S(_MATRIX)])


add_sparse = Helper(
    "add_sparse",
    '''def add_sparse(a, b):
    """The sum of two tensors of which one is sparse; torch wants a dense one first."""
    return b + a if a.is_sparse and not b.is_sparse else a + b
''',
)
map_sparse = Helper(
    "map_sparse",
    '''def map_sparse(function, x):
    """A sparse tensor with a function of its values in the same places."""
    x = x.coalesce()
    return torch.sparse_coo_tensor(x.indices(), function(x.values()), x.shape).coalesce()
''',
    ("import torch",),
)
retain_sparse = Helper(
    "retain_sparse",
    '''def retain_sparse(x, kept):
    """A sparse tensor with those of its values that a mask keeps, in the order of their places."""
    x, kept = x.coalesce(), torch.as_tensor(kept)
    return torch.sparse_coo_tensor(x.indices()[:, kept], x.values()[kept], x.shape).coalesce()
''',
    ("import torch",),
)
_OTHER = "tf.SparseTensor([[0, 1], [1, 2], [2, 0]], b, [3, 4])"


@rule(
    "tf.sparse.add",
    samples=[
        block(f"return tf.sparse.to_dense(tf.sparse.add({_TEXT}, {_OTHER}))", a=f32(3), b=f32(3)),
        block(f"return tf.sparse.add({_TEXT}, b)", a=f32(3), b=f32(3, 4)),
        block(f"return tf.sparse.add(b, {_TEXT})", a=f32(3), b=f32(3, 4)),
        block(f"return tf.sparse.to_dense(tf.sparse.add({_TEXT}, {_OTHER}))", a=i32(3), b=i32(3)),
        declines(_MATRIX, src(_OTHER, b=f32(3)), threshold=0.5),
    ],
    gaps=[_COUNTED],
)
def add(a, b, threshold=0):
    if threshold != 0:
        raise Decline("small sums go")
    return add_sparse(a, b)


@rule(
    "tf.sparse.map_values",
    samples=[
        block(f"return tf.sparse.to_dense(tf.sparse.map_values(tf.square, {_TEXT}))", a=f32(3)),
        block(f"return tf.sparse.to_dense(tf.sparse.map_values(lambda v: v * 2.0 - 1.0, {_TEXT}))", a=f32(3)),
        declines(src("tf.add"), _MATRIX, 1.0),
        declines(src("tf.clip_by_value"), _MATRIX, clip_value_min=0.0, clip_value_max=1.0),
    ],
    gaps=[_COUNTED],
)
def map_values(op, *args, **kwargs):
    return map_sparse(op, the_only(args))


@rule(
    "tf.sparse.retain",
    samples=[
        block(f"return tf.sparse.to_dense(tf.sparse.retain({_TEXT}, [True, False, True]))", a=f32(3)),
        block(f"return tf.sparse.to_dense(tf.sparse.retain({_TEXT}, a > 0.0))", a=f32(3)),
        block(f"return tf.sparse.to_dense(tf.sparse.retain({_TEXT}, tf.constant([False] * 3)))", a=f32(3)),
    ],
    gaps=[_COUNTED],
)
def retain(sp_input, to_retain):
    return retain_sparse(sp_input, to_retain)
