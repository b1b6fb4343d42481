"""Callback classes of the repository: plain objects that the loop calls."""

from __future__ import annotations

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.batch_hooks import BEGIN, END, hook_of, stops_training
from migrator.codemods.training.callback_classes import reads_params
from migrator.codemods.training.callback_code import CallbackCode, Loop
from migrator.codemods.training.writer import Unfit, Writer
from migrator.values import RepoInstance

_CALLED = {
    "on_train_begin": "",
    "on_epoch_begin": "{epoch}",
    "on_epoch_end": "{epoch}, {logs}",
    "on_train_end": "{logs}",
}


def own_callback(node: cst.Call | cst.Name, loop: Loop, writer: Writer) -> CallbackCode:
    """Calls of the hooks that a class has, in Keras's order."""
    value = writer.ctx.value(node)
    assert isinstance(value, RepoInstance)
    hooks = [hook for hook in hooks_of(value, writer.ctx) if hook not in (*_CALLED, *BEGIN, *END)]
    if hooks:
        raise Unfit(f"a callback with `{hooks[0]}`, which runs within an epoch")
    before, name = list[str](), writer.text(node)
    if isinstance(node, cst.Call):
        before.append(f"{(fresh := writer.names.fresh('callback'))} = {name}")
        name = fresh
    before += [f"{name}.model = {loop.model}", *_params(value, name, loop, writer)]
    stopping = stops_training(value, writer.ctx)
    before += [unstopped(loop)] if stopping else []
    filled = {
        hook: (f"{name}.{hook}({text.format(epoch=loop.epoch, logs=loop.logs)})",)
        for hook, text in _CALLED.items()
        if writer.ctx.facts.function(f"{value.qualname}.{hook}") is not None
    }
    return CallbackCode(
        before=(*before, *filled.get("on_train_begin", ())),
        begin=filled.get("on_epoch_begin", ()),
        end=filled.get("on_epoch_end", ()),
        last=stops(loop) if stopping else (),
        after=filled.get("on_train_end", ()),
        batch_begin=tuple(f"{name}.{hook}" for hook in [hook_of(value, "begin", writer.ctx)] if hook),
        batch_end=tuple(f"{name}.{hook}" for hook in [hook_of(value, "end", writer.ctx)] if hook),
    )


def _params(value: RepoInstance, name: str, loop: Loop, writer: Writer) -> list[str]:
    """Keras's `params`, for a class that reads them."""
    if not reads_params(value, writer.ctx):
        return []
    if not loop.steps:
        raise Unfit("a callback that reads how many batches an epoch has, which nothing counts")
    return [f'{name}.params = {{"epochs": {loop.epochs}, "steps": {loop.steps}}}']


_HOOKS = tuple(
    f"on_{scope}_{end}"
    for scope in ("train", "epoch", "batch", "train_batch", "test", "test_batch", "predict", "predict_batch")
    for end in ("begin", "end")
)


def hooks_of(value: RepoInstance, ctx: Context) -> list[str]:
    """The hooks that a class overrides, and methods that take over what Keras sets."""
    names = (*_HOOKS, "set_model", "set_params")
    return [name for name in names if ctx.facts.function(f"{value.qualname}.{name}") is not None]


def unstopped(loop: Loop) -> str:
    return f"{loop.model}.stop_training = False"


def stops(loop: Loop) -> tuple[str, ...]:
    """The end of the loop that any callback may have asked for."""
    return (f"if {loop.model}.stop_training:", "    break")
