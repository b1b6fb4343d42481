"""Sparse tensors, as the dense ones that they stand for."""

from __future__ import annotations

from migrator.facts.arithmetic import dim_of, dims_of
from migrator.facts.shapes.ops import Args, dtype_of, first, like, literal, op, reduction, tensor
from migrator.values import Literal, Tensor, Value


@op("tf.SparseTensor")
def sparse_tensor(args: Args) -> Value:
    return Tensor(dims_of(args.get("dense_shape")), tensor(args.get("values")).dtype)


@op("tf.sparse.to_dense", "tf.sparse.from_dense", "tf.sparse.reorder")
def kept(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, x.shape)


@op("tf.sparse.eye")
def eye(args: Args) -> Value:
    rows, columns = dim_of(args.get("num_rows")), args.get("num_columns")
    width = rows if columns in (None, Literal(None)) else dim_of(columns)
    return Tensor((rows, width), dtype_of(args.get("dtype")) or "float32")


@op("tf.sparse.transpose")
def transposed(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, None if x.shape is None or "perm" in args else tuple(reversed(x.shape)))


@op("tf.sparse.sparse_dense_matmul")
def product(args: Args) -> Value:
    return like(tensor(args.get("b")), (None, None))


@op("tf.sparse.reduce_sum")
def reduced(args: Args) -> Value:
    return reduction(tensor(first(args)), literal(args, "axis"), literal(args, "keepdims", False) or False)
