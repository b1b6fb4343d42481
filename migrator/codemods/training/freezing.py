"""Layers that stop learning: their parameters take no gradient, and batch normalisation keeps its statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.modes import CLASSES
from migrator.codemods.models.modes import KEEP_FROZEN as HELPER
from migrator.codemods.models.part import is_application
from migrator.codemods.nodes import find, holds
from migrator.codemods.training.calls import is_model, model_call, receiver
from migrator.codemods.training.learning import PLAIN, is_weightless
from migrator.codemods.training.model_layers import held, layers_of, of_model
from migrator.codemods.training.network_freezing import Frozen, frozen_layers
from migrator.codemods.training.scope import Holder
from migrator.codemods.training.traits import only_model, traits_of
from migrator.values import Api, Instance, Literal, ModelValue, RepoInstance, Unknown, Value

_BATCH_NORM = "tf.keras.layers.BatchNormalization"
__all__ = ["CLASSES", "HELPER", "Freeze", "freezes", "objection", "read_freeze", "text"]
_TRAINABLE = m.AssignTarget(target=m.Attribute(attr=m.Name("trainable")))


@dataclass(frozen=True)
class Freeze:
    """A statement that freezes: all of `model`, or only its batch normalisation; or lets it learn again (`on`).

    `layers`: the texts of those that it is about, None for all. `written`: the statements, of layers of a network.
    """

    model: str
    value: Value
    only_norms: bool = False
    on: bool = False
    layers: tuple[str, ...] | None = None
    written: str | None = None


def freezes(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a line sets `trainable` of anything that may be a layer or a model."""
    kinds = Instance | ModelValue | RepoInstance | Unknown
    targets = find(node, _TRAINABLE)
    owners = [
        t.target.value for t in targets if isinstance(t, cst.AssignTarget) and isinstance(t.target, cst.Attribute)
    ]
    return any(isinstance(ctx.value(owner), kinds) for owner in owners)


def read_freeze(node: cst.CSTNode, ctx: Context, holder: Holder) -> Freeze | None:
    """`model.trainable = False`, or a loop over `model.layers` that sets it for all or for batch normalisation."""
    part = frozen_layers(node, ctx)
    if part is not None and _is_seen(part.network, node, holder, ctx):
        return _of_network(part, ctx)
    some = _some_layers(node, ctx, holder)
    if some is not None:
        return some
    if isinstance(node, cst.SimpleStatementLine):
        owner = _frozen(node, ctx)
        value = ctx.value(owner) if owner is not None else Unknown()
        if owner is not None and is_model(value):
            return Freeze(ctx.code(owner).strip(), value)
        owner = _frozen(node, ctx, on=True)
        known = owner is not None and is_application(ctx.value(owner))
        return Freeze(ctx.code(owner).strip(), ctx.value(owner), on=True) if owner is not None and known else None
    if not isinstance(node, cst.For) or not isinstance(node.target, cst.Name) or node.orelse is not None:
        return None
    layers, body = node.iter, node.body.body
    if not m.matches(layers, m.Attribute(attr=m.Name("layers"))) or len(body) != 1:
        return None
    assert isinstance(layers, cst.Attribute)
    inner, only = body[0], False
    if isinstance(inner, cst.If) and inner.orelse is None and _is_norm(inner.test, node.target.value, ctx):
        if len(inner.body.body) != 1:
            return None
        inner, only = inner.body.body[0], True
    owner = _frozen(inner, ctx)
    if owner is None or not m.matches(owner, m.Name(node.target.value)):
        return None
    return Freeze(ctx.code(layers.value).strip(), ctx.value(layers.value), only)


def _is_seen(network: cst.BaseExpression, node: cst.CSTNode, holder: Holder, ctx: Context) -> bool:
    """Whether the name of a network means it where a loop stands, which may name a model that goes on from it."""
    if not isinstance(network, cst.Name) or holds(node, network):
        return True
    bound = m.AssignTarget(m.Name(network.value))
    return any(find(statement, bound) for statement in ctx.tree.body if not isinstance(statement, cst.FunctionDef)) or (
        bool(find(holder, bound))
    )


def _of_network(part: Frozen, ctx: Context) -> Freeze:
    name = ctx.code(part.network).strip()
    return Freeze(name, ctx.value(part.network), on=bool(part.on), layers=(), written=part.text(name))


def _some_layers(node: cst.CSTNode, ctx: Context, holder: Holder) -> Freeze | None:
    """A statement about one layer, `model.layers[0].trainable = False`, or about a part of `model.layers`."""
    body = node.body.body if isinstance(node, cst.For) and node.orelse is None else [node]
    on = _frozen(body[0], ctx) is None
    owner = _frozen(body[0], ctx, on) if len(body) == 1 else None
    if owner is None:
        return None
    if not isinstance(node, cst.For):
        one = held(owner, ctx, holder)
        if one is None or (on and not _learns_whole(one.layer)):
            return None
        return Freeze(ctx.code(one.model).strip(), ctx.value(one.model), on=on, layers=(one.text,))
    part = m.Subscript(value=m.Attribute(attr=m.Name("layers")), slice=[m.SubscriptElement(m.Slice())])
    if not m.matches(owner, m.Name()) or ctx.code(owner) != ctx.code(node.target) or not m.matches(node.iter, part):
        return None
    assert isinstance(node.iter, cst.Subscript)
    assert isinstance(node.iter.value, cst.Attribute)
    model, listed = node.iter.value.value, _sliced(node.iter, ctx)
    if listed is None or (on and not all(map(_learns_whole, listed))):
        return None
    found = {id(layer): of_model(model, layer, ctx) for layer in listed}
    if any(found[id(layer)] is None and not is_weightless(layer) for layer in listed):
        return None
    texts = tuple(asked.text for asked in found.values() if asked is not None)
    return Freeze(ctx.code(model).strip(), ctx.value(model), on=on, layers=texts)


def _sliced(node: cst.Subscript, ctx: Context) -> Sequence[Value] | None:
    """The layers in `model.layers[a:b]` with constant bounds."""
    assert isinstance(node.value, cst.Attribute)
    cut, layers = node.slice[0].slice, layers_of(node.value.value, ctx)
    if layers is None or not isinstance(cut, cst.Slice) or cut.step is not None:
        return None
    bounds = [None if bound is None else _number(bound, ctx) for bound in (cut.lower, cut.upper)]
    if any(given is not None and bound is None for given, bound in zip((cut.lower, cut.upper), bounds, strict=True)):
        return None
    return layers[bounds[0] : bounds[1]]


def _number(node: cst.BaseExpression, ctx: Context) -> int | None:
    value = ctx.value(node)
    return value.value if isinstance(value, Literal) and isinstance(value.value, int) else None


def _learns_whole(layer: Value) -> bool:
    """Whether all parameters of a layer's module learn, so that it may be let learn again as a whole."""
    return is_weightless(layer) or (isinstance(layer, Instance) and layer.api in (*PLAIN, _BATCH_NORM))


def _frozen(node: cst.CSTNode, ctx: Context, on: bool = False) -> cst.BaseExpression | None:
    """The owner in `owner.trainable = False`, or True for `on`."""
    part = node.body[0] if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1 else None
    if not isinstance(part, cst.Assign) or len(part.targets) != 1 or ctx.value(part.value) != Literal(on):
        return None
    target = part.targets[0].target
    return target.value if isinstance(target, cst.Attribute) and target.attr.value == "trainable" else None


def _is_norm(test: cst.BaseExpression, name: str, ctx: Context) -> bool:
    call = m.Call(func=m.Name("isinstance"), args=[m.Arg(m.Name(name)), m.Arg()])
    if not isinstance(test, cst.Call) or not m.matches(test, call):
        return False
    return ctx.value(test.args[1].value) == Api(_BATCH_NORM)


def objection(freeze: Freeze, node: cst.CSTNode, holder: Holder, ctx: Context) -> str:
    """Why frozen layers would not be what Keras has; "" when they are."""
    traits = traits_of(freeze.value, ctx)
    if traits is None:
        return f"nothing is known of the layers of `{freeze.model}`"
    if traits.penalty and not freeze.only_norms:
        return "frozen layers that may have regularisers, which Keras no longer counts"
    if traits.constrained:
        return "frozen layers that may have constraints, which Keras no longer applies"
    if freeze.only_norms and not _is_flat(freeze.value, ctx):
        return "frozen normalisation of a model that may have models inside"
    compiles = [
        call
        for call in find(holder, m.Call())
        if isinstance(call, cst.Call) and model_call(call, ctx, frozenset({freeze.model})) == "compile"
    ]
    owners = [(ctx.code(found[0]).strip(), call) for call in compiles if (found := receiver(call)) is not None]
    if freeze.written is not None and freeze.on and _is_frozen_whole(freeze, node, ctx):
        return f"layers of `{freeze.model}` that learn where it is frozen as a whole, which Keras counts as frozen"
    inside = is_application(freeze.value)  # it is compiled as a part of another
    if inside and _is_new(freeze, node, holder, ctx):
        return ""
    after = [call for owner, call in owners if (inside or owner == freeze.model) and ctx.spans[call] > ctx.spans[node]]
    return "" if after else f"`{freeze.model}` is frozen, but not compiled after it in the same function"


def _is_frozen_whole(freeze: Freeze, node: cst.CSTNode, ctx: Context) -> bool:
    """Whether the last line before a statement that sets `trainable` of the whole network may freeze it."""
    lines = find(ctx.tree, m.Assign(targets=[_TRAINABLE]))
    whole = [
        line
        for line in lines
        if isinstance(line, cst.Assign) and ctx.code(line.targets[0]).startswith(f"{freeze.model}.trainable")
    ]
    before = [line for line in whole if ctx.spans[line] < ctx.spans[node]]
    return bool(before) and ctx.value(before[-1].value) != Literal(True)


def _is_new(freeze: Freeze, node: cst.CSTNode, holder: Holder, ctx: Context) -> bool:
    """Whether a network was made in this scope and nothing was compiled since, so that no model knows it otherwise."""
    site = freeze.value.site if isinstance(freeze.value, ModelValue) else None
    makes = [call for call in find(holder, m.Call()) if ctx.spans.get(call) == site]
    compiles = find(holder, m.Call(func=m.Attribute(attr=m.Name("compile"))))
    between = [call for call in compiles if site is not None and site < ctx.spans[call] < ctx.spans[node]]
    return bool(makes) and not between


def _is_flat(value: Value, ctx: Context) -> bool:
    """Whether a model's layers are all plain ones, so that none has layers of its own."""
    if is_application(value):
        return True
    model = value if isinstance(value, ModelValue) and value.layers is not None else only_model(ctx)
    layers = model.layers if model is not None else None
    return layers is not None and all(
        isinstance(layer, Instance) and layer.api.startswith("tf.keras.layers.") and ".Wrapper" not in layer.api
        for layer in layers
    )


def text(freeze: Freeze) -> str:
    """The statements, "" where only layers without weights are concerned."""
    if freeze.written is not None:
        return freeze.written
    if freeze.layers is not None:
        if len(freeze.layers) < 2:
            return "".join(f"{layer}.requires_grad_({freeze.on})" for layer in freeze.layers)
        return f"for layer in ({', '.join(freeze.layers)}):\n    layer.requires_grad_({freeze.on})"
    if not freeze.only_norms:
        return f"{freeze.model}.requires_grad_({freeze.on})"
    return (
        f"for layer in {freeze.model}.modules():\n"
        f"    if isinstance(layer, {CLASSES}):\n"
        "        layer.requires_grad_(False)"
    )
