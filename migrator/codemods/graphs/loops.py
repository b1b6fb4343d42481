"""Loops that build part of a graph: a list of layers in the constructor, a loop over it where they are applied."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.codemods.graphs.graph import Computed, Piece, local
from migrator.codemods.graphs.program import NotUnderstood, key_of, keys_read
from migrator.codemods.graphs.tables import text

if TYPE_CHECKING:
    from migrator.codemods.graphs.reading import Reader


def read_loop(loop: ast.For, reader: Reader, comments: tuple[str, ...], module: str) -> None:
    """Enter a loop whose body computes tensors into the graph; raises `NotUnderstood`."""
    graph = reader.graph
    if loop.orelse or set(keys_read(loop.iter)) & graph.keys:
        raise NotUnderstood("a loop over what the graph computes")
    entry = dict(graph.versions)
    uses = frozenset((k, entry[k]) for k in keys_read(loop) if k in entry)
    turn = _body(loop, reader)
    inner = turn.computed
    number = 1 + max((p.each for p in graph.pieces), default=0)
    _made(loop, turn, reader, module, number)
    defined = dict.fromkeys(key for one in inner for key, _ in one.defines)
    for key in defined:
        graph.versions[key] = entry.get(key, -1) + 1
    taken = {local(key) for key in (*graph.keys, *reader.repeated, *defined)}
    statement = _applied(loop, turn, module, taken)
    made = tuple((key, graph.versions[key]) for key in defined)
    comments += tuple(line for one in inner for line in one.comments)
    graph.computed.append(Computed(statement, made, uses, comments, True, any(one.random for one in inner)))


@dataclass
class _Turn:
    """What one turn of a loop makes, computes and keeps beside: `plain`, by name."""

    computed: list[Computed] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    plain: dict[str, ast.Assign] = field(default_factory=dict)

    def needed(self, nodes: Iterable[ast.AST]) -> list[ast.stmt]:
        """The statements beside that some others need, in order."""
        read = {key for node in nodes for key in keys_read(node)}
        found: list[ast.stmt] = []
        for name, statement in reversed(self.plain.items()):
            if name in read:
                found.insert(0, copy.deepcopy(statement))
                read |= set(keys_read(statement.value))
        return found


def _body(loop: ast.For, reader: Reader) -> _Turn:
    """What the body computes and makes, read by itself."""
    graph = reader.graph
    before = graph.computed, graph.pieces, dict(graph.variables), len(graph.placeholders)
    graph.computed, graph.pieces = [], []
    turn = _Turn()
    reader.turns += 1
    _read(loop.body, reader, turn, loop.lineno)
    reader.turns -= 1
    turn.computed, turn.pieces = graph.computed, graph.pieces
    graph.computed, graph.pieces = before[0], before[1]
    if len(graph.placeholders) != before[3] or any(p.build for p in turn.pieces):
        raise NotUnderstood("variables that a loop makes")
    lost = {key for key, held in graph.variables.items() if before[2].get(key) != held}
    for key in lost:  # behind the loop it is the variable of the last turn
        del graph.variables[key]
    graph.other |= lost
    return turn


def _read(body: list[ast.stmt], reader: Reader, turn: _Turn, after: int) -> None:
    from migrator.codemods.graphs.blocks import scope_of

    for statement in body:
        comments = tuple(reader.program.comments(statement, after))
        if isinstance(statement, ast.With):
            reader.path.append(scope_of(statement, reader))
            reader.pending += comments
            _read(statement.body, reader, turn, statement.lineno)
            reader.path.pop()
        elif isinstance(statement, ast.For) or not reader.read(statement, comments):
            _beside(statement, reader, turn)
        after = statement.end_lineno or after


def _beside(statement: ast.stmt, reader: Reader, turn: _Turn) -> None:
    """Note a statement that gives a name to something that is not of the graph."""
    name = key_of(statement.targets[0]) if isinstance(statement, ast.Assign) else ""
    if not isinstance(statement, ast.Assign) or len(statement.targets) > 1 or not name.isidentifier():
        raise NotUnderstood("a graph built in a loop, beside other things")
    calls = (n for n in ast.walk(statement.value) if isinstance(n, ast.Call))
    steady = all(text(call.func) in ("int", "len", "min", "max", "str", "range") for call in calls)
    if not steady or name in reader.repeated or set(keys_read(statement.value)) & reader.graph.keys:
        raise NotUnderstood("a graph built in a loop, beside other things")
    turn.plain[name] = statement


def _made(loop: ast.For, turn: _Turn, reader: Reader, module: str, number: int) -> None:
    """The lists, and the loop in the constructor that fills them."""
    pieces = turn.pieces
    if not pieces:
        return
    graph = reader.graph
    for piece in pieces:
        empty = ast.parse(f"{module}.{piece.attribute} = []").body[0]
        graph.pieces.append(Piece(piece.attribute, empty, (), False, number, piece.inside, piece.names))
    body = turn.needed(piece.made for piece in pieces)
    for piece in pieces:
        assert isinstance(piece.made, ast.Assign)
        value = ast.unparse(piece.made.value)
        body += ast.parse(f"{module}.{piece.attribute}.append({value})").body
    filled = ast.For(copy.deepcopy(loop.target), copy.deepcopy(loop.iter), body, [])
    graph.pieces.append(Piece("", ast.fix_missing_locations(filled)))


def _applied(loop: ast.For, turn: _Turn, module: str, taken: set[str]) -> ast.For:
    """The loop where the layers are applied."""
    pieces = turn.pieces
    names = {p.attribute: _element(p, taken) for p in pieces}
    body: list[ast.stmt] = [_Elements(names, module).visit(copy.deepcopy(one.statement)) for one in turn.computed]
    body = [*turn.needed(body), *body]
    read = {key for statement in body for key in keys_read(statement)}
    target, over_what = _counted(loop, read)
    own = {key_of(n) for n in ast.walk(target) if isinstance(n, ast.Name)}
    lists = [f"{module}.{p.attribute}" for p in pieces]
    targets = [names[p.attribute] for p in pieces]
    if own & read or not pieces:
        lists, targets = [ast.unparse(over_what), *lists], [f"({ast.unparse(target)})", *targets]
    over = lists[0] if len(lists) == 1 else f"zip({', '.join(lists)})"
    made = ast.parse(f"for {', '.join(targets)} in {over}:\n    pass").body[0]
    assert isinstance(made, ast.For)
    made.body = body
    return ast.fix_missing_locations(made)


def _element(piece: Piece, taken: set[str]) -> str:
    """The name that an entry of a list has in the loop."""
    if piece.attribute not in taken:
        return piece.attribute
    return f"{piece.attribute}_{'item' if 'add_weight' in ast.unparse(piece.made) else 'layer'}"


def _counted(loop: ast.For, read: set[str]) -> tuple[ast.expr, ast.expr]:
    """What the loop binds and what it goes through, without a number that nothing reads."""
    target, over = loop.target, loop.iter
    if not isinstance(over, ast.Call) or text(over.func) != "enumerate" or len(over.args) != 1 or over.keywords:
        return target, over
    pair = target.elts if isinstance(target, ast.Tuple) and len(target.elts) == 2 else ()
    return (pair[1], over.args[0]) if pair and key_of(pair[0]) and key_of(pair[0]) not in read else (target, over)


class _Elements(ast.NodeTransformer):
    """An entry of the list in the place of the list."""

    def __init__(self, names: dict[str, str], module: str) -> None:
        self.names, self.module = names, module

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == self.module and node.attr in self.names:
            return ast.Name(self.names[node.attr], ast.Load())
        return self.generic_visit(node)
