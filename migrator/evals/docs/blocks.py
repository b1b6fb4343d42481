"""The examples in a docstring: statements, in the blocks that prose and empty lines make of them."""

from __future__ import annotations

import ast
import doctest
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"^([ \t]*)```[ \t]*(\w*)[^\n]*\n(.*?)^[ \t]*```", re.DOTALL | re.MULTILINE)
_LANGUAGES = frozenset({"", "python", "py", "python3"})
_PARSER = doctest.DocTestParser()


@dataclass(frozen=True)
class Docstring:
    """The docstring of one API."""

    api: str
    text: str


@dataclass(frozen=True)
class Statement:
    """One statement of an example. `shown`: what it says is printed below it, "" for nothing."""

    text: str
    shown: str = ""

    @property
    def raises(self) -> bool:
        return self.shown.startswith("Traceback")


@dataclass(frozen=True)
class Block:
    """Statements without prose between them; `broken` says why they are no Python."""

    statements: tuple[Statement, ...]
    broken: str = ""


def blocks(docstring: Docstring) -> tuple[Block, ...]:
    """The example blocks of a docstring in order: runs of `>>>` lines, and fenced code."""
    text = docstring.text.expandtabs()
    found: list[tuple[int, Block]] = []
    for match in _FENCE.finditer(text):
        if match[2] in _LANGUAGES and ">>>" not in match[3]:
            found.append((match.start(), _fenced(match[3])))
    plain = _FENCE.sub(lambda m: m[0] if ">>>" in m[3] else "\n" * m[0].count("\n"), text)
    starts = [0, *(i + 1 for i, letter in enumerate(plain) if letter == "\n")]
    lines = [0, *(i + 1 for i, letter in enumerate(text) if letter == "\n")]
    assert len(starts) == len(lines)
    for line, block in _interactive(plain):
        found.append((lines[line], block))
    return tuple(block for _, block in sorted(found, key=lambda item: item[0]))


def _fenced(code: str) -> Block:
    text = textwrap.dedent(code)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return Block((Statement(text),), f"{type(error).__name__}: no Python")
    lines = text.splitlines(keepends=True)
    return Block(tuple(Statement("".join(lines[_first(s) - 1 : s.end_lineno]).rstrip("\n")) for s in tree.body))


def _first(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _interactive(text: str) -> Iterator[tuple[int, Block]]:
    """(line of the first statement, block) of each run of `>>>` lines."""
    try:
        examples = _PARSER.get_examples(text)
    except ValueError as error:
        yield 0, Block((), f"no doctest: {error}")
        return
    run: list[doctest.Example] = []
    for example in examples:
        if run and example.lineno != _end(run[-1]):
            yield run[0].lineno, _block(run)
            run = []
        run.append(example)
    if run:
        yield run[0].lineno, _block(run)


def _end(example: doctest.Example) -> int:
    return example.lineno + example.source.count("\n") + example.want.count("\n")


def _block(run: list[doctest.Example]) -> Block:
    statements: list[Statement] = []
    for example in run:
        try:
            tree = ast.parse(example.source)
        except (SyntaxError, ValueError) as error:
            return Block(tuple(Statement(e.source, e.want) for e in run), f"{type(error).__name__}: no Python")
        want = f"Traceback: {example.exc_msg}" if example.exc_msg else _real(example.want)
        if tree.body:
            statements.append(Statement(example.source.rstrip("\n"), want))
    return Block(tuple(statements))


def _real(want: str) -> str:
    """What is shown, without the fence that a Markdown example ends with."""
    return "\n".join(line for line in want.splitlines() if line.strip() != "```").strip()
