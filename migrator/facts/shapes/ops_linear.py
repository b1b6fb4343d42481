"""Products, convolutions, images and losses as functions."""

from __future__ import annotations

from migrator.facts import dims
from migrator.facts.arithmetic import dim_of, dims_of
from migrator.facts.shapes import broadcast
from migrator.facts.shapes.conv import window
from migrator.facts.shapes.ops import Args, first, like, literal, op, reduction, tensor
from migrator.values import Dim, Sequence, Shape, Tensor, Value


def matmul_shape(a: Value, b: Value, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """The product of matrices, batched where they have more than two axes."""
    left, right = tensor(a), tensor(b)
    origin = broadcast.origin_of((left.origin, right.origin))
    dtype = left.dtype if left.dtype == right.dtype else None
    if left.shape is None or right.shape is None:
        known = right.shape if right.shape is not None and len(right.shape) == 2 else None
        last = (known[-2] if transpose_b else known[-1]) if known else None
        return Tensor(None, dtype, origin, last=last)
    x, y = _matrix(left.shape, transpose_a), _matrix(right.shape, transpose_b)
    if len(x) < 2 or len(y) < 2:
        return Tensor(_vector_product(x, y), dtype, origin)
    batch = broadcast.broadcast([x[:-2], y[:-2]])
    return Tensor(None if batch is None else (*batch, x[-2], y[-1]), dtype, origin)


def _matrix(shape: Shape, swap: bool) -> Shape:
    return (*shape[:-2], shape[-1], shape[-2]) if swap and len(shape) >= 2 else shape


def _vector_product(x: Shape, y: Shape) -> Shape | None:
    if len(x) == 1 and len(y) == 1:
        return ()
    if len(x) >= 2 and len(y) == 1:
        return x[:-1]
    return (*y[:-2], y[-1]) if len(x) == 1 and len(y) >= 2 else None


@op("tf.matmul", "tf.linalg.matmul", "tf.keras.backend.dot")
def matmul(args: Args) -> Value:
    values = list(args.values())
    if len(values) < 2:
        return Tensor()
    flags = [literal(args, name, False) for name in ("transpose_a", "transpose_b", "adjoint_a", "adjoint_b")]
    if ... in flags:
        return Tensor()
    return matmul_shape(values[0], values[1], bool(flags[0] or flags[2]), bool(flags[1] or flags[3]))


@op("tf.keras.backend.batch_dot")
def batch_dot(args: Args) -> Value:
    """Over the last axis of one and the last but one of the other, where both have three axes."""
    values = [tensor(value) for value in list(args.values())[:2]]
    axes = literal(args, "axes", None)
    if len(values) < 2 or axes not in (None, (2, 1), [2, 1]) or any(v.rank != 3 for v in values):
        return Tensor()
    return matmul_shape(values[0], values[1])


@op("tf.linalg.matvec")
def matvec(args: Args) -> Value:
    values = [tensor(value) for value in list(args.values())[:2]]
    if len(values) < 2 or not values[0].shape:
        return Tensor()
    return like(values[1], values[0].shape[:-1])


@op("tf.einsum")
def einsum(args: Args) -> Value:
    equation, inputs = literal(args, "equation"), args.get("inputs")
    if not isinstance(equation, str) or "->" not in equation or "." in equation or not isinstance(inputs, Sequence):
        return Tensor()
    left, right = equation.replace(" ", "").split("->")
    sizes: dict[str, Dim] = {}
    tensors = [tensor(item) for item in inputs.items or ()]
    for letters, item in zip(left.split(","), tensors, strict=False):
        if item.shape is not None and len(item.shape) == len(letters):
            for letter, dim in zip(letters, item.shape, strict=True):
                sizes[letter] = dim if sizes.get(letter) is None else sizes[letter]
    origin = broadcast.origin_of(item.origin for item in tensors)
    return Tensor(tuple(sizes.get(letter) for letter in right), tensors[0].dtype if tensors else None, origin)


@op("tf.tensordot")
def tensordot(args: Args) -> Value:
    a, b, axes = tensor(args.get("a")), tensor(args.get("b")), literal(args, "axes")
    if a.shape is None or b.shape is None or not isinstance(axes, int):
        return like(a, None)
    return like(a, (*a.shape[: len(a.shape) - axes], *b.shape[axes:]))


def _strides(args: Args, rank: int, name: str = "strides") -> Shape:
    found = dims_of(args.get(name))
    if found is None:
        return (1,) * rank if args.get(name) is None else (None,) * rank
    if len(found) == rank + 2:
        return found[1:-1]
    return found * rank if len(found) == 1 else found if len(found) == rank else (None,) * rank


def _nn_conv(args: Args, rank: int, last: Dim, kernels: Shape) -> Value:
    x = tensor(first(args))
    padding, data_format = literal(args, "padding"), literal(args, "data_format", "N")
    if (
        x.shape is None
        or len(x.shape) != rank + 2
        or not isinstance(padding, str)
        or not str(data_format).endswith(("C", "N"))
    ):
        return like(x, None)
    dilations = _strides(args, rank, "dilations")
    spatial = map(window, x.shape[1:-1], kernels, _strides(args, rank), [padding.lower()] * rank, dilations)
    found = like(x, (x.shape[0], *spatial, last))
    return Tensor(
        found.shape, found.dtype, found.origin, "channels_last" if data_format in ("N", "NHWC", "NWC") else None
    )


@op("tf.nn.conv2d", "tf.nn.conv1d", "tf.nn.depthwise_conv2d")
def nn_conv(args: Args) -> Value:
    kernel = tensor(args.get("filters", args.get("filter")))
    rank = 1 if "filters" in args and kernel.shape is not None and len(kernel.shape) == 3 else 2
    if kernel.shape is None or len(kernel.shape) != rank + 2:
        return like(tensor(first(args)), None)
    last = kernel.shape[-1] if "filters" in args else dims.multiply(kernel.shape[-2], kernel.shape[-1])
    return _nn_conv(args, rank, last, kernel.shape[:rank])


@op("tf.nn.max_pool2d", "tf.nn.avg_pool2d", "tf.nn.max_pool", "tf.nn.avg_pool")
def nn_pool(args: Args) -> Value:
    x = tensor(first(args))
    return _nn_conv(args, 2, x.channels, _strides(args, 2, "ksize"))


@op("tf.image.extract_patches")
def extract_patches(args: Args) -> Value:
    """Windows of images [N, H, W, C], each flattened along the last axis."""
    x, padding = tensor(first(args)), literal(args, "padding")
    if x.shape is None or len(x.shape) != 4 or not isinstance(padding, str):
        return like(x, None if x.shape is None else (None,) * len(x.shape))
    size, stride, rate = (_strides(args, 2, name) for name in ("sizes", "strides", "rates"))
    spatial = map(window, x.shape[1:3], size, stride, [padding.lower()] * 2, rate)
    last = dims.multiply(dims.multiply(size[0], size[1]), x.shape[3])
    return like(x, (x.shape[0], *spatial, last), last=last)


@op("tf.nn.moments")
def moments(args: Args) -> Value:
    found = reduction(tensor(first(args)), literal(args, "axes"), literal(args, "keepdims", False))
    return Sequence("tuple", (found, found), found)


@op("tf.image.resize", "tf.compat.v1.image.resize_bilinear", "tf.image.resize_with_pad")
def resize(args: Args) -> Value:
    x, size = tensor(first(args)), dims_of(args.get("size"))
    if "target_height" in args:
        size = (dim_of(args["target_height"]), dim_of(args.get("target_width")))
    if x.shape is None or len(x.shape) not in (3, 4):
        return like(x, None, "float32", x.last)
    height, width = size if size is not None and len(size) == 2 else (None, None)
    nearest = "near" in str(literal(args, "method", "bilinear")).lower() or args.get("method") is not None
    return like(x, (*x.shape[:-3], height, width, x.shape[-1]), None if nearest else "float32")


@op("tf.image.random_crop", "tf.image.crop_to_bounding_box")
def crop(args: Args) -> Value:
    x = tensor(first(args))
    size = dims_of(args.get("size"))
    return like(x, size if size is not None else None)


@op("tf.nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy(args: Args) -> Value:
    return broadcast.elementwise([tensor(args.get("labels")), tensor(args.get("logits"))])


@op("tf.nn.sparse_softmax_cross_entropy_with_logits", "tf.nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy(args: Args) -> Value:
    logits = tensor(args.get("logits"))
    return like(logits, logits.shape[:-1] if logits.shape else None)


@op(*(f"tf.keras.losses.{name}" for name in (
    "mean_squared_error", "mean_absolute_error", "binary_crossentropy", "categorical_crossentropy", "huber", "hinge",
    "squared_hinge", "log_cosh", "kl_divergence", "poisson", "cosine_similarity", "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error", "binary_focal_crossentropy", "categorical_hinge")))  # fmt: skip
def keras_loss(args: Args) -> Value:
    found = broadcast.elementwise([tensor(args.get("y_true")), tensor(args.get("y_pred"))])
    return like(found, found.shape[:-1] if found.shape else None, "float32")


@op("tf.keras.losses.sparse_categorical_crossentropy")
def sparse_loss(args: Args) -> Value:
    predicted = tensor(args.get("y_pred"))
    return like(predicted, predicted.shape[:-1] if predicted.shape else None, "float32")


@op("tf.keras.utils.to_categorical")
def to_categorical(args: Args) -> Value:
    x = tensor(first(args))
    depth = dim_of(args.get("num_classes"))
    shape = None if x.shape is None else (*(x.shape[:-1] if x.shape and x.shape[-1] == 1 else x.shape), depth)
    return Tensor(shape, "float64", "numpy", None, None if shape is not None else depth)


@op("tf.clip_by_global_norm")
def clip_by_global_norm(args: Args) -> Value:
    values = first(args)
    clipped = values if isinstance(values, Sequence) else Sequence("list", None, Tensor())
    return Sequence("tuple", (clipped, Tensor((), "float32")), Tensor())


@op("tf.linalg.global_norm", "tf.nn.l2_loss", "tf.linalg.trace")
def scalar(args: Args) -> Value:
    return Tensor((), "float32")


@op("tf.math.unsorted_segment_mean", "tf.math.unsorted_segment_sum", "tf.math.unsorted_segment_max",
    "tf.math.unsorted_segment_min")  # fmt: skip
def segments(args: Args) -> Value:
    x, ids = tensor(args.get("data")), tensor(args.get("segment_ids"))
    count = dim_of(args.get("num_segments"))
    if x.shape is None or ids.shape is None:
        return like(x, None)
    return like(x, (count, *x.shape[len(ids.shape) :]))


@op("tf.linalg.diag", "tf.linalg.diag_part", "tf.linalg.set_diag")
def diagonal(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, None)


@op("tf.io.decode_jpeg", "tf.io.decode_png", "tf.io.decode_image", "tf.image.decode_jpeg", "tf.image.decode_image")
def decoded(args: Args) -> Value:
    channels = dim_of(args.get("channels"))
    return Tensor((None, None, channels or None), "uint8")


@op("tf.scatter_nd")
def scatter_nd(args: Args) -> Value:
    return like(tensor(args.get("updates")), dims_of(args.get("shape")))


@op("tf.tensor_scatter_nd_update", "tf.tensor_scatter_nd_add")
def scatter_update(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, x.shape)
