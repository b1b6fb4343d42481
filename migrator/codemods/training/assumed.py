"""Which model of the file an expression is taken to be where nothing else is known of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.values import RepoInstance, Unknown, Value

STEPS = ("train_step", "test_step")


def models_of(ctx: Context, *, trains_itself: bool = False) -> tuple[tuple[str, Value], ...]:
    """The models that the file makes, by name, without those that are parts of others.

    `trains_itself`: only those with a `train_step` of their own.
    """
    found = dict(_models(ctx))
    inside = {name for name in found for other in found if other != name and _calls(ctx, other, name)}
    return tuple(
        (name, value)
        for name, (value, _) in found.items()
        if name not in inside and (not trains_itself or has_step(value, ctx))
    )


def has_step(value: Value, ctx: Context) -> bool:
    """Whether a model of the repository trains or evaluates itself, batch by batch."""
    return isinstance(value, RepoInstance) and any(ctx.facts.function(f"{value.qualname}.{s}") for s in STEPS)


def lists_metrics(qualname: str, ctx: Context) -> bool:
    """Whether a class of the repository says which metrics it has."""
    return ctx.facts.function(f"{qualname}.metrics") is not None


def _models(ctx: Context) -> Iterator[tuple[str, tuple[Value, cst.CSTNode]]]:
    for statement in ctx.tree.body:
        if isinstance(statement, cst.FunctionDef):
            facts = ctx.facts.function(f"{ctx.module}:{statement.name.value}")
            if facts is not None and facts.role == "model-factory":
                yield statement.name.value, (facts.returns, statement)
        elif isinstance(statement, cst.ClassDef):
            qualname = f"{ctx.module}:{statement.name.value}"
            known = ctx.facts.cls(qualname)
            if known is not None and known.kind == "model":
                yield statement.name.value, (RepoInstance(qualname, "model"), statement)


def _calls(ctx: Context, outer: str, inner: str) -> bool:
    """Whether the definition of one model makes another."""
    node = next(s for s in ctx.tree.body if getattr(getattr(s, "name", None), "value", "") == outer)
    return bool(find(node, m.Call(func=m.Name(inner))))


def value_of(node: cst.CSTNode, ctx: Context, compiled: Collection[str]) -> Value:
    """The value of an expression; of what the file compiles, and of parts of it, as the model it is taken to be."""
    value = ctx.value(node)
    if not isinstance(value, Unknown):
        return value
    if isinstance(node, cst.Attribute):
        owner = value_of(node.value, ctx, compiled)
        facts = ctx.facts.cls(owner.qualname) if isinstance(owner, RepoInstance) else None
        return (facts.attr(node.attr.value) if facts is not None else None) or value
    if isinstance(node, cst.Name) and node.value in compiled:
        found = models_of(ctx) if len(models_of(ctx)) == 1 else models_of(ctx, trains_itself=True)
        return found[0][1] if len(found) == 1 else value
    return value
