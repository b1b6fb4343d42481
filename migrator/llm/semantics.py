"""What TensorFlow and PyTorch do differently, for just the APIs that a fragment uses.

`semantics.md` has one line a difference, with the APIs that it is about as patterns in braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

_LINE = re.compile(r"- (?P<number>\d+\.\d+) \{(?P<patterns>[^}]+)\} (?P<text>.+)")


@dataclass(frozen=True)
class Difference:
    """One line. `patterns` are matched with the end of a canonical name (`Dense`, `nn.conv*`, `tf.pad`).

    `words`: one of them must stand in the program, or the line says nothing about it; none is no condition.
    """

    number: str
    patterns: tuple[str, ...]
    text: str
    words: tuple[str, ...] = ()

    def concerns(self, api: str) -> bool:
        """Whether it is about an API, by canonical name."""
        return any(fnmatchcase(api, pattern) or fnmatchcase(api, f"*.{pattern}") for pattern in self.patterns)

    def applies(self, program: str) -> bool:
        """Whether a program has what the line is about."""
        return not self.words or any(word in program for word in self.words)

    @property
    def silent(self) -> bool:
        """Whether the wrong rewrite runs and gives wrong numbers."""
        return "(silent" in self.text


@cache
def differences() -> tuple[Difference, ...]:
    """All lines, in the file's order."""
    text = resources.files("migrator.llm").joinpath("semantics.md").read_text(encoding="utf-8")
    found = (_LINE.fullmatch(line) for line in text.splitlines())
    return tuple(_difference(m) for m in found if m)


def _difference(line: re.Match[str]) -> Difference:
    patterns, _, words = line["patterns"].partition(" | ")
    return Difference(line["number"], tuple(patterns.split()), line["text"], tuple(words.split()))


def about(apis: Iterable[str], program: str, also: Iterable[str] = ()) -> tuple[str, ...]:
    """The lines about these APIs (canonical names) as a program uses them: those that go wrong silently first.

    `also`: APIs of which only the lines are wanted that go wrong silently.
    """
    wanted, others = tuple(dict.fromkeys(apis)), tuple(dict.fromkeys(also))
    lines = [line for line in differences() if line.applies(program)]
    found = [
        line for line in lines if any(map(line.concerns, wanted)) or (line.silent and any(map(line.concerns, others)))
    ]
    return tuple(line.text for line in sorted(found, key=lambda line: not line.silent))
