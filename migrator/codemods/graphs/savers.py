"""Savers of a graph: what they write is the state of the module, of the optimizers and of the count of steps."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from migrator.codemods.graphs.graph import Graph, Saver, runs
from migrator.codemods.graphs.program import NotUnderstood, Program, key_of, keys_read
from migrator.codemods.graphs.tables import bound, text

API = "tf.train.Saver"
COUNT = "tf.train.global_step"
_MADE = ("var_list", "reshape", "sharded", "max_to_keep")
_ALL = frozenset({"tf.global_variables", "tf.all_variables"})
_CALLS = {"save": ("sess", "save_path", "global_step"), "restore": ("sess", "save_path")}


def read_saver(call: ast.Call, graph: Graph, program: Program) -> Saver:
    """A saver of all variables that there are; raises `NotUnderstood` for others."""
    args = bound(call, _MADE)
    listed = None if args is None else args.get("var_list")
    plain = isinstance(listed, ast.Call) and not (listed.args or listed.keywords)
    if args is not None and listed is not None and plain and program.api(listed) in _ALL:
        del args["var_list"]
    if args is None or args.keys() - {"max_to_keep", "name"}:
        raise NotUnderstood("a saver of some variables")
    kept = text(args["max_to_keep"]) if "max_to_keep" in args else ""
    numbers = frozenset(step.optimizer.number for step in graph.steps.values())
    return Saver(kept, numbers, bool(graph.global_steps), len(graph.pieces))


def counter(statements: Sequence[ast.stmt], graph: Graph, program: Program) -> str:
    """The count of steps that something reads: files are named by it, or a run or call is asked for it; "" for none."""
    calls = [n for s in statements for n in ast.walk(s) if isinstance(n, ast.Call)]
    saving = (c for s in statements for c in _calls(s, graph))
    given = [key_of(args["global_step"]) for c in saving if "global_step" in (args := _arguments(c))]
    given += [key_of(n) for c in calls if runs(c, graph) for n in ast.walk(c)]
    given += [key_of(a) for c in calls if program.api(c) == COUNT for a in c.args]
    return next((key for key in given if key in graph.global_steps), "")


def _calls(node: ast.AST, graph: Graph) -> Iterator[ast.Call]:
    for call in ast.walk(node):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and key_of(call.func.value) in graph.savers
        ):
            yield call


def _arguments(call: ast.Call) -> dict[str, ast.expr]:
    assert isinstance(call.func, ast.Attribute)
    params = _CALLS.get(call.func.attr, ())
    found = bound(call, params) if params else None
    if found is None or found.keys() - set(params) or "save_path" not in found:
        raise NotUnderstood(f"`{text(call)}`, a saver's call that is not known")
    return found


def made(graph: Graph, model: str, optimizers: Mapping[int, str], count: str, tf: str) -> list[str]:
    """The lines that make the savers, after the module and its optimizers."""
    lines = made_count(count, tf)
    return lines + [f"{key} = {made_saver(key, graph, model, optimizers, count, tf)}" for key in graph.savers]


def made_count(count: str, tf: str) -> list[str]:
    """The line that makes the count of steps, where something reads it."""
    return [f"{count} = {tf}.compat.v2.Variable(0, trainable=False, dtype={tf}.int64)"] if count else []


def made_saver(key: str, graph: Graph, model: str, optimizers: Mapping[int, str], count: str, tf: str) -> str:
    """The source of a saver of all that there was."""
    saver = graph.savers[key]
    if saver.pieces != len(graph.pieces):
        raise NotUnderstood("variables that are made after their saver")
    parts = [f"model={model}"]
    held = {n: name for n, name in optimizers.items() if n in saver.optimizers}
    names = ["optimizer"] if len(held) == 1 else [name.rpartition(".")[2] for name in held.values()]
    parts += [f"{name}={place}" for name, place in zip(names, held.values(), strict=True)]
    parts += [f"global_step={count}"] if count and saver.counts else []
    parts += [f"max_to_keep={saver.max_to_keep}"] if saver.max_to_keep else []
    return f"{tf}.train.Saver({', '.join(parts)})"


def without_session(statement: ast.stmt, graph: Graph, count: str) -> list[str] | None:
    """The statement with the calls of savers as the module's are made; None where it has none."""
    found = list(_calls(statement, graph))
    if not found:
        return None
    for call in found:
        args = _arguments(call)
        if key_of(args.pop("sess", call)) not in graph.sessions:
            raise NotUnderstood(f"`{text(call)}`, whose session is not seen")
        call.args, call.keywords = [args.pop("save_path")], []
        if "global_step" in args:
            call.keywords = [ast.keyword("global_step", args["global_step"])]
    if set(keys_read(statement)) & (graph.keys - graph.savers.keys() - {count}):
        raise NotUnderstood(f"`{text(statement)}` uses the graph beside a saver")
    return text(statement).splitlines()
