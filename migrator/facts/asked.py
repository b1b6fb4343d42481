"""What a layer's `build` reads off the shape of its input besides the last axis: a module must be told these sizes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from migrator.facts.slots import COUNT, Slot
from migrator.values import Sequence, Value

_RANKS = ("rank", "ndim", "ndims")


@dataclass(frozen=True)
class Asked:
    """Of one tensor: how many axes the layer says that it has, and those whose sizes it reads."""

    rank: int | None = None
    axes: frozenset[int] = frozenset()

    @property
    def inner(self) -> tuple[int, ...]:
        """The axes that are neither the batch nor the last one; none where it is not known which those are."""
        if self.rank is None:
            return ()
        positive = {axis + self.rank if axis < 0 else axis for axis in self.axes}
        return tuple(sorted(axis for axis in positive if 0 < axis < self.rank - 1))


def of(build: ast.AST | None, call: ast.AST, parameter: str, given: Value) -> dict[Slot, Asked]:
    """What is asked of the tensors in a parameter of `call`; `COUNT` as the axis of a list is how many there are."""
    shape = _parameter(build)
    if build is None or not shape:
        return {}
    several = isinstance(given, Sequence)
    found: dict[Slot, Asked] = {}
    for node in _nodes(build, checks=False):
        at = _read(node, shape, several)
        if at is not None:
            slot = Slot(parameter, at[0])
            known = found.get(slot, Asked())
            found[slot] = replace(known, axes=known.axes | {at[1]})
    ranks = dict(_ranks(build, shape, parameter, several)) | dict(_ranks(call, "", parameter, several))
    for index, rank in ranks.items():
        slots = [Slot(parameter, index)] if index is not None else list(found)
        for slot in slots:
            found[slot] = replace(found.get(slot, Asked()), rank=rank)
    if isinstance(given, Sequence) and given.items is None and counts(build):
        found[Slot(parameter, axis=COUNT)] = Asked()
    return found


def _parameter(build: ast.AST | None) -> str:
    arguments = getattr(build, "args", None)
    return arguments.args[1].arg if arguments is not None and len(arguments.args) > 1 else ""


def _nodes(root: ast.AST, checks: bool) -> Iterator[ast.AST]:
    """All nodes below one; `checks`: those of tests that do nothing but raise as well."""
    for child in ast.iter_child_nodes(root):
        if not checks and (isinstance(child, ast.Assert) or (isinstance(child, ast.If) and _is_check(child))):
            continue
        yield child
        yield from _nodes(child, checks)


def _is_check(node: ast.If) -> bool:
    rest = [*node.body, *node.orelse]
    return all(isinstance(s, ast.Raise | ast.Pass) or (isinstance(s, ast.If) and _is_check(s)) for s in rest)


def _read(node: ast.AST, shape: str, several: bool) -> tuple[int | None, int] | None:
    """The place in a list, or None for a tensor itself, and the axis that an expression reads."""
    axis = _index(node)
    if axis is None or not isinstance(node, ast.Subscript):
        return None
    if not several:
        return (None, axis) if _is_name(node.value, shape) else None
    place = _index(node.value)
    inner = node.value.value if isinstance(node.value, ast.Subscript) else None
    return (place, axis) if place is not None and place >= 0 and inner is not None and _is_name(inner, shape) else None


def _ranks(root: ast.AST, shape: str, parameter: str, several: bool) -> Iterator[tuple[int | None, int]]:
    """Tests of how many axes there are: the place in a list, and the number."""
    for node in _nodes(root, checks=True):
        if not isinstance(node, ast.If) or not _is_check(node):
            continue
        for test in ast.walk(node.test):
            of = _rank_of(test.left, shape, parameter) if isinstance(test, ast.Compare) else None
            if isinstance(test, ast.Compare) and of is not None and isinstance(test.ops[0], ast.NotEq):
                rank, place = test.comparators[0], _index(of)
                if several is (place is not None) and isinstance(rank, ast.Constant) and type(rank.value) is int:
                    yield place, rank.value


def _rank_of(node: ast.expr, shape: str, parameter: str) -> ast.expr | None:
    """The shape or tensor whose number of axes an expression is."""
    if isinstance(node, ast.Attribute) and node.attr in _RANKS:
        node = node.value
        if isinstance(node, ast.Attribute) and node.attr == "shape":
            node = node.value
    elif isinstance(node, ast.Call) and len(node.args) == 1 and _tail(node.func) in ("len", "ndim"):
        node = node.args[0]
        if isinstance(node, ast.Attribute) and node.attr == "shape":
            node = node.value
    else:
        return None
    root = node.value if isinstance(node, ast.Subscript) else node
    return node if _is_name(root, shape) or _is_name(root, parameter) else None


def counts(build: ast.AST | None) -> bool:
    """Whether a layer goes by the number of tensors that it is called with, or by how many axes its one has."""
    shape = _parameter(build)
    if build is None or not shape:
        return False
    calls = [n for n in _nodes(build, checks=False) if isinstance(n, ast.Call) and _tail(n.func) == "len"]
    return any(len(c.args) == 1 and _is_name(c.args[0], shape) for c in calls)


def _index(node: ast.AST) -> int | None:
    """The literal index of a subscript."""
    if not isinstance(node, ast.Subscript):
        return None
    try:
        value = ast.literal_eval(node.slice)
    except ValueError:
        return None
    return value if type(value) is int else None


def _is_name(node: ast.AST, name: str) -> bool:
    return bool(name) and isinstance(node, ast.Name) and node.id == name


def _tail(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
