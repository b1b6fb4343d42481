"""Where the tensors of a call stand: a parameter, or a place in the list that is one (`call([x, a])`)."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from migrator.facts.join import join_all
from migrator.facts.survey import survey
from migrator.values import Dim, Sequence, SizeParam, Tensor, Value

COUNT = "count"


@dataclass(frozen=True)
class Slot:
    """`index`: the place in the list; None where the parameter itself is the tensor.

    `axis`: the one whose size is meant, where that is not the last; `COUNT` for the length of the list.
    """

    parameter: str
    index: int | None = None
    axis: int | str | None = None

    @property
    def text(self) -> str:
        """As `SizeParam.of` has it: `inputs`, `inputs[1]`, `inputs@2`, `inputs@count`."""
        place = self.parameter if self.index is None else f"{self.parameter}[{self.index}]"
        return place if self.axis is None else f"{place}@{self.axis}"


def parse(text: str) -> Slot:
    """The slot of a `SizeParam.of`."""
    size = SizeParam("", text)
    return Slot(*size.place, size.axis)


def slots(params: Mapping[str, Value]) -> list[Slot]:
    """The tensors among parameters and in the lists that some of them are; of an open list the first stands for all."""
    found: list[Slot] = []
    for name, value in params.items():
        if isinstance(value, Tensor):
            found.append(Slot(name))
        elif isinstance(value, Sequence) and value.sym is None:
            items = value.items if value.items is not None else (value.element,)
            found += [Slot(name, i) for i, item in enumerate(items) if isinstance(item, Tensor)]
    return found


def get(params: Mapping[str, Value], slot: Slot) -> Value | None:
    """The value in a slot."""
    value = params.get(slot.parameter)
    return value if slot.index is None or value is None else _item(value, slot.index)


def _item(value: Value, index: int) -> Value | None:
    if not isinstance(value, Sequence):
        return None
    if value.items is None:
        return value.element
    return value.items[index] if index < len(value.items) else None


def put(params: dict[str, Value], slot: Slot, value: Tensor) -> None:
    """Put a tensor into a slot."""
    held = params[slot.parameter]
    if slot.index is None or not isinstance(held, Sequence):
        params[slot.parameter] = value
    elif held.items is None:
        params[slot.parameter] = replace(held, element=value)
    else:
        items = (*held.items[: slot.index], value, *held.items[slot.index + 1 :])
        params[slot.parameter] = replace(held, items=items, element=join_all(items))


def channels(value: Value | None, slot: Slot, open_: bool = False) -> Dim:
    """The axis of what a call gives for a slot. `open_`: the slot stands for a list of any length, of one size."""
    if slot.axis == COUNT:
        known = value.items if isinstance(value, Sequence) else None
        return len(known) if known is not None else value.count if isinstance(value, Sequence) else None
    if slot.index is None:
        return axis_of(value, slot)
    if open_ and isinstance(value, Sequence) and value.items:
        sizes = {axis_of(item, slot) for item in value.items}
        return sizes.pop() if len(sizes) == 1 else None
    return axis_of(_item(value, slot.index) if value is not None else None, slot)


def axis_of(value: Value | None, slot: Slot) -> Dim:
    """The size of a tensor's axis that a slot means."""
    if not isinstance(value, Tensor) or slot.axis is None:
        return value.channels if isinstance(value, Tensor) else None
    known = value.shape is not None and isinstance(slot.axis, int) and slot.axis < len(value.shape)
    return value.shape[slot.axis] if known else None  # type: ignore[index]


def expected(call: ast.AST, build: ast.AST | None, parameter: str) -> Value:
    """What a layer that nobody calls takes, by how it takes it apart: a list of tensors, or a tensor."""
    unpacked = names(call, parameter)
    nested, indexed = _shapes_read(build), _indices(call, parameter)
    if unpacked is not None and len({len(n) for n in unpacked}) == 1:
        return _list(len(unpacked[0]))
    if unpacked is not None or (nested and not indexed):
        return Sequence("list", None, Tensor())
    if nested and max(*nested, *indexed) > 0:
        return _list(max(*nested, *indexed) + 1)
    return Sequence("list", None, Tensor()) if nested or _asks_for_a_list(build) else Tensor()


def _asks_for_a_list(build: ast.AST | None) -> bool:
    """Whether `build` raises for what is no list of shapes: `if not isinstance(input_shape, list): raise ...`."""
    arguments = getattr(build, "args", None)
    if build is None or arguments is None or len(arguments.args) < 2:
        return False
    test = f"not isinstance({arguments.args[1].arg}, list)"
    checks = [n for n in ast.walk(build) if isinstance(n, ast.If) and isinstance(n.body[-1], ast.Raise)]
    return any(
        ast.unparse(part) == test
        for check in checks
        for part in (check.test.values if isinstance(check.test, ast.BoolOp) else [check.test])
    )


def _list(length: int) -> Sequence:
    return Sequence("list", (Tensor(),) * length, Tensor())


def names(call: ast.AST, parameter: str) -> list[list[str]] | None:
    """The names that a method gives to the items of a parameter (`x, a = inputs`), each time; None without any."""
    found = [
        [e.id if isinstance(e, ast.Name) else "" for e in node.targets[0].elts]
        for node in ast.walk(call)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Name)
        and node.value.id == parameter
        and isinstance(node.targets[0], ast.Tuple | ast.List)
    ]
    return found or None


def _shapes_read(build: ast.AST | None) -> Collection[int]:
    """The places in a list of shapes of which `build` reads an item (`input_shape[1][-1]`)."""
    arguments = getattr(build, "args", None)
    if build is None or arguments is None or len(arguments.args) < 2:
        return ()
    name = arguments.args[1].arg
    inner = [s.value for s in survey(build).subscripts if isinstance(s.value, ast.Subscript)]
    return [i for s in inner if (i := _index_of(s, name)) is not None]


def _indices(call: ast.AST, parameter: str) -> list[int]:
    """The places of a list that a method reads."""
    return [i for s in survey(call).subscripts if (i := _index_of(s, parameter)) is not None]


def _index_of(node: ast.Subscript, name: str) -> int | None:
    if not isinstance(node.value, ast.Name) or node.value.id != name or not isinstance(node.slice, ast.Constant):
        return None
    return node.slice.value if type(node.slice.value) is int and node.slice.value >= 0 else None
