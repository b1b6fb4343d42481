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


def kernels(orthogonal: bool, shape: tuple[int, ...]) -> list[np.ndarray]:
    made = []
    for seed in range(SEEDS):
        values = np.random.default_rng(seed + 7 * orthogonal).normal(size=(np.prod(shape[:-1]), shape[-1]))
        q, r = np.linalg.qr(values)
        folded = q * np.sign(np.diag(r)) if orthogonal else values / np.sqrt(len(values))
        made.append(folded.reshape(shape).astype("float32"))
    return made


def first(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Outputs first, as convolutions have them."""
    return [np.moveaxis(a, -1, 0) for a in arrays]


@pytest.mark.parametrize("shape", [(9, 4), (3, 3, 8, 6)])
def test_orthogonal_matrices_are_told_from_drawn_ones_from_either_end(shape: tuple[int, ...]) -> None:
    right, drawn = kernels(True, shape), kernels(False, shape)
    assert compare_initial(right, right).ok
    assert compare_initial(first(right), first(right)).ok
    assert compare_initial(right, drawn).statistic == "orthogonality"
    assert compare_initial(first(right), first(drawn)).statistic == "orthogonality"


def test_long_random_vectors_are_not_orthogonal() -> None:
    shape = (512, 64, 3, 3)
    first, second = (draws("normal", shape, 0.01, start)[:1] for start in (0, 9))
    assert compare_initial(first, second).ok
