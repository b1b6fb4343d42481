"""Calls of a class's own methods that say whether they train: a module's mode says it for all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.class_nodes import methods_of
from migrator.codemods.nodes import find

if TYPE_CHECKING:
    from migrator.codemods.models.lower import Lowerer

FLAG = "training"
CALL = "call"
_SELF = m.Call(func=m.Name("self"))
_OF_SELF = m.Call(func=m.Attribute(value=m.Name("self")))


def flagged(methods: Mapping[str, cst.FunctionDef], steps: Collection[str], called: str) -> dict[str, cst.FunctionDef]:
    """Methods of which calls are written here: with a parameter that says whether they train, and `called` itself.

    `steps`: the methods by which a model trains itself, which are written otherwise.
    """
    return {
        name: method
        for name, method in methods.items()
        if name not in steps and (name == called or (place(method) is not None and not name.startswith("__")))
    }


def only_infers(methods: Mapping[str, cst.FunctionDef], told: Collection[str]) -> frozenset[str]:
    """Methods that no method which is `told` leads to: they run in no other mode than that of whoever calls them.

    Where a method is called that says nothing of training, Keras predicts.
    """
    reached, rest = set[str](), list(told)
    while rest:
        name = rest.pop()
        if name not in reached:
            reached.add(name)
            rest += [other for other in methods if name in methods and _calls(methods[name], other)]
    return frozenset(methods) - reached


def _calls(method: cst.FunctionDef, name: str) -> bool:
    call = m.Call(func=m.Attribute(value=m.Name("self"), attr=m.Name(name)))
    return bool(find(method, call)) or (name == CALL and bool(find(method, _SELF)))


def place(method: cst.FunctionDef) -> int | None:
    """The place of `training` among the arguments of a call; None where a method has no such parameter."""
    params = [*method.params.posonly_params, *method.params.params]
    names = [p.name.value for p in params if p.name.value != "self"]
    if FLAG in names:
        return names.index(FLAG)
    return len(names) + 99 if any(p.name.value == FLAG for p in method.params.kwonly_params) else None


def flag(call: cst.Call, method: cst.FunctionDef) -> cst.Arg | None:
    """The argument by which a call says whether it trains."""
    named = next((a for a in call.args if a.keyword is not None and a.keyword.value == FLAG), None)
    at = place(method)
    if named is not None or at is None or at >= len(call.args):
        return named
    given = call.args[at]
    return given if given.keyword is None and not given.star else None


def default(method: cst.FunctionDef) -> cst.BaseExpression | None:
    """What a method takes `training` to be in calls that do not say."""
    params = [*method.params.posonly_params, *method.params.params, *method.params.kwonly_params]
    return next((p.default for p in params if p.name.value == FLAG), None)


def told(node: cst.CSTNode, methods: Mapping[str, cst.FunctionDef], ctx: Context) -> cst.FunctionDef | None:
    """The method that a call is one of, of this object (`methods`) or another, where it is told whether to train."""
    if not isinstance(node, cst.Call):
        return None
    if m.matches(node, _SELF | _OF_SELF):
        return methods.get(node.func.attr.value if isinstance(node.func, cst.Attribute) else CALL)
    if not isinstance(node.func, cst.Attribute) or not isinstance(node.func.value, cst.Name | cst.Attribute):
        return None
    method = methods_of(ctx.value(node.func.value), ctx).get(node.func.attr.value)
    return method if method is not None and method.name.value != CALL and place(method) is not None else None


def without_flag(call: cst.Call, method: cst.FunctionDef, lower: Lowerer) -> cst.Call:
    """The call in the mode that the module is in; declined where it asks for another one."""
    given = flag(call, method)
    asked = given.value if given is not None else default(method)
    named = asked.value if isinstance(asked, cst.Name) else ""
    same = named == "None" or lower.rename.get(named) == "self.training" or (lower.infers and named == "False")
    if place(method) is not None and not same:
        name = method.name.value
        lower.build.needs.decline(f"`{name}` is told whether to train, not as the model is", lower.ctx, call)
    func = cst.Name("self") if method.name.value == CALL else call.func
    return call.with_changes(func=func, args=without(call.args, given))


def without(args: Collection[cst.Arg], gone: cst.Arg | None) -> list[cst.Arg]:
    """Arguments without one of them, and without the comma that would be left behind."""
    return list(_separated([a for a in args if a is not gone]))


def _separated(args: list[cst.Arg]) -> Iterator[cst.Arg]:
    for index, arg in enumerate(args):
        last = index == len(args) - 1 and isinstance(arg.comma, cst.Comma)
        yield arg.with_changes(comma=cst.MaybeSentinel.DEFAULT) if last else arg
