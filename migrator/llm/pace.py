"""How fast a server is asked: calls at the same time and tokens a minute, learned from its 429s."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

_MINUTE = 60.0
_EASIER = 10
"""Calls that have to go well in a row before one more is let out at the same time."""


class Pace:
    """Lets calls out one by one. Used from one event loop.

    `at_once`: the most calls under way; a 429 halves it, calls that go well bring it back one by one.
    `tokens_a_minute`: None is no bound until a server names its own with a 429. A further 429 lowers it
    by a tenth, and it grows by a tenth with each such run of good calls, up to what was set or named.
    """

    def __init__(
        self, at_once: int = 4, tokens_a_minute: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.at_once = self._most = max(1, at_once)
        self.tokens_a_minute = self._bound = tokens_a_minute
        self._clock = clock
        self._running = 0
        self._good = 0
        self._not_before = 0.0
        self._sent: deque[tuple[float, int]] = deque()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def turn(self, tokens: int) -> AsyncIterator[None]:
        """Wait until a call of about this many tokens may go out; it is under way inside the block."""
        async with self._changed:
            while (wait := self._wait(tokens)) != 0.0:
                await self._sleep(wait)
            self._running += 1
            self._sent.append((self._clock(), tokens))
        try:
            yield
        finally:
            async with self._changed:
                self._running -= 1
                self._changed.notify_all()

    async def _sleep(self, seconds: float | None) -> None:
        """Until another call ends, or `seconds` are over; the condition is held before and after."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    def _wait(self, tokens: int) -> float | None:
        """Seconds until a call may go out: 0 is now, None is when another one ends."""
        if self._running >= self.at_once:
            return None
        now = self._clock()
        return max(self._not_before - now, self._room_in(now, tokens), 0.0)

    def _room_in(self, now: float, tokens: int) -> float:
        """Seconds until the last minute has room for `tokens`; one call alone may be larger than the bound."""
        while self._sent and self._sent[0][0] <= now - _MINUTE:
            self._sent.popleft()
        if self.tokens_a_minute is None:
            return 0.0
        excess = sum(size for _, size in self._sent) + tokens - self.tokens_a_minute
        wait = 0.0
        for moment, size in self._sent:  # oldest first: these have to leave the minute
            if excess <= 0:
                break
            excess -= size
            wait = moment + _MINUTE - now
        return wait

    def slow_down(self, seconds: float, named: int | None = None) -> None:
        """The server said 429: nobody asks for `seconds`, then fewer at a time.

        `named`: the server's own limit of tokens a minute.
        """
        self._good = 0
        self._not_before = max(self._not_before, self._clock() + seconds)
        self.at_once = max(1, self.at_once // 2)
        if self.tokens_a_minute is not None:
            self.tokens_a_minute = max(1, self.tokens_a_minute * 9 // 10)
        if named is not None and (self._bound is None or named < self._bound):
            self._bound = named
            self.tokens_a_minute = min(named, self.tokens_a_minute or named)

    def went_well(self) -> None:
        """A reply came."""
        self._good += 1
        if self._good < _EASIER:
            return
        self._good = 0
        self.at_once = min(self.at_once + 1, self._most)
        if self.tokens_a_minute is not None:
            grown = self.tokens_a_minute * 11 // 10 + 1
            self.tokens_a_minute = min(grown, self._bound or grown)
