"""How many features a tensor of a graph has, as an expression of the program: the size of its last axis."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from migrator.codemods.graphs.graph import Graph
from migrator.codemods.graphs.program import dotted_name, key_of
from migrator.codemods.graphs.tables import text


def features(node: ast.AST, graph: Graph) -> str:
    """The source of the size; "" where it is not seen."""
    key = key_of(node)
    if key in graph.placeholders:
        return _last(graph.placeholders[key].shape)
    if key in graph.variables:
        return _made(graph.variables[key], graph)
    if key in graph.versions:
        return _computed(key, graph)
    return _called(node, graph) if isinstance(node, ast.Call) else ""


def _computed(key: str, graph: Graph) -> str:
    """Of the last value that a name has had."""
    one = next((c for c in reversed(graph.computed) if graph.version(key) in c.defines), None)
    statement = None if one is None else one.statement
    if not isinstance(statement, ast.Assign) or key in set(_names(statement.value)):
        return ""
    if key_of(statement.targets[0]) != key and not _outputs(statement, key):
        return ""
    return features(statement.value, graph)


def _outputs(statement: ast.Assign, key: str) -> bool:
    """Whether a name is the first of what a recurrent layer gives."""
    target = statement.targets[0]
    return isinstance(target, ast.Tuple) and key_of(target.elts[0]) == key


def _names(node: ast.AST) -> list[str]:
    return [key_of(n) for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute)]


def _called(node: ast.Call, graph: Graph) -> str:
    name = dotted_name(node.func)
    last = name.rpartition(".")[2]
    if last == "reshape" and len(node.args) > 1:
        return _last(node.args[1])
    if last == "embedding_lookup" and node.args:
        return features(node.args[0], graph)
    if last in ("dropout", "relu", "tanh", "identity") and name.count(".") and node.args:
        return features(node.args[0], graph)
    attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    return _made(attribute, graph)


def _made(attribute: str, graph: Graph) -> str:
    """Of a variable, and of what a recurrent or dense layer gives."""
    piece = next((p for p in graph.pieces if p.attribute == attribute), None)
    call = piece.made.value if piece is not None and isinstance(piece.made, ast.Assign) else None
    if piece is None or not isinstance(call, ast.Call) or piece.each or piece.build:
        return ""
    given = {str(k.arg): k.value for k in call.keywords}
    if text(call.func).endswith("add_weight"):
        return _last(given.get("shape"))
    if text(call.func).endswith("layers.Bidirectional") and isinstance(call.args[0], ast.Call):
        return f"2 * ({text(call.args[0].args[0])})"
    if not text(call.func).endswith(("layers.LSTM", "layers.SimpleRNN", "layers.Dense")):
        return ""
    units: Sequence[ast.expr] = [*call.args[:1], *([given["units"]] if "units" in given else [])]
    return text(units[0]) if units else ""


def _last(shape: ast.expr | None) -> str:
    """The source of the last size of a shape that is written out."""
    if not isinstance(shape, ast.List | ast.Tuple) or not shape.elts:
        return ""
    found = text(shape.elts[-1])
    return "" if found in ("None", "-1") else found
