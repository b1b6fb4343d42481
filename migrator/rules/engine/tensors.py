"""Arguments that TensorFlow turns into tensors by itself, and torch does not."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from migrator.rules.engine.args import NOTHING, Arg, Dynamic, literal
from migrator.rules.engine.asked import kind
from migrator.rules.engine.declining import Decline
from migrator.values import Scalar, Sequence, ShapeOf, Tensor, Unknown, Value, is_mixed


def as_tensor(arg: Arg, device: str = "") -> Arg:
    """The argument, wrapped where TF would convert it. Raises `Decline` where that is not certain.

    `device`: source of the device on which what has axes is made, or "".
    """
    found = literal(arg.node, arg.value)
    if has_complex(found):
        raise Decline(f"`{arg.name}` has complex numbers, which are complex64 in torch and complex128 in TensorFlow")
    what = kind(Dynamic(arg) if found is NOTHING else found)
    if isinstance(arg.value, Tensor) and arg.value.dtype == "string":
        raise Decline("torch has no string tensors")
    if is_mixed(arg.value):
        return _wrapped(arg, "as_tensor", device)
    if what in ("tensor", None, "none"):
        return arg
    if what == "numpy":
        return _wrapped(arg, "as_tensor", device)
    if what == "number":
        return _wrapped(arg, "tensor")
    if what == "shape":
        return _wrapped(arg, "tensor", device)
    if what == "sequence":
        packing = _packing(arg)
        return _wrapped(arg, packing, device if packing == "tensor" else "")
    raise Decline(f"`{arg.name}` is a {what}")


def has_complex(found: object) -> bool:
    """Whether a literal has a complex number in it."""
    if isinstance(found, (list, tuple)):
        return any(map(has_complex, found))
    return isinstance(found, complex)


def _packing(arg: Arg) -> str:
    if _has_text(literal(arg.node, arg.value)):
        raise Decline("torch has no string tensors")
    items = arg.value.items if isinstance(arg.value, Sequence) else None
    if isinstance(arg.value, Sequence) and items is None and _number(arg.value.element):
        return "tensor"
    if literal(arg.node, Unknown()) is not NOTHING or (items is not None and all(_number(i) for i in items)):
        return "tensor"
    if items and all(isinstance(i, Tensor) and i.origin != "numpy" for i in items):
        return "stack"
    if items is None and isinstance(arg.value, Sequence) and _of_torch(arg.value.element):
        return "stack"  # of losses that a loop gathers, for one
    raise Decline(f"`{arg.name}` is a list of something unknown")


def _of_torch(value: Value) -> bool:
    """Whether every item of a list is surely a tensor of the program, not an array."""
    return isinstance(value, Tensor) and value.origin == "tf"


def _has_text(found: object) -> bool:
    if isinstance(found, (list, tuple)):
        return any(map(_has_text, found))
    return isinstance(found, (str, bytes))


def _number(value: Value) -> bool:
    if isinstance(value, Sequence):
        return value.items is not None and all(_number(i) for i in value.items)
    from_literal = getattr(value, "value", None)
    return isinstance(value, Scalar) or isinstance(from_literal, (int, float))


def _wrapped(arg: Arg, function: str, device: str = "") -> Arg:
    func = cst.Attribute(cst.Name("torch"), cst.Name(function))
    tight = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    place = [cst.Arg(cst.parse_expression(device), cst.Name("device"), tight)] if device else []
    return replace(arg, node=cst.Call(func, [cst.Arg(arg.node), *place]))


def check_tensors(arg: Arg) -> None:
    """Declines a list that is to be joined when an item is known not to be a torch tensor."""
    items = arg.value.items if isinstance(arg.value, Sequence) else None
    for item in items or ():
        if isinstance(item, (Scalar, ShapeOf, Sequence)) or isinstance(getattr(item, "value", None), (int, float)):
            raise Decline(f"`{arg.name}` has items that are not tensors in torch")
        if isinstance(item, Tensor) and item.origin == "numpy":
            raise Decline(f"`{arg.name}` has NumPy arrays in it")
