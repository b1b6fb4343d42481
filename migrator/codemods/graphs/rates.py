"""Rates of optimizers that a variable of the graph holds, which runs assign."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.graph import Graph
from migrator.codemods.graphs.program import NotUnderstood, Program, key_of, keys_read
from migrator.codemods.graphs.tables import bound, text


def hold(key: str, number: int, graph: Graph) -> str:
    """The first value of a variable that is the rate of an optimizer; the graph has it as that from now on."""
    if key in graph.held:
        graph.held[key] |= {number}
        return graph.first[key]
    attribute, start = graph.variables[key], _start(key, graph)
    if start is None:
        raise NotUnderstood("a learning rate that the graph computes")
    keys = {k for k, held in graph.variables.items() if held == attribute}
    if any(keys & set(keys_read(one.statement)) for one in graph.computed):
        raise NotUnderstood("a learning rate that the graph computes")
    graph.pieces[:] = [piece for piece in graph.pieces if piece.attribute != attribute]
    for name in keys:
        del graph.variables[name]
        graph.held[name], graph.first[name] = {number}, start
    return start


def _start(key: str, graph: Graph) -> str | None:
    """The source of the number from which a variable starts that does not train; None for other variables."""
    piece = next((p for p in graph.pieces if p.attribute == graph.variables.get(key)), None)
    if piece is None or piece.names or piece.each:
        return None
    made = {k.arg: k.value for n in ast.walk(piece.made) if isinstance(n, ast.Call) for k in n.keywords}
    start = made.get("initializer")
    if not isinstance(start, ast.Call) or not text(start.func).endswith("Constant") or text(made["shape"]) != "[]":
        return None
    return text(start.args[0] if start.args else start.keywords[0].value)


def check_held(graph: Graph) -> None:
    """What operations assign are rates of optimizers; raises `NotUnderstood`."""
    if any(key not in graph.held for key, _ in graph.updates_of_rates.values()):
        raise NotUnderstood("a variable that the graph assigns")


def assigned(node: ast.AST, program: Program, graph: Graph) -> tuple[str, ast.expr] | None:
    """The rate that an expression assigns, and the new value: `tf.assign(rate, value)`, `rate.assign(value)`."""
    if not isinstance(node, ast.Call):
        return None
    if program.api(node) in tables.ASSIGNS - {"tf.assign_add", "tf.assign_sub"}:
        args = bound(node, ("ref", "value")) or {}
        key = key_of(args["ref"]) if set(args) == {"ref", "value"} else ""
        return (key, args["value"]) if _may_be(key, graph) else None
    func = node.func
    owner = key_of(func.value) if isinstance(func, ast.Attribute) and func.attr == "assign" else ""
    single = len(node.args) == 1 and not node.keywords
    return (owner, node.args[0]) if single and _may_be(owner, graph) else None


def _may_be(key: str, graph: Graph) -> bool:
    """Whether a variable is a rate, or a number that may turn out to be one."""
    return key in graph.held or _start(key, graph) is not None


def changed(statement: ast.stmt, program: Program, graph: Graph) -> tuple[str, ast.expr, ast.expr | None] | None:
    """For a statement whose run only assigns a rate: the rate, its new value and what is fed; None for others."""
    call = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
    func = call.func if isinstance(call, ast.Call) else None
    runs = isinstance(func, ast.Attribute) and func.attr == "run" and key_of(func.value) in graph.sessions
    args = bound(call, ("fetches", "feed_dict")) if runs and isinstance(call, ast.Call) else None
    if args is None or "fetches" not in args or isinstance(statement, ast.Assign):
        return None
    fetch = args["fetches"]
    found = graph.updates_of_rates.get(key_of(fetch)) or assigned(fetch, program, graph)
    return None if found is None or found[0] not in graph.held else (found[0], found[1], args.get("feed_dict"))


def new_value(value: ast.expr, feed: Mapping[str, ast.expr], graph: Graph) -> str:
    """The source of what is assigned: of a placeholder what is fed."""
    key = key_of(value)
    if key in graph.placeholders:
        made = graph.placeholders[key]
        value = next((v for k, v in feed.items() if graph.placeholders[k] is made), value)
    if set(keys_read(value)) & graph.keys:
        raise NotUnderstood("a learning rate that the graph computes")
    return text(value)
