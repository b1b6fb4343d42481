"""Weights that keep within their bounds: what follows each step of an optimizer that a program uses by itself."""

from __future__ import annotations

import ast

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.models import Parts, Trained
from migrator.codemods.training.scope import Holder
from migrator.codemods.training.traits import traits_of
from migrator.values import ModelValue, RepoInstance, Unknown, Value


def hook(optimizer: str, model: str) -> str:
    """The statement that constrains a model's weights after each step."""
    return f"{optimizer}.register_step_post_hook({model}.constrain_weights)"


def hooks(optimizer: str, parts: Parts, holder: Holder, ctx: Context) -> list[str] | str:
    """The statements for all that an optimizer trains; a reason where it is not known what is constrained."""
    if not any_constraint(ctx):
        return []
    lines = []
    for part in parts:
        found = _constrained(part, holder, ctx)
        if found is None:
            return f"whether `{part.owner}` has constraints is not known"
        lines += [hook(optimizer, part.owner)] if found else []
    return lines


def any_constraint(ctx: Context) -> bool:
    """Whether anything that the file may train has constraints."""
    return bool(ctx.constrained) or any(
        isinstance(node, cst.Arg) and not m.matches(node.value, m.Name("None"))
        for node in find(ctx.tree, m.Arg(keyword=m.Name(value=m.MatchIfTrue(_names_one))))
    )


def _names_one(keyword: str) -> bool:
    return keyword.endswith("constraint")


def _constrained(part: Trained, holder: Holder, ctx: Context) -> bool | None:
    if part.kind != "module":
        return None
    value = _value(part.owner, holder, ctx)
    if isinstance(value, RepoInstance):
        made = (ctx.models or {}).get(value.qualname)
        return value.qualname in ctx.constrained if made is None else made.constrained
    if not isinstance(value, ModelValue | Unknown):
        return None
    traits = traits_of(value, ctx)
    return None if traits is None else traits.constrained


def _value(text: str, holder: Holder, ctx: Context) -> Value:
    """What is known of a model under this name, in the function or elsewhere in the file."""
    nested = isinstance(ast.parse(text, mode="eval").body, ast.Attribute)
    wanted = m.Attribute() if nested else m.Name(text)
    for where in (holder, ctx.tree):
        named = [ctx.value(node) for node in find(where, wanted) if not nested or ctx.code(node).strip() == text]
        known = [value for value in named if not isinstance(value, Unknown)]
        if known:
            return known[-1] if all(value == known[-1] for value in known) else Unknown("several values")
    return Unknown()
