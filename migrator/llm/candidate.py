"""What a model proposes for a unit, taken apart: imports, helpers, the unit itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A proposal. `imports` are one-line statements; `helpers` definitions that the unit needs beside it.

    `framed`: the rules' text with its holes filled.
    """

    code: str
    imports: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    not_kept: tuple[str, ...] = ()
    framed: bool = False

    @property
    def text(self) -> str:
        """All of it, as one piece of source."""
        return "\n\n".join([*self.imports, *self.helpers, self.code])


def candidate(
    code: str,
    imports: Iterable[str] = (),
    helpers: Iterable[str] = (),
    assumptions: Iterable[str] = (),
    not_kept: Iterable[str] = (),
) -> Candidate:
    """A proposal in one shape, whatever the model mixed: imports at the top of the code go to the imports.

    Text that is no Python is left as it is; the gate will say so.
    """
    lines = list(imports)
    bodies = []
    for body in (*helpers, code):
        found, rest = _split(body)
        lines += found
        bodies.append(rest)
    kept = tuple(dict.fromkeys(line for text in lines for line in _one_line_each(text)))
    *others, unit = bodies
    return Candidate(unit, kept, tuple(h for h in others if h.strip()), tuple(assumptions), tuple(not_kept))


def _split(code: str) -> tuple[list[str], str]:
    """The import statements at the top of a piece of code, and the rest with its comments."""
    text = code.strip("\n") + "\n" if code.strip() else ""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return [], text
    found = []
    end = 0
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            break
        found.append(ast.unparse(node))
        end = node.end_lineno or node.lineno
    return found, "\n".join(text.split("\n")[end:]).strip("\n") + "\n"


def _one_line_each(text: str) -> list[str]:
    """`import a, b` as two statements, parentheses gone; what is no import comes back as it is."""
    try:
        body = ast.parse(text.strip()).body
    except (SyntaxError, ValueError):
        return [text.strip()]
    lines = []
    for node in body:
        if isinstance(node, ast.Import):
            lines += [ast.unparse(ast.Import([alias])) for alias in node.names]
        else:
            lines.append(ast.unparse(node))
    return lines
