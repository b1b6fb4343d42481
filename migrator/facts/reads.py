"""Which input sizes the code of `build` reads, besides in the weights that it makes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.facts import attributes, dims
from migrator.facts.interpreter import Interpreter
from migrator.facts.modules import FunctionNode
from migrator.values import RepoFunction, Scalar, Sym, Unknown

_KERAS_STATE = frozenset({"built", "input_spec", "supports_masking"})


def sizes_read(it: Interpreter, qualname: str) -> set[str]:
    """The names of the sizes that the statements of a class's own `build` go by.

    What only checks the input, or tells Keras's base class about it, needs no size; a local variable needs one
    where it is read.
    """
    build = attributes.of_class(it, qualname, "build", None)
    definition = it.definitions.get(build.qualname) if isinstance(build, RepoFunction) else None
    if definition is None or definition.owner != qualname or not isinstance(definition.node, FunctionNode):
        return set()
    values = it.values[definition.module]
    found: set[str] = set()
    for node in (n for statement in definition.node.body for n in _read(statement)):
        value = values.get((node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0))
        sym = value.sym if isinstance(value, Scalar | Unknown) else None
        found |= dims.names(sym) if isinstance(sym, Sym) else set()
    return found


def _read(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions of a statement by which something is made."""
    if isinstance(node, ast.Assert | ast.Raise) or _is_check(node) or _is_for_keras(node):
        return
    if isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) for t in node.targets) and _is_size(node.value):
        return
    if isinstance(node, ast.Name | ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _read(child)


def _is_check(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and all(
        isinstance(s, ast.Raise) or _is_check(s) for s in (*node.body, *node.orelse)
    )


def _is_for_keras(node: ast.AST) -> bool:
    """`self.built = True`, `self.input_spec = ...`, `super().build(input_shape)`."""
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Attribute) and t.attr in _KERAS_STATE for t in node.targets)
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "build"


def _is_size(node: ast.expr) -> bool:
    """`input_shape[-1]`, `int(input_shape[-1])`."""
    inner = node.args[0] if isinstance(node, ast.Call) and len(node.args) == 1 else node
    return isinstance(inner, ast.Subscript)
