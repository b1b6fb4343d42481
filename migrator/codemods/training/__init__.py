"""Training code: compile, fit, evaluate, predict, tapes and optimizers become plain PyTorch loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import libcst as cst

from migrator.codemods.context import Context, Draft
from migrator.codemods.training.arrays import from_arrays
from migrator.codemods.training.body import Statement, Walker
from migrator.codemods.training.plan import plan_file
from migrator.codemods.training.steps import step_problem
from migrator.codemods.training.tracing import REASON, drawn_once
from migrator.model import Decline, UnitKind

__all__ = ["function_unit", "script_unit", "step_unit", "training_body"]


def training_body(statements: Sequence[cst.BaseStatement], ctx: Context, kind: UnitKind) -> Draft:
    """Statements of a module's top level, rewritten: training constructs here, all else by the rules."""
    walker = Walker.of(ctx, ctx.tree)
    for text in (text for statement in statements for text in drawn_once(statement, ctx)):
        walker.sink.decline(REASON.format(text))
    body = walker.run(statements)
    if body:  # the file keeps the comments above a unit
        body[0] = body[0].with_changes(leading_lines=())
    for name in walker.sink.helpers:
        if name in walker.plan.own:
            walker.sink.decline(f"the file has a `{name}` of its own")
    text = cst.Module(body=_spaced(body)).code
    walker.sink.needs_device = walker.sink.needs_device or "device=device" in text
    return walker.sink.draft(text, kind)


def _spaced(body: Sequence[Statement]) -> list[Statement]:
    """Two blank lines around the definitions of a top level."""
    found: list[Statement] = []
    for statement in body:
        near = [*found[-1:], statement] if found else []
        lead = list(getattr(statement, "leading_lines", ()))
        blank = next((i for i, line in enumerate(lead) if line.comment is not None), len(lead))
        if any(isinstance(s, cst.FunctionDef | cst.ClassDef) for s in near) and blank < 2:
            extra = [cst.EmptyLine(indent=False)] * (2 - blank)
            statement = statement.with_changes(leading_lines=[*extra, *lead])
        found.append(statement)
    return found


def function_unit(node: cst.FunctionDef, ctx: Context) -> Draft:
    """A top-level function that builds no model."""
    draft = training_body([node], ctx, UnitKind.FUNCTION)
    known = ctx.facts.function(f"{ctx.module}:{node.name.value}")
    return draft if known is None or not known.arrays else from_arrays(draft, known.arrays)


def step_unit(method: cst.FunctionDef, ctx: Context) -> Draft:
    """A method by which a model trains itself."""
    why = step_problem(method, ctx)
    draft = training_body([method], ctx, UnitKind.TRAINING)
    return replace(draft, declines=(*draft.declines, Decline(why))) if why else draft


def script_unit(statements: Sequence[cst.BaseStatement], ctx: Context, kind: UnitKind) -> Draft:
    """A group of top-level statements, or a class that is neither layer nor model."""
    placed = plan_file(ctx).placed and not any(isinstance(s, cst.ClassDef) for s in statements)
    return training_body(statements, replace(ctx, device="device") if placed else ctx, kind)
