"""What float64 says of a training's differences counts where they are small, or where the original goes as far."""

from __future__ import annotations

import numpy as np
from migrator_validators.matching import Matching, Pair
from migrator_validators.training_compare import Difference, Trace, compare
from migrator_validators.training_rounding import decided, own_distance

from migrator.model import Rung


def difference(measured: float, allowed: float = 1e-3, rung: Rung = Rung.STEPS) -> Difference:
    return Difference(rung, measured, allowed, "", measured <= allowed)


def equal(single: float, double: float, own: float | None = None) -> bool:
    far = () if own is None else (difference(own),)
    return decided((difference(single),), (difference(double, 1e-6),), far)[0].equal


def test_a_small_difference_that_float64_does_not_show_is_rounding() -> None:
    assert equal(0.05, 1e-9)
    assert not equal(0.05, 1e-3)


def test_a_large_one_is_where_the_original_goes_as_far() -> None:
    assert equal(2.0, 1e-9, own=1.5)
    assert not equal(2.0, 1e-9, own=0.1)
    assert not equal(2.0, 1e-9)


def test_float64_has_to_agree_in_every_rung() -> None:
    single = (difference(2.0), difference(2.0, rung=Rung.TRAINING))
    double = (difference(1e-9, 1e-6), difference(1e-2, 1e-6, Rung.TRAINING))
    own = (difference(2.0), difference(2.0, rung=Rung.TRAINING))
    assert not any(d.equal for d in decided(single, double, own))


def test_a_run_that_began_elsewhere_says_nothing() -> None:
    single, double = ({"start/v0": np.array([value])} for value in (1.0, 2.0))
    assert own_distance(Trace({"roots": []}, single), Trace({"roots": []}, double), [], True) == ()


def test_statistics_that_are_nothing_but_rounding_agree_in_float64_alone() -> None:
    """The moving mean of what another normalisation has centred is zero; another value of it is not."""

    def trace(name: str, value: float) -> Trace:
        streams = {"notes": [], "passes": [], "events": []}
        result = {"roots": [{"weights": ["v0"]}], "optimizers": [], "finished": False, "streams": streams}
        result["program"] = {"names": {}, "printed": [], "left": {"changed": [], "now": {}}}
        return Trace(result, {"start/v0": np.zeros(1), f"end/{name}": np.array([value])})

    maps = [Matching([Pair((0,), "bn.running_mean", ("",))])]

    def equal(ours: float, theirs: float, floatx: str) -> bool:
        found, _ = compare(trace("v0", ours), trace("r0:bn.running_mean", theirs), maps, floatx, False)
        return next(d for d in found if d.rung is Rung.TRAINING).equal

    assert equal(-5.7e-19, 1.2e-17, "float64")
    assert not equal(-5.7e-19, 1.2e-17, "float32")
    assert not equal(1e-9, 1e-8, "float64")
