"""Lines that ran, said by the definition they stand in: an outcome is used again where the file around it has changed.

"a.py#12" is line 12; "a.py#f@0+3" is three lines below the head of the first definition at the top of the file that is
named `f`; "a.py#12:4-9" and "a.py#f@0+3:4-9" are parts of these. Definitions that did not change keep the second where
what stands above them grew or shrank.
"""

from __future__ import annotations

import ast
import bisect
import functools
from collections.abc import Callable, Iterable, Mapping

from migrator_validators.pieces import Definition

Place = tuple[int, int, str]
"""First and last line of a definition, and its name with its number among those of that name."""


def relative(reached: Iterable[str], files: Mapping[str, bytes]) -> frozenset[str]:
    """What ran in these files of a tree (path → content), its lines by definition; what is no line stays as it is."""
    return frozenset(_each(reached, files, _below))


def absolute(reached: Iterable[str], files: Mapping[str, bytes]) -> frozenset[str]:
    """What `relative` gave, as lines of these files. Definitions that are not there any more are left out."""
    return frozenset(name for name in _each(reached, files, _line) if name)


def _each(
    reached: Iterable[str], files: Mapping[str, bytes], said: Callable[[str, str, tuple[Place, ...]], str]
) -> Iterable[str]:
    for name in reached:
        path, mark, line = name.partition("#")
        yield said(path, line, _places(files[path])) if mark and path in files else name


def _below(path: str, line: str, places: tuple[Place, ...]) -> str:
    number, colon, part = line.partition(":")
    at = bisect.bisect_right(places, int(number), key=lambda place: place[0]) - 1
    if at < 0 or int(number) > places[at][1]:
        return f"{path}#{line}"
    return f"{path}#{places[at][2]}+{int(number) - places[at][0]}{colon}{part}"


def _line(path: str, line: str, places: tuple[Place, ...]) -> str:
    name, plus, offset = line.partition("+")
    if not plus:
        return f"{path}#{line}"
    starts = (start for start, _, named in places if named == name)
    offset, colon, part = offset.partition(":")
    return next((f"{path}#{start + int(offset)}{colon}{part}" for start in starts), "")


@functools.lru_cache(maxsize=4096)
def _places(content: bytes) -> tuple[Place, ...]:
    """The definitions at the top of a file, in order; none of one that does not parse."""
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError):
        return ()
    found: list[Place] = []
    for s in body:
        if isinstance(s, Definition):
            number = sum(named.rpartition("@")[0] == s.name for *_, named in found)
            start = min([s.lineno, *(d.lineno for d in s.decorator_list)])
            found.append((start, s.end_lineno or s.lineno, f"{s.name}@{number}"))
    return tuple(found)
