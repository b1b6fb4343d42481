"""Initial values: right initialisers are never told apart, wrong ones are."""

from __future__ import annotations

import numpy as np
import pytest
from migrator_validators.distributions import compare_initial

SEEDS = 3


def draws(kind: str, shape: tuple[int, ...], scale: float, start: int) -> list[np.ndarray]:
    made = []
    for seed in range(SEEDS):
        rng = np.random.default_rng(start + seed)
        values = rng.uniform(-1, 1, shape) if kind == "uniform" else rng.normal(size=shape)
        made.append(scale * values)
    return made


@pytest.mark.parametrize("kind", ["uniform", "normal"])
@pytest.mark.parametrize("shape", [(2, 2), (20, 30)])
def test_the_same_initialiser_passes(kind: str, shape: tuple[int, ...]) -> None:
    results = [compare_initial(draws(kind, shape, 0.1, s), draws(kind, shape, 0.1, s + 500)) for s in range(0, 90, 3)]
    assert all(fit.ok for fit in results)


def test_another_bound_is_found() -> None:
    fit = compare_initial(draws("uniform", (20, 30), 0.1, 0), draws("uniform", (20, 30), 0.1 * 3**0.5, 50))
    assert not fit.ok
    assert "standard deviation" in fit.detail


def test_another_shape_of_the_same_spread_is_found() -> None:
    fit = compare_initial(draws("uniform", (40, 50), 3**0.5, 0), draws("normal", (40, 50), 1.0, 50))
    assert not fit.ok


def test_constants_are_exact() -> None:
    ones = [np.ones(4)] * SEEDS
    gates = [np.array([0.0, 1.0, 0.0, 0.0])] * SEEDS
    assert compare_initial(ones, ones).ok
    assert compare_initial(gates, gates).ok
    assert not compare_initial(gates, [np.zeros(4)] * SEEDS).ok
    assert not compare_initial(ones, [np.zeros(4)] * SEEDS).ok
    assert not compare_initial([np.zeros(4)] * SEEDS, draws("uniform", (4,), 0.1, 0)).ok
