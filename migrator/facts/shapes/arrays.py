"""Methods of tensors and NumPy arrays, and NumPy's functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Many

from migrator.facts.arithmetic import dim_of, dims_of
from migrator.facts.join import join_all
from migrator.facts.shapes import broadcast, ops
from migrator.facts.shapes.layers import concatenated
from migrator.facts.shapes.ops import dtype_of, reduction, tensor
from migrator.facts.shapes.ops_axes import expanded, reshaped, squeezed, stacked, transposed
from migrator.facts.words import words
from migrator.values import External, Literal, Scalar, Sequence, Shape, ShapeOf, Tensor, Unknown, Value

Keywords = Mapping[str, Value]
REDUCTIONS = frozenset(words("sum mean max min prod std var any all median amax amin nanmean nansum"))
ELEMENTWISE = frozenset(
    words("""
    abs exp log log2 log10 sqrt square sin cos tan tanh floor ceil round rint sign clip copy
    ascontiguousarray sort     nan_to_num negative cumsum cumprod flip fliplr flipud roll conj""")
)
PAIRS = frozenset(words("add subtract multiply divide maximum minimum power mod floor_divide true_divide"))


def method(x: Tensor, name: str, positional: Many[Value], keywords: Keywords) -> Value | None:
    """The result of a tensor or array method; None where it is not known."""
    if name in ("get_shape",):
        return ShapeOf(x.shape, last=x.last)
    if name == "numpy":
        return Tensor(x.shape, x.dtype, "numpy", x.layout, x.last)
    if name in ("assign", "assign_add", "assign_sub"):
        return Tensor(x.shape, x.dtype, "variable")
    if name in ("read_value", "value"):
        return Tensor(x.shape, x.dtype, "tf")
    if name == "set_shape":
        return Literal(None)
    if name in ("item",):
        return Scalar("float" if (x.dtype or "").startswith("float") else None)
    if name == "tolist":
        return Sequence("list", None, Unknown())
    if name == "ravel" or name == "flatten":
        return reshaped(x, Literal(-1))
    return _array_method(x, name, positional, keywords) if x.origin == "numpy" else None


def _array_method(x: Tensor, name: str, positional: Many[Value], keywords: Keywords) -> Value | None:
    if name == "astype":
        return Tensor(
            x.shape, dtype_of(positional[0] if positional else keywords.get("dtype")), "numpy", x.layout, x.last
        )
    if name == "reshape":
        target = positional[0] if len(positional) == 1 else Sequence("tuple", tuple(positional), join_all(positional))
        return reshaped(x, target)
    if name == "transpose":
        order = positional[0] if len(positional) == 1 else Sequence("tuple", tuple(positional)) if positional else None
        return transposed(x, ops.literal({"p": order} if order is not None else {}, "p"))
    if name == "squeeze":
        return squeezed(x, ops.literal({"axis": positional[0]} if positional else keywords, "axis"))
    if name in REDUCTIONS or name in ("argmax", "argmin"):
        return _reduced(x, name, [x, *positional], keywords)
    if name in ("copy", "clip", "round"):
        return x
    return None


def numpy_call(name: str, positional: Many[Value], keywords: Keywords) -> Value:
    """The result of `numpy.<name>(...)`."""
    first = positional[0] if positional else next(iter(keywords.values()), Unknown())
    exact = _EXACT.get(name)
    if exact is not None:
        return exact(first, positional, keywords)
    if name in REDUCTIONS or name in ("argmax", "argmin"):
        return _reduced(numpy_tensor(first), name, positional, keywords)
    if name in ELEMENTWISE:
        return numpy_tensor(first)
    if name in PAIRS:
        found = broadcast.elementwise(positional[:2])
        return Tensor(found.shape, found.dtype, "numpy")
    return _random(name, positional, keywords) if name.startswith("random.") else Unknown(f"numpy.{name}")


def numpy_tensor(value: Value) -> Tensor:
    """Anything that NumPy takes for an array, as one."""
    x = tensor(value)
    widened = {"float32": "float64", "int32": "int64"}
    dtype = x.dtype if isinstance(value, Tensor) else widened.get(x.dtype or "", x.dtype)
    return Tensor(x.shape, dtype, "numpy", x.layout, x.last)


def as_dtype(dtype: str, value: Value) -> Value:
    """What a scalar type of NumPy makes of a number or an array."""
    if isinstance(value, Tensor):
        return Tensor(value.shape, dtype, "numpy", value.layout, value.last)
    if isinstance(value, Sequence):
        return Tensor(broadcast.shape_of(value), dtype, "numpy")
    kind = "bool" if dtype == "bool" else "float" if "float" in dtype else "int" if "int" in dtype else None
    return Scalar(kind) if isinstance(value, Literal | Scalar) else Unknown()


def _reduced(x: Tensor, name: str, positional: Many[Value], keywords: Keywords) -> Value:
    args = dict(keywords)
    if len(positional) > 1:
        args["axis"] = positional[1]
    found = reduction(x, ops.literal(args, "axis"), ops.literal(args, "keepdims", False))
    dtype = "int64" if name.startswith("arg") else x.dtype if (x.dtype or "").startswith("float") else None
    return Tensor(found.shape, dtype, "numpy")


def _shaped(dtype: str) -> Callable[[Value, Many[Value], Keywords], Value]:
    def function(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
        chosen = keywords.get("dtype", positional[1] if len(positional) > 1 else None)
        return Tensor(dims_of(first), dtype_of(chosen) if chosen is not None else dtype, "numpy")

    return function


def _like(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    x = numpy_tensor(first)
    return Tensor(x.shape, dtype_of(keywords["dtype"]) if "dtype" in keywords else x.dtype, "numpy")


def _array(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    x = numpy_tensor(first)
    chosen = keywords.get("dtype", positional[1] if len(positional) > 1 else None)
    return Tensor(x.shape, dtype_of(chosen) if chosen is not None else x.dtype, "numpy", None, x.last)


def _full(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    return Tensor(dims_of(first), dtype_of(keywords.get("dtype")), "numpy")


def _expand(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    axis = positional[1] if len(positional) > 1 else keywords.get("axis")
    return expanded(numpy_tensor(first), axis.value if isinstance(axis, Literal) else None)


def _reshape(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    return reshaped(numpy_tensor(first), positional[1] if len(positional) > 1 else keywords.get("newshape"))


def _transpose(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    args = {"axes": positional[1]} if len(positional) > 1 else keywords
    return transposed(numpy_tensor(first), ops.literal(args, "axes"))


def _squeeze(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    return squeezed(numpy_tensor(first), ops.literal(keywords, "axis"))


def _stack(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    axis = positional[1] if len(positional) > 1 else keywords.get("axis", Literal(0))
    found = stacked(first, axis.value if isinstance(axis, Literal) else None)
    return Tensor(found.shape, found.dtype, "numpy")


def _concatenate(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    axis = positional[1] if len(positional) > 1 else keywords.get("axis", Literal(0))
    if not isinstance(first, Sequence) or first.items is None:
        return Tensor(None, None, "numpy")
    found = concatenated(first.items, axis.value if isinstance(axis, Literal) else None)
    return Tensor(found.shape, found.dtype, "numpy") if isinstance(found, Tensor) else found


def _arange(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    names = ("start", "limit", "delta")
    found = ops.OPS["tf.range"]({**dict(zip(names, positional, strict=False)), **keywords})
    chosen = dtype_of(keywords.get("dtype"))
    return Tensor(found.shape, chosen, "numpy") if isinstance(found, Tensor) else found


def _linspace(first: Value, positional: Many[Value], keywords: Keywords) -> Value:
    count = positional[2] if len(positional) > 2 else keywords.get("num", Literal(50))
    return Tensor((dim_of(count),), "float64", "numpy")


def _random(name: str, positional: Many[Value], keywords: Keywords) -> Value:
    name = name.removeprefix("random.")
    if name in ("rand", "randn"):
        return Tensor(tuple(dim_of(value) for value in positional), "float64", "numpy")
    position = {"random": 0, "random_sample": 0, "permutation": 0, "standard_normal": 0, "poisson": 1, "choice": 1}
    at = position.get(name, 2)
    shape = keywords.get("size", positional[at] if len(positional) > at else None)
    if name in ("default_rng", "RandomState"):
        return External("numpy.random")  # its methods draw as the module's functions do
    if name in ("normal", "uniform", "randint", "integers", "random", "random_sample", "standard_normal", "poisson"):
        dtype = "int64" if name in ("randint", "integers", "poisson") else "float64"
        chosen = keywords.get("dtype")
        return Tensor(_drawn(shape), dtype_of(chosen) if chosen else dtype, "numpy")
    if name == "choice" and positional and isinstance(positional[0], Literal | Scalar):
        return Tensor(_drawn(shape), "int64", "numpy")
    if name == "permutation" and isinstance(shape, Literal | Scalar):
        return Tensor((dim_of(shape),), "int64", "numpy")
    return Literal(None) if name in ("seed", "shuffle") else Unknown(f"numpy.random.{name}")


def _drawn(size: Value | None) -> Shape | None:
    """The shape of random numbers of a size: a number, or several."""
    if size is None or size == Literal(None):
        return ()
    return (dim_of(size),) if isinstance(size, Scalar) and size.type == "int" else dims_of(size)


_EXACT: dict[str, Callable[[Value, Many[Value], Keywords], Value]] = {
    "zeros": _shaped("float64"),
    "ones": _shaped("float64"),
    "empty": _shaped("float64"),
    "zeros_like": _like,
    "ones_like": _like,
    "empty_like": _like,
    "array": _array,
    "asarray": _array,
    "full": _full,
    "expand_dims": _expand,
    "reshape": _reshape,
    "transpose": _transpose,
    "squeeze": _squeeze,
    "stack": _stack,
    "concatenate": _concatenate,
    "arange": _arange,
    "linspace": _linspace,
}
