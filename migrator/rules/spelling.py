"""How numbers are written in the output."""

from __future__ import annotations

from migrator.rules.engine.declining import Decline
from migrator.values import Literal, Scalar, Unknown, Value


def number(value: object) -> str:
    """A number as a person writes it: 0.001 is `1e-3`, 0.25 stays."""
    if not isinstance(value, float) or value == 0.0 or abs(value) >= 0.01:
        return repr(value)
    mantissa, exponent = f"{value:.15e}".split("e")
    digits = mantissa.rstrip("0").rstrip(".")
    return f"{digits}e{int(exponent)}"


def of_value(value: Value | None, default: object) -> str:
    """The source of a number given to an object; raises `Decline` when it is unknown."""
    if value is None:
        return number(default)
    if isinstance(value, Literal) and isinstance(value.value, (int, float)):
        return number(value.value)
    if isinstance(value, Scalar | Unknown) and value.sym is not None:
        return value.sym.text
    raise Decline("a number is not known when rewriting")
