"""An argument of a call as a rule sees it: its source, and what is known of it when rewriting."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import NoReturn

import libcst as cst

from migrator.rules.engine.declining import Decline
from migrator.values import DType, Literal, Scalar, Sequence, ShapeOf, Tensor, Unknown, Value

_EMPTY = cst.Module([])
NOTHING = object()


@dataclass(frozen=True, eq=False)
class Arg:
    """One bound argument. `value` is its abstract value, `given` False for a default."""

    name: str
    node: cst.BaseExpression
    value: Value = field(default_factory=Unknown)
    given: bool = True

    @property
    def text(self) -> str:
        return _EMPTY.code_for_node(self.node)


def literal(node: cst.BaseExpression, value: Value) -> object:
    """The Python value of an argument that is known when rewriting, else `NOTHING`."""
    written = _written(node)
    return written if written is not NOTHING else from_facts(value)


def _written(node: cst.BaseExpression) -> object:
    if isinstance(node, cst.Name):
        return {"None": None, "True": True, "False": False}.get(node.value, NOTHING)
    if not isinstance(
        node,
        (cst.Integer, cst.Float, cst.SimpleString, cst.UnaryOperation, cst.Tuple, cst.List, cst.ConcatenatedString),
    ):
        return NOTHING
    try:
        return ast.literal_eval(_EMPTY.code_for_node(node).strip())
    except (ValueError, SyntaxError, TypeError):
        return NOTHING


def from_facts(value: Value) -> object:
    """The Python value behind an abstract value, else `NOTHING`."""
    if isinstance(value, Literal):
        return value.value
    if isinstance(value, DType) and not value.passed:
        return value.name
    if isinstance(value, Sequence) and value.items is not None and value.kind in ("tuple", "list"):
        items = [from_facts(item) for item in value.items]
        if any(item is NOTHING for item in items):
            return NOTHING
        return tuple(items) if value.kind == "tuple" else items
    return NOTHING


class Dynamic:
    """Stands for an argument whose value only the run knows; any question about it declines."""

    def __init__(self, arg: Arg) -> None:
        self.arg = arg

    def _refuse(self, *_: object) -> NoReturn:
        raise Decline(f"`{self.arg.name}` must be known when rewriting")

    __bool__ = __len__ = __iter__ = __getitem__ = __hash__ = __index__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _refuse
    __mod__ = __floordiv__ = __truediv__ = __rtruediv__ = __contains__ = _refuse


@dataclass(frozen=True, eq=False)
class Code:
    """A piece of output that a helper made: `text` with the arguments `{name}` filled in.

    `covers`: arguments whose source is in the text already.
    """

    text: str
    args: tuple[tuple[str, Arg], ...] = ()
    covers: tuple[str, ...] = ()


_NEVER_NONE = (cst.List, cst.Tuple, cst.ListComp, cst.BinaryOperation, cst.Dict, cst.Lambda)


def is_none(thing: object) -> bool:
    """Whether an argument is None; declines when that is not known."""
    if not isinstance(thing, Dynamic):
        return thing is None
    value = thing.arg.value
    if isinstance(value, Scalar):
        default = value.default
        if value.type is not None and not (isinstance(default, Literal) and default.value is None):
            return False
    elif (
        not isinstance(value, Unknown)
        or isinstance(thing.arg.node, _NEVER_NONE)
        or (isinstance(thing.arg.node, cst.Attribute) and thing.arg.node.attr.value == "dtype")
    ):
        return False
    raise Decline(f"whether `{thing.arg.name}` is None must be known when rewriting")


_SCALARS = {"int": int, "float": float, "bool": bool, "str": str}


def is_instance(thing: object, types: type | tuple[type, ...]) -> bool:
    """`isinstance` on an argument, answered from its source or its facts; declines when unknown."""
    if not isinstance(thing, Dynamic):
        return isinstance(thing, types)
    wanted = types if isinstance(types, tuple) else (types,)
    node, value = thing.arg.node, thing.arg.value
    if isinstance(node, cst.List):
        return list in wanted
    if isinstance(node, cst.Tuple):
        return tuple in wanted
    if isinstance(value, Scalar) and value.type in _SCALARS:
        return any(issubclass(_SCALARS[value.type], t) for t in wanted)
    if isinstance(value, Sequence):
        return {"list": list, "tuple": tuple}.get(value.kind) in wanted
    if isinstance(value, (Tensor, ShapeOf)):
        return False
    raise Decline(f"the type of `{thing.arg.name}` must be known when rewriting")
