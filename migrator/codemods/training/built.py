"""What training must know of a model that statements of the file build, where no factory was drafted for it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import libcst as cst

from migrator.codemods.context import Context, Draft, ModelTraits
from migrator.codemods.models import model_statements
from migrator.codemods.nodes import ancestors, below
from migrator.codemods.training.runs import model_runs
from migrator.values import ModelValue, Span

_CACHE: dict[str, tuple[cst.Module, dict[Span, Draft | None]]] = {}  # the file at hand only


def built_by_statements(model: ModelValue, ctx: Context) -> ModelTraits | None:
    """The traits of the class that the statements around a model's creation become; None where there is none."""
    draft = class_of_statements(model, ctx)
    if draft is None:
        return None
    activation = next(iter(draft.has_logits.values()), "")
    return ModelTraits(
        activation,
        bool(draft.has_penalty),
        bool(draft.has_shapes),
        bool(draft.has_constraints),
        bool(draft.has_additions),
        next(iter(draft.has_ends.values()), None),
        next(iter(draft.has_parts.values()), ()),
        bool(draft.has_mask),
    )


def class_of_statements(model: ModelValue, ctx: Context) -> Draft | None:
    """The draft of the statements around a model's creation: a class and the line that makes it."""
    if model.site is None or model.module != ctx.module:
        return None
    cached = _CACHE.get("file")
    if cached is None or cached[0] is not ctx.tree:
        cached = _CACHE["file"] = (ctx.tree, {})
    if model.site not in cached[1]:
        cached[1][model.site] = None  # a model that asks for itself is not known
        cached[1][model.site] = _drafted(model.site, ctx)
    return cached[1][model.site]


def _drafted(site: Span, ctx: Context) -> Draft | None:
    call = next((n for n in below(ctx.tree, cst.Call) if ctx.spans.get(n) == site), None)
    path = ancestors(call, ctx.tree) if call is not None else []
    for statement, block in pairwise(path):
        body = getattr(block, "body", None)
        if isinstance(statement, cst.BaseStatement) and isinstance(body, Sequence):
            return _of_block(list(body), list(body).index(statement), ctx)
    return None


def _of_block(body: list[cst.BaseStatement], index: int, ctx: Context) -> Draft | None:
    run = next(((a, b) for a, b in model_runs(body, ctx).items() if a <= index < b), None)
    draft = model_statements(body[run[0] : run[1]], ctx) if run is not None else None
    return None if draft is None or draft.declines else draft
