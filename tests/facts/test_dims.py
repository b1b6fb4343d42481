"""Symbolic arithmetic agrees with numbers, and joins lose only what differs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.facts import dims
from migrator.facts.join import join
from migrator.values import MIXED, Dim, Instance, Literal, Scalar, Sequence, Span, Sym, Tensor, Unknown, Value

OPERATIONS: list[tuple[Callable[[Dim, Dim], Dim], Callable[[int, int], int]]] = [
    (dims.add, lambda a, b: a + b),
    (dims.subtract, lambda a, b: a - b),
    (dims.multiply, lambda a, b: a * b),
    (dims.floor_divide, lambda a, b: a // b if b else 0),
    (dims.ceil_divide, lambda a, b: -(-a // b) if b else 0),
]


@given(
    st.lists(st.tuples(st.sampled_from(range(5)), st.sampled_from(["a", "b", 1, 2, 3])), min_size=1, max_size=5),
    st.booleans(),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_text_means_what_the_numbers_give(steps: list[tuple[int, str | int]], flipped: bool, a: int, b: int) -> None:
    """Whatever is built of symbols and numbers evaluates to what the numbers alone give."""
    symbolic: Dim = Sym("a")
    number = a
    for operation, operand in steps:
        on_dims, on_numbers = OPERATIONS[operation]
        value = {"a": a, "b": b}.get(operand, operand) if isinstance(operand, str) else operand
        assert isinstance(value, int)
        other: Dim = Sym(operand) if isinstance(operand, str) else operand
        if flipped and operation < 3:
            symbolic, number = on_dims(other, symbolic), on_numbers(value, number)
        else:
            symbolic, number = on_dims(symbolic, other), on_numbers(number, value)
        if symbolic is None:
            return
    text = symbolic.text if isinstance(symbolic, Sym) else str(symbolic)
    assert eval(text, {"a": a, "b": b}) == number


def test_folding() -> None:
    units = Sym("units")
    assert dims.multiply(1, units) == units
    assert dims.add(0, units) == units
    assert dims.subtract(units, units) == 0
    assert dims.multiply(49, Sym("width * 2")) == Sym("49 * width * 2")
    assert dims.multiply(Sym("a + b"), 2) == Sym("(a + b) * 2")
    assert dims.floor_divide(dims.multiply(3, units), 3) == units
    assert dims.floor_divide(Sym("49 * width * 2"), 2) == Sym("49 * width")
    assert dims.floor_divide(Sym("3 * (a + b)"), 3) == Sym("a + b")
    assert dims.floor_divide(Sym("units * 3"), units) == 3
    assert dims.floor_divide(dims.multiply(3, units), 2) == Sym("3 * units // 2")
    assert dims.add(None, 3) is None
    assert dims.names(Sym("len(xs) + self.n")) == {"len", "xs", "self"}


SITE = Span(1, 0, 1, 5)


@pytest.mark.parametrize(
    ("a", "b", "joined"),
    [
        (Literal(1), Literal(1), Literal(1)),
        (Literal(1), Literal(2), Scalar("int")),
        (Literal(1), Literal(2.5), Scalar("float")),
        (Literal(1), Literal(None), Unknown("None or a number")),
        (Tensor((2, 3)), Tensor((2, 4)), Tensor((2, None))),
        (Tensor((2, 3)), Tensor((3,)), Tensor(None, last=3)),
        (Tensor((2,)), Literal(None), Tensor((2,))),
        (Tensor((2,)), Literal(3), Unknown(MIXED)),
        (Tensor((2,), origin="numpy"), Literal(3), Unknown()),
        (Unknown(MIXED), Scalar("float"), Unknown(MIXED)),
        (Unknown(MIXED), Literal("a"), Unknown()),
        (Scalar("int", Sym("n")), Literal(3), Scalar("int")),
        (Sequence("list", ()), Sequence("list", (Literal(1),), Literal(1)), Sequence("list", None, Literal(1))),
        (Unknown("why"), Literal(3), Unknown("why")),
    ],
)
def test_joins(a: Value, b: Value, joined: Value) -> None:
    assert join(a, b) == joined
    assert type(join(b, a)) is type(joined)
    assert join(a, a) == a


def test_layers_of_one_site_stay_one() -> None:
    a = Instance("tf.keras.layers.Dense", "m", SITE, (("units", Literal(1)),))
    b = Instance("tf.keras.layers.Dense", "m", SITE, (("units", Literal(2)),))
    assert join(a, b) == Instance("tf.keras.layers.Dense", "m", SITE, (("units", Scalar("int")),))
