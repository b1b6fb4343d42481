"""What is written out, in turns, until nothing is left."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from migrator.codemods.graphs.program import Program, first_line
from migrator.codemods.graphs.unfolding.dictionaries import without_dictionaries
from migrator.codemods.graphs.unfolding.doubles import without_doubles
from migrator.codemods.graphs.unfolding.functions import Helper, helpers
from migrator.codemods.graphs.unfolding.initializers import without_initializers
from migrator.codemods.graphs.unfolding.inlining import removed, with_expressions, with_statements
from migrator.codemods.graphs.unfolding.text import Text
from migrator.values import ModuleFacts

_TURNS = 200


@dataclass(frozen=True)
class Unfolded:
    """`origin`: for each line of the text the original's. `gone`: names at top level that it no longer has, those of
    `functions` among them.

    `ties`: lines of the original's statements that move together, as a function and what calls it.
    """

    source: str
    origin: tuple[int, ...]
    gone: frozenset[str]
    functions: frozenset[str]
    ties: tuple[frozenset[int], ...]


def unfolded(source: str, here: ModuleFacts, elsewhere: Iterable[str]) -> Unfolded | None:
    """The file with its helpers and dictionaries written out; None where it has none. `elsewhere`: names that other
    files may use."""
    text, first = Text.of(source), Program(source, here)
    if not first.tf:
        return None
    others = set(elsewhere)
    known = {key: one for key, one in helpers(first).items() if one.node.name not in others}
    text = _written_out(text, here, set(known))
    program = Program(text.source, here)
    gone = {one.node.name: first_line(one.node) for key, one in known.items() if not _mentions(program, key)}
    text = removed(text, program, gone)
    for _ in range(_TURNS):
        now = Program(text.source, here)
        more = without_dictionaries(text, now) or without_doubles(text, now) or without_initializers(text, now)
        if more is None:
            break
        text = more
    if text.source == Text.of(source).source:
        return None
    lost = frozenset(_bound(first.tree) - _bound(ast.parse(text.source)))
    ties = tuple(tie for name in gone if len(tie := _lines(first.tree, name)) > 1)
    return Unfolded(text.source, text.origin, lost, lost & gone.keys(), ties)


def _bound(tree: ast.Module) -> set[str]:
    """Names that the statements of a file bind at top level."""
    found = {s.name for s in tree.body if isinstance(s, ast.FunctionDef)}
    targets = (t for s in tree.body if isinstance(s, ast.Assign) for t in s.targets)
    return found | {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}


def _lines(tree: ast.Module, name: str) -> frozenset[int]:
    """The lines of the statements at top level that define or use a name."""
    return frozenset(first_line(s) for s in tree.body if any(_is_named(n, name) for n in ast.walk(s)))


def _is_named(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name == name
    return (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)


def _written_out(text: Text, here: ModuleFacts, keys: set[str]) -> Text:
    for _ in range(_TURNS):
        program = Program(text.source, here)
        nodes = {key: node for key, node in _nodes(program.tree) if key in keys}
        first = helpers(program)
        known = {key: Helper(key, node, key in first and first[key].maker) for key, node in nodes.items()}
        more = with_expressions(text, program, known) or with_statements(text, program, known)
        if more is None:
            return text
        text = more
    return text


def _nodes(tree: ast.Module) -> list[tuple[str, ast.FunctionDef]]:
    tops = [(s.name, s) for s in tree.body if isinstance(s, ast.FunctionDef)]
    classes = [s for s in tree.body if isinstance(s, ast.ClassDef)]
    return tops + [(f"self.{m.name}", m) for c in classes for m in c.body if isinstance(m, ast.FunctionDef)]


def _mentions(program: Program, key: str) -> bool:
    name = key.removeprefix("self.")
    nodes = (n for n in ast.walk(program.tree) if isinstance(n, ast.Name | ast.Attribute))
    return any(_is_named(n, name) for n in nodes)
