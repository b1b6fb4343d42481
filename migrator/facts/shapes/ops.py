"""TensorFlow operations: the result of a call for its bound arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrator.facts import dims
from migrator.facts.arithmetic import dim_of, dims_of, plain
from migrator.facts.join import join_all
from migrator.facts.shapes import broadcast
from migrator.facts.shapes.layers import concatenated
from migrator.facts.words import words
from migrator.values import (
    Api,
    Dim,
    DType,
    Literal,
    ModelValue,
    Scalar,
    Sequence,
    Shape,
    ShapeOf,
    Tensor,
    Unknown,
    Value,
)

Args = Mapping[str, Value]
Op = Callable[[Args], Value]
OPS: dict[str, Op] = {}

UNKNOWN = Unknown()


def op(*apis: str) -> Callable[[Op], Op]:
    """Register the shape function of operations by canonical name."""

    def register(function: Op) -> Op:
        OPS.update(dict.fromkeys(apis, function))
        return function

    return register


def tensor(value: Value | None) -> Tensor:
    """Anything that TF takes for a tensor, as one; an open tensor where nothing is known."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, ShapeOf):
        return Tensor(None if value.dims is None else (len(value.dims),), "int32")
    if value is None:
        return Tensor()
    shape = broadcast.shape_of(value)
    return Tensor(shape, literal_dtype(value) if shape is not None else None)


def literal_dtype(value: Value) -> str | None:
    """TF's dtype for a Python number or nested list."""
    while isinstance(value, Sequence) and value.items:
        value = join_all(value.items)
    kind = (
        type(value.value).__name__ if isinstance(value, Literal) else value.type if isinstance(value, Scalar) else None
    )
    return {"int": "int32", "float": "float32", "bool": "bool", "str": "string", "complex": "complex128"}.get(
        kind or ""
    )


def first(args: Args) -> Value | None:
    """The first bound argument, whatever its name."""
    return next(iter(args.values()), None)


def dtype_of(value: Value | None) -> str | None:
    """A dtype argument: an object, a name or a Python type."""
    if isinstance(value, DType):
        return value.name
    if isinstance(value, Literal) and isinstance(value.value, str):
        return value.value
    return None


def literal(args: Args, name: str, default: object = None) -> object:
    """A literal argument; `...` where it is given but not known."""
    value = args.get(name)
    if value is None:
        return default
    if isinstance(value, Literal):
        return value.value
    items = plain(value)
    return tuple(items) if items is not None else ...


def like(x: Tensor, shape: Shape | None, dtype: str | None = None, last: Dim = None) -> Tensor:
    """A result on the side of `x`."""
    origin = x.origin if x.origin in ("keras", "numpy") else "tf"
    return Tensor(shape, dtype or x.dtype, origin, None, None if shape is not None else last)


def made(shape: Value | None, dtype: str | None) -> Tensor:
    """A fresh tensor of a given shape."""
    return Tensor(dims_of(shape), dtype)


ELEMENTWISE = words("""
abs acos acosh asin asinh atan atanh ceil cos cosh exp floor negative round sign sin sinh sqrt
square tan tanh sigmoid identity stop_gradient math.log math.log1p math.expm1 math.rsqrt math.reciprocal
math.softplus math.erf
math.sigmoid math.lgamma math.digamma math.log_sigmoid math.cumsum math.cumprod cumsum math.cumulative_logsumexp
nn.relu nn.relu6 nn.elu nn.selu nn.leaky_relu nn.gelu nn.silu nn.softplus nn.softsign nn.crelu nn.softmax nn.log_softmax
nn.l2_normalize nn.dropout nn.sigmoid nn.tanh reverse roll sort clip_by_value clip_by_norm linalg.l2_normalize
math.l2_normalize math.softmax nn.local_response_normalization nn.batch_normalization nn.bias_add linalg.band_part
linalg.inv linalg.cholesky math.conj math.polyval random.shuffle image.random_flip_left_right image.flip_left_right
image.flip_up_down image.random_flip_up_down image.random_brightness image.random_contrast image.random_saturation
image.random_hue image.adjust_brightness image.adjust_contrast image.adjust_saturation image.per_image_standardization
debugging.check_numerics ensure_shape grad_pass_through keras.activations.relu keras.activations.softmax
keras.activations.sigmoid keras.activations.tanh keras.activations.elu keras.activations.selu keras.activations.gelu
keras.activations.softplus keras.activations.softsign keras.activations.swish keras.activations.silu
keras.activations.linear keras.activations.exponential keras.activations.hard_sigmoid keras.backend.abs
keras.backend.exp keras.backend.log keras.backend.sqrt keras.backend.square keras.backend.sigmoid keras.backend.relu
keras.backend.softmax keras.backend.tanh keras.backend.clip keras.backend.sign keras.backend.round
keras.backend.softplus keras.backend.l2_normalize keras.backend.stop_gradient keras.backend.sin keras.backend.cos
keras.backend.elu keras.backend.dropout keras.backend.cumsum keras.backend.bias_add""")

BROADCAST = words("""add subtract multiply divide maximum minimum pow truediv math.add math.divide math.divide_no_nan
math.multiply_no_nan math.floordiv math.mod math.floormod math.squared_difference math.xdivy math.xlogy math.atan2
math.subtract math.multiply math.truediv where_ add_n_ bitwise.bitwise_and
keras.backend.maximum keras.backend.minimum keras.backend.pow""")

COMPARISONS = words("""equal not_equal less less_equal greater greater_equal logical_and logical_or math.logical_xor
keras.backend.equal keras.backend.not_equal keras.backend.less keras.backend.greater keras.backend.less_equal
keras.backend.greater_equal""")

REDUCTIONS = words("""reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_any reduce_all reduce_logsumexp
math.reduce_std math.reduce_variance math.reduce_euclidean_norm norm linalg.norm math.count_nonzero
keras.backend.sum keras.backend.mean keras.backend.max keras.backend.min keras.backend.prod keras.backend.std
keras.backend.var keras.backend.any keras.backend.all keras.backend.logsumexp""")


def _same_shape(args: Args) -> Value:
    x = tensor(first(args))
    return Tensor(x.shape, x.dtype, like(x, None).origin, x.layout, x.last)


def _pair(args: Args) -> Value:
    values = [value for name, value in args.items() if name not in ("name",)]
    return broadcast.elementwise(values[:2])


def _comparison(args: Args) -> Value:
    return broadcast.elementwise(list(args.values())[:2], dtype="bool")


OPS.update({f"tf.{name}": _same_shape for name in ELEMENTWISE})
OPS.update({f"tf.{name}": _pair for name in BROADCAST})
OPS.update({f"tf.{name}": _comparison for name in COMPARISONS})


_OLD_LOSSES = (
    "mean_squared_error", "absolute_difference", "huber_loss", "softmax_cross_entropy", "sparse_softmax_cross_entropy",
    "sigmoid_cross_entropy",
)  # fmt: skip


@op("tf.math.is_nan", "tf.math.is_inf", "tf.math.is_finite", "tf.logical_not")
def is_nan(args: Args) -> Value:
    x = tensor(first(args))
    return Tensor(x.shape, "bool", like(x, None).origin, x.layout, x.last)


def reduced(shape: Shape | None, axis: object, keepdims: object) -> Shape | None:
    """The shape after reducing `axis` (None: all); `...` marks an argument that is not known."""
    if axis is ... or keepdims is ... or shape is None:
        return () if shape is None and axis is None and keepdims is False else None
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    if not isinstance(axes, range | tuple) or not all(
        isinstance(a, int) and -len(shape) <= a < len(shape) for a in axes
    ):
        return None
    gone = {a % len(shape) for a in axes} if len(shape) else set()
    if keepdims:
        return tuple(1 if i in gone else dim for i, dim in enumerate(shape))
    return tuple(dim for i, dim in enumerate(shape) if i not in gone)


def reduction(x: Tensor, axis: object, keepdims: object, dtype: str | None = None) -> Tensor:
    """A reduction of a tensor."""
    return like(x, reduced(x.shape, axis, keepdims), dtype)


def _reduction(args: Args) -> Value:
    keepdims = literal(args, "keepdims", literal(args, "keep_dims", False))
    return reduction(tensor(first(args)), literal(args, "axis"), keepdims or False)


OPS.update({f"tf.{name}": _reduction for name in REDUCTIONS})


@op("tf.argmax", "tf.argmin", "tf.keras.backend.argmax", "tf.keras.backend.argmin")
def argmax(args: Args) -> Value:
    default = -1 if "x" in args else 0
    axis = literal(args, "axis", default)
    chosen = dtype_of(args.get("output_type")) or "int64"
    return reduction(tensor(first(args)), default if axis is None else axis, False, chosen)


@op("tf.cast", "tf.dtypes.cast", "tf.keras.backend.cast", "tf.saturate_cast")
def cast(args: Args) -> Value:
    x = tensor(first(args))
    return Tensor(x.shape, dtype_of(args.get("dtype")), like(x, None).origin, x.layout, x.last)


@op("tf.compat.v1.to_float")
def to_float(args: Args) -> Value:
    return like(tensor(first(args)), tensor(first(args)).shape, "float32")


@op("tf.constant", "tf.convert_to_tensor", "tf.keras.backend.constant", "tf.Variable", "tf.keras.backend.variable")
def constant(args: Args) -> Value:
    value = first(args)
    x = tensor(value)
    shape = dims_of(args.get("shape")) if args.get("shape") not in (None, Literal(None)) else x.shape
    chosen = dtype_of(args.get("dtype")) or x.dtype
    return Tensor(shape, chosen, "keras" if x.origin == "keras" else "tf")


@op("tf.zeros", "tf.ones", "tf.keras.backend.zeros", "tf.keras.backend.ones", "tf.random.normal", "tf.random.uniform",
    "tf.random.truncated_normal", "tf.keras.backend.random_normal", "tf.keras.backend.random_uniform")  # fmt: skip
def fresh(args: Args) -> Value:
    chosen = dtype_of(args.get("dtype")) if "dtype" in args else "float32"
    return made(args.get("shape"), chosen)


@op("tf.fill")
def fill(args: Args) -> Value:
    return made(args.get("dims"), tensor(args.get("value")).dtype)


@op("tf.eye")
def eye(args: Args) -> Value:
    rows = dim_of(args.get("num_rows"))
    columns = args.get("num_columns")
    return Tensor(
        (rows, rows if columns in (None, Literal(None)) else dim_of(columns)), dtype_of(args.get("dtype")) or "float32"
    )


@op("tf.zeros_like", "tf.ones_like", "tf.keras.backend.zeros_like", "tf.keras.backend.ones_like")
def zeros_like(args: Args) -> Value:
    x = tensor(first(args))
    return Tensor(x.shape, dtype_of(args.get("dtype")) or x.dtype, like(x, None).origin, x.layout, x.last)


@op("tf.range", "tf.keras.backend.arange")
def range_(args: Args) -> Value:
    values = [args[name] for name in ("start", "limit", "stop") if name in args and args[name] != Literal(None)]
    start, limit = (Literal(0), values[0]) if len(values) == 1 else ([*values, UNKNOWN, UNKNOWN])[:2]
    step = args.get("delta", args.get("step", Literal(1)))
    span = dims.subtract(dim_of(limit), dim_of(start) if dim_of(start) is not None else None)
    size = dims.ceil_divide(span, dim_of(step))
    kinds = {literal_dtype(v) if not isinstance(v, Tensor) else v.dtype for v in (start, limit, step)}
    known = "float32" if "float32" in kinds else "int32" if kinds == {"int32"} else None
    return Tensor((size,), dtype_of(args.get("dtype")) or known)


@op("tf.linspace")
def linspace(args: Args) -> Value:
    return Tensor((dim_of(args.get("num")),), tensor(args.get("start")).dtype)


@op("tf.shape", "tf.keras.backend.shape")
def shape(args: Args) -> Value:
    return ShapeOf(tensor(first(args)).shape, dynamic=True)


@op("tf.keras.backend.int_shape")
def int_shape(args: Args) -> Value:
    return ShapeOf(tensor(first(args)).shape)


@op("tf.size")
def size(args: Args) -> Value:
    return Scalar("int")  # a plain number in torch


@op("tf.rank", "tf.keras.backend.ndim")
def rank(args: Args) -> Value:
    x = tensor(first(args))
    return Scalar("int") if x.shape is None else Literal(len(x.shape))


@op("tf.concat", "tf.keras.layers.concatenate", "tf.keras.backend.concatenate")
def concat(args: Args) -> Value:
    values = first(args)
    default = -1 if "axis" not in args else None
    axis = literal(args, "axis", default)
    if not isinstance(values, Sequence) or values.items is None:
        return Tensor()
    return concatenated(tuple(map(_as_tensor, values.items)), axis)


def _as_tensor(value: Value) -> Value:
    return value if isinstance(value, Tensor | Unknown) else tensor(value)


@op("tf.keras.layers.add", "tf.keras.layers.subtract", "tf.keras.layers.multiply", "tf.keras.layers.average",
    "tf.keras.layers.maximum", "tf.keras.layers.minimum", "tf.add_n")  # fmt: skip
def merged(args: Args) -> Value:
    values = first(args)
    if isinstance(values, Sequence) and values.items:
        return broadcast.elementwise(map(tensor, values.items))
    return tensor(values.element) if isinstance(values, Sequence) else Tensor()


@op("tf.where")
def where(args: Args) -> Value:
    values = list(args.values())
    if len(values) < 3:
        return Tensor((None, tensor(values[0]).rank), "int64") if values else Tensor()
    found = broadcast.elementwise(values[:3])
    chosen = broadcast.elementwise(values[1:3])
    return Tensor(found.shape, chosen.dtype or literal_dtype(values[1]), found.origin, None, found.last)


@op("tf.keras.Input", "tf.keras.layers.Input")
def input_(args: Args) -> Value:
    chosen = dtype_of(args.get("dtype")) or "float32"
    if args.get("batch_shape") is not None:
        return Tensor(dims_of(args.get("batch_shape")), chosen, "keras")
    found, given = dims_of(args.get("shape")), args.get("shape")
    batch = dim_of(args.get("batch_size"))
    last = given.last if isinstance(given, ShapeOf) and found is None else None
    return Tensor(None if found is None else (batch, *found), chosen, "keras", last=last)


@op(*(f"tf.compat.v1.losses.{name}" for name in _OLD_LOSSES))
def old_loss(args: Args) -> Value:
    """A loss of TensorFlow 1 with its default reduction; others are declined by its rule."""
    return Tensor((), "float32")


@op("tf.compat.v1.placeholder")
def placeholder(args: Args) -> Value:
    return Tensor(dims_of(args.get("shape")), dtype_of(args.get("dtype")), "tf")


def model_output(value: Value) -> ModelValue | None:
    """The value if it is a model."""
    return value if isinstance(value, ModelValue) else None


def is_new_axis(value: Value) -> bool:
    """Whether an index makes a new axis."""
    return value in (Literal(None), Api("tf.newaxis"))
