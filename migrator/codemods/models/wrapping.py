"""Long lines that place a module, broken at the arguments as formatters do."""

from __future__ import annotations

import re

WIDTH = 120
_PLACES = re.compile(r"self\.\w+(?: = |\.append\()")
_OPEN, _CLOSE = "([{", ")]}"


def wrapped(line: str, before: int = 0) -> list[str]:
    """The line, in several where it is too long; `before`: columns that stand before it in the file."""
    if before + len(line) <= WIDTH or "#" in line or not _PLACES.match(line.strip()):
        return [line]
    return _broken(line, before)


def _broken(line: str, before: int) -> list[str]:
    """The last call of a line with its arguments on a line of their own, or one a line."""
    parts = _arguments(line)
    if before + len(line) <= WIDTH or parts is None:
        return [line]
    head, arguments = parts
    margin = " " * (len(line) - len(line.lstrip()) + 4)
    joined = f"{margin}{', '.join(arguments)}"
    if before + len(joined) <= WIDTH:
        return [head, joined, f"{margin[4:]})"]
    if len(arguments) == 1:
        return [head, *_broken(f"{margin}{arguments[0]}", before), f"{margin[4:]})"]
    return [head, *(f"{margin}{argument}," for argument in arguments), f"{margin[4:]})"]


def _arguments(line: str) -> tuple[str, list[str]] | None:
    """(the text up to the bracket that the line's last one closes, what stands between); None for no call."""
    if not line.endswith(")"):
        return None
    depth, quote, start, cuts = 0, "", -1, []
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote and line[at - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char in _OPEN:
            depth += 1
            if depth == 1:
                start, cuts = at, [at]
        elif char in _CLOSE:
            depth -= 1
        elif char == "," and depth == 1:
            cuts.append(at)
    if start < 0 or depth or line[start] != "(":
        return None
    ends = [*cuts[1:], len(line) - 1]
    found = [line[first + 1 : last].strip() for first, last in zip(cuts, ends, strict=True)]
    return line[: start + 1], [argument for argument in found if argument]
