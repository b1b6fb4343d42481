"""What two programs print, call by call: which calls belong together, and numbers in texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from migrator_validators.tolerances import FLOOR

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])|\b(?:nan|inf)\b")
ADDRESS = re.compile(r"0x[0-9a-f]+")
Call = Mapping[str, Any]


def plain(text: str) -> str:
    """A text without what is another number in every process."""
    return ADDRESS.sub("<address>", text)


def skeleton(text: str) -> str:
    """A text without its numbers."""
    return NUMBER.sub("#", plain(text))


def numbers(text: str) -> list[str]:
    """The numbers in a text, as they stand there."""
    return NUMBER.findall(plain(text))


def near(a: str, b: str, relative: float) -> bool:
    """Whether two numbers are equal to the places that are shown, or but for rounding."""
    return distance(a, b) <= relative


def distance(a: str, b: str) -> float:
    """The relative difference of two numbers beyond the places that are shown; of whole numbers all of it."""
    x, y = float(a), float(b)
    if a == b or (x != x and y != y) or x == y:
        return 0.0
    mantissa, _, exponent = a.lower().partition("e")
    whole = "." not in mantissa and not exponent
    place = 0.0 if whole else 1.001 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    gap = abs(x - y) - place
    return float("inf") if gap != gap or whole else max(gap, 0.0) / max(abs(x), FLOOR)


def together(ours: Sequence[Call], theirs: Sequence[Call]) -> list[tuple[Call, Call | None]]:
    """Each call of the original with that of the migrated program, which may print more; None where it has none."""
    found: list[tuple[Call, Call | None]] = []
    start = 0
    for one in ours:
        at = next((i for i in range(start, len(theirs)) if _kind(theirs[i]) == _kind(one)), None)
        found.append((one, None if at is None else theirs[at]))
        start = start if at is None else at + 1
    return found


def _kind(call: Call) -> tuple[str, ...]:
    """What a call prints, without the values."""
    return tuple(skeleton(item["v"]) if is_text(item) else "" for item in call["items"])


def is_text(tree: Mapping[str, Any]) -> bool:
    return bool(tree["t"] == "scalar" and tree["type"] == "str")
