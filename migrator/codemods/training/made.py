"""Objects of Keras as code makes them: by a string, by a call, or by a name that holds one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.calls import api_of, bind, constant
from migrator.codemods.training.own_optimizers import own_parameters, template
from migrator.model import Decline
from migrator.values import OWN_OPTIMIZERS, Api, Instance, Literal, Value

Texts = dict[str, str]


@dataclass(frozen=True)
class Made:
    """A Keras object as it was made: its name for the records, arguments as text and as known.

    `own`: of a class of the repository, the call in torch with a mark `{name}` for each argument.
    """

    name: str
    texts: Mapping[str, str]
    values: Mapping[str, Value]
    own: str = ""


LOSS_SCALE = "tf.keras.optimizers.LossScaleOptimizer"
_SCALING = {"inner_optimizer", "initial_scale", "dynamic", "dynamic_growth_steps", "name"}
_REDUCTIONS = {"SUM": "sum", "NONE": "none", "AUTO": "sum_over_batch_size"} | {
    "SUM_OVER_BATCH_SIZE": "sum_over_batch_size"
}


def _reduction(value: Value) -> Literal | None:
    """The constants by which older code names what a loss does with its values."""
    name = value.name if isinstance(value, Api) else ""
    word = _REDUCTIONS.get(name.removeprefix("tf.keras.losses.Reduction.")) if ".Reduction." in name else None
    return Literal(word) if word is not None else None


def made_of(node: cst.BaseExpression, ctx: Context) -> Made | Decline:
    """The object that an expression makes or refers to: a Keras string, a call, or a name bound to one."""
    text = constant(node, ctx)
    if text is not None and isinstance(text.value, str):
        return Made(text.value, {}, {})
    value = ctx.value(node)
    if isinstance(value, Api):
        return Made(value.name, {}, {})
    if isinstance(node, cst.Call):
        return _called(node, value, ctx)
    if isinstance(value, Instance):
        site = _site(value, ctx)
        return _called(site, value, ctx) if site is not None else _from_values(value)
    return Decline(f"`{ctx.code(node).strip()}` is not known")


def _called(call: cst.Call, value: Value, ctx: Context) -> Made | Decline:
    assert ctx.objects is not None
    name = api_of(value) or api_of(ctx.value(call.func))
    if name == LOSS_SCALE:
        return _unscaled(call, ctx)
    own = template(call, ctx) if name == OWN_OPTIMIZERS[0] else ""
    if isinstance(own, Decline):
        return own
    parameters = own_parameters(call, ctx) if own else None if name is None else ctx.objects.parameters(name)
    if name is None or parameters is None:
        return Decline(f"no rule for {name or ctx.code(call.func)}", name or "")
    bound = bind(call, parameters)
    if isinstance(bound, Decline):
        return Decline(f"{name}: {bound.reason}", name)
    texts: Texts = {}
    values: dict[str, Value] = {}
    for key, node in bound.items():
        values[key] = constant(node, ctx) or ctx.value(node)
        reduction = _reduction(values[key])
        if reduction is not None:
            values[key], texts[key] = reduction, repr(reduction.value)
            continue
        rewritten = ctx.rewrite(node)
        if rewritten.declines and not isinstance(values[key], Instance):
            first: Decline = rewritten.declines[0]
            return first
        texts[key] = cst.Module([]).code_for_node(rewritten.node).strip()
    return Made(name, texts, values, own)


def _unscaled(call: cst.Call, ctx: Context) -> Made | Decline:
    """The optimizer inside one that scales the loss: in float32 powers of two change nothing but the exponents."""
    bound = bind(call, ("inner_optimizer", "initial_scale", "dynamic_growth_steps"))
    inner = None if isinstance(bound, Decline) else bound.get("inner_optimizer")
    others = () if isinstance(bound, Decline) else bound.keys() - _SCALING
    if not isinstance(inner, cst.Call) or others:
        return Decline("a scaled loss of an optimizer that is not made in place, or with other arguments", LOSS_SCALE)
    if any("float16" in tree.code for tree in (ctx.tree, *(other.tree for other in ctx.siblings.values()))):
        return Decline("a scaled loss in half precision: torch.autocast with torch.amp.GradScaler", LOSS_SCALE)
    return made_of(inner, ctx)


def _site(value: Instance, ctx: Context) -> cst.Call | None:
    """The call in this file that made an instance."""
    if value.site is None or value.module not in ("", ctx.module):
        return None
    return next((n for n, span in ctx.spans.items() if span == value.site and isinstance(n, cst.Call)), None)


def _from_values(value: Instance) -> Made | Decline:
    """An object made in another file, when all its arguments are constants."""
    if not all(isinstance(v, Literal) for _, v in value.args):
        return Decline(f"{value.api} was made in another file with arguments that are not constants", value.api)
    texts = {name: repr(v.value) for name, v in value.args if isinstance(v, Literal)}
    return Made(value.api, texts, dict(value.args))
