"""Rounding or meaning in a training: what float64 says, and how far the original's own float32 run is from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from migrator_validators.matching import Matching
from migrator_validators.rounding import SENSITIVE
from migrator_validators.training_compare import Difference, Trace, compare, in_target
from migrator_validators.workers import Arrays

ROUNDING = 0.1
"""A larger difference in float32, as a share of what is compared, is rounding only where the original goes as far."""


def decided(
    single: Sequence[Difference], double: Sequence[Difference], own: Sequence[Difference]
) -> tuple[Difference, ...]:
    """What float32 found, replaced by what float64 found where that explains it.

    Both programs mean the same where they agree in float64. A float32 difference is then rounding if it is small, or
    no more than some times as far as the original's float32 run is from its own float64 run (`own`): gradients that
    cancel, and steps that divide by their size, leave no digit of a float32 number.
    """
    wide, alone = ({d.rung: d for d in found} for found in (double, own))
    agree = all(d.equal for d in double)

    def decide(d: Difference) -> Difference:
        far = alone[d.rung].measured if agree and d.rung in alone else 0.0
        if d.equal or d.rung not in wide or d.measured > max(ROUNDING, SENSITIVE * far):
            return d
        return replace(wide[d.rung], rounding=d.measured)

    return tuple(map(decide, single))


def own_distance(single: Trace, double: Trace, maps: Sequence[Matching], history: bool) -> tuple[Difference, ...]:
    """How far the original's run in float32 is from its own in float64, by rung; nothing where it began elsewhere."""
    if not _same_start(single, double):
        return ()
    arrays: Arrays = dict(double.arrays)
    for number, (matching, root) in enumerate(zip(maps, double.result["roots"], strict=True)):
        for prefix in {key.rpartition("/")[0] for key in double.arrays}:
            known = [double.arrays.get(f"{prefix}/{name}") for name in root["weights"]]
            for pair in matching.pairs:
                found = in_target(pair, known, prefix.endswith("/grad"))
                if found is not None:
                    arrays[f"{prefix}/r{number}:{pair.target}"] = found
    return compare(single, Trace(double.result, arrays), list(maps), "float32", history)[0]


def _same_start(single: Trace, double: Trace) -> bool:
    names = [name for name in single.arrays if name.startswith("start/")]
    both = [(single.arrays[name], double.arrays.get(name)) for name in names]
    return all(y is not None and x.shape == y.shape and np.allclose(x, y, 1e-4, 1e-6) for x, y in both)
