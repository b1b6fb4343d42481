"""Beside a training: the values that a program has at its end, and what it or a function printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from migrator_validators import printing
from migrator_validators.workers import Arrays

See = Callable[[float, str], None]
FLOOR = 1e-3


class Side(Protocol):
    """What a training probe reported."""

    @property
    def result(self) -> dict[str, Any]: ...

    @property
    def arrays(self) -> Arrays: ...


def see_program(source: Side, target: Side, see: See, unchecked: list[str]) -> None:
    """Tells `see` how far values are apart, as a share of their size; what cannot be compared is `unchecked`.

    A name that only one side has, or that has another form there, is none of the program's results: the training
    loop that Keras had inside stands in the migrated file.
    """
    one, other = source.result["program"], target.result["program"]
    _see_names(one["names"], other["names"], source.arrays, target.arrays, see, unchecked)
    _see_printed(one["printed"], other["printed"], source.arrays, target.arrays, see, unchecked)
    _see_left(one["left"], other["left"], source.arrays, target.arrays, see, unchecked)


def _see_left(one: Any, other: Any, ours: Arrays, theirs: Arrays, see: See, unchecked: list[str]) -> None:
    """What either side changed of the object that it trains and of the containers that its caller passed."""
    for name in sorted({*one["changed"], *other["changed"]}):
        tree, same = one["now"].get(name), other["now"].get(name)
        if tree is None or same is None:
            if name in one["changed"] and tree is not None and dict(_numbers(tree, ours)):
                unchecked.append(f"{name} afterwards: the target has none of the kind")
            continue
        problem = left_differently(tree, same)
        if problem:
            see(math.inf, f"{name} afterwards: {problem}")
            continue
        numbers = dict(_numbers(same, theirs))
        for path, number in _numbers(tree, ours):
            _see(number, numbers[path], f"{name}{path} afterwards", see)


def left_differently(one: Any, other: Any) -> str:
    """How two values differ besides in their numbers, in words."""
    if one["t"] == "array" or other["t"] == "array":
        shapes = [tree.get("shape", [] if tree["t"] == "scalar" else None) for tree in (one, other)]
        return "" if shapes[0] == shapes[1] else f"{_said(other)} instead of {_said(one)}"
    if one["t"] != other["t"]:
        return f"{_said(other)} instead of {_said(one)}"
    if one["t"] == "scalar":
        text = {one["type"], other["type"]} & {"str", "bytes", "NoneType"}
        return f"{other['v']!r} instead of {one['v']!r}" if text and one["v"] != other["v"] else ""
    pairs = list(_pairs(one["items"], other["items"]))
    if len(one["items"]) != len(other["items"]) or len(pairs) != len(one["items"]):
        return f"{_said(other)} instead of {_said(one)}"
    return next(filter(None, (left_differently(a, b) for a, b in pairs)), "")


def _pairs(one: Any, other: Any) -> Iterator[tuple[Any, Any]]:
    """The items of two lists, or of two dicts that stand under one name."""
    if isinstance(one, dict):
        return ((one[name], other[name]) for name in one if name in other)
    return zip(one, other, strict=False)


def _said(tree: Mapping[str, Any]) -> str:
    size = f" of {len(tree['items'])}" if "items" in tree else f" {tree['shape']}" if "shape" in tree else ""
    return f"{tree.get('type', tree['t'])}{size}"


def _see_names(one: Any, other: Any, ours: Arrays, theirs: Arrays, see: See, unchecked: list[str]) -> None:
    for name, tree in one.items():
        found, same = dict(_numbers(tree, ours)), dict(_numbers(other[name], theirs)) if name in other else {}
        if found and (found.keys() != same.keys() or any(found[k].shape != same[k].shape for k in found)):
            unchecked.append(f"{name}: not there in the same form")
            continue
        for path, number in found.items():
            _see(number, same[path], f"{name}{path}", see)


def _see_printed(one: Any, other: Any, ours: Arrays, theirs: Arrays, see: See, unchecked: list[str]) -> None:
    for call, same in printing.together(one, other):
        place = f"what line {call['line']} of the original prints"
        for a, b in zip(call["items"], same["items"] if same else (), strict=False):
            if printing.is_text(a):
                for x, y in zip(printing.numbers(a["v"]), printing.numbers(b["v"]), strict=True):
                    see(printing.distance(x, y), f"{place}: {y} instead of {x}")
                continue
            found, numbers = dict(_numbers(a, ours)), dict(_numbers(b, theirs))
            if found.keys() != numbers.keys() or any(found[k].shape != numbers[k].shape for k in found):
                unchecked.append(f"{place}: not there in the same form")
                continue
            for path, number in found.items():
                _see(number, numbers[path], f"{place}{path}", see)
        if same is None and any(printing.numbers(i["v"]) if printing.is_text(i) else True for i in call["items"]):
            unchecked.append(f"{place}: not printed")


def _see(number: Any, same: Any, place: str, see: See) -> None:
    finite = np.isfinite(number)
    if not np.array_equal(finite, np.isfinite(same)):
        see(math.inf, f"{place}: NaN or infinity at other places")
        return
    scale = max(float(np.max(np.abs(number[finite]), initial=0.0)), FLOOR)
    gap = np.abs(np.where(finite, number, 0.0) - np.where(finite, same, 0.0))
    at = np.unravel_index(int(np.argmax(gap)), gap.shape) if gap.size else ()
    worst = float(gap[at]) if gap.size else 0.0
    where = f" at {[int(i) for i in at]}" if at else ""
    shown = f"{same[at]:.6g} instead of {number[at]:.6g}{where}" if gap.size else "equal"
    see(worst / scale, f"{place}: {shown}")


def _numbers(tree: Mapping[str, Any], arrays: Arrays, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, array) of every number in a tree; none at all where something in it has no value."""
    if tree["t"] == "array":
        array = arrays[tree["key"]]
        if array.dtype.kind in "fiub":
            yield path, array.astype(float)
    elif tree["t"] == "scalar" and tree["type"] in ("float", "int", "bool"):
        yield path, np.asarray(float(tree["v"]))
    elif tree["t"] == "dict":
        for name, item in tree["items"].items():
            yield from _numbers(item, arrays, f"{path}[{name!r}]")
    elif tree["t"] in ("list", "tuple", "namedtuple"):
        for index, item in enumerate(tree["items"]):
            yield from _numbers(item, arrays, f"{path}[{index}]")
