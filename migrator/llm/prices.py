"""What tokens cost."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from migrator.errors import UsageError

BATCH_DISCOUNT = 0.5
"""Of the ordinary price, for requests handed in as a batch (OpenAI's published rate)."""

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """Dollars for a call."""
        return (tokens_in * self.input + tokens_out * self.output) / 1e6


FREE = Price(0.0, 0.0)


def price_of(model: str, given: str | None = None, local: bool = False) -> Price | None:
    """The price of a model: `given` ("IN,OUT"), nothing for a server on this machine, or the table's; else None."""
    if given is not None:
        return _read(given)
    return FREE if local else _table().get(_DATED.sub("", model))


def _read(text: str) -> Price:
    try:
        both = [float(part) for part in text.split(",")]
        if len(both) != 2 or not all(0 <= part < 1e6 for part in both):
            raise ValueError
    except ValueError:
        raise UsageError(f"price: give two numbers, dollars per million tokens in and out, not {text!r}") from None
    return Price(*both)


@cache
def _table() -> dict[str, Price]:
    text = files("migrator.llm").joinpath("prices.toml").read_text(encoding="utf-8")
    return {name: Price(*both) for name, both in tomllib.loads(text).items()}
