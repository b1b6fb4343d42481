"""What calls leave behind on both sides: attributes of their object and containers of their caller."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from migrator_validators.compare import Comparison, Difference, Tree, compare_trees
from migrator_validators.tolerances import Tolerance
from migrator_validators.training_program import left_differently
from migrator_validators.workers import Arrays


def changed(left: Any) -> Iterator[Tree]:
    """What is another than before the call, as trees."""
    return (left["now"][name] for name in left["changed"])


def returns_none(batches: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a call gave None every time."""
    return all(seen["output"]["t"] == "scalar" and seen["output"]["v"] is None for seen in batches)


def compare_left(one: Any, ours: Arrays, other: Any, theirs: Arrays, tolerance: Tolerance) -> Comparison:
    """What either side changed, where both have it."""
    found = Comparison()
    for name in sorted({*one["changed"], *other["changed"]}):
        tree, same = one["now"].get(name), other["now"].get(name)
        if tree is None or same is None:
            found.notes |= {f"{name} afterwards"} if name in one["changed"] else set()
            continue
        problem = left_differently(tree, same)
        if problem:
            difference = Difference("", "value", f"{name} afterwards: {problem}")
            found.add(Comparison(math.inf, 0.0, math.inf, 1, [difference]))
            continue
        figures = compare_trees(tree, ours, same, theirs, tolerance)
        figures.differences = [
            Difference("", "value", f"{name}{d.path} afterwards: {d.detail}") for d in figures.differences
        ]
        found.add(figures)
    return found
