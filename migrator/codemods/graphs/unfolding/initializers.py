"""Initialisers that have a name, written out where they are used."""

from __future__ import annotations

import ast

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.program import Program, first_line
from migrator.codemods.graphs.unfolding.text import Text, renames


def without_initializers(text: Text, program: Program) -> Text | None:
    """The text without one statement that gives initialisers a name; None where there is none."""
    for scope in (n for n in ast.walk(program.tree) if isinstance(n, ast.FunctionDef)):
        blocks = [n.body for n in ast.walk(scope) if isinstance(n, ast.With) or n is scope]
        for statement in (s for block in blocks for s in block if isinstance(s, ast.Assign) and len(block) > 1):
            found = _named(statement, scope, program)
            if found:
                first, last = first_line(statement), statement.end_lineno or statement.lineno
                edits = [edit for edit in renames(scope, found) if not first <= edit[0] <= last]
                return text.edited(edits).replaced(first, last, [])
    return None


def _named(statement: ast.Assign, scope: ast.FunctionDef, program: Program) -> dict[str, str]:
    """The names that a statement gives to initialisers, and their source; none where it does anything else."""
    target, value = statement.targets[0], statement.value
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        pairs = list(zip(target.elts, value.elts, strict=True))
    stored = [n.id for n in ast.walk(scope) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    names = [t.id for t, v in pairs if isinstance(t, ast.Name) and _is_initializer(v, stored, program)]
    if len(statement.targets) > 1 or len(names) < len(pairs) or any(stored.count(name) != 1 for name in names):
        return {}
    return {name: ast.unparse(v) for name, (_, v) in zip(names, pairs, strict=True)}


def _is_initializer(node: ast.expr, stored: list[str], program: Program) -> bool:
    """Whether an expression makes an initialiser of numbers that are the same wherever it stands."""
    known = isinstance(node, ast.Call) and tables.initializer(program.api(node), node, program.tf) is not None
    steady = not any(isinstance(n, ast.Name) and n.id in stored for n in ast.walk(node))
    return known and steady and sum(isinstance(n, ast.Call) for n in ast.walk(node)) == 1
