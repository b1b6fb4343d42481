"""Training code: compile, fit, evaluate, predict, tapes and optimizers become plain PyTorch loops."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from migrator.codemods.context import Context, Draft
from migrator.codemods.training.body import Walker
from migrator.model import UnitKind

__all__ = ["function_unit", "script_unit", "training_body"]


def training_body(statements: Sequence[cst.BaseStatement], ctx: Context, kind: UnitKind) -> Draft:
    """Statements of a module's top level, rewritten: training constructs here, all else by the rules."""
    walker = Walker.of(ctx, ctx.tree)
    body = walker.run(statements)
    if body:  # the file keeps the comments above a unit
        body[0] = body[0].with_changes(leading_lines=())
    for name in walker.sink.helpers:
        if name in walker.plan.own:
            walker.sink.decline(f"the file has a `{name}` of its own")
    return walker.sink.draft(cst.Module(body=body).code, kind)


def function_unit(node: cst.FunctionDef, ctx: Context) -> Draft:
    """A top-level function that builds no model."""
    return training_body([node], ctx, UnitKind.FUNCTION)


def script_unit(statements: Sequence[cst.BaseStatement], ctx: Context, kind: UnitKind) -> Draft:
    """A group of top-level statements, or a class that is neither layer nor model."""
    return training_body(statements, ctx, kind)
