"""Methods by which a model trains itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.values import Api, Instance, RepoInstance


def has_tape(method: cst.FunctionDef, ctx: Context) -> bool:
    """Whether a method opens a gradient tape."""
    items = [n.item for n in find(method, m.WithItem()) if isinstance(n, cst.WithItem)]
    return any(isinstance(i, cst.Call) and ctx.value(i.func) == Api("tf.GradientTape") for i in items)


def helping(methods: Mapping[str, cst.FunctionDef], steps: Collection[str]) -> frozenset[str]:
    """Methods that nothing but steps call, and that call what the object holds: in no other mode than these would.

    `steps`: the methods by which the model trains itself. What a `call` uses is in the mode of its caller.
    """
    told = {name: _of_self(method) & methods.keys() for name, method in methods.items()}
    found: set[str] = set()
    while True:
        trains = {*steps, *found}
        others = {name for user, names in told.items() if user not in trains for name in names}
        more = {name for user in trains for name in told.get(user, ())} - others - trains
        if not more:
            return frozenset(name for name in found if _of_self(methods[name]) - methods.keys())
        found |= more


def _of_self(method: cst.FunctionDef) -> set[str]:
    """What a method calls of `self`."""
    calls = find(method, m.Call(func=m.Attribute(value=m.Name("self"))))
    return {c.func.attr.value for c in calls if isinstance(c, cst.Call) and isinstance(c.func, cst.Attribute)}


def raw_layers(method: cst.FunctionDef, ctx: Context) -> Iterator[cst.Call]:
    """Calls of layers that may work on another layout than what a training step holds."""
    for call in find(method, m.Call()):
        assert isinstance(call, cst.Call)
        value = ctx.value(call.func)
        ours = isinstance(value, RepoInstance) and value.qualname in ctx.layouts
        if ours or (isinstance(value, Instance) and value.api.startswith("tf.keras.layers.")):
            yield call
