"""Calls of the repository's models and layers outside of model code."""

from __future__ import annotations

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.models.build import ModuleBuild
from migrator.codemods.models.create import Maker
from migrator.codemods.models.sizes import required
from migrator.model import Decline
from migrator.values import RepoClass, RepoFunction


def rewrite_call(call: cst.Call, ctx: Context) -> cst.BaseExpression | Decline | None:
    """The call with the sizes that its class or factory has gained; None for a call that stays as it is."""
    callee = ctx.value(call.func)
    if not isinstance(callee, RepoClass | RepoFunction):
        return None
    facts = ctx.facts.function(callee.qualname) if isinstance(callee, RepoFunction) else None
    if facts is not None and facts.role == "layer-factory":
        return Decline(f"{callee.qualname.rpartition(':')[2]} is called outside of a model", span=ctx.spans.get(call))
    if not required(ctx, callee.qualname):
        return None
    build = ModuleBuild("", "")
    text = Maker(ctx, build).construction(call, callee.qualname)
    if isinstance(text, Decline):
        return text
    if build.needs.declines:
        return build.needs.declines[0]
    return cst.parse_expression(text)
