"""What calls leave behind on both sides: attributes of their object and containers of their caller."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from migrator_validators.bench import both_ran
from migrator_validators.compare import Comparison, Difference, Tree, compare_trees
from migrator_validators.tolerances import FLOOR, Tolerance
from migrator_validators.training_program import left_differently
from migrator_validators.workers import Arrays, Reply


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


def added_to_loss(source: Reply, target: Reply, tolerance: Tolerance) -> Comparison:
    """What the object adds to a loss, where the target says it; a footnote where its training has to."""
    found = Comparison()
    for a, _ in both_ran(source, target):
        for part, what in (("penalty", "its weights add"), ("added", "its call adds")):
            name = f"l.{a['number']}.{part}"
            ours, theirs = source.arrays.get(name), target.arrays.get(name)
            if theirs is None:
                found.notes |= {f"what {what} to the loss"} if ours is not None and ours != 0.0 else set()
                continue
            found.add(_of_loss(what, 0.0 if ours is None else float(ours), float(theirs), tolerance))
    return found


def _of_loss(what: str, ours: float, theirs: float, tolerance: Tolerance) -> Comparison:
    """One figure that is added to a loss."""
    if ours == theirs or (math.isnan(ours) and math.isnan(theirs)):
        return Comparison()
    measured, allowed = abs(ours - theirs), tolerance.absolute * FLOOR + tolerance.relative * abs(ours)
    found = Comparison(measured, allowed, measured / allowed)
    if not measured <= allowed:
        found.differences.append(Difference("", "value", f"{what} {theirs:.6g} to the loss, the original's {ours:.6g}"))
    return found


def left_changed(source: Reply, target: Reply) -> str:
    """A setting of the whole process that only the target leaves changed."""
    changed = sorted(set(target.result["globals"]) - set(source.result["globals"]))
    return f"it leaves the process with another setting: {', '.join(changed)}" if changed else ""


def writes(target: bool) -> Comparison:
    """One side alone writes into what its caller passed: the caller goes on with other numbers."""
    detail = f"it {'writes' if target else 'does not write'} into its argument, the original does{' not' * target}"
    return Comparison(math.inf, 0.0, math.inf, differences=[Difference("", "value", detail)])
