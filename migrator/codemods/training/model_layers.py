"""Layers that a script asks a model for, `model.layers[0]` or `model.get_layer("fc")`, and their weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context, ModelPart
from migrator.codemods.nodes import ancestors, find
from migrator.codemods.training.calls import constant
from migrator.codemods.training.scope import Holder
from migrator.codemods.training.traits import made_by
from migrator.codemods.training.writer import Unfit, Writer
from migrator.values import Instance, Literal, ModelValue, Value

_LISTS = ("weights", "variables", "trainable_weights", "trainable_variables")
_LEARNT = ("trainable_weights", "trainable_variables")
_STATISTICS = ("moving_mean", "moving_variance")
_INPUT_LAYER = "tf.keras.layers.InputLayer"


@dataclass(frozen=True)
class Asked:
    """A layer that was asked for: the text of its module, and how it keeps its weights."""

    text: str
    part: ModelPart

    def weight(self, name: str) -> str:
        """The weight of Keras's name, its axes in Keras's order. Raises Unfit where it is kept in another form."""
        found = next((p for p in self.part.record.params if p[0] == name), None)
        view = None if found is None else _view(f"{self.text}.{found[1]}", found[2])
        if view is None:
            raise Unfit(f"the `{name}` of a layer, which its module does not keep as it is")
        return view

    def filled(self, name: str, value: str) -> str:
        """The statement that gives a weight the values of an array in Keras's order of axes."""
        found = next(p for p in self.part.record.params if p[0] == name)
        self.weight(name)
        turned = "" if not found[2] else ".T" if found[2] == "T" else f".{found[2].replace('transpose', 'permute')}"
        return f"{self.text}.{found[1]}.copy_(torch.as_tensor({value}){turned})"

    def names(self, kind: str = "weights") -> tuple[str, ...]:
        """Keras's names of its weights, in the order of Keras's lists."""
        known = [name for name, _, _ in self.part.record.params]
        return tuple(name for name in known if kind not in _LEARNT or name not in _STATISTICS)


def _view(text: str, transform: str) -> str | None:
    """What undoes a transform, as a view; None where there is none."""
    if transform in ("", "T"):
        return f"{text}.{transform}".rstrip(".")
    axes = re.fullmatch(r"transpose\(([\d, ]+)\)", transform)
    if axes is None:
        return None
    order = [int(axis) for axis in axes.group(1).split(",")]
    back = ", ".join(str(order.index(axis)) for axis in range(len(order)))
    return f"{text}.permute({back})"


# --- which layer ------------------------------------------------------------------------------------


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
    model = ctx.value(owner) if owner is not None else None
    traits = made_by(model, ctx) if isinstance(model, ModelValue) else None
    if owner is None or traits is None or not isinstance(model, ModelValue) or model.layers is None:
        return None
    layer = _chosen(node, [layer for layer in model.layers if getattr(layer, "api", "") != _INPUT_LAYER], ctx)
    part = next((p for p in traits.parts if isinstance(layer, Instance) and p.site == layer.site), None)
    return None if part is None else Asked(f"{ctx.code(owner).strip()}.{part.record.path}", part)


def _chosen(node: cst.CSTNode, layers: Sequence[Value], ctx: Context) -> Value | None:
    if isinstance(node, cst.Subscript):
        index = node.slice[0].slice
        assert isinstance(index, cst.Index)
        return _at(layers, constant(index.value, ctx) or ctx.value(index.value))
    assert isinstance(node, cst.Call)
    arg, given = node.args[0], constant(node.args[0].value, ctx)
    if arg.keyword is not None and arg.keyword.value == "index":
        return _at(layers, given)
    named = [layer for layer in layers if isinstance(layer, Instance) and layer.arg("name") == given]
    return named[0] if given is not None and len(named) == 1 else None


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
    return None if found is None else Asked(node.value, found.part)


# --- what is done with it ---------------------------------------------------------------------------


def layer_kind(node: cst.CSTNode, ctx: Context, holder: Holder) -> str:
    """What training code makes of an expression about such a layer.

    "layer-of": the layer gets a name; "layer-weight": one weight; "layer-get", "layer-set": `get_weights`, `set_weights`.
    """
    if isinstance(node, cst.Subscript | cst.Call) and asks(node, ctx) is not None:
        return "layer-of"
    if isinstance(node, cst.Subscript):
        return "layer-weight" if _entry(node, ctx, holder) is not None else ""
    owner = _owner(node)
    found = held(owner, ctx, holder) if owner is not None else None
    if found is None:
        return ""
    if isinstance(node, cst.Attribute):
        return "layer-weight" if node.attr.value in found.names() else ""
    return {"get_weights": "layer-get", "set_weights": "layer-set"}.get(_method(node), "")


def _owner(node: cst.CSTNode) -> cst.BaseExpression | None:
    """The object of which an attribute is read or a method is called."""
    member = node.func if isinstance(node, cst.Call) else node
    return member.value if isinstance(member, cst.Attribute) else None


def _method(node: cst.CSTNode) -> str:
    return node.func.attr.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else ""


def _entry(node: cst.Subscript, ctx: Context, holder: Holder) -> str | None:
    """The weight in `layer.weights[0]` or `layer.get_weights()[0]`, by Keras's name."""
    index = node.slice[0].slice if len(node.slice) == 1 else None
    number = constant(index.value, ctx) if isinstance(index, cst.Index) else None
    owner = _owner(node.value)
    found = held(owner, ctx, holder) if owner is not None and number is not None else None
    if found is None or number is None:
        return None
    kind = node.value.attr.value if isinstance(node.value, cst.Attribute) else _method(node.value)
    names = found.names(kind) if kind in (*_LISTS, "get_weights") else ()
    place = number.value
    return names[place] if isinstance(place, int) and -len(names) <= place < len(names) else None


def settled(node: cst.CSTNode, kind: str) -> tuple[cst.CSTNode, ...]:
    """What stands below an expression that is decided with it."""
    if kind == "layer-of":
        return (node.value,) if isinstance(node, cst.Subscript) else (node.func,) if isinstance(node, cst.Call) else ()
    inner = node.value if isinstance(node, cst.Subscript) else node
    called = (inner.func,) if isinstance(inner, cst.Call) else ()
    return (*called, *((inner,) if inner is not node else ()))


def layer_text(node: cst.CSTNode, kind: str, writer: Writer) -> str:
    """The expression that takes the place. Raises Unfit where there is none."""
    ctx, holder = writer.ctx, writer.holder
    if kind == "layer-of":
        return _named(node, ctx, holder)
    if kind == "layer-weight":
        return _weight(node, ctx, holder)
    owner = _owner(node)
    found = held(owner, ctx, holder) if owner is not None else None
    assert found is not None
    views = [found.weight(name) for name in found.names()]
    if len(views) == 1:
        return f"[{views[0]}{_ARRAY}]"
    return f"[weight{_ARRAY} for weight in ({', '.join(views)})]"


_ARRAY = ".detach().cpu().numpy().copy()"


def _weight(node: cst.CSTNode, ctx: Context, holder: Holder) -> str:
    if isinstance(node, cst.Subscript):
        name, member = _entry(node, ctx, holder), node.value
    else:
        name, member = node.attr.value if isinstance(node, cst.Attribute) else "", node
    owner = _owner(member)
    found = held(owner, ctx, holder) if owner is not None else None
    assert found is not None
    return found.weight(name or "") + (_ARRAY if isinstance(member, cst.Call) else "")


def _named(node: cst.CSTNode, ctx: Context, holder: Holder) -> str:
    """The module itself, where nothing but its weights is asked of it."""
    found, around = asked(node, ctx), ancestors(node, ctx.tree)
    if found is None:
        raise Unfit("`layers` of a model has no counterpart")
    parent = around[1]
    if isinstance(parent, cst.Attribute) and _is_known(parent, around[2], ctx, holder):
        return found.text
    target = parent.targets[0].target if isinstance(parent, cst.Assign) and len(parent.targets) == 1 else None
    if not isinstance(target, cst.Name) or held(target, ctx, holder) is None:
        raise Unfit("a layer of a model of which more than its weights is used")
    uses = [n for n in find(ctx.tree, m.Name(target.value)) if n is not target]
    if any(n not in find(holder, m.Name(target.value)) or not _reads(n, ctx, holder) for n in uses):
        raise Unfit("a layer of a model of which more than its weights is used")
    return found.text


def _reads(name: cst.CSTNode, ctx: Context, holder: Holder) -> bool:
    around = ancestors(name, ctx.tree)
    return isinstance(around[1], cst.Attribute) and _is_known(around[1], around[2], ctx, holder)


def _is_known(member: cst.Attribute, around: cst.CSTNode, ctx: Context, holder: Holder) -> bool:
    """Whether a member of a layer is one that is written here."""
    if member.attr.value == "trainable":
        return True  # a line that freezes, which is decided as one
    return any(layer_kind(n, ctx, holder) for n in (member, around) if isinstance(n, cst.Attribute | cst.Subscript | cst.Call))


def set_text(call: cst.Call, writer: Writer) -> str:
    """The statements of `layer.set_weights(...)`."""
    owner = _owner(call)
    found = held(owner, writer.ctx, writer.holder) if owner is not None else None
    if found is None or len(call.args) != 1:
        raise Unfit("`set_weights` in this form has no rule")
    names, given = found.names(), call.args[0].value
    if isinstance(given, cst.List | cst.Tuple) and len(given.elements) == len(names):
        values = [writer.text(element.value) for element in given.elements]
    elif isinstance(given, cst.Name):
        values = [f"{given.value}[{place}]" for place in range(len(names))]
    else:
        raise Unfit("`set_weights` in this form has no rule")
    writer.sink.imports.add("import torch")
    copies = [found.filled(name, value) for name, value in zip(names, values, strict=True)]
    return "\n    ".join(["with torch.no_grad():", *copies])
