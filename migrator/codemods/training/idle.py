"""Statements that say nothing in PyTorch: contexts that go, and lists of devices that only set-up lines read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, below
from migrator.codemods.training.place import embed
from migrator.model import Rewritten
from migrator.syntax import index_of
from migrator.values import Api

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
_LISTS = frozenset({"tf.config.list_physical_devices", "tf.config.list_logical_devices"})


def as_statements(node: cst.CSTNode) -> list[Statement]:
    """What the rules made of a statement: one, or those of a module where it went or became several."""
    body = node.body if isinstance(node, cst.Module) else [node]
    assert all(isinstance(statement, Statement) for statement in body)
    return list(body)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Header:
    """What is left of a `with` that goes: `before` its block; `names` that it had bound."""

    before: list[Statement]
    names: list[str]
    rewritten: Rewritten


def without_body(node: cst.With, ctx: Context) -> Header | None:
    """The head of a `with` by the rules; None where a context of it stays."""
    bare = node.with_changes(body=cst.IndentedBlock([cst.SimpleStatementLine([cst.Pass()])]))
    rewritten = embed(bare, {}, replace(ctx, spans={**ctx.spans, bare: ctx.spans[node]}), [node.body])
    if not isinstance(rewritten.node, cst.Module):
        return None
    before = [s for s in as_statements(rewritten.node) if not _is_pass(s)]
    names = [item.asname.name for item in node.items if item.asname is not None]
    return Header(before, [name.value for name in names if isinstance(name, cst.Name)], rewritten)


def _is_pass(statement: Statement) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Pass)


def lists_for_nothing(line: cst.SimpleStatementLine, ctx: Context) -> bool:
    """`gpus = tf.config.list_physical_devices("GPU")` whose every reader goes."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Assign) or len(part.targets) > 1:
        return False
    target, call = part.targets[0].target, part.value
    if not isinstance(target, cst.Name) or not isinstance(call, cst.Call) or not _lists(call, ctx):
        return False
    words = index_of(ctx.tree).words
    uses = [n for n in below(ctx.tree, cst.Name) if n.value == target.value and n not in words]  # type: ignore[attr-defined]
    return all(use is target or _goes(use, ctx) for use in uses)


def _lists(call: cst.Call, ctx: Context) -> bool:
    value = ctx.value(call.func)
    return isinstance(value, Api) and value.name in _LISTS


def _goes(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a statement around a node becomes nothing."""
    around = ancestors(node, ctx.tree)
    kinds = cst.SimpleStatementLine | cst.If | cst.For | cst.Try
    made = (ctx.rewrite(statement) for statement in around if isinstance(statement, kinds))
    return any(isinstance(m.node, cst.Module) and not m.node.body and not m.declines for m in made)
