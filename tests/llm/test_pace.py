from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from migrator.llm.pace import Pace
from migrator.llm.transport import retry_after


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def waits(pace: Pace, tokens: int = 1) -> float | None:
    return pace._wait(tokens)


def spend(pace: Pace, tokens: int) -> None:
    async def turn() -> None:
        async with pace.turn(tokens):
            pass

    asyncio.run(turn())


def test_without_bounds_nobody_waits() -> None:
    pace = Pace(clock=Clock())
    for _ in range(50):
        spend(pace, 10_000)
    assert waits(pace, 10_000) == 0


def test_a_minute_holds_so_many_tokens() -> None:
    clock = Clock()
    pace = Pace(tokens_a_minute=1000, clock=clock)
    spend(pace, 600)
    clock.now += 20
    spend(pace, 300)
    assert waits(pace, 100) == 0
    assert waits(pace, 101) == 40  # until the first call has left the minute
    assert waits(pace, 800) == 60  # until the second has, too
    clock.now += 40
    assert waits(pace, 700) == 0


def test_a_call_larger_than_the_bound_goes_alone() -> None:
    clock = Clock()
    pace = Pace(tokens_a_minute=100, clock=clock)
    assert waits(pace, 500) == 0
    spend(pace, 500)
    assert waits(pace, 1) == 60


def test_a_429_stops_all_for_as_long_as_it_says() -> None:
    clock = Clock()
    pace = Pace(at_once=8, clock=clock)
    pace.slow_down(7.0)
    pace.slow_down(3.0)
    assert (waits(pace), pace.at_once) == (7.0, 2)
    clock.now += 7
    assert waits(pace) == 0


def test_good_calls_bring_the_pace_back_and_never_beyond_what_was_set() -> None:
    pace = Pace(at_once=4, tokens_a_minute=1000, clock=Clock())
    for _ in range(5):
        pace.slow_down(0.0)
    assert (pace.at_once, pace.tokens_a_minute) == (1, 590)
    for _ in range(200):
        pace.went_well()
    assert (pace.at_once, pace.tokens_a_minute) == (4, 1000)


def test_a_limit_that_the_server_names_holds() -> None:
    pace = Pace(tokens_a_minute=None, clock=Clock())
    pace.slow_down(0.0, named=500)
    for _ in range(200):
        pace.went_well()
    assert pace.tokens_a_minute == 500
    generous = Pace(tokens_a_minute=100, clock=Clock())
    generous.slow_down(0.0, named=500)
    assert generous.tokens_a_minute == 90


def test_no_more_than_so_many_at_once() -> None:
    async def run() -> int:
        pace, now, most = Pace(at_once=3), 0, 0

        async def call() -> None:
            nonlocal now, most
            async with pace.turn(1):
                now += 1
                most = max(most, now)
                await asyncio.sleep(0.005)
                now -= 1

        await asyncio.gather(*(call() for _ in range(20)))
        return most

    assert asyncio.run(run()) == 3


def test_a_call_that_fails_leaves_its_place() -> None:
    async def run() -> None:
        pace = Pace(at_once=1)
        for _ in range(3):
            with pytest.raises(ValueError, match="no"):
                async with pace.turn(1):
                    raise ValueError("no")

    asyncio.run(asyncio.wait_for(run(), 5))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "x"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, datetime(2026, 10, 21, 7, 28, tzinfo=UTC)) == seconds
