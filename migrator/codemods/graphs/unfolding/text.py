"""Source text that is edited line by line, and still knows of each line where it stems from."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Edit = tuple[int, int, int, str]
"""Line (1-based), first and last column in bytes, new text."""


@dataclass(frozen=True)
class Text:
    """`origin`: for each line the line of the original file that it stems from."""

    lines: tuple[str, ...]
    origin: tuple[int, ...]

    @classmethod
    def of(cls, source: str) -> Text:
        """The text of a file as it is."""
        lines = tuple(source.splitlines())
        return cls(lines, tuple(range(1, len(lines) + 1)))

    @property
    def source(self) -> str:
        return "\n".join(self.lines) + "\n"

    def replaced(self, first: int, last: int, new: Sequence[str]) -> Text:
        """With other lines in the place of some (1-based, inclusive)."""
        origin = self.origin[first - 1] if self.origin else 1
        lines = (*self.lines[: first - 1], *new, *self.lines[last:])
        return Text(lines, (*self.origin[: first - 1], *([origin] * len(new)), *self.origin[last:]))

    def edited(self, edits: Iterable[Edit]) -> Text:
        """With other text within lines."""
        return Text(tuple(edited(self.lines, edits)), self.origin)


def edited(lines: Sequence[str], edits: Iterable[Edit]) -> list[str]:
    """Lines with other text in some places, none of which overlap."""
    out = list(lines)
    for line, start, end, new in sorted(edits, reverse=True):
        data = out[line - 1].encode()
        out[line - 1] = (data[:start] + new.encode() + data[end:]).decode()
    return out


def renames(node: ast.AST, names: Mapping[str, str]) -> list[Edit]:
    """The edits that put other text in the place of names."""
    found = (n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in names)
    return [(n.lineno, n.col_offset, n.end_col_offset or 0, names[n.id]) for n in found]


def in_one_line(node: ast.expr) -> bool:
    return node.lineno == node.end_lineno
