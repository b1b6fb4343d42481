"""Calls of the repository's models and layers outside of model code."""

from __future__ import annotations

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.models.build import ModuleBuild
from migrator.codemods.models.class_nodes import definition
from migrator.codemods.models.create import Maker
from migrator.codemods.models.forward import body_of
from migrator.codemods.models.params import kept_params
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
    if not required(ctx, callee.qualname) and not _names_it(call, callee, ctx):
        return None
    build = ModuleBuild("", "")
    text = Maker(ctx, build).construction(call, callee.qualname)
    if isinstance(text, Decline):
        return text
    if build.needs.declines:
        return build.needs.declines[0]
    return cst.parse_expression(text)


def _names_it(call: cst.Call, callee: RepoClass | RepoFunction, ctx: Context) -> bool:
    """Whether a call gives a module the name that Keras's base class alone would read."""
    if not isinstance(callee, RepoClass) or not any(
        a.keyword is not None and a.keyword.value == "name" for a in call.args
    ):
        return False
    found = definition(ctx, callee.qualname)
    if found is None:
        return False
    there, node = found
    there.begin()
    init = next((s for s in body_of(node) if isinstance(s, cst.FunctionDef) and s.name.value == "__init__"), None)
    keeps = init is not None and "name" in kept_params(init)
    ctx.begin()
    return not keeps
