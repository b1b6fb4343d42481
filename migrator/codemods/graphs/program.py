"""The text of a file with its statements: what a name is, which comments belong to a statement."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from migrator.codemods.graphs.tables import old
from migrator.values import ModuleFacts


class NotUnderstood(Exception):
    """A graph, or a use of one, that is left alone; the message says why."""


@dataclass(frozen=True)
class Program:
    """One file. `here`: its facts, for the names."""

    source: str
    here: ModuleFacts

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def lines(self) -> list[str]:
        return self.source.splitlines()

    def api(self, node: ast.AST) -> str:
        """The TensorFlow name, without `compat.v1`, of a dotted expression or of what is called; "" for none."""
        dotted = dotted_name(node.func if isinstance(node, ast.Call) else node)
        found = old(self.here.canonical(dotted)) if dotted else ""
        return found if found.startswith("tf.") else ""

    def is_old(self, call: ast.Call) -> bool:
        """Whether what is called is version 1's."""
        return (self.here.canonical(dotted_name(call.func)) or "").startswith("tf.compat.v1.")

    @cached_property
    def tf(self) -> str:
        """The name by which the file has TensorFlow; "" for none."""
        for statement in self.tree.body:
            if isinstance(statement, ast.Import):
                for alias in statement.names:
                    if alias.name in ("tensorflow", "tensorflow.compat.v1") and alias.asname:
                        return alias.asname
        return ""

    def block(self, first: int, last: int, by: int) -> list[str]:
        """Lines of the source (1-based, inclusive), moved by some columns to the right, or left where negative."""
        return [_moved(line, by) for line in self.lines[first - 1 : last]]

    def lead(self, statement: ast.stmt, after: int) -> int:
        """The first of the comment lines that stand directly above a statement, below the line `after`."""
        first = first_line(statement)
        while first - 1 > after and self.lines[first - 2].strip().startswith("#"):
            first -= 1
        return first

    def comments(self, statement: ast.stmt, after: int) -> list[str]:
        """The comments above a statement and at its end, without indentation."""
        lines = self.lines[self.lead(statement, after) - 1 : first_line(statement) - 1]
        return [line.strip() for line in lines]


def _moved(line: str, by: int) -> str:
    if by >= 0:
        return " " * by + line if line.strip() else line
    return line[-by:] if not line[:-by].strip() else line.lstrip()


def first_line(statement: ast.stmt) -> int:
    decorators: Sequence[ast.expr] = getattr(statement, "decorator_list", ())
    return min([statement.lineno, *(d.lineno for d in decorators)])


def dotted_name(node: ast.AST) -> str:
    """`a.b.c` of a name with attributes; "" for other expressions."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def key_of(node: ast.AST) -> str:
    """`x` or `self.x`, by which a graph knows a value; "" for other expressions."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return f"self.{node.attr}"
    return ""


def keys_read(node: ast.AST) -> Iterator[str]:
    """Names and attributes of `self` that an expression or statement reads."""
    if isinstance(node, ast.Attribute) and key_of(node):
        yield key_of(node)
        return
    if isinstance(node, ast.Name):
        yield node.id
        return
    for child in ast.iter_child_nodes(node):
        yield from keys_read(child)
