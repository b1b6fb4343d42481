"""Parts that several rules share; they run when rewriting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import libcst as cst

from migrator.rules.engine.args import NOTHING, Arg, Code, literal
from migrator.rules.engine.asked import items
from migrator.rules.engine.asked import kind as kind_of
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.plain import is_plain
from migrator.values import DType, Literal, Scalar, Sequence, Tensor, Unknown, Value

_F = TypeVar("_F", bound=Callable[..., Any])

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_SHORT = {"half": "float16", "float": "float32", "double": "float64"}
"""Other names of dtypes that TensorFlow takes."""

DTYPES = frozenset((*_FLOATS, *_INTEGERS, "bool", "complex64", "complex128"))


def on_arguments(function: _F) -> _F:
    """Marks a helper of rule bodies that is given `Arg`s, not their values."""
    function.wants_args = True  # type: ignore[attr-defined]
    return function


@on_arguments
def dtype_name(arg: object) -> str | None:
    """TF's name of a dtype that is spelled out (`tf.int32`, "int32"); None for `x.dtype`."""
    if not isinstance(arg, Arg):
        return arg if isinstance(arg, str) else None
    text = arg.text.strip()
    if text.startswith("torch."):
        name = text.removeprefix("torch.")
        return name if name in DTYPES else None
    found = literal(arg.node, arg.value)
    known = isinstance(arg.value, DType) and not arg.value.passed
    if (
        isinstance(arg.node, cst.Attribute)
        and isinstance(arg.value, DType)
        and known
        and arg.node.attr.value != "dtype"
    ):
        return arg.value.name  # numpy's
    spelled = isinstance(arg.node, (cst.SimpleString, cst.Name)) and isinstance(found, str)
    return _SHORT.get(str(found), str(found)) if spelled and found is not NOTHING else None


@on_arguments
def torch_dtype(arg: object) -> object:
    """The torch spelling of a dtype argument: `torch.int32`, or `x.dtype` as it stands."""
    name = dtype_name(arg)
    if name is None:
        if isinstance(arg, Arg) and isinstance(literal(arg.node, arg.value), int):
            raise Decline("a dtype by its number")
        if isinstance(arg, Arg):
            _check_object(arg.value)
        return Code("{dtype}", (("dtype", arg),)) if isinstance(arg, Arg) and arg.given else None
    if name not in DTYPES:
        raise Decline(f"torch has no dtype {name}")
    return Code(f"torch.{name}")


def _check_object(known: Value) -> None:
    """What a parameter holds must be one of TF's dtypes, which becomes torch's where it is written."""
    if isinstance(known, DType) and known.passed and known.numpy:
        raise Decline("a dtype that is NumPy's, and a parameter")
    if isinstance(known, Scalar) and known.type == "str":
        raise Decline("a dtype by a name that only the run knows")


@on_arguments
def given(arg: object) -> bool:
    """Whether an argument is written in the call, other than as None."""
    if not isinstance(arg, Arg):
        return arg is not None
    return arg.given and arg.text != "None"


@on_arguments
def plain(arg: object) -> bool:
    """Whether a template may use an argument twice."""
    return not isinstance(arg, Arg) or is_plain(arg.node)


@on_arguments
def elements(arg: object) -> list[cst.BaseExpression] | None:
    """The expressions in a list or tuple that is written out, else None."""
    node = arg.node if isinstance(arg, Arg) else None
    if not isinstance(node, (cst.List, cst.Tuple)):
        return None
    if not all(isinstance(e, cst.Element) for e in node.elements):
        return None
    return [e.value for e in node.elements]


@on_arguments
def written_length(arg: object) -> int | None:
    """How many items a written list has."""
    found = elements(arg)
    return None if found is None else len(found)


@on_arguments
def own_call(name: str, receiver: object, plain: int, *args: object) -> Code:
    """`receiver.name(a, key=b)` with the arguments that the call gives, the first `plain` without their names."""
    written = [arg for arg in (receiver, *args) if isinstance(arg, Arg) and arg.given]
    parts = [f"{'' if n < plain else f'{arg.name}='}{{{arg.name}}}" for n, arg in enumerate(written[1:])]
    own = written[0].name
    return Code(f"{{{own}}}.{name}({', '.join(parts)})", tuple((arg.name, arg) for arg in written))


def text(node: cst.BaseExpression) -> str:
    """The source of an expression, braces doubled for `Code`."""
    return cst.Module([]).code_for_node(node).replace("{", "{{").replace("}", "}}")


@on_arguments
def rows(arg: object) -> list[tuple[str, str]] | None:
    """The pairs of paddings that are written out, as source; else None."""
    found, written = [], elements(arg)
    if not written:
        return None
    for row in written:
        if not isinstance(row, (cst.List, cst.Tuple)) or len(row.elements) != 2:
            return None
        found.append((text(row.elements[0].value), text(row.elements[1].value)))
    return found


@on_arguments
def flat_paddings(arg: object) -> Any:
    """`[[0, 0], [t, b], [l, r]]` as torch's `(l, r, t, b)`: last dimension first, outer zeros gone."""
    pairs = rows(arg)
    if pairs is None or not isinstance(arg, Arg):
        raise Decline("paddings are not written out")
    while len(pairs) > 1 and pairs[0] == ("0", "0"):
        pairs.pop(0)
    return Code("(" + ", ".join(f"{before}, {after}" for before, after in reversed(pairs)) + ")", covers=(arg.name,))


@on_arguments
def torch_reflects(paddings: object) -> bool:
    """Whether `F.pad(mode="reflect")` can do these paddings: one to three last dimensions behind one or two."""
    zero = [pair == ("0", "0") for pair in rows(paddings) or []]
    leading = next((i for i, z in enumerate(zero) if not z), len(zero))
    return 1 <= len(zero) - leading <= 3 and leading in (1, 2)


def tensors_in(value: object) -> bool:
    """Whether a list argument holds tensors."""
    found = items(value)
    if (kind_of(value) == "sequence" and found is None and not isinstance(value, (list, tuple))) or any(
        isinstance(i, Unknown) for i in found or ()
    ):
        raise Decline("a list of something unknown")
    return bool(found) and all(isinstance(item, Tensor) and item.origin != "numpy" for item in found or ())


@on_arguments
def is_text(value: object, dtype: object) -> bool:
    """Whether a value is text, by what is known of it or by its dtype."""
    if not isinstance(value, Arg):
        return False
    written = literal(value.node, value.value)
    return dtype_name(dtype) == "string" or _of_text(value.value) or (written is not NOTHING and _has_text(written))


def _has_text(written: object) -> bool:
    if isinstance(written, (list, tuple)):
        return any(map(_has_text, written))
    return isinstance(written, (str, bytes))


def _of_text(value: Value) -> bool:
    if isinstance(value, Sequence):
        return any(map(_of_text, value.items if value.items is not None else (value.element,)))
    if isinstance(value, Tensor):
        return value.dtype == "string"
    text = value.value if isinstance(value, Literal) else None
    return isinstance(text, (str, bytes)) or (isinstance(value, Scalar) and value.type == "str")


@on_arguments
def text_alone(value: object, dtype: object) -> Code:
    """A value that is text, whose dtype says nothing more."""
    assert isinstance(value, Arg)
    return Code("{value}", (("value", value),), covers=("dtype",))


def _written_tensor(arg: object) -> dict[str, str]:
    """The arguments of `torch.tensor(1, dtype=torch.int64)` where an argument is written so, else {}."""
    node = arg.node if isinstance(arg, Arg) else None
    known = arg.value if isinstance(arg, Arg) else None
    if not isinstance(node, cst.Call) or not isinstance(known, Tensor) or known.shape != ():
        return {}
    given = {a.keyword.value if a.keyword else "": text(a.value) for a in node.args}
    plain_call = set(given) in ({""}, {"", "dtype"}) and len(node.args) == len(given)
    return given if plain_call and text(node.func) == "torch.tensor" else {}


@on_arguments
def written_number(arg: object) -> Code | None:
    """The number of a tensor that is written as one number."""
    found = _written_tensor(arg)
    return Code(found[""], covers=(arg.name,)) if found and isinstance(arg, Arg) else None


@on_arguments
def written_dtype(arg: object) -> Code | None:
    """The dtype of a tensor that is written as one number, where it is written too."""
    found = _written_tensor(arg).get("dtype")
    return None if found is None else Code(found)
