"""Small programs from the blocks of a docstring: what they need of earlier ones, and names for what they show."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.evals.docs.blocks import Block, Docstring, Statement, blocks
from migrator.evals.docs.showing import show

IMPORTS = {
    "tf": "import tensorflow as tf",
    "np": "import numpy as np",
    "keras": "import keras",
    "layers": "from tensorflow.keras import layers",
    "ops": "from keras import ops",
    "tnp": "import tensorflow.experimental.numpy as tnp",
    "os": "import os",
    "math": "import math",
    "time": "import time",
    "tempfile": "import tempfile",
    "functools": "import functools",
    "itertools": "import itertools",
    "collections": "import collections",
    "contextlib": "import contextlib",
}


@dataclass(frozen=True)
class Program:
    """One block as a program. `own`: the names it binds itself whose values are compared.

    `text` "" means that there is nothing to run; `why` says so.
    """

    api: str
    number: int
    text: str
    own: frozenset[str] = frozenset()
    why: str = ""

    @property
    def id(self) -> str:
        return f"{self.api} #{self.number}"


def programs(docstrings: Sequence[Docstring]) -> tuple[Program, ...]:
    """A program for each block of all docstrings; of those with the same text the first."""
    found: dict[object, Program] = {}
    for docstring in docstrings:
        for program in _programs(docstring):
            found.setdefault(program.text or program.id, program)
    return tuple(found.values())


def _programs(docstring: Docstring) -> Iterator[Program]:
    earlier: list[Statement] = []
    for number, block in enumerate(blocks(docstring), 1):
        if block.broken:
            yield Program(docstring.api, number, "", why=f"the example is broken: {block.broken}")
            continue
        yield _program(docstring.api, number, block, earlier)
        earlier += [s for s in block.statements if not s.raises]


def _program(api: str, number: int, block: Block, earlier: Sequence[Statement]) -> Program:
    statements = [s for s in block.statements if not s.raises]
    if not statements:
        return Program(api, number, "", why="the example shows an error only")
    before = needed(statements, earlier)
    shown = [show(statement, index) for index, statement in enumerate(statements)]
    own = frozenset(name for part in shown for name in part.names)
    if not own:
        return Program(api, number, "", why="nothing is shown or bound")
    body = [*(s.text for s in before), *(part.text for part in shown)]
    return Program(api, number, "\n".join([*_imports(body), *body]) + "\n", own)


def needed(statements: Sequence[Statement], earlier: Sequence[Statement]) -> list[Statement]:
    """The earlier statements that bind or change a name these need, in order."""
    wanted = _free(statements)
    chosen: list[Statement] = []
    for statement in reversed(earlier):
        touched = _bound(statement) | _changed(statement)
        if touched & wanted:
            chosen.insert(0, statement)
            wanted = (wanted - _rebound(statement)) | _loads(statement)
    return chosen


def _free(statements: Sequence[Statement]) -> set[str]:
    wanted: set[str] = set()
    bound: set[str] = set()
    for statement in statements:
        wanted |= _loads(statement) - bound
        bound |= _bound(statement)
    return wanted


def _loads(statement: Statement) -> set[str]:
    tree = ast.parse(statement.text)
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _bound(statement: Statement) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(statement.text)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return found


def _rebound(statement: Statement) -> set[str]:
    """Names that have their value from this statement alone, whatever stood in them before."""
    tree = ast.parse(statement.text)
    if len(tree.body) != 1:
        return set()
    node = tree.body[0]
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
        return _bound(Statement(ast.unparse(node))) if isinstance(node, ast.Import | ast.ImportFrom) else {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return set()


def _changed(statement: Statement) -> set[str]:
    """Names whose object the statement may change: it calls their methods, or stores into them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(statement.text)):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            found |= _roots(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            found |= _roots(node.value.func)
    return found - set(IMPORTS)


def _roots(node: ast.expr) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _imports(body: Sequence[str]) -> list[str]:
    """Import statements for the names that the documentation takes for granted."""
    statements = [Statement(text) for text in body]
    missing = _free(statements) - set(dir(builtins))
    return [line for name, line in IMPORTS.items() if name in missing]
