"""Where the rules stopped inside a unit that they wrote for the most part: holes in their text.

The statements of the original and of the rules' text are aligned in order. A declined statement is
a hole where its counterpart stands, or where it would stand; so is whatever still names TensorFlow.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from migrator.llm.frame import Frame, Hole

LARGEST_SHARE = 0.5
"""Of the lines: with more holes than that, the unit is written anew."""

LONGEST = 60
"""Lines of one hole."""

ALIKE = 0.6
"""From which likeness on two statements are counterparts."""


@dataclass(frozen=True)
class _Statement:
    """A statement, or the head of a compound one. Lines are 0-based: the head ends before `body`, all before `end`."""

    text: str
    names: frozenset[str]
    first: int
    body: int
    end: int
    indent: int

    @property
    def compound(self) -> bool:
        return self.body < self.end


def frame(
    original: str, draft: str, declined: Mapping[int, Sequence[str]], reasons: Sequence[str], tf_names: Iterable[str]
) -> Frame | None:
    """The rules' text with its holes; None where they are not known well enough, or are most of it.

    `declined`: line of the original (0-based) → why the rules stopped there. `reasons`: why they stopped at no
    line; what these begin with (``model.fit: …``) shows where. `tf_names`: names of TensorFlow.
    """
    try:
        ours, theirs = list(_statements(original)), list(_statements(draft))
    except SyntaxError:
        return None
    pairs = _Pairs(original, ours, theirs)
    placed, left = list(pairs.declined(declined)), list(pairs.left(set(tf_names)))
    orphans = sum(pairs.back.get(statement) is None for statement in pairs.naming(set(tf_names)))
    if placed.count(None) > orphans or None in left:
        return None
    holes = _merged([hole for hole in (*placed, *left, *pairs.meant(reasons)) if hole is not None])
    if not holes:
        return None
    lines = len(draft.split("\n"))
    gone = sum(max(hole.end - hole.first, len(hole.was.split("\n"))) for hole in holes)
    if gone > LARGEST_SHARE * max(lines, len(original.split("\n"))):
        return None
    return Frame(draft, tuple(holes), gone=tuple(pairs.gone(set(tf_names), holes)))


def _statements(text: str) -> Iterator[_Statement]:
    yield from _walk(ast.parse(text).body)


def _walk(body: Sequence[ast.stmt]) -> Iterator[_Statement]:
    for node in body:
        inner = _blocks(node)
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
        end = node.end_lineno or node.lineno
        head = min(inner[0][0].lineno - 1, end) if inner else end
        yield _Statement(_head(node), frozenset(_names(node)), first, head, end, node.col_offset)
        for part in inner:
            yield from _walk(part)


def _blocks(node: ast.AST) -> list[list[ast.stmt]]:
    """The statements that a compound one holds, block by block."""
    parts = [part for name in ("handlers", "cases") for part in getattr(node, name, [])]
    own = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
    found = [*own[:1], *(part.body for part in parts), *own[1:]]
    return [block for block in found if isinstance(block, list) and block]


def _head(node: ast.stmt) -> str:
    """The statement without what it holds."""
    if not _blocks(node):
        return ast.unparse(node)
    return "\n".join(ast.unparse(node).splitlines()[: 1 + len(getattr(node, "decorator_list", []))])


def _names(node: ast.AST) -> Iterator[str]:
    """Names that a statement itself uses, those of statements inside it left out."""
    if isinstance(node, ast.Name):
        yield node.id
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt):
            yield from _names(child)


# --- holes ---------------------------------------------------------------------------------------------------


_MEANT = re.compile(r"`(?P<ticked>[\w.]+)`|(?P<dotted>\w+(?:\.\w+)+): ")
"""What a reason begins with, where that is a name of the program."""


class _Pairs:
    """The statements of both texts, and which is whose counterpart."""

    def __init__(self, original: str, ours: Sequence[_Statement], theirs: Sequence[_Statement]) -> None:
        self.lines, self.ours, self.theirs = original.split("\n"), ours, theirs
        self.places = _places(ours, theirs)
        self.back = {place: i for i, place in enumerate(self.places) if isinstance(place, _Statement)}

    def declined(self, declined: Mapping[int, Sequence[str]]) -> Iterator[Hole | None]:
        """A hole for each declined statement; None for one that has no place in the rules' text."""
        for line, why in sorted(declined.items()):
            index = _at(self.ours, line)
            yield None if index is None else self._hole(index, tuple(why))

    def left(self, tf_names: set[str]) -> Iterator[Hole | None]:
        """A hole for each statement of the rules' text that still names TensorFlow.

        One that the rules put together has no original of its own: it is shown as it stands.
        """
        for statement in self.naming(tf_names):
            index = self.back.get(statement)
            yield self._own(statement) if index is None else self._hole(index, ())

    def naming(self, tf_names: set[str]) -> list[_Statement]:
        """The statements of the rules' text that name TensorFlow."""
        return [statement for statement in self.theirs if statement.names & tf_names]

    def gone(self, tf_names: set[str], holes: Sequence[Hole]) -> Iterator[str]:
        """Statements of the original with TensorFlow that have no counterpart and are in no hole."""
        shown = "\n".join(hole.was for hole in holes)
        for statement, place in zip(self.ours, self.places, strict=True):
            if not isinstance(place, _Statement) and not statement.compound and statement.names & tf_names:
                text = textwrap.dedent("\n".join(self.lines[statement.first : statement.end]))
                if "".join(text.split()) not in "".join(shown.split()):
                    yield text

    def _own(self, statement: _Statement) -> Hole | None:
        if statement.compound:
            return None
        return Hole(statement.first, statement.end, statement.indent, statement.text)

    def meant(self, reasons: Sequence[str]) -> Iterator[Hole]:
        """A hole for each statement that has what a reason begins with, of the rules' text or else the original."""
        for reason in reasons:
            name = _MEANT.match(reason)
            word = name and re.compile(rf"(?<![\w.]){re.escape(name['ticked'] or name['dotted'])}(?!\w)")
            if word is None:
                continue
            found = [self.back[s] for s in self.theirs if word.search(s.text) and not s.compound and s in self.back]
            found = found or [i for i, s in enumerate(self.ours) if word.search(s.text) and not s.compound]
            holes = [self._hole(index, (reason,)) for index in found]
            yield from (hole for hole in holes if hole is not None)

    def _hole(self, index: int, why: tuple[str, ...]) -> Hole | None:
        """The hole for a statement of the original; None where it has no place, or is too long."""
        ours, place = self.ours[index], self.places[index]
        if place is None:
            return None
        at = place if isinstance(place, tuple) else None
        first, end, indent = (at[0], at[0], at[1]) if at else (place.first, place.end, place.indent)  # type: ignore[union-attr]
        lines = self.lines[ours.first : ours.end]
        if max(end - first, len(lines)) > LONGEST:
            return None
        was = "\n".join(line[min(ours.indent, len(line) - len(line.lstrip())) :] for line in lines)
        return Hole(first, end, indent, was, why)


def _at(statements: Sequence[_Statement], line: int) -> int | None:
    """The innermost statement whose own lines, heads of compound ones, cover a line."""
    found = [i for i, s in enumerate(statements) if s.first <= line < (s.body if s.compound else s.end)]
    return found[-1] if found else None


def _places(ours: Sequence[_Statement], theirs: Sequence[_Statement]) -> list[_Statement | tuple[int, int] | None]:
    """For each statement of the original its counterpart, or (line, indent) where it would stand, or None."""
    found: list[_Statement | tuple[int, int] | None] = [None] * len(ours)
    matcher = SequenceMatcher(None, [s.text for s in ours], [s.text for s in theirs], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            found[i1:i2] = theirs[j1:j2]
        elif tag == "replace":
            found[i1:i2] = _alike(ours[i1:i2], theirs[j1:j2])
    _moved(ours, theirs, found)
    return [_gap(index, ours, found) if place is None else place for index, place in enumerate(found)]


def _moved(
    ours: Sequence[_Statement], theirs: Sequence[_Statement], found: list[_Statement | tuple[int, int] | None]
) -> None:
    """Counterparts that stand in another order: statements of equal text, of which both sides have one left."""
    taken = {place for place in found if isinstance(place, _Statement)}
    left = Counter(s.text for s in theirs if s not in taken)
    single = {s.text: s for s in theirs if s not in taken and left[s.text] == 1}
    missing = Counter(s.text for s, place in zip(ours, found, strict=True) if place is None)
    for index, statement in enumerate(ours):
        if found[index] is None and missing[statement.text] == 1 and statement.text in single:
            found[index] = single[statement.text]


def _alike(ours: Sequence[_Statement], theirs: Sequence[_Statement]) -> list[_Statement | tuple[int, int] | None]:
    """Counterparts in order, by likeness."""
    out: list[_Statement | tuple[int, int] | None] = []
    left = list(theirs)
    for statement in ours:
        scores = [_likeness(statement, other) for other in left]
        best = max(range(len(left)), key=scores.__getitem__, default=None)
        if best is None or scores[best] < ALIKE:
            out.append(None)
            continue
        out.append(left[best])
        left = left[best + 1 :]
    return out


def _likeness(one: _Statement, other: _Statement) -> float:
    """From 0 to 1; what assigns to the same is alike enough."""
    target = one.text.partition(" = ")[0]
    if target != one.text and target == other.text.partition(" = ")[0]:
        return 1.0
    return SequenceMatcher(None, one.text, other.text, autojunk=False).ratio()


def _gap(
    index: int, ours: Sequence[_Statement], found: Sequence[_Statement | tuple[int, int] | None]
) -> tuple[int, int] | None:
    """Where a statement without counterpart would stand: behind the nearest one before it, in the same block."""
    mine = ours[index]
    for before in range(index - 1, -1, -1):
        place, other = found[before], ours[before]
        if not isinstance(place, _Statement) or other.indent > mine.indent:
            continue
        if other.indent == mine.indent:
            return place.end, place.indent
        return (place.body, place.indent + mine.indent - other.indent) if place.compound else None
    return None


def _merged(holes: Iterable[Hole]) -> list[Hole]:
    """In order; those that are the same, lie inside another or follow on one another become one."""
    out: list[Hole] = []
    for hole in sorted(holes, key=lambda h: (h.first, -h.end)):
        last = out[-1] if out else None
        if last is not None and hole.end <= last.end and hole.first < last.end:
            out[-1] = replace(last, why=tuple(dict.fromkeys((*last.why, *hole.why))))
        elif last is not None and hole.first == last.end and hole.indent == last.indent:
            was = last.was if hole.was == last.was else f"{last.was}\n{hole.was}"
            out[-1] = replace(last, end=hole.end, was=was, why=tuple(dict.fromkeys((*last.why, *hole.why))))
        else:
            out.append(hole)
    return out
