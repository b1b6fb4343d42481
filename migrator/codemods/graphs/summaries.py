"""Summaries of a graph: what a run of them computes is logged where the program writes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from migrator.codemods.graphs.graph import Graph, Summary
from migrator.codemods.graphs.program import NotUnderstood, Program, key_of
from migrator.codemods.graphs.tables import bound, text

Enter = Callable[[str, ast.expr], str]

_KINDS = {
    "tf.summary.scalar": ("name", "tensor", "collections", "family"),
    "tf.summary.histogram": ("name", "values", "collections", "family"),
    "tf.summary.image": ("name", "tensor", "max_outputs", "collections", "family"),
}
_MERGED = "tf.summary.merge"
_ALL = "tf.summary.merge_all"
_WRITER = "tf.summary.FileWriter"
_WRITTEN = ("summary", "global_step")


def is_summary(api: str) -> bool:
    """Whether a function makes summaries or puts them together."""
    return api in {*_KINDS, _MERGED, _ALL}


def read_summary(
    keys: Sequence[str], call: ast.Call, program: Program, scopes: Iterable[str], graph: Graph, enter: Enter
) -> None:
    """Note summaries under some names; `enter` puts a tensor without a name into the graph, and names it."""
    api = program.api(call)
    if api == _ALL:
        made = _all(call, graph)
    elif api == _MERGED:
        made = _merged(call, graph)
    else:
        made = (_one(call, api, scopes, graph, enter),)
        graph.logged += made
    graph.summaries.update(dict.fromkeys(keys, made))


def _all(call: ast.Call, graph: Graph) -> tuple[Summary, ...]:
    if call.args or call.keywords or not graph.logged:
        raise NotUnderstood("summaries that are not seen")
    return tuple(graph.logged)


def _merged(call: ast.Call, graph: Graph) -> tuple[Summary, ...]:
    given = call.args[0] if len(call.args) == 1 else None
    if not isinstance(given, ast.List | ast.Tuple):
        raise NotUnderstood("summaries that are not seen")
    keys = [key_of(one) for one in given.elts]
    if not all(key in graph.summaries for key in keys):
        raise NotUnderstood("summaries that are not seen")
    return tuple(one for key in keys for one in graph.summaries[key])


def _one(call: ast.Call, api: str, scopes: Iterable[str], graph: Graph, enter: Enter) -> Summary:
    params = _KINDS[api]
    args = bound(call, params)
    if args is None or args.keys() - {*params[:2], "max_outputs"} or set(params[:2]) - args.keys():
        raise NotUnderstood("a summary with arguments that are not known")
    if not isinstance(args["name"], ast.Constant):
        raise NotUnderstood("a summary whose name is not seen")
    value, name = args[params[1]], str(args["name"].value)
    key = key_of(value) or enter(re.sub(r"\W", "_", name), value)
    if key not in graph.versions and key not in graph.variables:
        raise NotUnderstood(f"a summary of `{text(value)}`")
    tag = "/".join([*(scope for scope in scopes if scope), name]).replace(" ", "_")
    version = graph.version(key) if key in graph.versions else (key, -1)
    return Summary(api.rpartition(".")[2], tag, version, text(args["max_outputs"]) if "max_outputs" in args else "")


def note_writer(statement: ast.stmt, program: Program, graph: Graph) -> bool:
    """Whether a statement makes what writes summaries; its names are noted."""
    if not isinstance(statement, ast.Assign) or program.api(statement.value) != _WRITER:
        return False
    keys = [key_of(target) for target in statement.targets]
    if not isinstance(statement.value, ast.Call) or not all(keys):
        return False
    graph.writers.update(keys)
    return True


def written(
    statement: ast.stmt, program: Program, graph: Graph, values: Mapping[str, Sequence[tuple[Summary, str]]]
) -> list[str] | None:
    """The statement where it makes or uses such a writer; None for others. `values`: names under which the program
    has summaries that were run, and the source of what is in them."""
    if isinstance(statement, ast.Assign) and program.api(statement.value) == _WRITER:
        return _made(statement, program.tf)
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    owner, name = call.func.value, call.func.attr
    if key_of(owner) not in graph.writers or name not in ("add_summary", "add_graph", "flush", "close"):
        return None
    if name == "add_graph":
        return []
    if name != "add_summary":
        return text(statement).splitlines()
    args = bound(call, _WRITTEN)
    key = "" if args is None or "summary" not in args else key_of(args["summary"])
    if args is None or args.keys() != set(_WRITTEN) or key not in values:
        raise NotUnderstood(f"`{text(call)}`, a summary whose run is not seen")
    return _logged(text(owner), values[key], text(args["global_step"]), program.tf)


def _made(statement: ast.Assign, tf: str) -> list[str]:
    assert isinstance(statement.value, ast.Call)
    args = bound(statement.value, ("logdir", "graph"))
    if args is None or args.keys() - {"logdir", "graph"} or "logdir" not in args:
        raise NotUnderstood("a writer of summaries with arguments that are not known")
    targets = " = ".join(text(target) for target in statement.targets)
    return [f"{targets} = {tf}.compat.v2.summary.create_file_writer({text(args['logdir'])})"]


def _logged(writer: str, values: Sequence[tuple[Summary, str]], step: str, tf: str) -> list[str]:
    lines = [f"with {writer}.as_default():"]
    for one, source in values:
        more = f", max_outputs={one.most}" if one.most else ""
        lines.append(f"    {tf}.compat.v2.summary.{one.kind}({one.tag!r}, {source}, step={step}{more})")
    return lines


def check_kept(names: Iterable[str], statements: Iterable[ast.stmt], graph: Graph) -> None:
    """What a run of summaries gives is only written: under these names nothing else reads it."""
    nodes = [n for statement in statements for n in ast.walk(statement)]
    logs = [n for n in nodes if isinstance(n, ast.Call) and _writes(n, graph)]
    given = {id(n) for c in logs for a in c.args[:1] for n in ast.walk(a)}
    for node in nodes:
        loads = isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)
        if loads and key_of(node) in names and id(node) not in given:
            raise NotUnderstood(f"`{key_of(node)}`, a summary that is not only written")


def _writes(call: ast.Call, graph: Graph) -> bool:
    func = call.func
    return isinstance(func, ast.Attribute) and func.attr == "add_summary" and key_of(func.value) in graph.writers


def scope_names(block: ast.With, program: Program, scopes: Iterable[str]) -> Iterator[str]:
    """The names, where they are seen, of the scopes that a block enters."""
    for item in block.items:
        value = item.context_expr
        if isinstance(value, ast.Call) and program.api(value) in scopes and value.args:
            name = value.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value
