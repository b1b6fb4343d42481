"""Methods by which a model trains itself."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.values import Api, Instance, RepoInstance


def has_tape(method: cst.FunctionDef, ctx: Context) -> bool:
    """Whether a method opens a gradient tape."""
    items = [n.item for n in find(method, m.WithItem()) if isinstance(n, cst.WithItem)]
    return any(isinstance(i, cst.Call) and ctx.value(i.func) == Api("tf.GradientTape") for i in items)


def raw_layers(method: cst.FunctionDef, ctx: Context) -> Iterator[cst.Call]:
    """Calls of layers that may work on another layout than what a training step holds."""
    for call in find(method, m.Call()):
        assert isinstance(call, cst.Call)
        value = ctx.value(call.func)
        ours = isinstance(value, RepoInstance) and value.qualname in ctx.layouts
        if ours or (isinstance(value, Instance) and value.api.startswith("tf.keras.layers.")):
            yield call
