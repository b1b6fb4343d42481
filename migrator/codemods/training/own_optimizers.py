"""Objects of the optimizer classes of a repository: the parameters come first, the rest is given as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.calls import bind
from migrator.model import Decline, OptimizerCode
from migrator.values import RepoClass

if TYPE_CHECKING:
    from migrator.codemods.training.made import Made

_CLIP = ("clipnorm", "clipvalue", "global_clipnorm")
_GONE = ("name",)


def template(call: cst.Call, ctx: Context) -> str | Decline:
    """The call with `{params}` before what it was given, each argument a mark of its name."""
    parameters = own_parameters(call, ctx)
    bound = bind(call, parameters)
    if isinstance(bound, Decline):
        return bound
    unknown = [name for name in bound if name not in (*parameters, *_CLIP, *_GONE)]
    if unknown:
        return Decline(f"argument `{unknown[0]}` of an optimizer of the repository")
    given = ["{params}"]
    for name, arg in zip(bound, call.args, strict=True):
        if name not in (*_CLIP, *_GONE):
            given.append(f"{{{name}}}" if arg.keyword is None else f"{name}={{{name}}}")
    return f"{ctx.code(call.func).strip()}({', '.join(given)})"


def own_parameters(call: cst.Call, ctx: Context) -> tuple[str, ...]:
    """The parameters of the constructor of a class of the repository."""
    value = ctx.value(call.func)
    facts = ctx.facts.cls(value.qualname) if isinstance(value, RepoClass) else None
    return tuple(name for name, _ in facts.init) if facts is not None else ()


def own_code(made: Made, ctx: Context) -> OptimizerCode | Decline:
    """An optimizer of the repository; its clipping and the schedule of its rate are those of every other one."""
    assert ctx.objects is not None
    rates = ("learning_rate", "lr")
    texts = {name: text for name, text in made.texts.items() if name in (*rates, *_CLIP)}
    plain = ctx.objects.optimizer("tf.keras.optimizers.SGD", texts, made.values)
    if isinstance(plain, Decline):
        return plain
    call = made.own
    for name, text in made.texts.items():
        call = call.replace(f"{{{name}}}", "1.0" if name in rates and plain.schedule is not None else text)
    return OptimizerCode(call, plain.clip, plain.schedule, plain.imports)
