"""Reading a chain of tf.data calls: `from_tensor_slices(...).map(f).shuffle(n).batch(b)`."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from migrator.codemods.context import Context
from migrator.values import Api, Dataset, Instance

METHODS: dict[str, tuple[str, ...]] = {
    "map": ("map_func", "num_parallel_calls", "deterministic", "synchronous", "use_unbounded_threadpool", "name"),
    "shuffle": ("buffer_size", "seed", "reshuffle_each_iteration", "name"),
    "batch": ("batch_size", "drop_remainder", "num_parallel_calls", "deterministic", "name"),
    "repeat": ("count", "name"),
    "prefetch": ("buffer_size", "name"),
    "cache": ("filename", "name"),
    "take": ("count", "name"),
    "skip": ("count", "name"),
    "filter": ("predicate", "name"),
    "enumerate": ("start", "name"),
    "concatenate": ("dataset", "name"),
}
SOURCES: dict[str, tuple[str, ...]] = {
    "range": ("start", "stop", "step"),
    "from_tensors": ("tensors", "name"),
    "list_files": ("file_pattern", "shuffle", "seed", "name"),
    "zip": ("datasets",),
}
"""Sources besides `from_tensor_slices`, and the names of their parameters."""
SOURCE = "tf.data.Dataset.from_tensor_slices"
_PREFIX = "tf.data.Dataset."


@dataclass(frozen=True)
class Step:
    """One method of a chain with its arguments by name."""

    method: str
    args: dict[str, cst.BaseExpression]


@dataclass(frozen=True)
class Chain:
    """`base` is the source call or an expression that is a dataset already.

    `source`: the argument of from_tensor_slices. `origin`: another source call, its name and arguments.
    """

    base: cst.BaseExpression
    source: cst.BaseExpression | None
    steps: tuple[Step, ...]
    problem: str = ""
    origin: Step | None = None


def read_chain(node: cst.BaseExpression, ctx: Context) -> Chain | None:
    """The chain that an expression is, or None when it is no dataset."""
    steps: list[Step] = []
    problem = ""
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if _api(node, ctx).startswith(_PREFIX) and not _is_dataset(node.func.value, ctx):
            return _sourced(node, steps, problem, ctx)
        if not _is_dataset(node.func.value, ctx) and not isinstance(node.func.value, cst.Call):
            break
        method = node.func.attr.value
        args = _bind(node, METHODS.get(method, ()))
        if args is None or method not in METHODS:
            problem = problem or f"Dataset.{method} in this form has no rule"
        steps.insert(0, Step(method, args or {}))
        node = node.func.value
    if not steps or not _is_dataset(node, ctx):
        return None
    return Chain(node, None, tuple(steps), problem)


def _sourced(node: cst.Call, steps: list[Step], problem: str, ctx: Context) -> Chain:
    api = _api(node, ctx)
    name = api.removeprefix(_PREFIX)
    if name in SOURCES:
        bound = _bind(node, SOURCES[name])
        why = "" if bound is not None else f"{api} in this form has no rule"
        return Chain(node, None, tuple(steps), problem or why, Step(name, bound or {}))
    if api != SOURCE:
        return Chain(node, None, tuple(steps), problem or f"{api} has no rule")
    args = [arg for arg in node.args if arg.keyword is None or arg.keyword.value == "tensors"]
    if len(args) != 1 or len(node.args) != 1 or args[0].star:
        return Chain(node, None, tuple(steps), problem or "from_tensor_slices in this form has no rule")
    return Chain(node, args[0].value, tuple(steps), problem)


def _api(call: cst.Call, ctx: Context) -> str:
    value = ctx.value(call.func)
    if isinstance(value, Api):
        return value.name
    text = ctx.code(call.func).strip()
    plain = text.replace(".", "").replace("_", "").isalnum()
    return (ctx.here.canonical(text, ctx.spans.get(call.func)) or "") if plain else ""


def _is_dataset(node: cst.BaseExpression, ctx: Context) -> bool:
    value = ctx.value(node)
    return isinstance(value, Dataset) or (isinstance(value, Instance) and value.api == "tf.data.Dataset")


def _bind(call: cst.Call, parameters: tuple[str, ...]) -> dict[str, cst.BaseExpression] | None:
    found: dict[str, cst.BaseExpression] = {}
    for index, arg in enumerate(call.args):
        if arg.star or (arg.keyword is None and index >= len(parameters)):
            return None
        name = arg.keyword.value if arg.keyword is not None else parameters[index]
        if name not in parameters or name in found:
            return None
        found[name] = arg.value
    return found
