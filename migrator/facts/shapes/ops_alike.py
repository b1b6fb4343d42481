"""Operations with the shape of another one: old spellings, `keras.ops`, and what maps elements to elements."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.facts.arithmetic import dim_of
from migrator.facts.shapes import broadcast, ops
from migrator.facts.shapes.ops import Args, Op, dtype_of, first, like, literal, made, op, reduction, tensor
from migrator.facts.words import words
from migrator.values import Literal, Sequence, ShapeOf, Tensor, Unknown, Value

_OLD = {
    "keep_dims": "keepdims",
    "reduction_indices": "axis",
    "dimension": "axis",
    "dim": "axis",
    "squeeze_dims": "axis",
    "filter": "filters",
    "value": "input",
    "targets": "labels",
    "box_ind": "box_indices",
    "output_dtype": "dtype",
    "fn1": "true_fn",
    "fn2": "false_fn",
}


def _as(base: str, names: Mapping[str, str]) -> Op:
    """The shape function of another operation, its parameters under other names."""

    def function(args: Args) -> Value:
        given = {name: value for name, value in args.items() if not (name in names and value == Literal(None))}
        return ops.OPS[base]({names.get(name, name): value for name, value in given.items()})

    return function


_V1 = words("""reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_any reduce_all reduce_logsumexp norm
argmax argmin nn.softmax nn.log_softmax expand_dims squeeze gather gather_nd boolean_mask zeros_like
ones_like constant convert_to_tensor transpose pad shape size nn.moments
nn.sigmoid_cross_entropy_with_logits nn.max_pool nn.avg_pool
nn.sparse_softmax_cross_entropy_with_logits nn.softmax_cross_entropy_with_logits nn.embedding_lookup
nn.dropout""")
_KEEP_VALUE = ("constant", "convert_to_tensor")
for _name in _V1:
    _names = {k: v for k, v in _OLD.items() if not (k == "value" and _name in _KEEP_VALUE)}
    ops.OPS[f"tf.compat.v1.{_name}"] = _as(f"tf.{_name}", _names)
ops.OPS["tf.compat.v1.nn.softmax_cross_entropy_with_logits_v2"] = _as("tf.nn.softmax_cross_entropy_with_logits", _OLD)
ops.OPS["tf.compat.v1.count_nonzero"] = _as("tf.math.count_nonzero", _OLD)
for _name, _filters in (("nn.conv2d", "filters"), ("nn.depthwise_conv2d", "filter")):
    ops.OPS[f"tf.compat.v1.{_name}"] = _as(f"tf.{_name}", {"filter": _filters})

_NUMPY = {
    "sum": "reduce_sum",
    "max": "reduce_max",
    "min": "reduce_min",
    "norm": "norm",
    "expand_dims": "expand_dims",
    "squeeze": "squeeze",
    "matmul": "matmul",
    "stack": "stack",
    "reshape": "reshape",
    "transpose": "transpose",
    "cast": "cast",
    "where": "where",
    "one_hot": "one_hot",
    "top_k": "math.top_k",
    "zeros": "zeros",
    "ones": "ones",
    "shape": "shape",
    "ravel": "keras.backend.flatten",
}
_NUMPY_NAMES = {"newshape": "shape", "axes": "perm", "num_classes": "depth"}
for _name, _base in _NUMPY.items():
    ops.OPS[f"tf.keras.ops.{_name}"] = _as(f"tf.{_base}", _NUMPY_NAMES)

_SAME = words("""math.ceil math.rint math.erfc math.erfinv math.ndtri math.bessel_i0 math.bessel_i0e math.bessel_i1
math.bessel_i1e math.reciprocal_no_nan math.invert_permutation bitwise.invert linalg.expm
guarantee_const tensor_scatter_nd_sub reverse_sequence compat.v1.reverse_sequence nn.lrn
image.adjust_gamma image.adjust_hue image.hsv_to_rgb image.rgb_to_hsv image.rgb_to_yuv
image.yuv_to_rgb signal.fftshift signal.ifftshift keras.activations.mish keras.activations.relu6
keras.backend.softsign keras.backend.hard_sigmoid keras.backend.cumprod keras.backend.reverse
keras.ops.square keras.ops.abs keras.ops.absolute keras.ops.exp keras.ops.log keras.ops.log1p
keras.ops.sqrt keras.ops.rsqrt keras.ops.sin keras.ops.cos keras.ops.tan keras.ops.tanh
keras.ops.sigmoid keras.ops.relu keras.ops.relu6 keras.ops.silu keras.ops.selu keras.ops.softplus
keras.ops.softmax keras.ops.floor keras.ops.ceil keras.ops.round keras.ops.sign keras.ops.negative
keras.ops.arccos keras.ops.arcsin keras.ops.arctan keras.ops.clip keras.ops.cumsum
keras.ops.stop_gradient""")
_PAIRS = words("""atan2 math.igamma math.igammac math.zeta math.xlog1py math.nextafter truncatediv truncatemod
scalar_mul bitwise.bitwise_or bitwise.bitwise_xor bitwise.left_shift bitwise.right_shift
compat.v1.floor_div keras.ops.add keras.ops.subtract keras.ops.multiply keras.ops.maximum
keras.ops.minimum nn.weighted_cross_entropy_with_logits
compat.v1.nn.weighted_cross_entropy_with_logits compat.v1.nn.sigmoid_cross_entropy_with_logits
nn.log_poisson_loss""")
_COMPARED = words("equal not_equal less less_equal greater greater_equal")
ops.OPS.update({f"tf.{name}": ops.OPS["tf.abs"] for name in _SAME})
ops.OPS.update({f"tf.{name}": ops.OPS["tf.add"] for name in _PAIRS})
ops.OPS.update({f"tf.keras.ops.{name}": ops.OPS["tf.equal"] for name in _COMPARED})
ops.OPS.update({f"tf.keras.ops.{n}": ops.OPS["tf.math.is_nan"] for n in ("isnan", "isinf", "isfinite", "logical_not")})


@op("tf.compat.v1.div")
def div(args: Args) -> Value:
    return broadcast.elementwise(list(args.values())[:2])


def _converted(dtype: str) -> Op:
    def function(args: Args) -> Value:
        x = tensor(first(args))
        return Tensor(x.shape, dtype, like(x, None).origin, x.layout, x.last)

    return function


for _name in ("int32", "int64", "double", "bfloat16"):
    ops.OPS[f"tf.compat.v1.to_{_name}"] = _converted("float64" if _name == "double" else _name)


@op("tf.image.convert_image_dtype", "tf.bitcast")
def convert_image_dtype(args: Args) -> Value:
    x = tensor(first(args))
    chosen = args.get("dtype", args.get("type"))
    return Tensor(x.shape, dtype_of(chosen), like(x, None).origin, x.layout, x.last)


def _channels(count: int) -> Op:
    def function(args: Args) -> Value:
        x = tensor(first(args))
        return like(x, None if x.shape is None else (*x.shape[:-1], count), last=count)

    return function


ops.OPS["tf.image.rgb_to_grayscale"] = _channels(1)
ops.OPS["tf.image.grayscale_to_rgb"] = _channels(3)


def _sized(x: Tensor, height: Value | None, width: Value | None) -> Tensor:
    if x.shape is None or len(x.shape) < 3:
        return like(x, None, last=x.last)
    return like(x, (*x.shape[:-3], dim_of(height), dim_of(width), x.shape[-1]))


@op("tf.image.resize_with_crop_or_pad", "tf.image.pad_to_bounding_box", "tf.image.crop_to_bounding_box")
def placed(args: Args) -> Value:
    return _sized(tensor(first(args)), args.get("target_height"), args.get("target_width"))


@op("tf.image.central_crop", "tf.image.rot90")
def cropped(args: Args) -> Value:
    x = tensor(first(args))
    if x.shape is None or len(x.shape) < 3:
        return like(x, None, last=x.last)
    return like(x, (*x.shape[:-3], None, None, x.shape[-1]))


@op("tf.image.psnr", "tf.image.ssim", "tf.image.total_variation")
def per_image(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, x.shape[:-3] if x.shape is not None and len(x.shape) >= 3 else None, "float32")


@op("tf.image.non_max_suppression")
def indices(args: Args) -> Value:
    return Tensor((None,), "int32")


@op("tf.image.non_max_suppression_with_scores")
def indices_and_scores(args: Args) -> Value:
    scores = Tensor((None,), tensor(args.get("scores")).dtype)
    return Sequence("tuple", (Tensor((None,), "int32"), scores))


@op("tf.nn.conv3d", "tf.nn.max_pool3d",
    "tf.nn.avg_pool3d", "tf.nn.max_pool1d", "tf.nn.avg_pool1d", "tf.strided_slice", "tf.space_to_batch",
    "tf.batch_to_space", "tf.math.segment_sum", "tf.math.segment_mean",
    "tf.math.segment_max", "tf.math.segment_min", "tf.math.segment_prod", "tf.keras.ops.take")  # fmt: skip
def same_rank(args: Args) -> Value:
    """The dtype and rank of the first argument; sizes are left open."""
    x = tensor(first(args))
    return like(x, None if x.shape is None else (None,) * len(x.shape))


@op("tf.nn.conv2d_transpose", "tf.nn.conv1d_transpose", "tf.nn.conv3d_transpose", "tf.compat.v1.nn.conv2d_transpose")
def conv_transpose(args: Args) -> Value:
    x = tensor(args.get("input", args.get("value")))
    target = made(args.get("output_shape"), x.dtype)
    return like(x, target.shape if target.shape is not None else None if x.shape is None else (None,) * len(x.shape))


@op("tf.nn.separable_conv2d", "tf.nn.atrous_conv2d")
def mixed_conv(args: Args) -> Value:
    x, kernel = tensor(first(args)), tensor(args.get("pointwise_filter", args.get("filters")))
    last = kernel.shape[-1] if kernel.shape else None
    return like(x, None if x.shape is None else (x.shape[0], None, None, last), last=last)


@op("tf.nn.zero_fraction", "tf.nn.compute_average_loss", "tf.nn.scale_regularization_loss")
def scalar(args: Args) -> Value:
    return Tensor((), "float32")


@op("tf.math.is_non_decreasing", "tf.math.is_strictly_increasing")
def truth(args: Args) -> Value:
    return Tensor((), "bool")


@op("tf.nn.in_top_k")
def in_top_k(args: Args) -> Value:
    return like(tensor(args.get("targets")), tensor(args.get("targets")).shape, "bool")


@op("tf.nn.ctc_loss")
def ctc_loss(args: Args) -> Value:
    return Tensor((None,), "float32")


@op("tf.math.bincount")
def bincount(args: Args) -> Value:
    return Tensor((None,), "int32")


@op("tf.random.categorical", "tf.compat.v1.multinomial")
def categorical(args: Args) -> Value:
    """Rows of class ids [N, samples], whatever is known of the logits [N, classes]."""
    x = tensor(first(args))
    rows = x.shape[0] if x.shape else None
    return Tensor((rows, dim_of(args.get("num_samples"))), dtype_of(args.get("dtype")) or "int64")


@op("tf.searchsorted")
def searchsorted(args: Args) -> Value:
    return like(tensor(args.get("values")), tensor(args.get("values")).shape, "int32")


@op("tf.keras.ops.mean", "tf.keras.ops.std", "tf.keras.ops.var")
def mean(args: Args) -> Value:
    """The mean of integers is floating here."""
    x = tensor(first(args))
    dtype = x.dtype if x.dtype is not None and "float" in x.dtype else None
    found = reduction(x, literal(args, "axis"), literal(args, "keepdims", False))
    return Tensor(found.shape, dtype, found.origin)


@op("tf.keras.ops.concatenate")
def concatenate(args: Args) -> Value:
    return ops.OPS["tf.concat"]({"values": first(args) or Unknown(), "axis": args.get("axis", Literal(0))})


@op("tf.compat.v1.where")
def where(args: Args) -> Value:
    x = args.get("x")
    if x is None or x == Literal(None):
        return Tensor((None, tensor(first(args)).rank), "int64")
    return like(tensor(x), tensor(x).shape)


@op("tf.keras.ops.argmax")
def argmax(args: Args) -> Value:
    return reduction(tensor(first(args)), literal(args, "axis"), literal(args, "keepdims", False), "int64")


@op("tf.broadcast_dynamic_shape", "tf.broadcast_static_shape")
def joint_shape(args: Args) -> Value:
    return ShapeOf(None)


@op("tf.unique")
def unique(args: Args) -> Value:
    return Sequence("tuple", _unique(tensor(first(args)))[:2], Tensor())


@op("tf.unique_with_counts")
def unique_with_counts(args: Args) -> Value:
    return Sequence("tuple", _unique(tensor(first(args))), Tensor())


def _unique(x: Tensor) -> tuple[Value, Value, Value]:
    return like(x, (None,)), like(x, x.shape, "int32"), Tensor((None,), "int32")


@op("tf.compat.dimension_value")
def dimension_value(args: Args) -> Value:
    return first(args) or Unknown()


@op("tf.keras.backend.repeat_elements", "tf.keras.backend.temporal_padding")
def stretched(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, None if x.shape is None else (None,) * len(x.shape))
