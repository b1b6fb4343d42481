"""Models that are built among other statements: their classes go to the top level."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.models import model_statements, rewrite_call
from migrator.codemods.nodes import ancestors
from migrator.codemods.training.place import Statement, statements
from migrator.codemods.training.sink import Sink
from migrator.codemods.training.writer import Unfit
from migrator.values import RepoClass, RepoFunction


def build(run: Sequence[cst.BaseStatement], ctx: Context, sink: Sink) -> list[Statement]:
    """The statements that make the model of a run; its class is hoisted."""
    draft = model_statements(run, ctx)
    if draft is None:
        sink.decline("a model that is built among other statements")
        return []
    sink.absorb(draft)
    return statements(draft.text)


def is_construction(call: cst.Call, ctx: Context) -> bool:
    """A call that makes a model or layer of the repository, or of a factory that gained sizes."""
    callee = ctx.value(call.func)
    if isinstance(callee, RepoClass):
        facts = ctx.facts.cls(callee.qualname)
        return facts is not None and facts.kind in ("model", "layer")
    if isinstance(callee, RepoFunction):
        known = ctx.facts.function(callee.qualname)
        factory = known is not None and known.role == "layer-factory"
        return factory or any(change.added for change in ctx.changes.get(callee.qualname, ()))
    return False


def construction(call: cst.Call, plain: str, ctx: Context, sink: Sink) -> str:
    """The text of a construction, with the sizes that it gained; `plain` is it without them."""
    made = rewrite_call(call, ctx)
    if isinstance(made, cst.BaseExpression):
        plain = cst.Module([]).code_for_node(made).strip()
    elif made is not None:
        raise Unfit(made.reason)
    callee = ctx.value(call.func)
    facts = ctx.facts.cls(callee.qualname) if isinstance(callee, RepoClass) else None
    alone = facts is not None and facts.kind == "layer" and bool(ctx.device) and _stands_alone(call, ctx)
    if facts is None or not (facts.kind == "model" or alone):
        return plain
    sink.needs_device = True
    sink.imports.add("import torch")
    return f"{plain}.to(device)"


def _stands_alone(call: cst.Call, ctx: Context) -> bool:
    """Whether what a call makes gets a name or is called on the spot, not handed to something around it."""
    around = ancestors(call, ctx.tree)[1:2]
    return any(isinstance(n, cst.Assign) or (isinstance(n, cst.Call) and n.func is call) for n in around)
