"""Operations that move, split, add or drop axes."""

from __future__ import annotations

from collections.abc import Callable

from migrator.facts import dims
from migrator.facts.arithmetic import dim_of, dims_of, plain
from migrator.facts.join import join_all
from migrator.facts.shapes import broadcast
from migrator.facts.shapes.layers import exact_quotient
from migrator.facts.shapes.ops import Args, dtype_of, first, like, literal, op, tensor
from migrator.values import Dim, Literal, Sequence, Shape, ShapeOf, Tensor, Value


def reshaped(x: Tensor, target: Value | None) -> Tensor:
    """`x` in another shape; one -1 is worked out where everything else is known."""
    raw = target.items if isinstance(target, Sequence) else None
    found = dims_of(target)
    if isinstance(target, Literal) and target.value == -1:
        return like(x, (dims.product(x.shape) if x.shape is not None else None,))
    if found is None:
        return like(x, None)
    if raw is not None and raw.count(Literal(-1)) == 1:
        at = raw.index(Literal(-1))
        found = (*found[:at], _missing(x, found, at), *found[at + 1 :])
    return like(x, found)


def _missing(x: Tensor, found: Shape, at: int) -> Dim:
    """What -1 stands for; the batch axis cancels where it is kept in front."""
    if x.shape is None:
        return None
    rest = (*found[:at], *found[at + 1 :])
    total, part = list(x.shape), list(rest)
    if total and part and total[0] is None and part[0] is None and at > 0:
        total, part = total[1:], part[1:]
    for dim in list(part):
        if dim is not None and dim in total:
            total.remove(dim)
            part.remove(dim)
    return exact_quotient(dims.product(tuple(total)), dims.product(tuple(part)))


@op("tf.reshape", "tf.keras.backend.reshape")
def reshape(args: Args) -> Value:
    return reshaped(tensor(first(args)), args.get("shape"))


@op("tf.keras.backend.flatten")
def flatten(args: Args) -> Value:
    return reshaped(tensor(first(args)), Literal(-1))


@op("tf.keras.backend.batch_flatten")
def batch_flatten(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, None if x.shape is None else (x.shape[0], dims.product(x.shape[1:])))


def transposed(x: Tensor, order: object) -> Tensor:
    """`x` with its axes in another order; None reverses them."""
    if x.shape is None or order is ...:
        return like(x, None)
    if order is None:
        return like(x, x.shape[::-1])
    if not isinstance(order, tuple) or len(order) != len(x.shape):
        return like(x, None)
    return like(x, tuple(x.shape[int(axis)] for axis in order))


@op("tf.transpose", "tf.keras.backend.transpose", "tf.keras.backend.permute_dimensions")
def transpose(args: Args) -> Value:
    return transposed(tensor(first(args)), literal(args, "perm", literal(args, "pattern")))


@op("tf.linalg.matrix_transpose")
def matrix_transpose(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, None if x.shape is None or len(x.shape) < 2 else (*x.shape[:-2], x.shape[-1], x.shape[-2]))


@op("tf.nn.depth_to_space", "tf.compat.v1.depth_to_space", "tf.compat.v1.nn.depth_to_space")
def depth_to_space(args: Args) -> Value:
    """Blocks of channels become pixels: [N, H, W, C] to [N, H * block, W * block, C / block ** 2]."""
    return _blocks(args, lambda n, b: dims.product((n, b)), lambda c, b: exact_quotient(c, dims.product((b, b))))


@op("tf.nn.space_to_depth", "tf.compat.v1.space_to_depth", "tf.compat.v1.nn.space_to_depth")
def space_to_depth(args: Args) -> Value:
    """Blocks of pixels become channels: [N, H, W, C] to [N, H / block, W / block, C * block ** 2]."""
    return _blocks(args, exact_quotient, lambda c, b: dims.product((c, b, b)))


def _blocks(args: Args, pixels: Callable[[Dim, Dim], Dim], channels: Callable[[Dim, Dim], Dim]) -> Value:
    x, block = tensor(first(args)), dim_of(args.get("block_size"))
    if x.shape is None or len(x.shape) != 4:
        return like(x, None)
    if literal(args, "data_format", "NHWC") != "NHWC":
        return like(x, (None,) * 4)
    n, h, w, c = x.shape
    return like(x, (n, pixels(h, block), pixels(w, block), channels(c, block)))


def expanded(x: Tensor, axis: object) -> Tensor:
    """`x` with a new axis of size 1."""
    if x.shape is None or not isinstance(axis, int):
        return like(x, None, last=1 if axis == -1 else None)
    at = axis if axis >= 0 else len(x.shape) + 1 + axis
    return like(x, (*x.shape[:at], 1, *x.shape[at:]))


@op("tf.expand_dims", "tf.keras.backend.expand_dims")
def expand_dims(args: Args) -> Value:
    return expanded(tensor(first(args)), literal(args, "axis", -1))


def squeezed(x: Tensor, axis: object) -> Tensor:
    """`x` without axes of size 1."""
    if x.shape is None or axis is ...:
        return like(x, None)
    if axis is None:
        unknown = any(not isinstance(dim, int) for dim in x.shape)
        return like(x, None if unknown else tuple(dim for dim in x.shape if dim != 1))
    axes = {axis} if isinstance(axis, int) else set(axis) if isinstance(axis, tuple) else set()
    gone = {int(a) % len(x.shape) for a in axes} if x.shape else set()
    return like(x, tuple(dim for i, dim in enumerate(x.shape) if i not in gone))


@op("tf.squeeze", "tf.keras.backend.squeeze")
def squeeze(args: Args) -> Value:
    return squeezed(tensor(first(args)), literal(args, "axis"))


def stacked(values: Value | None, axis: object, kind: str = "tf") -> Tensor:
    """Tensors joined along a new axis."""
    if not isinstance(values, Sequence):
        return Tensor()
    items = values.items if values.items is not None else (values.element,)
    inner = broadcast.elementwise(map(tensor, items))
    count = len(values.items) if values.items is not None else None
    if inner.shape is None or not isinstance(axis, int):
        return Tensor(None, inner.dtype, inner.origin)
    at = axis if axis >= 0 else len(inner.shape) + 1 + axis
    return Tensor((*inner.shape[:at], count, *inner.shape[at:]), inner.dtype, inner.origin)


@op("tf.stack", "tf.keras.backend.stack")
def stack(args: Args) -> Value:
    return stacked(first(args), literal(args, "axis", 0))


@op("tf.unstack")
def unstack(args: Args) -> Value:
    x, axis = tensor(first(args)), literal(args, "axis", 0)
    if x.shape is None or not isinstance(axis, int) or not -len(x.shape) <= axis < len(x.shape):
        return Sequence("list", None, like(x, None))
    at = axis % len(x.shape)
    item = like(x, (*x.shape[:at], *x.shape[at + 1 :]))
    count = x.shape[at] if isinstance(x.shape[at], int) else literal(args, "num")
    return Sequence("list", (item,) * count if isinstance(count, int) else None, item)


@op("tf.split")
def split(args: Args) -> Value:
    x, axis = tensor(first(args)), literal(args, "axis", 0)
    parts = args.get("num_or_size_splits")
    if isinstance(parts, Literal) and isinstance(parts.value, int):
        sizes: list[Dim] | None = None
        count = parts.value
    else:
        given = dims_of(parts)
        if given is None or not isinstance(parts, Sequence | ShapeOf):
            return Sequence("list", None, like(x, None))
        sizes, count = list(given), len(given)
    items = tuple(_piece(x, axis, sizes[i] if sizes else ..., count) for i in range(count))
    return Sequence("list", items, join_all(items))


def _piece(x: Tensor, axis: object, size: object, count: int) -> Tensor:
    if not isinstance(axis, int):
        return like(x, None)
    if x.shape is None:
        last = exact_quotient(x.last, count) if size is ... else size
        return like(x, None, last=last if axis == -1 else None)  # type: ignore[arg-type]
    at = axis % len(x.shape)
    dim = exact_quotient(x.shape[at], count) if size is ... else size
    return like(x, (*x.shape[:at], dim, *x.shape[at + 1 :]))  # type: ignore[arg-type]


@op("tf.tile", "tf.keras.backend.tile")
def tile(args: Args) -> Value:
    x = tensor(first(args))
    times = dims_of(args.get("multiples", args.get("n")))
    if x.shape is None or times is None or len(times) != len(x.shape):
        return like(x, None)
    return like(x, tuple(map(dims.multiply, x.shape, times)))


@op("tf.repeat")
def repeat(args: Args) -> Value:
    x, axis = tensor(first(args)), literal(args, "axis")
    times = args.get("repeats")
    if x.shape is None or not isinstance(axis, int) or not isinstance(times, Literal):
        return like(x, (None,) if axis is None else None if x.shape is None else (None,) * len(x.shape))
    at = axis % len(x.shape)
    return like(x, (*x.shape[:at], dims.multiply(x.shape[at], dim_of(times)), *x.shape[at + 1 :]))


@op("tf.pad")
def pad(args: Args) -> Value:
    x, paddings = tensor(first(args)), args.get("paddings")
    if x.shape is None or not isinstance(paddings, Sequence) or paddings.items is None:
        return like(x, None if x.shape is None else (None,) * len(x.shape))
    pairs = [dims_of(item) for item in paddings.items]
    if len(pairs) != len(x.shape):
        return like(x, None)
    shape = tuple(
        None if pair is None or len(pair) != 2 else dims.add(dim, dims.add(pair[0], pair[1]))
        for dim, pair in zip(x.shape, pairs, strict=True)
    )
    return like(x, shape)


@op("tf.broadcast_to")
def broadcast_to(args: Args) -> Value:
    return like(tensor(first(args)), dims_of(args.get("shape")))


@op("tf.meshgrid")
def meshgrid(args: Args) -> Value:
    tensors = [value for value in args.values() if isinstance(value, Tensor)]
    sizes: list[Dim] = [t.shape[0] if t.shape else None for t in tensors]
    if literal(args, "indexing", "xy") == "xy" and len(sizes) > 1:
        sizes[0], sizes[1] = sizes[1], sizes[0]
    items = tuple(like(t, tuple(sizes)) for t in tensors)
    return Sequence("list", items, join_all(items))


@op("tf.slice")
def slice_(args: Args) -> Value:
    x, size = tensor(first(args)), args.get("size")
    found = dims_of(size)
    items = size.items if isinstance(size, Sequence) else None
    begin = plain(args["begin"]) if "begin" in args else None
    if found is None or x.shape is None or items is None or begin is None:
        return like(x, found)
    shape = tuple(
        dims.subtract(dim, int(start)) if item == Literal(-1) else new  # type: ignore[call-overload]
        for dim, start, item, new in zip(x.shape, begin, items, found, strict=False)
    )
    return like(x, shape)


@op("tf.one_hot", "tf.keras.backend.one_hot")
def one_hot(args: Args) -> Value:
    x = tensor(first(args))
    depth = dim_of(args.get("depth", args.get("num_classes")))
    axis = literal(args, "axis", -1)
    chosen = dtype_of(args.get("dtype")) or "float32"
    if x.shape is None or not isinstance(axis, int):
        return like(x, None, chosen, depth if axis == -1 else None)
    at = axis if axis >= 0 else len(x.shape) + 1 + axis
    return like(x, (*x.shape[:at], depth, *x.shape[at:]), chosen)


@op("tf.sequence_mask")
def sequence_mask(args: Args) -> Value:
    x = tensor(first(args))
    width = dim_of(args.get("maxlen"))
    chosen = (dtype_of(args.get("dtype")) if "dtype" in args else "bool") or None
    return Tensor(None if x.shape is None else (*x.shape, width), chosen, like(x, None).origin)


@op("tf.gather", "tf.nn.embedding_lookup", "tf.keras.backend.gather")
def gather(args: Args) -> Value:
    values = list(args.values())
    x = tensor(values[0] if values else None)
    ids = tensor(args.get("indices", args.get("ids", values[1] if len(values) > 1 else None)))
    axis, batch = literal(args, "axis"), literal(args, "batch_dims", 0)
    if x.shape is None or ids.shape is None or batch is ... or axis is ...:
        return like(x, None)
    if not isinstance(batch, int):
        return like(x, None)
    at = axis % len(x.shape) if isinstance(axis, int) and x.shape else batch
    return like(x, (*x.shape[:at], *ids.shape[batch:], *x.shape[at + 1 :]))


@op("tf.gather_nd")
def gather_nd(args: Args) -> Value:
    x, ids = tensor(first(args)), tensor(args.get("indices"))
    depth = ids.shape[-1] if ids.shape else None
    if x.shape is None or not isinstance(depth, int) or ids.shape is None:
        return like(x, None)
    return like(x, (*ids.shape[:-1], *x.shape[depth:]))


@op("tf.boolean_mask")
def boolean_mask(args: Args) -> Value:
    x, mask = tensor(first(args)), tensor(args.get("mask"))
    if x.shape is None or mask.shape is None:
        return like(x, None)
    return like(x, (None, *x.shape[len(mask.shape) :]))


@op("tf.nn.top_k", "tf.math.top_k")
def top_k(args: Args) -> Value:
    x = tensor(first(args))
    count = dim_of(args.get("k", Literal(1)))
    shape = None if x.shape is None else (*x.shape[:-1], count)
    items = (like(x, shape, last=count), like(x, shape, "int32", count))
    return Sequence("namedtuple", items, join_all(items))


@op("tf.argsort")
def argsort(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, x.shape, "int32", x.last)
