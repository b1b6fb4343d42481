"""What calls print and write on both sides."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from migrator_validators import printing
from migrator_validators.compare import Comparison, Difference, Tree, compare_trees
from migrator_validators.tolerances import Tolerance
from migrator_validators.workers import Arrays

Effects = Mapping[str, Any]
RANDOM = re.compile(r"[0-9a-f]{6,}")
"""In names of files: what another run has otherwise."""
NOTHING: Effects = {"printed": [], "files": {}}
OF_LIBRARY = "tf."
"""In the text of what only TensorFlow writes so: tensors, shapes, dtypes."""


def effects_of(seen: Mapping[str, Any]) -> Effects:
    """What was seen of a call."""
    found: Effects = seen.get("effects", NOTHING)
    return found


def shown(seen: Mapping[str, Any]) -> Iterator[Tree]:
    """All values that a call printed or wrote, as trees; numbers in texts are values by themselves."""
    effects = effects_of(seen)
    for tree in (*(item for call in effects["printed"] for item in call["items"]), *effects["files"].values()):
        if printing.is_text(tree):
            yield from ({"t": "scalar", "type": "float", "v": float(n)} for n in printing.numbers(tree["v"]))
        else:
            yield tree


def compare_effects(one: Effects, ours: Arrays, other: Effects, theirs: Arrays, tolerance: Tolerance) -> Comparison:
    """What the original prints and writes, beside what the target does. The target may print more, and in another
    form: then it is a footnote."""
    found = Comparison()
    calls = printing.together(one["printed"], other["printed"])
    fewer = len(other["printed"]) < len(one["printed"])
    for call, same in calls:
        place = f"what line {call['line']} of the original prints"
        if same is not None:
            for a, b in zip(call["items"], same["items"], strict=True):
                found.add(_compared(place, a, ours, b, theirs, tolerance))
        elif fewer:
            found.add(_wrong(f"{place} is not printed"))
        else:
            found.notes.add(place)
    for name, tree in one["files"].items():
        if name in other["files"]:
            found.add(_compared(f"the file {name}", tree, ours, other["files"][name], theirs, tolerance))
        elif RANDOM.sub("#", name) in {RANDOM.sub("#", written) for written in other["files"]}:
            found.notes.add(f"the file {name}")
        else:
            found.add(_wrong(f"the file {name} is not written"))
    return found


def _compared(place: str, one: Tree, ours: Arrays, other: Tree, theirs: Arrays, tolerance: Tolerance) -> Comparison:
    if printing.is_text(one) and printing.is_text(other):
        return _texts(place, one["v"], other["v"], tolerance)
    figures = compare_trees(one, ours, other, theirs, tolerance)
    if figures.shapes_differ:  # tensors and shapes are told in another form
        return Comparison(notes={place})
    figures.differences = [Difference("", "value", f"{place}: {d.detail}") for d in figures.differences]
    return figures


def _texts(place: str, one: str, other: str, tolerance: Tolerance) -> Comparison:
    """Texts that are the same but for their numbers, to the places that are shown."""
    if printing.skeleton(one) != printing.skeleton(other):
        return Comparison(notes={place}) if OF_LIBRARY in one else _wrong(f"{place}: another text")
    pairs = [*zip(printing.numbers(one), printing.numbers(other), strict=True)]
    far = next(((a, b) for a, b in pairs if not printing.near(a, b, tolerance.relative)), None)
    return Comparison(leaves=len(pairs)) if far is None else _wrong(f"{place}: {far[1]} instead of {far[0]}")


def _wrong(detail: str) -> Comparison:
    return Comparison(math.inf, 0.0, math.inf, 1, [Difference("", "value", detail)])
