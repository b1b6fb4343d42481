import numpy as np
import pytest
from migrator_validators.distributions import compare_initial
from migrator_validators.files import check_public

from migrator.model import InterfaceChange, Outcome

BEFORE = "def train(model, x, epochs=2, *, verbose=0, **kwargs): ...\ndef _own(a): ...\n"


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        (BEFORE, Outcome.PASS),
        ("def train(model, x, epochs=2, *, verbose=0, device=None): ...\n", Outcome.PASS),
        ("def train(model, x, epochs=3, *, verbose=0): ...\n", Outcome.FAIL),
        ("def train(model, data, epochs=2, *, verbose=0): ...\n", Outcome.FAIL),
        ("def train(x, model, epochs=2, *, verbose=0): ...\n", Outcome.FAIL),
        ("def other(model, x, epochs=2, *, verbose=0): ...\n", Outcome.FAIL),
    ],
)
def test_public_functions_take_what_they_took(after: str, outcome: Outcome) -> None:
    assert check_public(BEFORE, after, "m").outcome is outcome


def test_a_declared_change_is_permitted() -> None:
    after = "def train(model, loader, epochs=2, *, verbose=0): ...\n"
    change = InterfaceChange("m:train", "renames", "", added=("loader",), removed=("x",))
    assert check_public(BEFORE, after, "m", [change]).outcome is Outcome.PASS


def test_initial_values_keep_their_range() -> None:
    rng = np.random.default_rng(0)
    cut = [np.clip(rng.normal(size=2000), -2, 2) for _ in range(3)]
    assert compare_initial(cut, [rng.normal(size=2000) for _ in range(3)]).statistic == "range"
    assert compare_initial(cut, [np.clip(rng.normal(size=2000), -2, 2) for _ in range(3)]).ok


def test_orthogonal_initial_values_stay_so() -> None:
    rng = np.random.default_rng(0)
    drawn = [np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(6)]
    assert compare_initial(drawn[:3], drawn[3:]).ok
    spread = float(np.std(drawn))
    assert not compare_initial(drawn[:3], [rng.normal(size=(6, 6)) * spread for _ in range(3)]).ok
