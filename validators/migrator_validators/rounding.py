"""Rounding or meaning: whether a difference in float32 is one that the original's own rounding explains.

Equality in float64 says that both programs mean the same. It does not say that the migrated one is as
stable in float32 as the original, so a float32 difference must also be small, or no larger than what
the original itself is away from its own float64 result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from migrator_validators.bench import both_ran
from migrator_validators.compare import Comparison, compare_arrays, leaves
from migrator_validators.tolerances import FLOOR, TABLE, Tolerance
from migrator_validators.workers import Reply

NUDGE = 1e-10
"""Far above float64's rounding, far below what float32 can see."""

SHAKES = tuple(n * float(np.finfo("float32").eps) for n in (16, 16, 64, 64, 256, 256, 256, 256))
"""What a weight may be off by for float32's rounding, some operations on; several draws of each."""

Pairs = Mapping[str, tuple[Any, Any]]
"""Name → (the source's array, the target's), in the target's shapes."""

SMALL = 1e3
"""How many times its tolerance a float32 difference may be and still be called rounding."""

SENSITIVE = 10.0
"""How many times farther from the float64 result the target may be than the source is."""


PRECISION = float(np.finfo("float64").eps / np.finfo("float32").eps)


@dataclass(frozen=True)
class Runs:
    """What a rung compared, in float32 and in float64: the findings, the arrays, and the tolerance of the former.

    `moved`: the source's float64 arrays from weights moved by `NUDGE`, where that can be run. `shaken`: the same
    from weights moved by each of `SHAKES`, in turn.
    """

    found: Comparison
    wide: Comparison
    single: Pairs
    double: Pairs
    tolerance: Tolerance
    floor: float = FLOOR
    moved: Callable[[], Pairs | None] = lambda: None
    shaken: Callable[[], Iterable[Pairs]] = tuple

    def is_rounding(self) -> bool:
        """Whether all that differs is rounding.

        A deep network can amplify rounding until gradients share no digit; the source's own distance
        from its float64 result tells, over all arrays, how far that goes, in float64 as well.
        """
        if any(difference.kind == "other" for difference in self.found.differences):
            return False  # no rounding makes another word
        if not self.wide.differences and self.found.relative < SMALL:
            return True
        if self.wide.shapes_differ or set(self.single) != set(self.double):
            return False
        own, other = self._errors()
        if not math.isfinite(own.relative + other.relative):
            return False
        if other.relative > SENSITIVE * max(own.relative, 1.0):
            return not self.wide.differences and self._as_far_as_shaken(other)
        return not self.wide.differences or self._as_far_in_float64(own)

    def _errors(self) -> tuple[Comparison, Comparison]:
        """How far the source's and the target's float32 arrays are from the float64 ones."""
        own, other = Comparison(), Comparison()
        for name, (exact, _) in self.double.items():
            x, y = self.single[name]
            own.add(compare_arrays(exact, x, self.tolerance, self.floor))
            other.add(compare_arrays(exact, y, self.tolerance, self.floor))
        return own, other

    def _as_far_as_shaken(self, other: Comparison) -> bool:
        """Whether the original itself goes as far when its weights are off by float32's rounding.

        Where an activation has a kink, a rounding error on one side of it is another gradient on the other.
        """
        found = Comparison()
        for shaken in self.shaken():
            for name, (exact, _) in self.double.items():
                if name in shaken:
                    found.add(compare_arrays(exact, shaken[name][0], self.tolerance, self.floor))
            if not math.isfinite(found.relative) or other.relative <= SENSITIVE * found.relative:
                return math.isfinite(found.relative)
        return False

    def _as_far_in_float64(self, own: Comparison) -> bool:
        """Whether the float64 results differ by no more than that amplification makes of float64's rounding."""
        allowed = SENSITIVE * PRECISION * own.relative * self.tolerance.absolute
        return self.wide.relative * TABLE["float64"].absolute <= allowed or self._as_far_as_moved()

    def _as_far_as_moved(self) -> bool:
        """The same where float32 shares no digit any more and its distance says too little: the original itself, its
        weights moved by a little, shows how much becomes of a rounding error."""
        moved = self.moved()
        if moved is None or set(moved) != set(self.double):
            return False
        found = Comparison()
        for name, (exact, _) in self.double.items():
            found.add(compare_arrays(exact, moved[name][0], TABLE["float64"], self.floor))
        rounding = found.relative * float(np.finfo("float64").eps) / NUDGE
        return math.isfinite(rounding) and self.wide.relative <= SENSITIVE * rounding


def nudged(weights: Mapping[str, Any], by: float = NUDGE, seed: int = 0) -> dict[str, Any]:
    """Weights in float64, each moved by a relative amount up or down."""
    rng = np.random.default_rng(seed)

    def moved(array: Any) -> Any:
        return array * (1.0 + by * rng.choice([-1.0, 1.0], array.shape)) if array.dtype.kind == "f" else array

    return {name: moved(np.asarray(array)) for name, array in weights.items()}


def output_pairs(source: Reply, target: Reply) -> dict[str, tuple[Any, Any]]:
    """The numbers of every batch that both sides ran; their structures must have been found equal."""
    out: dict[str, tuple[Any, Any]] = {}
    for a, b in both_ran(source, target):
        both = zip(_numbers(a, source), _numbers(b, target), strict=False)
        out |= {f"{a['number']} {path}": (x, y) for (path, x), (_, y) in both if x.shape == y.shape}
    return out


def _numbers(seen: Mapping[str, Any], reply: Reply) -> Iterator[tuple[str, Any]]:
    return ((path, np.asarray(x)) for path, x in leaves(seen["output"], reply.arrays) if x.dtype.kind in "fiubc")
