from __future__ import annotations

import numpy as np
import pytest
from migrator_validators.compare import Comparison, Difference, compare_arrays
from migrator_validators.rounding import NUDGE, Pairs, Runs, nudged
from migrator_validators.tolerances import TABLE

ROW = TABLE["gradients"]
EXACT = np.linspace(-1, 1, 101)


def pairs(source_error: float, target_error: float) -> tuple[Pairs, Pairs]:
    noise = np.cos(np.arange(101) * 7.0)
    single = {"g": (EXACT + source_error * noise, EXACT - target_error * noise)}
    return single, {"g": (EXACT, EXACT)}


@pytest.mark.parametrize(
    ("source_error", "target_error", "expected"),
    [
        (1e-7, 1e-3, True),  # small enough whatever the source does
        (1e-7, 0.2, False),  # the source is stable, the target is not
        (0.1, 0.2, True),  # the source amplifies as much
        (0.01, 0.2, False),
        (0.1, np.inf, False),
        (np.nan, 0.2, False),
    ],
)
def test_the_source_sets_the_measure(source_error: float, target_error: float, expected: bool) -> None:
    single, double = pairs(source_error, target_error)
    found = compare_arrays(*single["g"], ROW)
    assert Runs(found, Comparison(), single, double, ROW).is_rounding() is expected


def test_other_arrays_than_in_float64_are_no_rounding() -> None:
    single, double = pairs(0.1, 0.1)
    found = compare_arrays(*single["g"], ROW)
    assert not Runs(found, Comparison(), single, {**double, "h": double["g"]}, ROW).is_rounding()


@pytest.mark.parametrize(
    ("source_error", "in_float64", "expected"),
    [(0.1, 1e-9, True), (0.1, 1e-8, False), (1e-7, 2e-9, False), (0.1, 1e-4, False)],
)
def test_float64_may_differ_by_its_own_rounding_amplified(
    source_error: float, in_float64: float, expected: bool
) -> None:
    single, double = pairs(source_error, source_error)
    found = compare_arrays(*single["g"], ROW)
    wide = compare_arrays(EXACT, EXACT + in_float64, TABLE["float64"])
    wide.differences = wide.differences or [Difference("", "value", "")]
    assert Runs(found, wide, single, double, ROW).is_rounding() is expected


def test_another_shape_in_float64_is_no_rounding() -> None:
    single, double = pairs(1e-7, 1e-7)
    wide = compare_arrays(EXACT, EXACT[:-1], TABLE["float64"])
    assert not Runs(compare_arrays(*single["g"], ROW), wide, single, double, ROW).is_rounding()


@pytest.mark.parametrize(
    ("amplified", "in_float64", "expected"), [(1e8, 5e-8, True), (1e8, 1e-6, False), (1, 5e-8, False)]
)
def test_a_moved_original_shows_how_far_rounding_goes(amplified: float, in_float64: float, expected: bool) -> None:
    single, double = pairs(1.0, 1.0)
    moved = {"g": (EXACT + amplified * NUDGE, EXACT)}
    wide = compare_arrays(EXACT, EXACT + in_float64, TABLE["float64"])
    assert wide.differences
    runs = Runs(compare_arrays(*single["g"], ROW), wide, single, double, ROW, moved=lambda: moved)
    assert runs.is_rounding() is expected
    assert not Runs(compare_arrays(*single["g"], ROW), wide, single, double, ROW).is_rounding()


def test_weights_are_moved_up_and_down_by_the_same() -> None:
    moved = nudged({"w": np.full(50, 2.0, "float32"), "count": np.array([3])})
    assert moved["count"].tolist() == [3]
    assert moved["w"].dtype == np.float64
    assert set(np.round((moved["w"] / 2.0 - 1.0) / NUDGE)) == {-1.0, 1.0}


@pytest.mark.parametrize(
    ("shaken_by", "in_float64", "expected"),
    [
        (0.2, 0.0, True),  # a kink: the original's own gradient jumps as far within rounding
        (1e-6, 0.0, False),  # it does not
        (0.2, 1e-4, False),  # float64 says that it means something else
        (np.nan, 0.0, False),
    ],
)
def test_a_stable_source_near_a_kink(shaken_by: float, in_float64: float, expected: bool) -> None:
    single, double = pairs(1e-7, 0.2)
    found = compare_arrays(*single["g"], ROW)
    wide = Comparison() if not in_float64 else compare_arrays(EXACT, EXACT + in_float64, TABLE["float64"])
    shaken = {"g": (EXACT + shaken_by, EXACT)}
    assert Runs(found, wide, single, double, ROW, shaken=lambda: [shaken]).is_rounding() is expected
