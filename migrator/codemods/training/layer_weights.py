"""The weights of layers that a script asks a model for: `kernel`, `get_weights`, `set_weights`."""

from __future__ import annotations

import re

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, find
from migrator.codemods.training.calls import constant
from migrator.codemods.training.model_layers import Asked, asked, asks, held
from migrator.codemods.training.scope import Holder
from migrator.codemods.training.states import RESETS, keeps_states
from migrator.codemods.training.writer import Unfit, Writer

_LISTS = ("weights", "variables", "trainable_weights", "trainable_variables")
_ARRAY = ".detach().cpu().numpy().copy()"


def layer_kind(node: cst.CSTNode, ctx: Context, holder: Holder) -> str:
    """What training code makes of an expression about such a layer; "" for any other.

    "layer-of": the layer itself; "layer-weight": one weight; "layer-get", "layer-set": all of them;
    "layer-reset": its states.
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
    if _method(node) in RESETS:
        return "layer-reset" if keeps_states(found.layer) else ""
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
    if kind == "layer-reset":
        return f"{found.text}.reset_states()"
    views = [weight_of(found, name) for name in found.names()]
    if len(views) == 1:
        return f"[{views[0]}{_ARRAY}]"
    return f"[weight{_ARRAY} for weight in ({', '.join(views)})]"


def _weight(node: cst.CSTNode, ctx: Context, holder: Holder) -> str:
    if isinstance(node, cst.Subscript):
        name, called = _entry(node, ctx, holder), isinstance(node.value, cst.Call)
        owner = _owner(node.value)
    else:
        name, called, owner = node.attr.value if isinstance(node, cst.Attribute) else "", False, _owner(node)
    found = held(owner, ctx, holder) if owner is not None else None
    assert found is not None
    return weight_of(found, name or "") + (_ARRAY if called else "")


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
    return any(
        layer_kind(n, ctx, holder) for n in (member, around) if isinstance(n, cst.Attribute | cst.Subscript | cst.Call)
    )


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
    copies = [_filled(found, name, value) for name, value in zip(names, values, strict=True)]
    return "\n    ".join(["with torch.no_grad():", *copies])


def weight_of(layer: Asked, name: str) -> str:
    """The weight of Keras's name, its axes in Keras's order. Raises Unfit where it is kept in another form."""
    found = next((p for p in layer.part.record.params if p[0] == name), None)
    view = None if found is None else _view(_member(layer, found[1]), found[2])
    if view is None:
        raise Unfit(f"the `{name}` of a layer, which its module does not keep as it is")
    return view


def _filled(layer: Asked, name: str, value: str) -> str:
    """The statement that gives a weight the values of an array in Keras's order of axes."""
    weight_of(layer, name)
    _, kept, transform = next(p for p in layer.part.record.params if p[0] == name)
    turned = ".T" if transform == "T" else transform and f".permute({', '.join(map(str, _axes(transform)))})"
    return f"{_member(layer, kept)}.copy_(torch.as_tensor({value}){turned})"


def _member(layer: Asked, path: str) -> str:
    """The text of a parameter below a module; the entries of a Sequential are numbered."""
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", f"{layer.text}.{path}")


def _view(text: str, transform: str) -> str | None:
    """What undoes a transform, as a view; None where there is none."""
    if transform in ("", "T"):
        return f"{text}.{transform}".rstrip(".")
    order = _axes(transform)
    return f"{text}.permute({', '.join(str(order.index(axis)) for axis in range(len(order)))})" if order else None


def _axes(transform: str) -> list[int]:
    """The order of axes in "transpose(3,2,0,1)"; empty for any other transform."""
    found = re.fullmatch(r"transpose\(([\d, ]+)\)", transform)
    return [int(axis) for axis in found.group(1).split(",")] if found else []
