"""A unit as the rules wrote it, with numbered holes where they stopped: a model fills these and nothing else."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Hole:
    """Lines `first` to before `end` of a frame (0-based; equal: something is missing before `first`).

    `indent`: blanks before its statements. `was`: the original text that it stands for. `why`: the reasons.
    """

    first: int
    end: int
    indent: int
    was: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """`text`: the unit as the rules wrote it. `holes` in order, none overlapping another.

    `imports`: what the rules' text needs. `gone`: statements of the original that have no counterpart in it.
    """

    text: str
    holes: tuple[Hole, ...]
    imports: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    def shown(self) -> str:
        """The text with each hole as comments: its number, why it is there, and the original.

        Long documentation and functions without a hole are cut down to how they begin; so are statements far from
        any hole that give it nothing.
        """
        comments = [_comment(number, hole) for number, hole in enumerate(self.holes, 1)]
        return self._with(comments, dict(_cuts(ast.parse(self.text), self.holes)))

    def filled(self, fills: Mapping[int, str]) -> str:
        """The unit with the holes filled, by number from 1. Raises KeyError for one that is missing."""
        bodies = [textwrap.dedent(fills[n].expandtabs()).strip("\n") for n in range(1, len(self.holes) + 1)]
        return self._with([textwrap.indent(b, " " * h.indent) for b, h in zip(bodies, self.holes, strict=True)])

    def _with(self, bodies: list[str], cuts: Mapping[int, tuple[int, str]] = MappingProxyType({})) -> str:
        """The lines with others in the place of holes and of `cuts` (first line → end and what stands there)."""
        places = {h.first: (h.end, body) for h, body in zip(self.holes, bodies, strict=True)} | dict(cuts)
        lines, out, at = self.text.rstrip("\n").split("\n"), list[str](), 0
        for first, (end, body) in sorted(places.items()):
            out += [*lines[at:first], *([body] if body else [])]
            at = end
        return "\n".join([*out, *lines[at:]]) + "\n"


Definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
LONG_TEXT, LONG_BODY = 3, 8
"""Lines of documentation, and of a function without a hole, that are shown whole."""


def _cuts(tree: ast.AST, holes: tuple[Hole, ...]) -> Iterator[tuple[int, tuple[int, str]]]:
    if isinstance(tree, ast.Module):
        yield from _far([n for n in tree.body if not isinstance(n, Definitions)], holes)
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, Definitions):
            continue
        documented = ast.get_docstring(node, clean=False) is not None
        first = node.body[0].lineno - 1
        end = node.body[0].end_lineno or first + 1
        if documented and end - first > LONG_TEXT and not any(h.first < end and h.end > first for h in holes):
            text = (ast.get_docstring(node) or "").split("\n")[0]
            yield first, (end, " " * node.body[0].col_offset + f"# documentation of {end - first} lines: {text}")
        start, stop = (end if documented else first), node.end_lineno or end
        whole = any(h.first <= stop and h.end >= start for h in holes)
        if isinstance(node, ast.ClassDef):
            yield from _cuts(node, holes)
        elif whole:
            yield from _far(node.body[1:] if documented else node.body, holes)
        elif not whole and node.name != "__init__" and stop - start > LONG_BODY:
            yield start, (stop, " " * node.body[0].col_offset + f"# {stop - start} lines that stay")


def _far(body: list[ast.stmt], holes: tuple[Hole, ...]) -> Iterator[tuple[int, tuple[int, str]]]:
    """Runs of statements that no hole is beside and that give no name a value which a hole mentions."""
    wanted = set(re.findall(r"\w+", "\n".join(hole.was for hole in holes)))
    run: list[ast.stmt] = []
    for index, node in enumerate([*body, None]):
        if node is not None and not _matters(index, body, holes, wanted):
            run.append(node)
            continue
        first, end = (run[0].lineno - 1, run[-1].end_lineno or 0) if run else (0, 0)
        if end - first > LONG_BODY:
            yield first, (end, " " * run[0].col_offset + f"# {end - first} lines that stay")
        run = []


def _matters(index: int, body: list[ast.stmt], holes: tuple[Hole, ...], wanted: set[str]) -> bool:
    beside = body[max(index - 1, 0) : index + 2]
    start, stop = beside[0].lineno - 1, beside[-1].end_lineno or 0
    made = {n.id for n in ast.walk(body[index]) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    made |= {getattr(body[index], "name", "")}
    return bool(made & wanted) or any(h.first <= stop and h.end >= start for h in holes)


def _comment(number: int, hole: Hole) -> str:
    why = f" ({' '.join('; '.join(hole.why).split())})" if hole.why else ""
    lines = [f"# HOLE {number}{why}, in place of:", *(f"#   {line}".rstrip() for line in hole.was.split("\n"))]
    return textwrap.indent("\n".join(lines), " " * hole.indent)
