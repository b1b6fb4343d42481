"""Weight transforms: what they do, and what they do to gradients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from migrator_validators.weights import apply, apply_gradient, parse

from migrator.errors import UsageError


@pytest.mark.parametrize(
    ("text", "shape", "expected"),
    [
        ("", (2, 3), (2, 3)),
        ("T", (2, 3), (3, 2)),
        ("transpose(3,2,0,1)", (3, 3, 2, 5), (5, 2, 3, 3)),
        ("reshape(6,6,8,10) transpose(3,2,0,1) reshape(10,-1)", (288, 10), (10, 288)),
        ("reshape(6*6, 8, -1)", (288, 10), (36, 8, 10)),
        ("row(1) blocks(1,0,2)", (2, 9), (9,)),
        ("T blocks(1,0,2)", (4, 9), (9, 4)),
        ("col(0)", (3, 4, 1), (3, 4)),
        ("T inputs(4)", (7, 8), (8, 5)),
        ("T states(4)", (7, 8), (8, 2)),
        ("unsqueeze(0) squeeze(0)", (3,), (3,)),
    ],
)
def test_shapes(text: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert apply(text, np.zeros(shape)).shape == expected


def test_gates_are_reordered() -> None:
    assert apply("blocks(1,0,2)", np.arange(6.0)).tolist() == [2, 3, 0, 1, 4, 5]


def test_the_kernel_of_a_cell_is_that_of_the_input_and_that_of_the_state() -> None:
    kernel = np.arange(6.0).reshape(3, 2)  # an input of one, a state of two
    assert apply("T inputs(1)", kernel).tolist() == [[0], [1]]
    assert apply("T states(1)", kernel).tolist() == [[2, 4], [3, 5]]


def test_one_block_is_lifted() -> None:
    bias = np.zeros(8, "float32")
    assert apply("lift(1,4,1.0)", bias).tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert apply_gradient("lift(1,4,1.0)", bias).tolist() == [0] * 8
    assert not bias.any()


@given(
    st.sampled_from(["T", "T negate", "reshape(-1)", "transpose(1,0) flip(0)", "blocks(2,0,1)", "scale(2)", "add(3)"])
)
def test_a_gradient_moves_with_its_weight(text: str) -> None:
    """The change of a loss under a small step is the same in either layout."""
    rng = np.random.default_rng(0)
    w, g, step = (rng.normal(size=(3, 4)) for _ in range(3))
    moved = apply(text, w + step) - apply(text, w)
    assert np.sum(apply_gradient(text, g) * moved) == pytest.approx(np.sum(g * step))


@pytest.mark.parametrize("text", ["rotate(1)", "T)", "reshape(x)", "transpose(__import__('os'))", "exec"])
def test_what_is_no_transform(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_a_sum_has_no_gradient_back() -> None:
    with pytest.raises(ValueError, match="sum"):
        apply_gradient("sum(0)", np.zeros((2, 3)))
