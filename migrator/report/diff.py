"""A file before and after, side by side: rows for the page."""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest

from markupsafe import Markup
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES

CONTEXT = 3
"""Unchanged lines shown around a change."""


@dataclass(frozen=True)
class Row:
    """A line on either side. `kind`: same, change, add or delete. `unit`: id of the unit that begins here.

    `folded` counts the unchanged lines that begin here and are hidden until asked for.
    """

    kind: str
    left: int | None
    left_html: Markup
    right: int | None
    right_html: Markup
    unit: str = ""
    folded: int = 0
    hidden: bool = False


def side_by_side(before: str, after: str, units: Mapping[int, str]) -> list[Row]:
    """Rows of both texts. `units`: first line of a unit in `before` → its id."""
    old, new = _lines(before), _lines(after)
    old_html, new_html = _highlight(before), _highlight(after)
    rows = []
    for left, right, kind in _pairs(old, new):
        rows.append(
            Row(
                kind,
                None if left is None else left + 1,
                Markup("") if left is None else old_html[left],
                None if right is None else right + 1,
                Markup("") if right is None else new_html[right],
                units.get(left + 1, "") if left is not None else "",
            )
        )
    return list(_fold(rows))


def _lines(text: str) -> list[str]:
    """Lines as Python counts them; `str.splitlines` would also split at form feeds."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _pairs(old: list[str], new: list[str]) -> Iterator[tuple[int | None, int | None, str]]:
    # A blank line matches any other and would tear a rewritten block into stripes.
    matcher = difflib.SequenceMatcher(lambda line: not line.strip(), old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        for left, right in zip_longest(range(i1, i2), range(j1, j2)):
            if tag == "equal":
                yield left, right, "same"
            else:
                yield left, right, "add" if left is None else "delete" if right is None else "change"


def _fold(rows: list[Row]) -> Iterator[Row]:
    """Hide runs of unchanged lines away from any change; a unit's first line stays visible."""
    near = [False] * len(rows)
    for n, row in enumerate(rows):
        if row.kind != "same" or row.unit:
            reach = CONTEXT if row.kind != "same" else 0
            near[max(n - reach, 0) : n + reach + 1] = [True] * (min(n + reach + 1, len(rows)) - max(n - reach, 0))
    n = 0
    while n < len(rows):
        end = n
        while end < len(rows) and not near[end]:
            end += 1
        if end - n < 4:  # not worth a fold
            yield from rows[n : max(end, n + 1)]
        else:
            yield replace(rows[n], folded=end - n, hidden=True)
            yield from (replace(row, hidden=True) for row in rows[n + 1 : end])
        n = max(end, n + 1)


def _highlight(text: str) -> list[Markup]:
    """One HTML fragment a line; plain where the lexer drops a character."""
    lines = _lines(text)
    coloured = [""]
    for kind, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens("\n".join(lines)):
        css = STANDARD_TYPES.get(kind, "")
        for n, piece in enumerate(value.split("\n")):
            if n:
                coloured.append("")
            if piece:
                escaped = html.escape(piece)
                coloured[-1] += f'<span class="{css}">{escaped}</span>' if css else escaped
    if len(coloured) != len(lines):
        coloured = [html.escape(line) for line in lines]
    return [Markup(line) for line in coloured]
