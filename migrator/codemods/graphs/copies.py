"""Operations that set some variables from others: the target of a network from the network that learns."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection

from migrator.codemods.graphs.graph import Copy, Graph
from migrator.codemods.graphs.program import NotUnderstood, Program, key_of, keys_read
from migrator.codemods.graphs.tables import bound, text
from migrator.codemods.graphs.training import Training


def read_copy(keys: Collection[str], value: ast.expr, program: Program, training: Training) -> bool:
    """Whether a list is `[tf.assign(t, e) for t, e in zip(targets, sources)]`, which is noted."""
    if not isinstance(value, ast.ListComp) or len(value.generators) != 1:
        return False
    over, graph = value.generators[0], training.graph
    names = [key_of(n) for n in over.target.elts] if isinstance(over.target, ast.Tuple) else []
    pair = over.iter.args if isinstance(over.iter, ast.Call) and text(over.iter.func) == "zip" else []
    target, source = _assigned(value.elt, program)
    if len(names) != 2 or len(pair) != 2 or target != names[0] or source is None:
        return False
    if over.ifs or (set(keys_read(source)) - set(names)) & graph.keys:
        raise NotUnderstood("a variable that the graph assigns")
    lists = [training.variables(node) for node in pair]
    _check_alike(lists[0], lists[1], graph)
    made = Copy(lists[0], lists[1], (names[0], names[1]), source)
    graph.copies.update(dict.fromkeys(keys, made))
    return True


def _assigned(node: ast.expr, program: Program) -> tuple[str, ast.expr | None]:
    """What an expression assigns, and the new value."""
    if not isinstance(node, ast.Call):
        return "", None
    if program.api(node) == "tf.assign":
        args = bound(node, ("ref", "value")) or {}
        return (key_of(args["ref"]), args["value"]) if set(args) == {"ref", "value"} else ("", None)
    func = node.func
    single = len(node.args) == 1 and not node.keywords
    if isinstance(func, ast.Attribute) and func.attr == "assign" and single:
        return key_of(func.value), node.args[0]
    return "", None


def _check_alike(targets: tuple[str, ...], sources: tuple[str, ...], graph: Graph) -> None:
    """The variables are those of layers that are made alike, each of its own."""
    pieces = {piece.attribute: piece for piece in graph.pieces}
    kinds = [[_kind(pieces[name].made) for name in names] for names in (targets, sources)]
    apart = bool(targets) and not set(targets) & set(sources)
    if not apart or kinds[0] != kinds[1] or any(pieces[name].each for name in targets + sources):
        raise NotUnderstood("variables that are set from others which are not like them")


def _kind(made: ast.stmt) -> str:
    value = made.value if isinstance(made, ast.Assign) else None
    return text(value.func) if isinstance(value, ast.Call) else ""


def copied(statement: ast.stmt, graph: Graph) -> list[Copy]:
    """What a statement copies whose run does nothing else; none for other statements."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    func = call.func if isinstance(call, ast.Call) else None
    runs = isinstance(func, ast.Attribute) and func.attr == "run" and key_of(func.value) in graph.sessions
    if not runs or not isinstance(call, ast.Call) or len(call.args) != 1 or call.keywords:
        return []
    fetched = call.args[0].elts if isinstance(call.args[0], ast.List | ast.Tuple) else [call.args[0]]
    found = [graph.copies.get(key_of(fetch)) for fetch in fetched]
    return [one for one in found if one is not None] if all(found) else []


def lines(one: Copy, graph: Graph, model: str, taken: Collection[str]) -> list[str]:
    """The loop that copies."""
    wishes = one.names if not set(one.names) & set(taken) else ("target", "source")
    names = dict(zip(one.names, (_free(name, taken) for name in wishes), strict=True))
    value = text(_Named(names).visit(copy.deepcopy(one.value)))
    target, source = names.values()
    over = f"zip({graph.listed(model, one.targets)}, {graph.listed(model, one.sources)})"
    return [f"for {target}, {source} in {over}:", f"    {target}.assign({value})"]


def _free(wish: str, taken: Collection[str]) -> str:
    while wish in taken:
        wish += "_"
    return wish


class _Named(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)
