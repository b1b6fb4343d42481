"""Initial values of fresh objects: constants exactly, drawn ones in distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

ALPHA = 1e-6
"""Chance that one tensor of a right migration is called wrong; a net has hundreds of tensors."""
BEYOND = 20
"""So many draws beyond all of the other sample's: 2 to the power of minus that, for one distribution."""
ENOUGH = 200_000
"""Draws that are looked at; of a larger tensor so many, at random places."""
ORTHOGONAL = 2e-5
"""Rounding of a float32 decomposition stays below; the product of two random vectors of a million numbers does not."""
MANY = 200
"""From so many draws on, the spread of a flat distribution is known better than that of a normal one."""


@dataclass(frozen=True)
class Fit:
    """Whether two samples of initial values agree; `measured` and `allowed` belong to the statistic named."""

    ok: bool
    statistic: str
    measured: float
    allowed: float
    detail: str = ""


def compare_initial(source: Sequence[npt.NDArray[Any]], target: Sequence[npt.NDArray[Any]]) -> Fit:
    """Compare the values that two initialisers gave over the same number of seeds. Arrays are of one shape."""
    x, y = np.stack(source), np.stack(target)
    if _deterministic(x):
        x, y = x.astype("float64"), y.astype("float64")
        gap = float(np.max(np.abs(y - x[:1]), initial=0.0))
        allowed = 1e-6 * max(1.0, float(np.max(np.abs(x), initial=0.0)))
        shown = "" if gap <= allowed else f"starts at {_summary(y)} instead of {_summary(x)}"
        return Fit(gap <= allowed, "constant", gap, allowed, shown)
    if _orthogonal(x) and not _orthogonal(y):
        return Fit(False, "orthogonality", 1.0, 0.0, f"not orthogonal as the source's is: {_summary(y)}")
    return _compare_drawn(_some(x), _some(y))


def _some(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """All draws, or enough of them."""
    flat = x.ravel()
    if flat.size > ENOUGH:
        flat = flat[np.random.default_rng(flat.size).integers(0, flat.size, ENOUGH)]
    return flat.astype("float64")


def _orthogonal(x: npt.NDArray[Any]) -> bool:
    """Whether the matrices of all seeds have orthonormal rows or columns, up to a factor.

    A kernel is folded to a matrix from either end: outputs come first in one framework, last in the other.
    """
    if x.ndim < 3:
        return False
    return any(_orthonormal(x.reshape(len(x), *shape)) for shape in ((x.shape[1], -1), (-1, x.shape[-1])))


def _orthonormal(matrices: npt.NDArray[Any]) -> bool:
    if min(matrices.shape[1:]) < 2:
        return False
    wide = matrices.shape[1] <= matrices.shape[2]
    for narrow in matrices if wide else matrices.transpose(0, 2, 1):
        matrix = narrow.astype("float64")
        scale = float(matrix[0] @ matrix[0])
        if scale <= 0 or abs(matrix[0] @ matrix[1]) > ORTHOGONAL * scale:
            return False  # as almost all that is not orthogonal, with no product of large matrices
        if not np.allclose(matrix @ matrix.T, scale * np.eye(len(matrix)), rtol=0, atol=ORTHOGONAL * scale):
            return False
    return True


def _deterministic(x: npt.NDArray[Any]) -> bool:
    """The same over all seeds; from a single seed only a constant array can be called so."""
    if len(x) > 1:
        return bool(np.all(x == x[:1]))
    return bool(x.size == 0 or np.all(x == x.flat[0]))


def _compare_drawn(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Fit:
    """Spread, range, then the whole distribution (Kolmogorov-Smirnov). The bounds hold for independent
    draws; orthogonal matrices vary less."""
    n, sx, sy = len(x), float(x.std()), float(y.std())
    spread = abs(math.log(sy / sx)) if sx > 0 and sy > 0 else math.inf
    z = math.sqrt(-2 * math.log(ALPHA))
    least = 1.0 if n < MANY else 0.5
    allowed = z * math.sqrt(1.0 / max(n, 2)) * max(least, math.sqrt(max(_kurtosis(x) - 1, 0.0) / 2)) + 1e-3
    if spread > allowed:
        return Fit(False, "spread", spread, allowed, f"standard deviation {sy:.4g} instead of {sx:.4g}")
    beyond = max(int(np.sum(abs(y) > abs(x).max())), int(np.sum(abs(x) > abs(y).max())))
    if beyond >= BEYOND:
        return Fit(
            False, "range", float(beyond), float(BEYOND), f"another range: {_summary(y)} instead of {_summary(x)}"
        )
    distance = _distance(x, y)
    bound = math.sqrt(-math.log(ALPHA / 2) / 2) * math.sqrt(2.0 / n)
    detail = "" if distance <= bound else f"another distribution: {_summary(y)} instead of {_summary(x)}"
    return Fit(distance <= bound, "distribution", distance, bound, detail)


def _kurtosis(x: npt.NDArray[Any]) -> float:
    centred = x - x.mean()
    variance = float(np.mean(centred**2))
    return float(np.mean(centred**4)) / variance**2 if variance > 0 else 0.0


def _distance(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> float:
    """The largest gap between the two empirical distribution functions."""
    a, b = np.sort(x), np.sort(y)
    points = np.concatenate([a, b])
    below = np.searchsorted(a, points, side="right") / len(a) - np.searchsorted(b, points, side="right") / len(b)
    return float(np.max(np.abs(below)))


def _summary(x: npt.NDArray[Any]) -> str:
    if x.size and np.all(x == x.flat[0]):
        return f"{x.flat[0]:.4g}"
    return f"mean {x.mean():.3g}, std {x.std():.3g}, within [{x.min():.3g}, {x.max():.3g}]"
