"""Rounding or meaning: whether a difference in float32 is one that the original's own rounding explains.

Equality in float64 says that both programs mean the same. It does not say that the migrated one is as
stable in float32 as the original, so a float32 difference must also be small, or no larger than what
the original itself is away from its own float64 result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from migrator_validators.compare import Comparison, compare_arrays, leaves
from migrator_validators.tolerances import FLOOR, Tolerance
from migrator_validators.workers import Reply

Pairs = Mapping[str, tuple[Any, Any]]
"""Name → (the source's array, the target's), in the target's shapes."""

SMALL = 1e3
"""How many times its tolerance a float32 difference may be and still be called rounding."""

SENSITIVE = 10.0
"""How many times farther from the float64 result the target may be than the source is."""


def is_rounding(found: Comparison, single: Pairs, double: Pairs, tolerance: Tolerance, floor: float = FLOOR) -> bool:
    """Whether the float32 differences `found` are rounding, given that float64 agrees.

    A deep network can amplify rounding until gradients share no digit; the source's own distance
    from its float64 result tells, over all arrays, how far that goes.
    """
    if found.relative < SMALL:
        return True
    if set(single) != set(double):
        return False
    own, other = Comparison(), Comparison()
    for name, (exact, _) in double.items():
        x, y = single[name]
        own.add(compare_arrays(exact, x, tolerance, floor))
        other.add(compare_arrays(exact, y, tolerance, floor))
    return math.isfinite(other.relative) and other.relative <= SENSITIVE * max(own.relative, 1.0)


def output_pairs(source: Reply, target: Reply) -> dict[str, tuple[Any, Any]]:
    """The numbers of every batch that both sides ran; their structures must have been found equal."""
    out: dict[str, tuple[Any, Any]] = {}
    ours = [seen for seen in source.result["batches"] if "error" not in seen]
    for a, b in zip(ours, target.result["batches"], strict=False):
        both = zip(_numbers(a, source), _numbers(b, target), strict=False)
        out |= {f"{a['number']} {path}": (x, y) for (path, x), (_, y) in both if x.shape == y.shape}
    return out


def _numbers(seen: Mapping[str, Any], reply: Reply) -> Iterator[tuple[str, Any]]:
    return ((path, np.asarray(x)) for path, x in leaves(seen["output"], reply.arrays) if x.dtype.kind in "fiubc")
