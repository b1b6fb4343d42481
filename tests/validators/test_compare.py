"""Comparison of results: what must be equal, and what may differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from migrator_validators.compare import compare_arrays, compare_trees, says_something
from migrator_validators.probes.wire import plain
from migrator_validators.tolerances import TABLE

FORWARD = TABLE["forward"]


def leaf(array: Any, as_: str = "tensor", dtype: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    made = np.asarray(array)
    return {"t": "array", "as": as_, "key": "k", "dtype": dtype or str(made.dtype), "shape": list(made.shape)}, {
        "k": made
    }


def kinds(a: tuple[Any, Any], b: tuple[Any, Any]) -> list[str]:
    return [d.kind for d in compare_trees(*a, *b, FORWARD).differences]


def scalar(value: Any) -> dict[str, Any]:
    return {"t": "scalar", "type": type(value).__name__, "v": repr(value) if isinstance(value, float) else value}


@given(arrays("float32", array_shapes(max_dims=3), elements=st.floats(-1e6, 1e6, width=32)))
def test_an_array_equals_itself(x: Any) -> None:
    assert compare_arrays(x, x.copy(), FORWARD).differences == []


@given(arrays("float32", array_shapes(max_dims=2), elements=st.floats(-100, 100, width=32)), st.floats(0.02, 10))
def test_one_element_off_is_found(x: Any, gap: float) -> None:
    y = x.copy()
    y.flat[-1] += gap
    assert compare_arrays(x, y, FORWARD).differences != []


def test_rounding_is_allowed_relative_to_the_scale() -> None:
    x = np.array([1000.0, 0.0], "float32")
    assert compare_arrays(x, x + np.float32(1e-3), FORWARD).differences == []
    assert compare_arrays(x / 1000, x / 1000 + np.float32(1e-3), FORWARD).differences != []


def test_nan_and_infinity_by_position() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 1.0])
    assert compare_arrays(x, x.copy(), FORWARD).differences == []
    for y in ([0.0, np.inf, -np.inf, 1.0], [np.nan, -np.inf, -np.inf, 1.0], [np.nan, np.inf, -np.inf, np.nan]):
        assert compare_arrays(x, np.array(y), FORWARD).differences != []


def test_whole_numbers_and_booleans_are_exact() -> None:
    big = np.array([10**7], "int64")
    assert compare_arrays(big, big + 1, FORWARD).differences != []
    assert compare_arrays(np.array([True]), np.array([False]), FORWARD).differences != []


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        (leaf([1.0]), leaf([1.0], "numpy"), ["structure"]),
        (leaf([1.0], "numpy"), leaf([1.0]), ["structure"]),
        (leaf([1.0]), leaf([[1.0]]), ["shape"]),
        (leaf([1.0], dtype="float32"), leaf([1.0], dtype="float64"), ["dtype"]),
        (leaf([1], dtype="int32"), leaf([1], dtype="int64"), []),
        (leaf([1], dtype="int64"), leaf([1], dtype="int32"), ["dtype"]),
        (leaf([1.0]), ({"t": "list", "items": []}, {}), ["structure"]),
        (leaf(2.0, "numpy", "float32"), (scalar(2.0), {}), []),
        (leaf(2.0), (scalar(2.0), {}), []),
        ((scalar(2.0), {}), leaf(2.0), ["structure"]),
        ((scalar(2), {}), (scalar("2"), {}), ["structure"]),
        ((scalar(None), {}), (scalar(0), {}), ["structure"]),
        ((scalar(True), {}), (scalar(False), {}), ["other"]),
        ((scalar("a"), {}), (scalar("b"), {}), ["other"]),
    ],
)
def test_leaves(a: Any, b: Any, found: list[str]) -> None:
    assert kinds(a, b) == found


def test_containers() -> None:
    one, two = scalar(1), scalar(2)
    items = {"t": "list", "items": [one, two]}
    named = {"t": "namedtuple", "fields": ["x", "y"], "owner": "program", "items": [one, two]}
    assert kinds((items, {}), ({**items, "t": "tuple"}, {})) == []
    assert kinds((items, {}), ({"t": "list", "items": [one]}, {})) == ["structure"]
    assert kinds((items, {}), ({"t": "list", "items": [one, one]}, {})) == ["value"]
    assert kinds(({"t": "dict", "items": {"a": one}}, {}), ({"t": "dict", "items": {"b": one}}, {})) == ["structure"]
    assert kinds((named, {}), ({**items, "t": "tuple"}, {})) == ["structure"]
    assert kinds(({**named, "owner": "tensorflow"}, {}), ({**items, "t": "tuple"}, {})) == []


def test_what_is_no_evidence() -> None:
    assert not says_something([leaf(np.zeros(3)), leaf(np.zeros(3))])
    assert not says_something([leaf(np.full(3, np.nan))])
    assert says_something([leaf(np.zeros(3)), leaf(np.ones(3))])
    assert says_something([leaf(3.0)], inputs_vary=False)
    assert not says_something([leaf(0.0)], inputs_vary=False)


def test_that_both_give_nothing_is_no_evidence() -> None:
    nothing = {"t": "scalar", "type": "NoneType", "v": None}
    found = compare_trees(nothing, {}, nothing, {}, TABLE["exact"])
    assert (found.leaves, found.differences) == (0, [])


def test_zeros_at_the_end_of_bytes_count() -> None:
    assert plain(b"a\0\0").item() == b"a\0\0"
