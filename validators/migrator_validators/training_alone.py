"""Variables that an optimizer trains and that belong to no model: a program made them one by one.

Both sides make their draws alike, so that nothing has to be carried over: the variables must begin equal. They are
paired in the order in which each side's optimizer has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from migrator_validators.probes.wire import ALONE
from migrator_validators.workers import Arrays

Optimizers = Sequence[Mapping[str, Any]]


def alone(source: Optimizers, owned: frozenset[str], target: Optimizers, arrays: Arrays) -> list[tuple[str, str]] | str:
    """(source name, target name) of each such variable, or why they are not known.

    `owned`: the source's variables of models; `arrays`: the target's, which say what had a gradient.
    """
    trained = {key.rpartition("/grad/")[2] for key in arrays if "/grad/" in key}
    found: dict[str, str] = {}
    for number, (one, other) in enumerate(zip(source, target, strict=False)):
        ours = [name for name in one["variables"] if name not in owned]
        theirs = [name for name in other["variables"] if name.startswith(ALONE) and name in trained]
        if len(ours) != len(theirs):
            return f"optimizer {number + 1} trains {len(theirs)} variables outside of models, the source {len(ours)}"
        if any(found.setdefault(a, b) != b for a, b in zip(ours, theirs, strict=True)):
            return "optimizers share variables that the source's do not"
    return list(found.items())


def keys(prefix: str, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Array keys of both sides under a prefix; what they are at first is what each is before its first step."""
    first = "first/" if prefix == "start/" else prefix
    return ((first + one, first + other) for one, other in pairs)
