"""The text of the layer that a function is which makes variables."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import replace

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.functions import Block, Functions
from migrator.codemods.graphs.graph import Computed, Graph, refs
from migrator.codemods.graphs.program import NotUnderstood, first_line, keys_read
from migrator.codemods.graphs.reading import Reader
from migrator.codemods.graphs.sharing import reuses, reuses_if
from migrator.codemods.graphs.tables import text
from migrator.codemods.graphs.tensor_lists import tensor_lists
from migrator.codemods.graphs.writing import Rewire, indented, source_of


def read_block(
    functions: Functions, node: ast.FunctionDef, cls: str, tensors: tuple[str, ...], given: tuple[str, ...],
    defaults: Mapping[str, ast.expr],
) -> Block:  # fmt: skip
    """The function as a Keras layer; raises `NotUnderstood`."""
    reader = Reader(functions.program, _repeated(node), functions)
    graph = reader.graph
    graph.versions.update(dict.fromkeys(tensors, 0))
    reader.input = tensors[0] if tensors else ""
    reader.lists = tensor_lists([node.body], functions.program, functions.nodes)
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    _read(body, reader, first_line(body[0]) - 1 if body else 0)
    if not graph.computed or not isinstance(graph.computed[-1].statement, ast.Return):
        raise NotUnderstood(f"{node.name} does not end in what it returns")
    if any(p.build for p in graph.pieces):  # then all own weights, so that their order stays
        graph.pieces[:] = [replace(p, build=p.build or "add_weight" in text(p.made)) for p in graph.pieces]
    lines = [f"class {cls}({functions.program.tf}.keras.layers.Layer):"]
    if ast.get_docstring(node) is not None:
        lines += [*_docstring(node, functions), ""]
    lines += _constructor(graph, given, defaults) + _build(graph, given) + ["", *_call(graph, tensors, given, defaults)]
    variables = tuple(name for piece in graph.pieces for name in piece.names)
    plain = frozenset(n for n in tensors if n in graph.plain)
    parts = tuple(graph.pieces)
    return Block(node.name, cls, tensors, given, tuple(lines), refs(parts), graph.moded, variables, parts, plain)


def _docstring(node: ast.FunctionDef, functions: Functions) -> list[str]:
    """The lines of a function's docstring, four spaces deep."""
    first = node.body[0]
    return functions.program.block(first.lineno, first.end_lineno or 0, 4 - first.col_offset)


def _repeated(node: ast.FunctionDef) -> frozenset[str]:
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return frozenset(name for name in names if names.count(name) > 1)


def _read(body: list[ast.stmt], reader: Reader, after: int) -> None:
    for statement in body:
        comments = tuple(reader.program.comments(statement, after))
        if isinstance(statement, ast.With):
            reader.path.append(scope_of(statement, reader))
            _read(statement.body, reader, statement.lineno)
            reader.path.pop()
        elif isinstance(statement, ast.Return):
            reader.returned(statement, comments)
        elif not _shares(statement, reader) and not reader.read(statement, comments):
            raise NotUnderstood(f"`{text(statement).splitlines()[0]}` in a function that makes variables")
        after = statement.end_lineno or statement.lineno


def _shares(statement: ast.stmt, reader: Reader) -> bool:
    """Whether a statement only says whether variables are shared: the layer's all are, or none."""
    return reuses(statement, reader.program) or bool(reuses_if(statement, reader.program))


def scope_of(block: ast.With, reader: Reader) -> str:
    """The name of a scope, as `variable_names` has it; none where it names no variables."""
    value = block.items[0].context_expr
    api = reader.program.api(value)
    if api in tables.DEVICES and len(block.items) == 1:
        return ""
    bound = block.items[0].optional_vars
    only_shares = bound is not None and not {
        key for s in block.body if not _shares(s, reader) for key in keys_read(s)
    } & {text(bound)}
    if len(block.items) != 1 or api not in tables.SCOPES or (bound is not None and not only_shares):
        raise NotUnderstood("a scope that is used as a value")
    assert isinstance(value, ast.Call)
    if len(value.args) != 1 or any(k.arg != "reuse" for k in value.keywords):
        raise NotUnderstood("a scope with more than a name")
    return reader.part_of(value.args[0]) if api == "tf.variable_scope" else ""


def _constructor(graph: Graph, given: tuple[str, ...], defaults: Mapping[str, ast.expr]) -> list[str]:
    kept = _later(graph, given)
    parameters = [f"{n}={text(defaults[n])}" if n in defaults else n for n in given]
    lines = [f"    def __init__({', '.join(['self', *parameters])}):", "        super().__init__()"]
    lines += [f"        self.{name} = {name}" for name in kept]
    for piece in graph.pieces:
        if not piece.build:
            made = source_of(Rewire(graph, given, False).visit(copy.deepcopy(piece.made)))
            lines += indented([*piece.comments, made])
    return lines


def _later(graph: Graph, given: tuple[str, ...]) -> list[str]:
    """What of the constructor is read after it."""
    nodes = [*(p.made for p in graph.pieces if p.build), *(c.statement for c in graph.computed)]
    read = {key for node in nodes for key in keys_read(node)}
    return [name for name in given if name in read]


def _build(graph: Graph, given: tuple[str, ...]) -> list[str]:
    built = [p for p in graph.pieces if p.build]
    if not built:
        return []
    lines = ["", "    def build(self, input_shape):"]
    for piece in built:
        made = source_of(Rewire(graph, given, True).visit(copy.deepcopy(piece.made)))
        lines += indented([*piece.comments, made])
    return lines


def _call(
    graph: Graph, tensors: tuple[str, ...], given: tuple[str, ...], defaults: Mapping[str, ast.expr]
) -> list[str]:
    parameters = [f"{n}={text(defaults[n])}" if n in defaults else n for n in tensors]
    lines = [f"    def call({', '.join(['self', *parameters])}):"]
    for one in graph.computed:
        lines += indented([*one.comments, _line(one, graph, given)])
    return lines


def _line(one: Computed, graph: Graph, given: tuple[str, ...]) -> str:
    return source_of(Rewire(graph, given, True).visit(copy.deepcopy(one.statement)))
