"""Calls of a model's own methods besides `call`: Keras predicts in them unless they are told to train."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.class_nodes import methods_of
from migrator.codemods.models.own_calls import CALL, default, flag, place
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import constant
from migrator.codemods.training.layer_calls import has_two_modes
from migrator.values import Literal, RepoInstance


@dataclass(frozen=True)
class OwnCall:
    """A call of an own method of `model`; `flag`: the argument that says whether it trains. `default`: without one."""

    model: str
    flag: cst.Arg | None
    default: str


def own_call(call: cst.Call, ctx: Context) -> OwnCall | None:
    """The call of a method of a model or layer in which its layers run in one of two modes; None for any other."""
    if not isinstance(call.func, cst.Attribute) or not isinstance(call.func.value, cst.Name | cst.Attribute):
        return None
    value = ctx.value(call.func.value)
    methods = methods_of(value, ctx)
    method = methods.get(call.func.attr.value)
    if (
        method is None
        or method.name.value in ("build", CALL)
        or method.decorators
        or not isinstance(value, RepoInstance)
    ):
        return None
    told = place(method) is not None
    if not told and not (_runs(method, methods, frozenset()) and _has_two_modes(value, ctx)):
        return None
    kept = constant(default(method), ctx) if told else None
    return OwnCall(ctx.code(call.func.value).strip(), flag(call, method), "train" if kept == Literal(True) else "eval")


def _runs(method: cst.FunctionDef, methods: dict[str, cst.FunctionDef], seen: frozenset[str]) -> bool:
    """Whether a method calls what the object holds, itself or by other methods."""
    for node in find(method, m.Call(func=m.Attribute(value=m.Name("self")) | m.Name("self") | m.Subscript())):
        assert isinstance(node, cst.Call)
        name = node.func.attr.value if isinstance(node.func, cst.Attribute) else CALL
        if name not in methods:
            return True
        if name not in seen and _runs(methods[name], methods, seen | {name}):
            return True
    return False


def _has_two_modes(value: RepoInstance, ctx: Context) -> bool:
    facts = ctx.facts.cls(value.qualname)
    return facts is None or any(has_two_modes(item, ctx) for _, item in facts.attrs)
