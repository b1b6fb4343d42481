"""Arguments of a Keras object: source texts beside abstract values, under TF's parameter names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrator.model import Decline
from migrator.values import Literal, Value


class Refused(Exception):
    """Raised inside a record; turned into a `Decline` at the edge of this package."""


@dataclass(frozen=True)
class Arguments:
    """What was given to a call: `texts` as source, `values` as known; absent names are defaults."""

    texts: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)

    def given(self, name: str) -> bool:
        return name in self.texts and not self.is_literal(name, None)

    def is_literal(self, name: str, value: object) -> bool:
        known = self.values.get(name)
        return isinstance(known, Literal) and known.value == value and type(known.value) is type(value)

    def text(self, name: str, default: str) -> str:
        return self.texts.get(name, default)

    def literal(self, name: str, default: object) -> object:
        """The constant given for `name`; raises `Refused` when it is not a constant."""
        if name not in self.texts:
            return default
        known = self.values.get(name)
        if not isinstance(known, Literal):
            raise Refused(f"`{name}` is not a constant")
        return known.value

    def flag(self, name: str, default: bool = False) -> bool:
        return bool(self.literal(name, default))

    def number(self, name: str, default: float) -> float:
        value = self.literal(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(f"`{name}` is not a number")
        return value

    def only(self, *names: str) -> None:
        """Raises `Refused` when anything else than `names` or None was given."""
        for name in self.texts:
            if name not in names and not self.is_literal(name, None):
                raise Refused(f"argument `{name}` has no rule")


def refusal(error: Refused, api: str) -> Decline:
    return Decline(str(error), api=api)


def number_text(value: float) -> str:
    """A number as people write it: 0.001 rather than 1e-03, 1e-07 as 1e-7."""
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    return text if not e else f"{mantissa}e{int(exponent)}"
