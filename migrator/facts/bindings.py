"""Names that code binds."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def bound_names(tree: ast.AST) -> Iterator[str]:
    """The names that code binds anywhere: variables, parameters, functions, classes, imports; methods bind none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.ClassDef):
            yield node.name
        for each in () if isinstance(node, ast.ClassDef) else ast.iter_child_nodes(node):
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                yield each.name
