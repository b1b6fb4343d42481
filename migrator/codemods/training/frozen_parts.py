"""Models that do not learn as parts of another, and learn by themselves: the critic of a GAN.

Keras 2 trains what was trainable when `compile` was called: a model that is compiled, then frozen, then called in
a model that is compiled too, goes on learning by itself, and not by the training of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.modes import frozen_part
from migrator.codemods.nodes import ancestors, find
from migrator.codemods.training.calls import calls_in, is_model, model_call, receiver
from migrator.codemods.training.freezing import Freeze, read_freeze
from migrator.codemods.training.models import Parts, Trained
from migrator.codemods.training.owners import Compiled
from migrator.codemods.training.plan import FilePlan
from migrator.codemods.training.runs import model_runs
from migrator.codemods.training.traits import traits_of
from migrator.codemods.training.writer import Unfit
from migrator.values import Instance, ModelValue, Value


def learning_parts(compiled: Compiled, plan: FilePlan, ctx: Context) -> Parts:
    """What a compiled model trains, where parts of it are frozen; nothing where none is.

    Raises `Unfit` where that is not certain.
    """
    body, index = _block(compiled.call, ctx)
    run = _run(body[:index], compiled.model, ctx)
    made = [read_freeze(s, ctx, compiled.holder) for s in body[:index] if frozen_part(s, ctx) is not None]
    called = _called(run, ctx)
    frozen = [f for f in made if f is not None and f.layers is None and f.model in called]
    if not frozen:
        return ()
    for freeze in frozen:
        _check(freeze, compiled, plan, ctx)
    if _own_layers(run, ctx):
        raise Unfit("a model with a frozen part that has layers of its own beside it")
    return tuple(Trained(text) for text in called if text not in {f.model for f in frozen})


def _check(freeze: Freeze, compiled: Compiled, plan: FilePlan, ctx: Context) -> None:
    if _penalised(freeze.value, ctx):
        raise Unfit("a frozen part that may have regularisers or constraints")
    if not all(_runs_before(call, compiled, plan, ctx) for call in _compiles(freeze, ctx)):
        raise Unfit(f"`{freeze.model}` may be compiled after it is frozen")


def _penalised(model: Value, ctx: Context) -> bool:
    """Whether a model may have regularisers or constraints."""
    given = [a for a in find(ctx.tree, m.Arg(keyword=m.Name())) if isinstance(a, cst.Arg) and a.keyword is not None]
    some = any(a.keyword.value.endswith(("regularizer", "constraint")) for a in given if a.keyword is not None)
    if isinstance(model, ModelValue) and model.module == ctx.module and not some:
        return False
    traits = traits_of(model, ctx)
    return traits is None or traits.penalty or traits.constrained


def _runs_before(call: cst.Call, compiled: Compiled, plan: FilePlan, ctx: Context) -> bool:
    """Whether a `compile` has run when another one does: it stands before it, or before the call of its function."""
    holder = plan.holders[call]
    if holder is compiled.holder:
        return ctx.spans[call] < ctx.spans[compiled.call]
    if not isinstance(compiled.holder, cst.FunctionDef):
        return False
    name = compiled.holder.name.value
    users = [c for c in calls_in(ctx.tree) if m.matches(c.func, m.Name(name))]
    return bool(users) and all(plan.holders[u] is holder and ctx.spans[call] < ctx.spans[u] for u in users)


def _compiles(freeze: Freeze, ctx: Context) -> list[cst.Call]:
    """The calls of `compile` on the model that a statement freezes."""
    found = []
    for call in calls_in(ctx.tree):
        owner = receiver(call)
        if owner is not None and owner[1] == "compile" and model_call(call, ctx, frozenset()) == "compile":
            same = ctx.value(owner[0]) == freeze.value
            found += [call] if same or _site(ctx.value(owner[0])) == _site(freeze.value) is not None else []
    return found


def _site(value: object) -> object:
    return getattr(value, "site", None)


def _block(call: cst.Call, ctx: Context) -> tuple[Sequence[cst.BaseStatement], int]:
    """The statements among which a call stands, and its place."""
    for statement, block in pairwise(ancestors(call, ctx.tree)):
        body = getattr(block, "body", None)
        if isinstance(statement, cst.BaseStatement) and isinstance(body, Sequence):
            return body, list(body).index(statement)
    return (), 0


def _run(body: Sequence[cst.BaseStatement], model: str, ctx: Context) -> Sequence[cst.BaseStatement]:
    """The statements that make a model, the last of that name."""
    runs = [body[a:b] for a, b in model_runs(body, ctx).items()]
    made = [run for run in runs if any(ctx.code(t.target).strip() == model for s in run for t in _targets(s))]
    return made[-1] if made else ()


def _targets(statement: cst.BaseStatement) -> list[cst.AssignTarget]:
    return [t for t in find(statement, m.AssignTarget()) if isinstance(t, cst.AssignTarget)]


def _called(run: Sequence[cst.BaseStatement], ctx: Context) -> list[str]:
    """The models that statements of a graph call, each once."""
    calls = [c for s in run for c in calls_in(s) if isinstance(c.func, cst.Name | cst.Attribute)]
    return list(dict.fromkeys(ctx.code(c.func).strip() for c in calls if is_model(ctx.value(c.func))))


def _own_layers(run: Sequence[cst.BaseStatement], ctx: Context) -> bool:
    values = [ctx.value(c) for s in run for c in calls_in(s)]
    return any(isinstance(value, Instance) and value.api.startswith("tf.keras.layers.") for value in values)
