"""Tables of numbers that scikit-learn loads, splits and scales: their rank is known, their width is the data's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from migrator.facts.calls import Arguments
from migrator.facts.join import join_all
from migrator.facts.words import words
from migrator.values import External, Sequence, Tensor, Unknown, Value

_TABLE = Tensor((None, None), "float64", "numpy")
_LABELS = Tensor((None,), None, "numpy")
_BUNCH = "sklearn.utils.Bunch"
_LOADERS = words(
    "fetch_california_housing load_boston load_breast_cancer load_diabetes load_digits load_iris load_wine"
)
_SCALERS = words(
    """sklearn.preprocessing.StandardScaler sklearn.preprocessing.MinMaxScaler sklearn.preprocessing.MaxAbsScaler
    sklearn.preprocessing.RobustScaler sklearn.preprocessing.PowerTransformer
    sklearn.preprocessing.QuantileTransformer sklearn.decomposition.PCA"""
)

MEMBERS: dict[str, Value] = {f"{_BUNCH}.data": _TABLE, f"{_BUNCH}.target": _LABELS}
"""What attributes of its objects are, by dotted name."""


def _loaded(args: Arguments) -> Value:
    if args.open or args.keywords.keys() & {"return_X_y", "as_frame"}:
        return Unknown("a data set in another form")
    return External(_BUNCH)


def _split(args: Arguments) -> Value:
    """Two parts of each array, with fewer rows."""
    if args.open:
        return Unknown("a star argument")
    parts = tuple(_fewer(value) for value in args.positional for _ in range(2))
    return Sequence("list", parts, join_all(parts))


def _fewer(value: Value) -> Value:
    if not isinstance(value, Tensor) or value.origin != "numpy":
        return Unknown("a part of something unknown")
    return replace(value, shape=None if value.shape is None else (None, *value.shape[1:]))


def _scaled(args: Arguments) -> Value:
    given = args.positional[0] if args.positional else None
    dtype = given.dtype if isinstance(given, Tensor) else None
    return replace(_TABLE, dtype=dtype if dtype in ("float32", "float64") else None)


def _scaler(name: str) -> dict[str, Callable[[Arguments], Value]]:
    """A class by itself stands for its objects, too."""
    made = External(name)
    results = {f"{name}.{method}": _scaled for method in ("fit_transform", "transform", "inverse_transform")}
    return {name: lambda _: made, f"{name}.fit": lambda _: made, **results}


CALLS: dict[str, Callable[[Arguments], Value]] = {
    "sklearn.model_selection.train_test_split": _split,
    **{f"sklearn.datasets.{name}": _loaded for name in _LOADERS},
    **{name: call for scaler in _SCALERS for name, call in _scaler(scaler).items()},
}
"""What its functions and methods give, by dotted name."""
