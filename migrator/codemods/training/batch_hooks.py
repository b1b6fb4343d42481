"""Hooks of callbacks that run within an epoch, around each batch."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import below, find
from migrator.codemods.training.callback_classes import is_own
from migrator.codemods.training.calls import api_of
from migrator.codemods.training.configuration import Configuration
from migrator.codemods.training.scope import Holder
from migrator.values import Literal, RepoInstance, Value

BEGIN = ("on_train_batch_begin", "on_batch_begin")
END = ("on_train_batch_end", "on_batch_end")
"""Keras calls the second, an older name, only where a class does not have the first."""


def batch_hooks(holder: Holder, ctx: Context) -> frozenset[str]:
    """What the pass over the data must call for the callbacks of a scope: "begin", "end", and whether it "stops"."""
    values = {ctx.value(node) for node in below(holder, (cst.Call, cst.Name))}
    found = {hook for value in values for hook in _hooks(value, ctx)}
    return frozenset(found | set(_lambdas(holder, ctx)))


def _hooks(value: Value, ctx: Context) -> Iterator[str]:
    if not isinstance(value, RepoInstance) or not is_own(value, ctx):
        return
    names = [kind for kind in ("begin", "end") if hook_of(value, kind, ctx)]
    yield from names
    if names and stops_training(value, ctx):
        yield "stops"


def hook_of(value: RepoInstance, kind: str, ctx: Context) -> str:
    """The method of a callback's class that runs at the "begin" or the "end" of a batch; "" for none."""
    names = BEGIN if kind == "begin" else END
    return next((name for name in names if ctx.facts.function(f"{value.qualname}.{name}") is not None), "")


def stops_training(value: RepoInstance, ctx: Context) -> bool:
    """Whether the class may end the training; one that is written elsewhere may."""
    module, _, name = value.qualname.partition(":")
    classes = [s for s in ctx.tree.body if isinstance(s, cst.ClassDef) and s.name.value == name]
    if module != ctx.module or not classes:
        return True
    return any(find(c, m.Attribute(attr=m.Name("stop_training"))) for c in classes)


def _lambdas(holder: Holder, ctx: Context) -> Iterator[str]:
    for call in below(holder, cst.Call):
        assert isinstance(call, cst.Call)
        api, given = api_of(ctx.value(call)), {arg.keyword.value for arg in call.args if arg.keyword is not None}
        if api == "tf.keras.callbacks.LambdaCallback":
            yield from (["begin"] if given & set(BEGIN) else []) + (["end"] if given & set(END) else [])
        elif api == "tf.keras.callbacks.ModelCheckpoint" and "save_freq" in given:
            yield from [] if _each_epoch(call, ctx) else ["end"]


def _each_epoch(call: cst.Call, ctx: Context) -> bool:
    """Whether a checkpoint's `save_freq` says no more than its default."""
    given = (arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "save_freq")
    return all(ctx.value(node) == Literal("epoch") for node in given)


def objection(config: Configuration, hooks: frozenset[str]) -> str:
    """Why a pass over the data cannot give its figures so far after each batch; "" where it can."""
    if hooks and config.steps:
        return "a callback that runs within an epoch, of a model that has its own steps"
    plain = [x for x in config.metrics if x.result == "{mean}" and not x.kept]
    running = all(not x.gathered and not x.by_batch and not x.weighted for x in plain) and plain == [*config.metrics]
    return "" if "end" not in hooks or running else "a callback that reads a metric's figures after each batch"
