"""Functions that make an optimizer: they are given the model whose parameters it trains."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, find
from migrator.codemods.training.scope import Holder, count
from migrator.model import InterfaceChange, OptimizerCode
from migrator.values import Instance, RepoFunction, Unknown

MODEL = "model"


def is_given(node: cst.BaseExpression, ctx: Context) -> bool:
    """Whether an expression is a parameter of the function around it of which nothing is known: an optimizer."""
    if not isinstance(node, cst.Name) or not isinstance(ctx.value(node), Unknown):
        return False
    around = next((a for a in ancestors(node, ctx.tree) if isinstance(a, cst.FunctionDef)), None)
    return around is not None and node.value in _parameters(around)


def from_factory(node: cst.BaseExpression, ctx: Context) -> OptimizerCode | None:
    """A call of a function of the file that makes an optimizer."""
    callee = ctx.value(node.func) if isinstance(node, cst.Call) else None
    if not isinstance(node, cst.Call) or not isinstance(callee, RepoFunction) or any(a.star for a in node.args):
        return None
    functions = (s for s in ctx.tree.body if isinstance(s, cst.FunctionDef))
    function = next((f for f in functions if _name(f, ctx) == callee.qualname), None)
    if function is None or not makes_optimizer(function, ctx):
        return None
    args = [cst.Module([]).code_for_node(a.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for a in node.args]
    return OptimizerCode(f"{ctx.code(node.func)}({', '.join(['{model}', *args])})")


def _name(function: cst.FunctionDef, ctx: Context) -> str:
    return f"{ctx.module}:{function.name.value}"


def makes_optimizer(holder: Holder, ctx: Context, target: str = "") -> bool:
    """Whether a function of the top level makes an optimizer (`target`), returns it, and has no `model` of its own.

    Its callers are calls of `compile` in the same file, which can hand it the model.
    """
    if isinstance(holder, cst.Module) or holder not in ctx.tree.body or MODEL in _parameters(holder):
        return False
    facts = ctx.facts.function(_name(holder, ctx))
    made = facts.returns if facts is not None else None
    if facts is None or not isinstance(made, Instance) or not made.api.startswith("tf.keras.optimizers."):
        return False
    returns = [r.value for r in find(holder, m.Return()) if isinstance(r, cst.Return)]
    if target and not all(m.matches(value, m.Name(target)) for value in returns if value is not None):
        return False
    calls = [n for n in find(ctx.tree, m.Call(func=m.Name(holder.name.value))) if isinstance(n, cst.Call)]
    handed = [n for n in calls if _is_compiled(n, ctx)]
    outside = [module for module, _ in facts.callers if module != ctx.module]
    named = count(ctx.tree, holder.name.value) - 1  # but for its definition
    return not outside and len(handed) == len(calls) == named


def _is_compiled(call: cst.Call, ctx: Context) -> bool:
    around = ancestors(call, ctx.tree)[1:3]
    compiles = m.Call(func=m.Attribute(attr=m.Name("compile")))
    return len(around) == 2 and isinstance(around[0], cst.Arg) and m.matches(around[1], compiles)


def _parameters(function: cst.FunctionDef) -> set[str]:
    params = function.params
    return {p.name.value for p in (*params.posonly_params, *params.params, *params.kwonly_params)}


def takes_model(function: cst.FunctionDef, ctx: Context) -> InterfaceChange:
    """The change of a function that gained the model."""
    detail = f"{function.name.value} takes the model whose parameters the optimizer trains"
    return InterfaceChange(_name(function, ctx), "takes-model", detail, added=(MODEL,))


def with_model(function: cst.FunctionDef) -> cst.FunctionDef:
    """The function with the model as its first parameter."""
    first = cst.Param(cst.Name(MODEL))
    return function.with_changes(params=function.params.with_changes(params=[first, *function.params.params]))
