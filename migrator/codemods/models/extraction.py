"""Models of layers of a network of Keras: `Model(base.input, base.get_layer("block4_pool").output)`."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models.ends import MODEL, ends
from migrator.codemods.models.part import FEATURES, is_application
from migrator.codemods.models.taps import network_input
from migrator.codemods.nodes import ancestors, find
from migrator.model import Decline, Helper
from migrator.values import LayerOf, LayerOutput, Literal, ModelValue, Sequence

HELPER = Helper(
    "Features",
    '''
class Features(nn.Module):
    """What some layers of a VGG give for images, maps as (N, h, w, channels); a list where there are several.

    The layers are those of the network, up to the last that is asked for.
    """

    def __init__(self, network, *asked):
        super().__init__()
        layers = [layer for block in network.blocks for layer in block]
        layers += [network.flatten, network.fc1, network.fc2] if network.include_top else []
        self.places = [layers.index(layer) for layer in asked]
        self.layers = nn.Sequential(*layers[: max(self.places) + 1])

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)  # NHWC -> NCHW
        given = []
        for layer in self.layers:
            x = layer(x)
            given.append(x.permute(0, 2, 3, 1) if x.ndim == 4 else x)
        asked = [given[place] for place in self.places]
        return asked[0] if len(asked) == 1 else asked
'''.lstrip(),
    ("from torch import nn",),
    module="keras_networks",
)
_OUTPUT = m.Attribute(attr=m.Name("output"))
_THROUGH = cst.Element | cst.List | cst.Tuple | cst.ListComp | cst.GeneratorExp | cst.Arg


def extracts(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a call makes a model of layers of a network."""
    if not isinstance(node, cst.Call) or getattr(ctx.value(node.func), "name", "") not in MODEL:
        return False
    value = ctx.value(node)
    return isinstance(value, ModelValue) and value.api == FEATURES


def kind(node: cst.CSTNode, ctx: Context) -> str:
    """What an expression is: "network-model", "network-layer" for a layer or its output; "" for any other.

    "network-made": the network itself.
    """
    if extracts(node, ctx):
        return "network-model"
    if isinstance(node, cst.Call) and _is_extracted(node, ctx):
        return "network-made"
    is_output = isinstance(node, cst.Attribute) and node.attr.value == "output"
    if is_output and isinstance(ctx.value(node), LayerOutput):
        return "network-layer"
    return "network-layer" if _asks(node, ctx) and isinstance(ctx.value(node), LayerOf) else ""


def _is_extracted(node: cst.Call, ctx: Context) -> bool:
    """Whether a call makes a network of which the file makes models of layers."""
    value = ctx.value(node)
    if not is_application(value) or getattr(ctx.value(node.func), "name", "") != getattr(value, "api", None):
        return False
    models = [call for call in find(ctx.tree, m.Call()) if isinstance(call, cst.Call) and extracts(call, ctx)]
    inputs = [bound[0] for call in models if (bound := ends(call)) is not None]
    return any(_made_of(each, value, ctx) for each in inputs)


def settled(node: cst.CSTNode, ctx: Context) -> tuple[cst.CSTNode, ...]:
    """What stands below such an expression that is decided with it."""
    if extracts(node, ctx):
        bound = ends(node) if isinstance(node, cst.Call) else None
        return tuple(find(bound[0], m.Attribute())) if bound is not None else ()
    if isinstance(node, cst.Call) and _is_extracted(node, ctx):
        return ()
    return tuple(n for n in find(node, m.Attribute() | m.Call() | m.Subscript()) if n is not node)


def _asks(node: cst.CSTNode, ctx: Context) -> cst.BaseExpression | None:
    """The network in `base.get_layer(name)` and `base.layers[3]`."""
    if isinstance(node, cst.Call) and m.matches(node.func, m.Attribute(attr=m.Name("get_layer"))):
        assert isinstance(node.func, cst.Attribute)
        owner = node.func.value
    elif isinstance(node, cst.Subscript) and m.matches(node.value, m.Attribute(attr=m.Name("layers"))):
        assert isinstance(node.value, cst.Attribute)
        owner = node.value.value
    else:
        return None
    return owner if is_application(ctx.value(owner)) and get_full_name_for_node(owner) else None


def extraction(call: cst.Call, outputs: str, ctx: Context) -> str | Decline:
    """The module that takes the place of the model, whose outputs are written as `outputs`."""
    bound = ends(call)
    network = network_input(bound[0], ctx) if bound is not None else ""
    value = ctx.value(bound[1]) if bound is not None else None
    first = value.element if isinstance(value, Sequence) and value.kind == "list" else value
    if bound is None or not network or not isinstance(first, LayerOutput):
        return Decline("a model of the layers of a network that begins or ends elsewhere")
    if not _made_of(bound[0], first.network, ctx):
        return Decline("a model of layers of a network that begins with the input of another")
    return f"Features({network}, {_starred(bound[1], outputs, value)})"


def outputs_of(call: cst.Call) -> cst.BaseExpression | None:
    """What a model gives, as it is written."""
    bound = ends(call)
    return None if bound is None else bound[1]


def _made_of(inputs: cst.BaseExpression, network: object, ctx: Context) -> bool:
    node = inputs.elements[0].value if isinstance(inputs, cst.List) else inputs
    return isinstance(node, cst.Attribute) and ctx.value(node.value) == network


def _starred(node: cst.BaseExpression, text: str, value: object) -> str:
    """The outputs as arguments."""
    if isinstance(value, LayerOutput):
        return text
    if isinstance(node, cst.List) and isinstance(cst.parse_expression(text), cst.List):
        return text[1:-1].strip().rstrip(",")
    return f"*({text[1:-1]})" if isinstance(node, cst.ListComp) else f"*{text}"


def module_of(node: cst.CSTNode, ctx: Context, write: Callable[[cst.BaseExpression], str]) -> str | Decline:
    """The module that gives what a layer gives, for `base.get_layer(name)`, `base.layers[3]` and their `output`.

    `write`: how a name that only the run tells is written.
    """
    asked = node.value if isinstance(node, cst.Attribute) else node
    if isinstance(asked, cst.Name) and _is_layer_here(asked, ctx) and _only_extracted(node, ctx):
        return asked.value
    owner, layer = _asks(asked, ctx), ctx.value(asked)
    if owner is None or not isinstance(layer, LayerOf) or not _only_extracted(node, ctx):
        return Decline(_ELSEWHERE)
    if isinstance(asked, cst.Subscript) and not (layer.name and _is_constant(asked, ctx)):
        return Decline(_ELSEWHERE)
    name = write(asked.args[0].value) if isinstance(asked, cst.Call) else f'"{layer.name}"'
    return f"{ctx.code(owner).strip()}.layer({name})"


_ELSEWHERE = "a layer of a network of which more is made than a model that gives its output"


def _is_constant(asked: cst.Subscript, ctx: Context) -> bool:
    """Whether the place in `base.layers[3]` is the same each time."""
    index = asked.slice[0].slice
    return isinstance(index, cst.Index) and isinstance(ctx.value(index.value), Literal)


def _is_layer_here(name: cst.Name, ctx: Context) -> bool:
    """Whether a name is bound once, to a layer that a network is asked for."""
    scope = _scope(name, ctx)
    bound = find(scope, m.Assign(targets=[m.AssignTarget(m.Name(name.value))]))
    one = bound[0] if len(bound) == len(find(scope, m.AssignTarget(m.Name(name.value)))) == 1 else None
    return isinstance(one, cst.Assign) and _asks(one.value, ctx) is not None


def _scope(node: cst.CSTNode, ctx: Context) -> cst.CSTNode:
    return next(n for n in ancestors(node, ctx.tree)[1:] if isinstance(n, cst.FunctionDef | cst.Module))


def _only_extracted(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a layer or its output, or a list of them, goes into models of layers of the network and nowhere else."""
    around = ancestors(node, ctx.tree)[1:]
    top = next((n for n in around if not isinstance(n, _THROUGH) and not m.matches(n, _OUTPUT)), None)
    if top is not None and extracts(top, ctx):
        return True
    target = top.targets[0].target if isinstance(top, cst.Assign) and len(top.targets) == 1 else None
    if not isinstance(target, cst.Name):
        return False
    scope = _scope(node, ctx)
    uses = [n for n in find(scope, m.Name(target.value)) if n is not target]
    once = len(find(scope, m.AssignTarget(m.Name(target.value)))) == 1
    return once and all(_only_extracted(use, ctx) for use in uses)
