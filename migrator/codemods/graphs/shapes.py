"""Names for sizes read off the static shape of a tensor: what they stand for is written where they are used."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

from migrator.codemods.graphs.program import key_of, keys_read
from migrator.codemods.graphs.tables import text

if TYPE_CHECKING:
    from migrator.codemods.graphs.reading import Reader

_METHODS = frozenset({"get_shape", "as_list"})


def named_sizes(statement: ast.Assign, reader: Reader) -> bool:
    """Note `shape = x.get_shape().as_list()`, `size = int(x.shape[1])`; whether a statement is one of these."""
    target, graph = statement.targets[0], reader.graph
    if len(statement.targets) > 1 or not isinstance(target, ast.Name) or target.id in reader.repeated:
        return False
    sizes = _Sizes(reader)
    rest = sizes.visit(copy.deepcopy(statement.value))
    if not sizes.found or set(keys_read(rest)) & graph.keys or any(_calls(n) for n in ast.walk(rest)):
        return False
    graph.sizes[target.id] = statement.value
    graph.other.add(target.id)
    return True


def _calls(node: ast.AST) -> bool:
    """Whether a node calls something else than `int` and what gives a shape as a list."""
    if not isinstance(node, ast.Call):
        return False
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    return method not in _METHODS and text(node.func) != "int"


class _Sizes(ast.NodeTransformer):
    """Takes static shapes out of an expression."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.found = reader, False

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        key = key_of(node.value)
        steady = key in self.reader.graph.tensors and key not in self.reader.repeated
        if steady and node.attr in ("get_shape", "shape"):
            self.found = True
            return ast.Attribute(ast.Constant(""), node.attr, ast.Load())
        return self.generic_visit(node)


class Named(ast.NodeTransformer):
    """What names of sizes stand for, in their place."""

    def __init__(self, reader: Reader) -> None:
        self.sizes = reader.graph.sizes

    def visit_Name(self, node: ast.Name) -> ast.AST:
        meant = self.sizes.get(node.id) if isinstance(node.ctx, ast.Load) else None
        return node if meant is None else copy.deepcopy(meant)


def written_out(statement: ast.stmt, reader: Reader) -> ast.stmt:
    """A statement with the sizes that it reads by name."""
    if not set(keys_read(statement)) & reader.graph.sizes.keys():
        return statement
    return ast.parse(ast.unparse(Named(reader).visit(copy.deepcopy(statement)))).body[0]
