"""Which `compile` of the repository a `fit` or `evaluate` belongs to."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors
from migrator.codemods.training.calls import calls_in, is_model, model_call, receiver
from migrator.codemods.training.configuration import Configuration, configure
from migrator.codemods.training.rebinding import rebound
from migrator.codemods.training.scope import Holder, conditional, enclosing
from migrator.codemods.training.several import Forms
from migrator.codemods.training.traits import traits_of
from migrator.model import Decline
from migrator.values import ModelValue, Unknown, Value

TRAINS = ("fit", "train_on_batch")
USES = (*TRAINS, "evaluate", "test_on_batch")
"""Methods that need what a model was compiled with."""


@dataclass
class Compiled:
    """One `compile` call of the file and what uses it.

    `local`: the optimizer is a variable of the scope that both call stand in; otherwise it is
    the model's attribute. `weighted`, `streamed`, `hooks`, `forms`: see `epoch_code.run_epoch`.
    `home`: the file that it stands in, where that is another one.
    """

    call: cst.Call
    model: str
    holder: Holder
    config: Configuration | Decline
    local: bool = True
    weighted: bool = False
    streamed: bool = False
    hooks: frozenset[str] = frozenset()
    suffix: str = ""
    forms: Forms = field(default_factory=Forms)
    home: Context | None = None

    @property
    def optimizer(self) -> str:
        return "optimizer" if self.local else f"{self.model}.optimizer"

    def optimizer_of(self, model: str) -> str:
        return "optimizer" if self.local else f"{model}.optimizer"

    def scheduler_of(self, model: str) -> str:
        """The schedule of the rates, where the optimizer has one."""
        return "scheduler" if self.local else f"{model}.scheduler"


def compiled_by(call: cst.Call, holders: Mapping[cst.CSTNode, Holder], ctx: Context) -> Compiled:
    found = receiver(call)
    assert found is not None
    without_loss = not any(arg.keyword is not None and arg.keyword.value == "loss" for arg in call.args)
    traits = traits_of(ctx.value(found[0]), ctx, trains_itself=without_loss and len(call.args) < 2)
    text = ctx.code(found[0]).strip()
    config = Decline(f"nothing is known of the model `{text}`") if traits is None else configure(call, traits, ctx)
    return Compiled(call, text, holders[call], config)


def receiver_text(call: cst.Call, ctx: Context) -> str:
    found = receiver(call)
    return ctx.code(found[0]).strip() if found else ""


def _abroad(call: cst.Call, ctx: Context) -> Compiled | None:
    """The only `compile` of another file that has just this model, which this file got from there."""
    found = receiver(call)
    value = ctx.value(found[0]) if found is not None else Unknown()
    if not isinstance(value, ModelValue):
        return None
    same = [
        replace(compiled, home=home, local=False)
        for other in ctx.siblings.values()
        if other.tree is not ctx.tree
        for home in [replace(other, models=ctx.models)]
        for compiled in _compiled_in(home)
        if _is_same(_model_value(compiled, home), value, home)
    ]
    return same[0] if len(same) == 1 else None


def _compiled_in(ctx: Context) -> list[Compiled]:
    """The `compile` calls of another file."""
    calls = [call for call in calls_in(ctx.tree) if model_call(call, ctx, frozenset()) == "compile"]
    holders = enclosing(ctx.tree) if calls else {}
    return [compiled_by(call, holders, ctx) for call in calls]


def resolve(
    calls: list[cst.Call],
    compiled: tuple[Compiled, ...],
    models: frozenset[str],
    holders: Mapping[cst.CSTNode, Holder],
    ctx: Context,
) -> dict[cst.Call, Compiled]:
    """The `compile` of each call that needs one, where it is certain: one of the file, else of another."""
    found: dict[cst.Call, Compiled] = {}
    foreign: dict[tuple[str, cst.Call], Compiled] = {}
    for call in calls:
        if model_call(call, ctx, models) not in USES:
            continue
        owner = _owner(call, compiled, holders, ctx)
        others = [c for c in compiled if c is not owner and _may_be_of(c, call, holders, ctx)]
        if owner is None and not others:
            owner = _abroad(call, ctx)
        elif owner is not None and not _surely_run(owner, call, holders, ctx) and (others or _abroad(call, ctx)):
            owner = None  # what the model was compiled with before may still hold
        if owner is not None and owner.home is not None:
            owner = foreign.setdefault((owner.home.path, owner.call), owner)
        if owner is not None:
            found[call] = owner
    return found | {c.call: c for c in compiled}


def _may_be_of(compiled: Compiled, call: cst.Call, holders: Mapping[cst.CSTNode, Holder], ctx: Context) -> bool:
    """Whether a `compile` of the file may be of the model of a call: it has its name there, or its value."""
    found = receiver(call)
    assert found is not None
    named = compiled.holder is holders[call] and compiled.model == ctx.code(found[0]).strip()
    return named or (is_model(ctx.value(found[0])) and _is_same(_model_value(compiled, ctx), ctx.value(found[0]), ctx))


def _surely_run(compiled: Compiled, call: cst.Call, holders: Mapping[cst.CSTNode, Holder], ctx: Context) -> bool:
    """Whether a `compile` has run where a call does, both in one function: no branch or loop is around it alone."""
    if compiled.call not in conditional(ctx.tree):
        return True
    if compiled.holder is not holders[call]:
        return False
    around = ancestors(compiled.call, compiled.holder)
    pairs = itertools.pairwise(around)
    blocks = [node for node, above in pairs if isinstance(node, cst.IndentedBlock) and not isinstance(above, cst.With)]
    return all(block in ancestors(call, compiled.holder) for block in blocks)


def _owner(
    call: cst.Call, compiled: tuple[Compiled, ...], holders: Mapping[cst.CSTNode, Holder], ctx: Context
) -> Compiled | None:
    """The `compile` before the call in its scope; else the one on the same model; else the only one."""
    found = receiver(call)
    assert found is not None
    text, value = ctx.code(found[0]).strip(), ctx.value(found[0])
    start = ctx.spans[call]
    holder = holders[call]
    before = [c for c in compiled if c.holder is holder and c.model == text and ctx.spans[c.call] < start]
    name = text.split(".")[0]
    near = [c for c in before if name == "self" or not rebound(name, c.call, call, holder, ctx)]
    if len(near) > 1 and any(c.call in conditional(ctx.tree) for c in near):
        return None  # which of them was run is not certain
    if near:
        return near[-1]
    same = [c for c in compiled if is_model(value) and _is_same(_model_value(c, ctx), value, ctx)]
    if len(same) == 1:
        return same[0]
    if not same and not before and len(compiled) == 1 and (isinstance(value, Unknown) or _open(compiled[0], ctx)):
        return compiled[0]
    return None


def _is_same(compiled: object, value: Value, ctx: Context) -> bool:
    """Whether a value is the model that was compiled; the caller of a function knows it as what the call made."""
    if not isinstance(compiled, ModelValue) or not isinstance(value, ModelValue) or compiled.site is None:
        return compiled == value
    if (compiled.module, compiled.site) == (value.module, value.site):
        return True
    functions = [s.name.value for s in ctx.tree.body if isinstance(s, cst.FunctionDef)]
    makers = (facts for name in functions if (facts := ctx.facts.function(f"{ctx.module}:{name}")) is not None)
    return any(
        (value.module, value.site) in maker.callers
        and isinstance(maker.returns, ModelValue)
        and (maker.returns.module, maker.returns.site) == (compiled.module, compiled.site)
        for maker in makers
    )


def _model_value(compiled: Compiled, ctx: Context) -> object:
    found = receiver(compiled.call)
    return ctx.value(found[0]) if found else None


def _open(compiled: Compiled, ctx: Context) -> bool:
    return isinstance(_model_value(compiled, ctx), Unknown)
