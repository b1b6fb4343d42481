"""The one table of tolerances. A difference is allowed up to `absolute * scale + relative * |expected|`.

`scale` is the largest finite magnitude of the expected array, at least `FLOOR`: rounding errors of a
float32 program are relative to the sums they come from, not to single small elements.
"""

from __future__ import annotations

from dataclasses import dataclass

FLOOR = 1e-3


@dataclass(frozen=True)
class Tolerance:
    """One row: its figures and why they are what they are."""

    absolute: float
    relative: float
    reason: str


TABLE: dict[str, Tolerance] = {
    "exact": Tolerance(0.0, 0.0, "constants, indices, shapes and text have no rounding"),
    "constant": Tolerance(1e-6, 1e-6, "constants computed in float32 by both sides"),
    "data": Tolerance(1e-6, 1e-6, "a data pipeline does elementwise arithmetic at most"),
    "forward": Tolerance(1e-5, 1e-5, "hand-verified pairs agree to 2e-6; eps 1e-3 against 1e-5 shows as 5e-4"),
    "train-forward": Tolerance(2e-5, 2e-5, "batch statistics add one reduction to a forward pass"),
    "gradients": Tolerance(5e-5, 1e-4, "hand-verified pairs agree to 3e-6; backward sums over batch and space"),
    "float64": Tolerance(1e-9, 1e-9, "float64 has nine more digits; what differs here is meaning, not rounding"),
    "float64-gradients": Tolerance(1e-8, 1e-8, "as float64, through one more pass"),
    "loose": Tolerance(1e-3, 1e-3, "for cases that state why: long recurrences, large reductions"),
}


def tolerance(name: str) -> Tolerance:
    """A row of the table. Raises KeyError for an unknown name."""
    return TABLE[name]
