"""What may be spent: dollars and tokens, per run and per unit. Reserved before a call, settled after it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from migrator.llm.prices import Price


@dataclass(frozen=True)
class Limits:
    """The most that may be spent; None is no limit. `usd` needs a model whose price is known."""

    usd: float | None = None
    tokens: int | None = None


@dataclass
class _Account:
    """Tokens and dollars that are spent or reserved."""

    tokens: int = 0
    usd: float = 0.0

    def add(self, tokens: int, usd: float) -> None:
        self.tokens += tokens
        self.usd += usd


@dataclass(frozen=True)
class Reservation:
    """What a call may cost at most: set aside until it is settled."""

    unit: str
    tokens: int
    usd: float


@dataclass
class Budget:
    """The accounts of a run and of its units. No call is let through that could exceed a limit."""

    run: Limits
    unit: Limits
    price: Price | None
    _spent: _Account = field(default_factory=_Account)
    _units: defaultdict[str, _Account] = field(default_factory=lambda: defaultdict(_Account))
    _outstanding: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reserve(self, unit: str, tokens_in: int, tokens_out: int) -> Reservation | str:
        """Set aside what a call may cost at most; where a limit would be exceeded, the reason in one line."""
        usd = self.price.of(tokens_in, tokens_out) if self.price else 0.0
        wanted = Reservation(unit, tokens_in + tokens_out, usd)
        with self._lock:
            reason = next(self._exceeded(wanted), None)
            if reason is not None:
                return reason
            self._add(unit, wanted.tokens, wanted.usd)
            self._outstanding += 1
        return wanted

    @property
    def outstanding(self) -> int:
        """Calls under way, which may turn out cheaper than what is set aside for them."""
        return self._outstanding

    def settle(self, reserved: Reservation, tokens: int, usd: float | None) -> None:
        """Replace a reservation by what the call really cost (0 where nothing was paid)."""
        with self._lock:
            self._add(reserved.unit, tokens - reserved.tokens, (usd or 0.0) - reserved.usd)
            self._outstanding -= 1

    def spend(self, unit: str, tokens: int, usd: float | None) -> None:
        """Count what was paid before: an interrupted run goes on with what it had left."""
        with self._lock:
            self._add(unit, tokens, usd or 0.0)

    def _add(self, unit: str, tokens: int, usd: float) -> None:
        for account in (self._spent, self._units[unit]):
            account.add(tokens, usd)

    def _exceeded(self, wanted: Reservation) -> Iterator[str]:
        accounts = (("run", self.run, self._spent), (f"unit {wanted.unit}", self.unit, self._units[wanted.unit]))
        for name, limits, account in accounts:
            if limits.usd is not None and account.usd + wanted.usd > limits.usd:
                yield (
                    f"budget of the {name}: ${account.usd:.4f} of ${limits.usd:.2f} are spent or reserved, "
                    f"the next call may cost ${wanted.usd:.4f}"
                )
            if limits.tokens is not None and account.tokens + wanted.tokens > limits.tokens:
                yield (
                    f"budget of the {name}: {account.tokens:,} of {limits.tokens:,} tokens are spent or reserved, "
                    f"the next call may take {wanted.tokens:,}"
                )


def estimate(text: str) -> int:
    """Tokens that a text has at most, nearly: program text has three to four bytes a token, other scripts more."""
    return len(text.encode("utf-8", "surrogatepass")) // 3 + 8
