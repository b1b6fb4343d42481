"""The source of classes of the repository, wherever they stand."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.steps import has_tape, helping
from migrator.values import RepoInstance, Value

_STEPS = ("train_step", "test_step", "predict_step", "compile")


def definition(ctx: Context, qualname: str) -> tuple[Context, cst.ClassDef] | None:
    """The class of this name, with the file that it stands in."""
    module, _, name = qualname.partition(":")
    there = ctx if module == ctx.module else ctx.siblings.get(module)
    for statement in there.tree.body if there is not None else ():
        if isinstance(statement, cst.ClassDef) and statement.name.value == name and there is not None:
            return there, statement
    return None


def methods_of(value: Value, ctx: Context) -> dict[str, cst.FunctionDef]:
    """The methods of a model or layer that follow its mode; those by which it trains itself see to theirs."""
    known = isinstance(value, RepoInstance) and value.kind in ("model", "layer")
    found = definition(ctx, value.qualname) if known and isinstance(value, RepoInstance) else None
    if found is None or not isinstance(value, RepoInstance):
        return {}
    there, node = found
    methods = {s.name.value: s for s in node.body.body if isinstance(s, cst.FunctionDef)}
    steps = steps_of(methods, there) if value.kind == "model" else frozenset[str]()
    return {
        name: method
        for name, method in methods.items()
        if name not in steps and not name.startswith("__") and not _is_bare(method)
    }


def _is_bare(method: cst.FunctionDef) -> bool:
    """Whether a method has no object to run in the mode of."""
    return any(m.matches(d.decorator, m.Name("staticmethod") | m.Name("classmethod")) for d in method.decorators)


def steps_of(methods: dict[str, cst.FunctionDef], ctx: Context) -> frozenset[str]:
    """The methods by which a model trains itself, and what only these call."""
    steps = {n for n, method in methods.items() if n in _STEPS or has_tape(method, ctx)}
    return frozenset(steps | helping(methods, steps))
