"""A graph of layers, built by calls on tensors, as one module."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context, Ends
from migrator.codemods.models.build import ModuleBuild, signature
from migrator.codemods.models.counting import counted
from migrator.codemods.models.create import Maker
from migrator.codemods.models.data_sizes import DataSizes
from migrator.codemods.models.entries import without_activations
from migrator.codemods.models.finish import check_names, finished, rename
from migrator.codemods.models.forward import Body, Line
from migrator.codemods.models.graph import GraphLowerer, Split, assigned
from migrator.codemods.models.layout import LAST, Layout
from migrator.codemods.models.output import Output, with_logits, with_several_logits
from migrator.codemods.models.sequence import merged
from migrator.codemods.models.swap import Both
from migrator.codemods.models.text import indent, names, substitute
from migrator.codemods.nodes import find
from migrator.values import Carried, Span, Tensor


@dataclass(frozen=True)
class Graph:
    """The statements that build a graph.

    `inputs`: the tensors that come in, in order; `packed` is the name of the one argument that
    holds them all (a model called with a list or dict). `outputs`: the expression that goes out,
    None where the statements return it themselves. `params`: names of the constructor's scope, with
    their text as parameters.
    """

    statements: Sequence[cst.BaseStatement]
    inputs: tuple[str, ...]
    outputs: cst.BaseExpression | None
    params: dict[str, str]
    unpack: str | None = None
    packed: str = "inputs"
    defaults: dict[str, str] = field(default_factory=dict)  # forward parameters with defaults
    carried: tuple[Carried, ...] = ()
    spans: Mapping[cst.CSTNode, Span] = field(default_factory=dict)  # of statements that had to be made again
    taps: Mapping[str, str] = field(default_factory=dict)  # `base.output` → what goes into the network `base`
    sequential: bool = False  # calls that stand for a Sequential: short lines are put together
    ends: Ends | None = None  # of several inputs or outputs
    alone: Callable[[], bool] = bool  # nothing calls the model: a mask of what goes out concerns its training only


@dataclass(frozen=True)
class Shape:
    """How the generated class stands in its surroundings."""

    name: str
    owner: str
    doc: tuple[str, ...] = ()
    layout: Layout = LAST  # images come and go in this layout
    whole: bool = True  # a model: what ends in a softmax gets `logits`
    sizes: tuple[str, ...] = ()  # parameters that come first
    every_param: bool = False  # keep parameters that nothing reads
    first: tuple[str, ...] = ()  # lines that the constructor begins with


@dataclass(frozen=True)
class Made:
    """The class and which constructor parameters it has."""

    build: ModuleBuild
    params: tuple[str, ...]
    output: Output | None
    ends: Ends | None = None


def module(ctx: Context, graph: Graph, shape: Shape) -> Made:
    """The module that a graph becomes; it permutes before flattening only where there is no other way."""
    if graph.spans:
        ctx = replace(ctx, spans=Both(graph.spans, ctx.spans))
    made, unflattened = _attempt(ctx, graph, shape, flatten_last=False)
    if unflattened:
        made, _ = _attempt(ctx, graph, shape, flatten_last=True)
    return made


def _attempt(ctx: Context, graph: Graph, shape: Shape, flatten_last: bool) -> tuple[Made, bool]:
    build = ModuleBuild(shape.name, shape.owner, doc=list(shape.doc))
    maker = Maker(
        ctx,
        build,
        scope={*graph.params, *shape.sizes},
        given=frozenset(graph.params),
        data=_data_sizes(ctx, graph) if shape.whole else None,
    )
    inside = replace(ctx, device=f"{graph.inputs[0]}.device" if graph.inputs else "")
    lower = GraphLowerer(inside, build, maker, keeps=True, flatten_last=flatten_last)
    lower.layouts.update(_inputs(ctx, graph, shape))
    lower.collects |= _collections(ctx, graph.statements)
    lower.carried = graph.carried
    lower.taps = graph.taps
    split = Split(lower, Body(lower, shape.layout, graph.alone))
    build.init, lines = split.block(graph.statements)
    build.init = [*shape.first, *build.init]
    if graph.sequential:
        lines = merged(lines, _weighted(build))
    if graph.outputs is not None:
        lines.append(_returned(split, graph.outputs))
    for name in sorted(build.kept.keys() - build.captured.keys()):
        build.needs.decline(f"`{name}` is frozen where it is not a part of the model", ctx)
    counting = counted(split.body.mask, graph, lines, build, ctx) if split.body.mask else []
    output = (with_logits(lines) or with_several_logits(lines)) if shape.whole else None
    lines = _returned_at_once(lines)
    if output is not None:
        _make_room(build, output)
    _methods(build, graph, lines, output)
    build.methods += [counting] if counting else []
    params = _params(build, graph, shape)
    sizes = maker.data.given if maker.data is not None else {}
    build.params = [*shape.sizes, *sizes, *(graph.params[p] for p in params)]
    finished(build, lower.named)
    check_names(build, ctx)
    params = [*sizes.values(), *params]
    return Made(build, tuple(params), output, graph.ends and without_activations(graph.ends, output)), lower.unflattened


def _data_sizes(ctx: Context, graph: Graph) -> DataSizes:
    """No size of data yet; what the layers of a Sequential are called on has a name only here."""
    inside = {*graph.inputs, *(name for statement in graph.statements for name in assigned(statement))}
    local = inside - set(graph.inputs) if graph.sequential else inside
    counts = Counter(name for statement in ctx.tree.body for name in assigned(statement))
    moving = {name for name, count in counts.items() if count > 1} - inside - graph.params.keys()
    return DataSizes(local, set(graph.params), moving)


def _returned_at_once(lines: list[Line]) -> list[Line]:
    """`y = layer(x)`, `return y` as `return layer(x)`."""
    if len(lines) < 2 or lines[-2].name is None or len(lines[-2].text) != 1 or "#" in lines[-2].text[0]:
        return lines
    name, value = lines[-2].text[0].split(" = ", 1)
    return [*lines[:-2], Line([f"return {value}"])] if lines[-1].text == [f"return {name}"] else lines


def _make_room(build: ModuleBuild, output: Output) -> None:
    """A layer that is called `logits` gives its name to the method."""
    if "logits" not in build.taken:
        return
    name = build.attribute("out")
    rename(build, "logits", name)
    for line in output.lines:
        line.text[:] = [re.sub(r"\bself\.logits\b", f"self.{name}", text) for text in line.text]


def _weighted(build: ModuleBuild) -> list[str]:
    """Attributes of layers with kernels, and of modules of the repository."""
    initialised = {item.target.removeprefix("self.") for item in build.resets}
    own = {found.group(1) for line in build.init if (found := re.match(r"\s*self\.(\w+) = (?!nn\.)", line))}
    return sorted(initialised | own)


def _returned(split: Split, node: cst.BaseExpression) -> Line:
    kept, split.lower.pre = split.lower.pre, []
    line = split.body.returning(node)
    init, split.lower.init = split.lower.init, []
    split.lower.build.init += init
    text = [*split.lower.pre, *line.text]
    split.lower.pre = kept
    return Line(text, None, None, line.returns)


def _inputs(ctx: Context, graph: Graph, shape: Shape) -> dict[str, Layout]:
    return dict.fromkeys(graph.inputs, shape.layout)


def _collections(ctx: Context, statements: Sequence[cst.BaseStatement]) -> set[str]:
    """Lists to which tensors are appended."""
    append = m.Call(func=m.Attribute(value=m.Name(), attr=m.Name("append")))
    calls = [call for statement in statements for call in find(statement, append)]
    found = set()
    for call in calls:
        assert isinstance(call, cst.Call)
        assert isinstance(call.func, cst.Attribute)
        assert isinstance(call.func.value, cst.Name)
        if call.args and isinstance(ctx.value(call.args[0].value), Tensor):
            found.add(call.func.value.value)
    return found


def _params(build: ModuleBuild, graph: Graph, shape: Shape) -> list[str]:
    """The constructor parameters that something reads."""
    if shape.every_param:
        return list(graph.params)
    text = "\n".join(build.init) or "pass"
    read = names(text).keys() | build.captured.keys()
    return [p for p in graph.params if p in read]


def _methods(build: ModuleBuild, graph: Graph, lines: list[Line], output: Output | None) -> None:
    args = [graph.packed] if graph.unpack else list(graph.inputs)
    texts = [t for line in (output.lines if output else lines) for t in line.text]
    if len(args) == 1 and not graph.unpack:
        args, texts = _short(args[0], texts)
        texts = [line for line in texts if line != "x = x"]
    if graph.unpack:
        texts = [graph.unpack, *texts]
    taking = [f"{a}={graph.defaults[a]}" if a in graph.defaults else a for a in args]
    while texts and not texts[0].strip():
        texts = texts[1:]
    if output is None:
        build.methods.append([*signature("forward", taking), *indent(texts)])
        return
    build.methods.append([*signature("logits", taking), *indent(texts)])
    body = output.forward(f"self.logits({', '.join(args)})")
    build.methods.append([*signature("forward", taking), *indent(body)])


def _short(name: str, lines: list[str]) -> tuple[list[str], list[str]]:
    """`forward(self, x)` where the input is only there to become `x`."""
    if name == "x" or not lines:
        return [name], lines
    end = next((i for i, line in enumerate(lines) if re.match(r"x = ", line)), None)
    if end is None:
        return [name], lines
    head, tail = lines[: end + 1], lines[end + 1 :]
    values = [line.partition(" = ")[2] if i == end else line for i, line in enumerate(head)]
    if any("x" in names(v.strip() or "pass") for v in values if not v.startswith((" ", "for", "if", "else"))):
        return [name], lines
    if any(not re.match(rf"({name}|x) = |#|$", line) for line in head):
        return [name], lines
    if any(re.search(rf"\b{name}\b", line) for line in tail):
        return [name], lines
    return ["x"], [*(substitute(line, {name: "x"}) if line.strip() else line for line in head), *tail]
