"""Layers that a script asks a model for: `model.layers[0]`, `model.get_layer("fc")`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context, ModelPart
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import constant
from migrator.codemods.training.scope import Holder
from migrator.codemods.training.traits import made_by
from migrator.values import Instance, Literal, ModelValue, Unknown, Value

_LEARNT = ("trainable_weights", "trainable_variables")
_STATISTICS = ("moving_mean", "moving_variance")
_INPUT_LAYER = "tf.keras.layers.InputLayer"


@dataclass(frozen=True)
class Asked:
    """A layer that was asked for: the text of its module, how it keeps its weights, and the model that has it."""

    text: str
    part: ModelPart
    model: cst.BaseExpression
    layer: Value

    def names(self, kind: str = "weights") -> tuple[str, ...]:
        """Keras's names of its weights, in the order of Keras's lists."""
        known = [name for name, _, _ in self.part.record.params]
        return tuple(name for name in known if kind not in _LEARNT or name not in _STATISTICS)


def asks(node: cst.CSTNode, ctx: Context) -> cst.BaseExpression | None:
    """The model that `node` asks for one of its layers."""
    if m.matches(node, m.Subscript(value=m.Attribute(attr=m.Name("layers")), slice=[m.SubscriptElement(m.Index())])):
        assert isinstance(node, cst.Subscript)
        assert isinstance(node.value, cst.Attribute)
        owner = node.value.value
    elif m.matches(node, m.Call(func=m.Attribute(attr=m.Name("get_layer")), args=[m.Arg()])):
        assert isinstance(node, cst.Call)
        assert isinstance(node.func, cst.Attribute)
        owner = node.func.value
    else:
        return None
    return owner if isinstance(ctx.value(owner), ModelValue) and isinstance(owner, cst.Name | cst.Attribute) else None


def asked(node: cst.CSTNode, ctx: Context) -> Asked | None:
    """The layer that an expression asks for, where the class of the model has it as an attribute with weights."""
    owner = asks(node, ctx)
    layers = layers_of(owner, ctx) if owner is not None else None
    if layers is None and owner is not None and isinstance(node, cst.Call):
        name = _name(node, ctx)  # of a graph Keras itself finds the order of the layers; a name needs none
        layer = _of_name(_with_weights(owner, ctx), name) if name is not None else None
    else:
        layer = _chosen(node, layers, ctx) if layers is not None else None
    return None if owner is None or layer is None else of_model(owner, layer, ctx)


def layers_of(owner: cst.BaseExpression, ctx: Context) -> tuple[Value, ...] | None:
    """What `owner.layers` lists; None where that is not known."""
    model = ctx.value(owner)
    if not isinstance(model, ModelValue) or model.layers is None:
        return None
    return tuple(layer for layer in model.layers if getattr(layer, "api", "") != _INPUT_LAYER)


def of_model(owner: cst.BaseExpression, layer: Value, ctx: Context) -> Asked | None:
    """A layer of a model, where it is an attribute with weights."""
    model = ctx.value(owner)
    traits = made_by(model, ctx) if isinstance(model, ModelValue) else None
    parts = traits.parts if traits is not None else ()
    part = next((p for p in parts if isinstance(layer, Instance) and p.site == layer.site), None)
    return None if part is None else Asked(f"{ctx.code(owner).strip()}.{part.record.path}", part, owner, layer)


def _with_weights(owner: cst.BaseExpression, ctx: Context) -> tuple[Value, ...]:
    """The layers of a graph that are attributes with weights."""
    model = ctx.value(owner)
    traits = made_by(model, ctx) if isinstance(model, ModelValue) else None
    there = ctx.facts.modules.get(model.module) if isinstance(model, ModelValue) else None
    return tuple(there.at(part.site) for part in traits.parts) if traits is not None and there is not None else ()


def _chosen(node: cst.CSTNode, layers: Sequence[Value], ctx: Context) -> Value | None:
    if isinstance(node, cst.Subscript):
        index = node.slice[0].slice
        assert isinstance(index, cst.Index)
        return _at(layers, constant(index.value, ctx) or ctx.value(index.value))
    assert isinstance(node, cst.Call)
    name = _name(node, ctx)
    return _of_name(layers, name) if name is not None else _at(layers, constant(node.args[0].value, ctx))


def _name(node: cst.Call, ctx: Context) -> Value | None:
    """The name in `get_layer(name)`; None where a layer is asked for by its place."""
    arg = node.args[0]
    return None if arg.keyword is not None and arg.keyword.value == "index" else constant(arg.value, ctx) or Unknown()


def _of_name(layers: Sequence[Value], name: Value) -> Value | None:
    named = [layer for layer in layers if isinstance(layer, Instance) and layer.arg("name") == name]
    return named[0] if isinstance(name, Literal) and len(named) == 1 else None


def _at(layers: Sequence[Value], index: Value | None) -> Value | None:
    number = index.value if isinstance(index, Literal) else None
    known = isinstance(number, int) and -len(layers) <= number < len(layers)
    return layers[number] if known and isinstance(number, int) else None


def held(node: cst.CSTNode, ctx: Context, holder: Holder) -> Asked | None:
    """The layer that an expression is: one that is asked for here, or a name that this scope gave to such a one."""
    if not isinstance(node, cst.Name):
        return asked(node, ctx)
    bound = find(holder, m.Assign(targets=[m.AssignTarget(m.Name(node.value))]))
    everywhere = find(ctx.tree, m.AssignTarget(m.Name(node.value)))
    if len(bound) != 1 or len(everywhere) != 1 or not isinstance(bound[0], cst.Assign):
        return None
    found = asked(bound[0].value, ctx)
    return None if found is None else replace(found, text=node.value)
