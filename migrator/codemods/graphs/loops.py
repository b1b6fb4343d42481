"""Loops that build part of a graph: a list of layers in the constructor, a loop over it where they are applied."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

from migrator.codemods.graphs.graph import Computed, Piece
from migrator.codemods.graphs.program import NotUnderstood, key_of, keys_read

if TYPE_CHECKING:
    from migrator.codemods.graphs.reading import Reader


def read_loop(loop: ast.For, reader: Reader, comments: tuple[str, ...], module: str) -> None:
    """Enter a loop whose body computes tensors into the graph; raises `NotUnderstood`."""
    graph = reader.graph
    if loop.orelse or set(keys_read(loop.iter)) & graph.keys:
        raise NotUnderstood("a loop over what the graph computes")
    entry = dict(graph.versions)
    uses = frozenset((k, entry[k]) for k in keys_read(loop) if k in entry)
    inner, pieces = _body(loop, reader)
    number = 1 + max((p.each for p in graph.pieces), default=0)
    _made(loop, pieces, reader, module, number)
    defined = dict.fromkeys(key for one in inner for key, _ in one.defines)
    for key in defined:
        graph.versions[key] = entry.get(key, -1) + 1
    statement = _applied(loop, inner, pieces, module, set(entry) | set(defined))
    made = tuple((key, graph.versions[key]) for key in defined)
    comments += tuple(line for one in inner for line in one.comments)
    graph.computed.append(Computed(statement, made, uses, comments, True, any(one.random for one in inner)))


def _body(loop: ast.For, reader: Reader) -> tuple[list[Computed], list[Piece]]:
    """What the body computes and makes, read by itself."""
    graph = reader.graph
    before = graph.computed, graph.pieces, len(graph.variables), len(graph.placeholders)
    graph.computed, graph.pieces = [], []
    after = loop.lineno
    for statement in loop.body:
        if isinstance(statement, ast.For) or not reader.read(
            statement, tuple(reader.program.comments(statement, after))
        ):
            raise NotUnderstood("a graph built in a loop, beside other things")
        after = statement.end_lineno or after
    inner, pieces = graph.computed, graph.pieces
    graph.computed, graph.pieces = before[0], before[1]
    if (len(graph.variables), len(graph.placeholders)) != before[2:] or any(p.build for p in pieces):
        raise NotUnderstood("variables that a loop makes")
    return inner, pieces


def _made(loop: ast.For, pieces: list[Piece], reader: Reader, module: str, number: int) -> None:
    """The lists, and the loop in the constructor that fills them."""
    if not pieces:
        return
    graph = reader.graph
    for piece in pieces:
        empty = ast.parse(f"{module}.{piece.attribute} = []").body[0]
        graph.pieces.append(Piece(piece.attribute, empty, (), False, number, piece.inside, piece.names))
    body: list[ast.stmt] = []
    for piece in pieces:
        assert isinstance(piece.made, ast.Assign)
        value = ast.unparse(piece.made.value)
        body += ast.parse(f"{module}.{piece.attribute}.append({value})").body
    filled = ast.For(copy.deepcopy(loop.target), copy.deepcopy(loop.iter), body, [])
    graph.pieces.append(Piece("", ast.fix_missing_locations(filled)))


def _applied(loop: ast.For, inner: list[Computed], pieces: list[Piece], module: str, taken: set[str]) -> ast.For:
    """The loop where the layers are applied."""
    names = {p.attribute: p.attribute if p.attribute not in taken else f"{p.attribute}_layer" for p in pieces}
    body = [_Elements(names, module).visit(copy.deepcopy(one.statement)) for one in inner]
    own = {key_of(n) for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
    read = {key for statement in body for key in keys_read(statement)}
    lists = [f"{module}.{p.attribute}" for p in pieces]
    targets = [names[p.attribute] for p in pieces]
    if own & read or not pieces:
        lists, targets = [ast.unparse(loop.iter), *lists], [f"({ast.unparse(loop.target)})", *targets]
    over = lists[0] if len(lists) == 1 else f"zip({', '.join(lists)})"
    made = ast.parse(f"for {', '.join(targets)} in {over}:\n    pass").body[0]
    assert isinstance(made, ast.For)
    made.body = body
    return ast.fix_missing_locations(made)


class _Elements(ast.NodeTransformer):
    """An entry of the list in the place of the list."""

    def __init__(self, names: dict[str, str], module: str) -> None:
        self.names, self.module = names, module

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == self.module and node.attr in self.names:
            return ast.Name(self.names[node.attr], ast.Load())
        return self.generic_visit(node)
