"""What a rule may ask about an argument. Everything unknown is None."""

from __future__ import annotations

import libcst as cst

from migrator.rules.engine.args import Arg, Dynamic
from migrator.rules.engine.plain import is_plain
from migrator.values import Dataset, Dim, DType, Literal, Scalar, Sequence, Shape, ShapeOf, Tensor, Value

FACTS = ("rank", "dtype", "shape", "kind")


def fact(name: str, thing: object) -> object:
    """The fact called `name` of an argument: rank, dtype, shape or kind."""
    return {"rank": rank, "dtype": dtype, "shape": shape, "kind": kind}[name](thing)


def kind(thing: object) -> str | None:
    """What an argument is: tensor, numpy, number, string, none, sequence, shape, dtype, dataset; None if open."""
    if isinstance(thing, Dynamic):
        return _kind_of_value(thing.arg)
    if thing is None:
        return "none"
    if isinstance(thing, (list, tuple)):
        return "sequence"
    return "string" if isinstance(thing, (str, bytes)) else "number"


def _kind_of_value(arg: Arg) -> str | None:
    value = arg.value
    if isinstance(value, Tensor):
        return "numpy" if value.origin == "numpy" else "tensor"
    if isinstance(value, Scalar):
        open_none = isinstance(value.default, Literal) and value.default.value is None
        return {"int": "number", "float": "number", "bool": "number", "str": "string"}.get(
            value.type or "" if not open_none else ""
        )
    if isinstance(value, ShapeOf):
        return "shape"
    if isinstance(value, Sequence) or isinstance(arg.node, (cst.List, cst.Tuple, cst.ListComp)):
        return "sequence"
    if isinstance(value, DType):
        return "dtype"
    return "dataset" if isinstance(value, Dataset) else None


def shape(thing: object) -> Shape | None:
    """The known shape of a tensor argument; `()` of a number."""
    if isinstance(thing, Dynamic):
        value = thing.arg.value
        if isinstance(value, Tensor):
            return value.shape
        return () if isinstance(value, Scalar) and value.type in ("int", "float", "bool") else None
    return () if isinstance(thing, (bool, int, float)) else None


def rank(thing: object) -> int | None:
    """The number of dimensions of a tensor argument."""
    dims = shape(thing)
    return None if dims is None else len(dims)


def dtype(thing: object) -> str | None:
    """TF's name of the dtype of a tensor argument."""
    if isinstance(thing, Dynamic) and isinstance(thing.arg.value, Tensor):
        return thing.arg.value.dtype
    return None


def size(thing: object, axis: int) -> Dim:
    """One known dimension of a tensor argument, or None."""
    dims = shape(thing)
    if dims is None or not -len(dims) <= axis < len(dims):
        return None
    return dims[axis]


def is_variable(thing: object) -> bool:
    """Whether an argument is known to be a variable."""
    value = thing.arg.value if isinstance(thing, Dynamic) else None
    return isinstance(value, Tensor) and value.origin == "variable"


def is_made_here(thing: object) -> bool:
    """Whether an argument is more than a name, an attribute or an element: its evaluation may do something."""
    return isinstance(thing, Dynamic) and not is_plain(thing.arg.node)


def is_integer(name: str | None) -> bool:
    """Whether a dtype name is an integer's."""
    return name is not None and name.startswith(("int", "uint"))


def is_float(name: str | None) -> bool:
    """Whether a dtype name is a floating one."""
    return name is not None and (name.startswith("float") or name == "bfloat16")


def items(thing: object) -> tuple[Value, ...] | None:
    """The values in a list or tuple argument, or None when they are not all known."""
    if isinstance(thing, Dynamic) and isinstance(thing.arg.value, Sequence):
        return thing.arg.value.items
    return None
