"""`keras.ops`: NumPy's names for what other operations do, by shape."""

from __future__ import annotations

from migrator.facts.arithmetic import dims_of
from migrator.facts.shapes import broadcast, ops
from migrator.facts.shapes.ops import Args, dtype_of, first, like, literal, op, reduction, tensor
from migrator.facts.words import words
from migrator.values import Literal, Sequence, Tensor, Value

_FLOATING = words("""sinh cosh expm1 exp2 deg2rad rad2deg log2 log10 reciprocal erf erfc erfinv arccosh arcsinh arctanh
i0 log_sigmoid softsign hard_sigmoid hard_silu hard_tanh tanh_shrink sparse_sigmoid elu celu gelu leaky_relu soft_shrink
hard_shrink threshold sparse_plus squareplus sparsemax log_softmax normalize nan_to_num cbrt fabs""")
_KEEPING = words("""copy flip fliplr flipud roll sort tril triu bitwise_not bitwise_invert trunc
slice_update scatter_update""")
_TESTS = words("isneginf isposinf signbit isreal")
_PAIRS = words("""mod fmod floor_divide fmax fmin logaddexp logaddexp2 hypot arctan2 gcd lcm nextafter power
bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift left_shift right_shift divide_no_nan
heaviside""")
_COMPARED = words("logical_and logical_or logical_xor isclose")
_REDUCED = words("amax amin ptp logsumexp prod nansum nanmax nanmin nanprod")
_MEANS = words("nanmean nanvar nanstd median nanmedian average")
_PLACES = words("argmin nanargmax nanargmin")


def _floating(args: Args) -> Value:
    """Elements to elements; integers become floating."""
    x = tensor(first(args))
    dtype = x.dtype if x.dtype is not None and "float" in x.dtype else None
    return Tensor(x.shape, dtype, like(x, None).origin)


def _pair(args: Args) -> Value:
    """Two operands; where their dtypes differ, the result's is open."""
    left, right = [*map(tensor, list(args.values())[:2])]
    found = broadcast.elementwise((left, right))
    return Tensor(found.shape, found.dtype if left.dtype == right.dtype else None, found.origin)


def _reduced(args: Args) -> Value:
    x = tensor(first(args))
    dtype = x.dtype if x.dtype is not None and "float" in x.dtype else None
    found = reduction(x, literal(args, "axis"), literal(args, "keepdims", False))
    return Tensor(found.shape, dtype, found.origin)


def _place(args: Args) -> Value:
    return reduction(tensor(first(args)), literal(args, "axis"), literal(args, "keepdims", False), "int32")


def _tested(args: Args) -> Value:
    return like(tensor(first(args)), tensor(first(args)).shape, "bool")


def _kept(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, x.shape)


ops.OPS.update({f"tf.keras.ops.{name}": _floating for name in _FLOATING})
ops.OPS.update({f"tf.keras.ops.{name}": _kept for name in _KEEPING})
ops.OPS.update({f"tf.keras.ops.{name}": _tested for name in _TESTS})
ops.OPS.update({f"tf.keras.ops.{name}": _pair for name in _PAIRS})
ops.OPS.update({f"tf.keras.ops.{name}": ops.OPS["tf.equal"] for name in _COMPARED})
ops.OPS.update({f"tf.keras.ops.{name}": _reduced for name in (*_REDUCED, *_MEANS)})
ops.OPS.update({f"tf.keras.ops.{name}": _place for name in _PLACES})
for _name, _base in (
    ("convert_to_tensor", "convert_to_tensor"),
    ("array", "convert_to_tensor"),
    ("zeros_like", "zeros_like"),
    ("ones_like", "ones_like"),
    ("arange", "range"),
):
    ops.OPS[f"tf.keras.ops.{_name}"] = ops.OPS[f"tf.{_base}"]


@op("tf.keras.ops.all", "tf.keras.ops.any")
def all_true(args: Args) -> Value:
    return reduction(tensor(first(args)), literal(args, "axis"), literal(args, "keepdims", False), "bool")


@op("tf.keras.ops.divide", "tf.keras.ops.true_divide")
def divide(args: Args) -> Value:
    """The quotient of integers is floating."""
    found = _pair(args)
    assert isinstance(found, Tensor)
    return Tensor(
        found.shape, found.dtype if found.dtype is not None and "float" in found.dtype else None, found.origin
    )


@op("tf.keras.ops.full")
def full(args: Args) -> Value:
    return Tensor(dims_of(args.get("shape")), dtype_of(args.get("dtype")) or "float32")


@op("tf.keras.ops.full_like")
def full_like(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, x.shape, dtype_of(args.get("dtype")))


@op("tf.keras.ops.argsort")
def argsort(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, x.shape if args.get("axis") != Literal(None) else (None,), "int32")


@op("tf.keras.ops.moveaxis", "tf.keras.ops.swapaxes", "tf.keras.ops.rot90", "tf.keras.ops.diff")
def turned(args: Args) -> Value:
    x = tensor(first(args))
    return like(x, None if x.shape is None else (None,) * len(x.shape))


@op("tf.keras.ops.split", "tf.keras.ops.array_split", "tf.keras.ops.unstack")
def parts(args: Args) -> Value:
    x = tensor(first(args))
    return Sequence("list", None, Tensor(None, x.dtype, like(x, None).origin))


_OPEN = words("""tile repeat hstack vstack append pad diag diagflat diagonal trace take_along_axis scatter slice
broadcast_to quantile percentile cumprod nancumsum nancumprod eye identity tri linspace logspace einsum tensordot dot
inner outer kron cross inv det logdet cholesky solve solve_triangular pinv svd trapezoid hanning hamming blackman
bartlett kaiser segment_sum map vectorized_map batch_normalization psnr binary_crossentropy categorical_crossentropy
sparse_categorical_crossentropy multi_hot dot_product_attention in_top_k digitize bincount searchsorted isin glu
count_nonzero allclose polar real imag conj conjugate angle saturate_cast vander sinc ldexp view_as_real
view_as_complex vdot get_item""")


def _open(args: Args) -> Value:
    """A tensor of which nothing more is said."""
    return Tensor()


for _name in _OPEN:
    ops.OPS.setdefault(f"tf.keras.ops.{_name}", _open)
