"""Clipping of gradients between a backward pass and the step."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.training.calls import api_of
from migrator.codemods.training.scope import Holder, count


def clip(line: cst.SimpleStatementLine, name: str, params: str, holder: Holder, ctx: Context) -> str | None:
    """A line that only clips the gradients `name`, over the `grad` of parameters; None for any other."""
    part = line.body[0]
    if not isinstance(part, cst.Assign) or len(part.targets) != 1:
        return None
    return _global_clip(part, name, params, ctx) or _each_clip(part, name, params, holder, ctx)


def _global_clip(part: cst.Assign, name: str, params: str, ctx: Context) -> str | None:
    call, target = part.value, part.targets[0].target
    if not isinstance(call, cst.Call) or api_of(ctx.value(call.func)) != "tf.clip_by_global_norm":
        return None
    if len(call.args) != 2 or not m.matches(call.args[0].value, m.Name(name)):
        return None
    if not isinstance(target, cst.Tuple) or len(target.elements) != 2:
        return None
    first, norm = (element.value for element in target.elements)
    if not m.matches(first, m.Name(name)) or not isinstance(norm, cst.Name):
        return None
    text = f"torch.nn.utils.clip_grad_norm_({params}, {ctx.code(call.args[1].value).strip()})"
    return text if norm.value == "_" else f"{norm.value} = {text}"


def _each_clip(part: cst.Assign, name: str, params: str, holder: Holder, ctx: Context) -> str | None:
    """`[tf.clip_by_norm(g, c) for g in grads]` and `clip_by_value(g, -c, c)`."""
    comp = part.value
    if not m.matches(part.targets[0].target, m.Name(name)) or not isinstance(comp, cst.ListComp):
        return None
    call, source = comp.elt, comp.for_in
    if not isinstance(call, cst.Call) or not m.matches(source.iter, m.Name(name)) or source.ifs:
        return None
    if not isinstance(source.target, cst.Name) or not m.matches(call.args[0].value, m.Name(source.target.value)):
        return None
    api = api_of(ctx.value(call.func))
    limits = [ctx.code(arg.value).strip() for arg in call.args[1:]]
    if api == "tf.clip_by_norm" and len(limits) == 1:
        p = "p" if not count(holder, "p") else "p_"
        return f"for {p} in {params}:\n    torch.nn.utils.clip_grad_norm_({p}, {limits[0]})"
    if api == "tf.clip_by_value" and len(limits) == 2 and limits[0] == f"-{limits[1]}":
        return f"torch.nn.utils.clip_grad_value_({params}, {limits[1]})"
    return None
