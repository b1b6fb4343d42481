"""Methods that have a value as `x` and as `self.x`: one name for one value, two for two."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.program import Program, key_of
from migrator.codemods.graphs.unfolding.text import Text, renames


def without_doubles(text: Text, program: Program) -> Text | None:
    """The text without one such pair in a class that builds a graph; None where there is none."""
    for cls in (s for s in program.tree.body if isinstance(s, ast.ClassDef) and _builds(s, program)):
        attributes = Counter(key_of(n) for n in ast.walk(cls) if isinstance(n, ast.Attribute) and _stores(n))
        for method in (s for s in cls.body if isinstance(s, ast.FunctionDef)):
            for block, statement in _kept(method):
                name = key_of(statement.targets[0]).removeprefix("self.")
                if not _is_local(name, method) or attributes[f"self.{name}"] != 1:
                    continue
                if key_of(statement.value) == name:
                    found = _merged(text, method, block, statement, name)
                else:
                    found = text.edited(renames(method, {name: _free(f"{name}_value", program)}))
                if found is not None:
                    return found
    return None


def _builds(cls: ast.ClassDef, program: Program) -> bool:
    calls = (n for n in ast.walk(cls) if isinstance(n, ast.Call))
    return any(program.api(call) in tables.PLACEHOLDERS for call in calls)


def _stores(node: ast.Name | ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store)


def _kept(method: ast.FunctionDef) -> Iterator[tuple[list[ast.stmt], ast.Assign]]:
    """The statements that keep something as an attribute, with their blocks."""
    blocks = [n.body for n in ast.walk(method) if isinstance(n, ast.With | ast.FunctionDef)]
    for block in blocks:
        for statement in (s for s in block if isinstance(s, ast.Assign)):
            if len(statement.targets) == 1 and key_of(statement.targets[0]).startswith("self."):
                yield block, statement


def _is_local(name: str, method: ast.FunctionDef) -> bool:
    """Whether a method binds a name itself, and nothing inside of it does so anew."""
    inner = [n for n in ast.walk(method) if n is not method]
    if any(name in _anew(n) for n in inner):
        return False
    params = {a.arg for a in ast.walk(method.args) if isinstance(a, ast.arg)}
    return name not in params and any(isinstance(n, ast.Name) and n.id == name and _stores(n) for n in inner)


def _anew(node: ast.AST) -> set[str]:
    """Names that a function, lambda or comprehension has for itself."""
    if isinstance(node, ast.comprehension):
        return {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    if not isinstance(node, ast.FunctionDef | ast.Lambda):
        return set()
    stored = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and _stores(n)}
    return stored | {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}


def _merged(
    text: Text, method: ast.FunctionDef, block: list[ast.stmt], statement: ast.Assign, name: str
) -> Text | None:
    """The attribute in the place of the name, where that has one value."""
    stores = [n for n in ast.walk(method) if isinstance(n, ast.Name) and n.id == name and _stores(n)]
    if len(stores) != 1 or len(block) == 1:
        return None
    edits = [edit for edit in renames(method, {name: f"self.{name}"}) if edit[0] != statement.lineno]
    return text.edited(edits).replaced(statement.lineno, statement.end_lineno or statement.lineno, [])


def _free(wish: str, program: Program) -> str:
    taken = {n.id for n in ast.walk(program.tree) if isinstance(n, ast.Name)}
    taken |= {n.attr for n in ast.walk(program.tree) if isinstance(n, ast.Attribute)}
    while wish in taken:
        wish += "_"
    return wish
