"""Loops that freeze some layers of a network of Keras, or let them learn again: which ones is known beforehand."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.ends import ends
from migrator.codemods.models.part import is_application
from migrator.codemods.models.taps import network_input
from migrator.codemods.nodes import find
from migrator.network_layers import NetworkLayer, layers_of, modules
from migrator.values import Literal, ModelValue

_LAYERS = m.Attribute(attr=m.Name("layers"))
_SLICE = m.Subscript(value=_LAYERS, slice=[m.SubscriptElement(m.Slice())])
_COUNTED = m.Call(func=m.Name("enumerate"), args=[m.Arg(_LAYERS | _SLICE)])


_REST = NetworkLayer("", "")
"""What a model has behind the network that it goes on from: any number of layers, none of them frozen."""


@dataclass(frozen=True)
class Frozen:
    """What a loop does to the layers of a network: the paths of those that it freezes, and of those that learn."""

    network: cst.BaseExpression
    layers: tuple[NetworkLayer, ...]
    off: frozenset[str]
    on: frozenset[str]

    def text(self, owner: str) -> str:
        """The statements, "" where only layers without weights are concerned."""
        every = {layer.path for layer in self.layers if layer.path}
        if self.off and self.on and self.off | self.on == every:
            most, rest, on = (self.off, self.on, True) if len(self.off) > len(self.on) else (self.on, self.off, False)
            return "\n".join((_set([owner], not on), _set(modules(owner, rest, self.layers), on))) if most else ""
        told = ((paths, on) for paths, on in ((self.off, False), (self.on, True)) if paths)
        return "\n".join(_set(modules(owner, paths, self.layers), on) for paths, on in told)


def _set(texts: Sequence[str], on: bool) -> str:
    if len(texts) == 1 and not texts[0].startswith("*"):
        return f"{texts[0]}.requires_grad_({on})"
    listed = texts[0][1:] if len(texts) == 1 else f"({', '.join(texts)})"
    return f"for layer in {listed}:\n    layer.requires_grad_({on})"


def frozen_layers(node: cst.CSTNode, ctx: Context) -> Frozen | None:
    """What a loop over the layers of a network does; None for another loop, and where it is not known."""
    if not isinstance(node, cst.For) or node.orelse is not None:
        return None
    over = node.iter
    counted = m.matches(over, _COUNTED)
    listed = over.args[0].value if counted and isinstance(over, cst.Call) else over
    owner = _owner(listed)
    layers = _layers(owner, ctx) if owner is not None else ()
    if owner is not None and not layers:
        owner = _below(owner, ctx)
        layers = (*_layers(owner, ctx), _REST) if owner is not None else ()
    chosen = _chosen(listed, layers, ctx)
    names = _names(node.target, counted)
    if owner is None or not chosen or not names or (counted and layers[-1] is _REST):
        return None
    try:
        loop = _Loop(names[-1], _constants(node, ctx), frozenset(layer.name for layer in layers if layer.name))
        for index, layer in enumerate(chosen):
            loop.state |= {names[0]: index} if counted else {}
            loop.turn(layer, node.body.body)
    except _Unknown:
        return None
    if any(layer is _REST and not on for layer, on in loop.told):
        return None
    told = {layer.path: on for layer, on in loop.told if layer.path}
    off = frozenset(path for path, on in told.items() if not on)
    return Frozen(owner, tuple(layers), off, frozenset(told) - off)


def layer_count(call: cst.Call, ctx: Context) -> int | None:
    """The number that `len(base.layers)` is, of a network of Keras."""
    if not m.matches(call, m.Call(func=m.Name("len"), args=[m.Arg(_LAYERS)])):
        return None
    owner = _owner(call.args[0].value)
    return len(_layers(owner, ctx)) or None if owner is not None else None


def is_flag(line: cst.SimpleStatementLine, ctx: Context) -> bool:
    """Whether a line only sets what loops over the layers of a network read, which are written without it."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Assign) or not isinstance(part.targets[0].target, cst.Name):
        return False
    name = m.Name(part.targets[0].target.value)
    if len(part.targets) > 1 or not isinstance(ctx.value(part.value), Literal):
        return False
    loops = [loop for loop in find(ctx.tree, m.For()) if find(loop, name)]
    inside = sum(len(find(loop, name)) for loop in loops)
    bound = len(find(ctx.tree, m.Assign(targets=[m.AssignTarget(name)])))
    within = sum(len(find(loop, m.Assign(targets=[m.AssignTarget(name)]))) for loop in loops)
    alone = len(find(ctx.tree, name)) == inside + bound - within
    return bool(loops) and alone and all(frozen_layers(loop, ctx) is not None for loop in loops)


def _owner(listed: cst.BaseExpression) -> cst.BaseExpression | None:
    """The network in `base.layers` and `base.layers[a:b]`."""
    layers = listed.value if isinstance(listed, cst.Subscript) else listed
    return layers.value if isinstance(layers, cst.Attribute) and layers.attr.value == "layers" else None


def _below(owner: cst.BaseExpression, ctx: Context) -> cst.BaseExpression | None:
    """The network that a model goes on from, `Model(base.input, …)`: its layers are the first of the model's own."""
    value = ctx.value(owner)
    if not isinstance(value, ModelValue):
        return None
    made = next((n for n in find(ctx.tree, m.Call()) if ctx.spans.get(n) == value.site), None)
    bound = ends(made) if isinstance(made, cst.Call) else None
    if bound is None or value.module != ctx.module or not network_input(bound[0], ctx):
        return None
    first = bound[0].elements[0].value if isinstance(bound[0], cst.List) else bound[0]
    whole = find(ctx.tree, m.AssignTarget(m.Attribute(attr=m.Name("trainable"))))
    set_whole = any(ctx.code(target).startswith(f"{ctx.code(owner).strip()}.trainable") for target in whole)
    network = first.value if isinstance(first, cst.Attribute) and isinstance(first.value, cst.Name) else None
    bindings = find(ctx.tree, m.AssignTarget(m.Name(network.value))) if network is not None else ()
    return network if len(bindings) == 1 and not set_whole else None


def _layers(owner: cst.BaseExpression, ctx: Context) -> Sequence[NetworkLayer]:
    """All layers of a network that was made without its top."""
    value = ctx.value(owner)
    if not isinstance(value, ModelValue) or not is_application(value):
        return ()
    made = next((n for n in find(ctx.tree, m.Call()) if ctx.spans.get(n) == value.site), None)
    if not isinstance(made, cst.Call) or value.module != ctx.module:
        return ()
    given = {a.keyword.value: ctx.value(a.value) for a in made.args if a.keyword is not None}
    if given.get("include_top") != Literal(False):
        return ()
    known = layers_of(getattr(ctx.value(made.func), "name", "").rpartition(".")[2])
    pooled = given.get("pooling", Literal(None)) != Literal(None)
    return (*known, NetworkLayer("", "")) if pooled and known else known


def _chosen(listed: cst.BaseExpression, layers: Sequence[NetworkLayer], ctx: Context) -> Sequence[NetworkLayer]:
    if m.matches(listed, _LAYERS):
        return layers
    if not m.matches(listed, _SLICE) or not isinstance(listed, cst.Subscript):
        return ()
    cut = listed.slice[0].slice
    assert isinstance(cut, cst.Slice)
    lower, upper = (_number(bound, ctx) for bound in (cut.lower, cut.upper))
    if cut.step is not None or lower is None or upper is None:
        return ()
    if (
        layers
        and layers[-1] is _REST
        and any(bound is not None and not 0 <= bound < len(layers) for bound in (lower[0], upper[0]))
    ):
        return ()  # a place among layers that are not counted here
    return layers[lower[0] : upper[0]]


def _number(node: cst.BaseExpression | None, ctx: Context) -> tuple[int | None] | None:
    """The bound of a slice, in a tuple; None where it is not known."""
    value = Literal(None) if node is None else ctx.value(node)
    if not isinstance(value, Literal):
        return None
    return (value.value,) if value.value is None or isinstance(value.value, int) else None


def _names(target: cst.BaseAssignTargetExpression, counted: bool) -> tuple[str, ...]:
    parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple) else [target]
    names = tuple(part.value for part in parts if isinstance(part, cst.Name))
    return names if len(names) == len(parts) == (2 if counted else 1) else ()


def _constants(loop: cst.For, ctx: Context) -> dict[str, object]:
    """The names that the loop reads and that are constants before it."""
    found: dict[str, object] = {}
    for node in find(loop.body, m.Name()):
        assert isinstance(node, cst.Name)
        lines = find(ctx.tree, m.Assign(targets=[m.AssignTarget(m.Name(node.value))]))
        before = [line for line in lines if line in ctx.spans and ctx.spans[line] < ctx.spans[loop]]
        last = before[-1] if before else None
        value = ctx.value(last.value) if isinstance(last, cst.Assign) else None
        if isinstance(value, Literal):
            found[node.value] = value.value
    return found


class _Unknown(Exception):
    """Something that only the run tells."""


@dataclass
class _Loop:
    """Runs the body of a loop over layers: conditions on their names and places, and flags."""

    layer: str
    state: dict[str, object]
    names: frozenset[str]
    told: list[tuple[NetworkLayer, bool]] = field(default_factory=list)

    def turn(self, layer: NetworkLayer, body: Sequence[cst.CSTNode]) -> None:
        for line in body:
            if isinstance(line, cst.If):
                self.branch(layer, line)
            elif isinstance(line, cst.SimpleStatementLine):
                for part in line.body:
                    self.part(layer, part)
            else:
                raise _Unknown

    def branch(self, layer: NetworkLayer, line: cst.If) -> None:
        if self.value(layer, line.test):
            self.turn(layer, line.body.body)
        elif isinstance(line.orelse, cst.If):
            self.branch(layer, line.orelse)
        elif line.orelse is not None:
            self.turn(layer, line.orelse.body.body)

    def part(self, layer: NetworkLayer, part: cst.BaseSmallStatement) -> None:
        if not isinstance(part, cst.Assign) or len(part.targets) != 1:
            raise _Unknown
        target, value = part.targets[0].target, self.value(layer, part.value)
        if isinstance(target, cst.Name):
            self.state[target.value] = value
        elif m.matches(target, m.Attribute(m.Name(self.layer), m.Name("trainable"))) and isinstance(value, bool):
            self.told.append((layer, value))
        else:
            raise _Unknown

    def value(self, layer: NetworkLayer, node: cst.BaseExpression) -> object:
        tree = ast.parse(cst.Module([]).code_for_node(node).strip(), mode="eval")
        if not all(isinstance(part, _PLAIN) for part in ast.walk(tree)):
            raise _Unknown
        named = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute)]
        if any(not self._is_name(n) and n.attr not in ("startswith", "endswith") for n in named):
            raise _Unknown
        if any(map(self._is_name, named)) and not layer.name and not self._asks_for_others(tree):
            raise _Unknown
        if {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - {*self.state, self.layer}:
            raise _Unknown
        return eval(compile(tree, "<loop>", "eval"), {"__builtins__": {}}, {**self.state, self.layer: layer})

    def _asks_for_others(self, tree: ast.AST) -> bool:
        """Whether names are only compared with those of layers that have one of their own."""
        texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        within = [n for n in ast.walk(tree) if isinstance(n, ast.Compare) and isinstance(n.ops[0], ast.In | ast.NotIn)]
        parts = any(isinstance(n.comparators[0], ast.Constant) for n in within)
        return texts <= self.names and not parts and not any(isinstance(n, ast.Call) for n in ast.walk(tree))

    def _is_name(self, node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Attribute)
            and node.attr == "name"
            and isinstance(node.value, ast.Name)
            and node.value.id == self.layer
        )


_PLAIN = (
    *(ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Call, ast.List, ast.Tuple, ast.Set),
    *(ast.Compare, ast.cmpop, ast.BoolOp, ast.boolop, ast.UnaryOp, ast.unaryop, ast.BinOp, ast.Add, ast.Sub),
)
