from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import UsageError
from migrator.llm.budget import Budget, Limits, Reservation, estimate
from migrator.llm.prices import FREE, Price, price_of

PRICE = Price(2.0, 8.0)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 900), st.integers(0, 400), st.floats(0, 1))),
    st.integers(1, 5000),
    st.integers(1, 5000),
)
def test_no_limit_is_ever_exceeded(calls: list[tuple[str, int, int, float]], run: int, unit: int) -> None:
    """Whatever is asked in whatever order, with replies as long as they may be or shorter."""
    budget = Budget(Limits(usd=0.01, tokens=run), Limits(tokens=unit), PRICE)
    spent: dict[str, int] = {}
    usd = 0.0
    for name, tokens_in, most_out, share in calls:
        reserved = budget.reserve(name, tokens_in, most_out)
        if isinstance(reserved, str):
            continue
        out = int(most_out * share)
        budget.settle(reserved, tokens_in + out, PRICE.of(tokens_in, out))
        spent[name] = spent.get(name, 0) + tokens_in + out
        usd += PRICE.of(tokens_in, out)
    assert sum(spent.values()) <= run
    assert all(tokens <= unit for tokens in spent.values())
    assert usd <= 0.01 + 1e-9


def test_reservations_count_until_they_are_settled() -> None:
    budget = Budget(Limits(tokens=100), Limits(), None)
    first = budget.reserve("a", 30, 30)
    assert isinstance(first, Reservation)
    assert isinstance(budget.reserve("b", 30, 30), str)
    assert budget.outstanding == 1
    budget.settle(first, 35, None)
    assert isinstance(budget.reserve("b", 30, 30), Reservation)


def test_reasons_name_the_account_and_the_figures() -> None:
    assert Budget(Limits(usd=0.5), Limits(), Price(1e6, 0)).reserve("a", 1, 0) == (
        "budget of the run: $0.0000 of $0.50 are spent or reserved, the next call may cost $1.0000"
    )
    assert Budget(Limits(), Limits(tokens=5000), None).reserve("m.py::f", 4000, 2000) == (
        "budget of the unit m.py::f: 0 of 5,000 tokens are spent or reserved, the next call may take 6,000"
    )


def test_a_budget_of_nothing_asks_nothing() -> None:
    assert isinstance(Budget(Limits(usd=0.0), Limits(), PRICE).reserve("a", 1, 1), str)
    assert isinstance(Budget(Limits(usd=0.0), Limits(), FREE).reserve("a", 1, 1), Reservation)


def test_prices() -> None:
    assert price_of("gpt-4.1-mini") == price_of("gpt-4.1-mini-2025-04-14") == Price(0.4, 1.6)
    assert price_of("llama3") is None
    assert price_of("llama3", local=True) == FREE
    assert price_of("llama3", "0.5, 1", local=True) == Price(0.5, 1.0)
    assert Price(2.0, 8.0).of(1_000_000, 500_000) == 6.0


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "-1,2", "nan,1", "inf,1"])
def test_a_price_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="price"):
        price_of("m", text)


@pytest.mark.parametrize("text", ["", "x = tf.reduce_sum(x, axis=1)\n" * 50, "名前" * 100, "\ud800"])
def test_estimates_are_on_the_safe_side(text: str) -> None:
    assert estimate(text) >= len(text) / 4
