"""Functions that make layers or models: a module class, and the function that builds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context, Draft
from migrator.codemods.models.blocks import all_params, block_of, split_doc
from migrator.codemods.models.build import render
from migrator.codemods.models.counting import never_called
from migrator.codemods.models.ends import MODEL, ends
from migrator.codemods.models.entries import ends_of
from migrator.codemods.models.extraction import extracts
from migrator.codemods.models.forward import body_of, comments
from migrator.codemods.models.functional import Graph, Made, Shape, module
from migrator.codemods.models.graph import assigned
from migrator.codemods.models.layout import LAST
from migrator.codemods.models.left_out import body_without, given_none, never_given, without_params
from migrator.codemods.models.modes import freezes_network, frozen_part
from migrator.codemods.models.naming import class_name
from migrator.codemods.models.needs import Needs
from migrator.codemods.models.nested import flat
from migrator.codemods.models.params import param_text, reads
from migrator.codemods.models.plain import plain_factory
from migrator.codemods.models.returned import find_returned
from migrator.codemods.models.sequence import INPUT, additions, calls, is_sequential, mentions, shows
from migrator.codemods.models.shapes import shape_lines
from migrator.codemods.models.sizes import gained, size_change
from migrator.codemods.models.swap import Both
from migrator.codemods.models.taps import built_on, network_input, taps
from migrator.codemods.models.text import fresh, indent, names
from migrator.codemods.nodes import find
from migrator.model import Decline, InterfaceChange, UnitKind
from migrator.values import Api, Instance, Literal, ModelValue, RepoInstance, Span, Tensor

Rest = Callable[[Sequence[cst.BaseStatement], Context], Draft]


def factory_unit(node: cst.FunctionDef, ctx: Context, rest: Rest | None = None) -> Draft:
    """The draft of a function that makes layers or a model.

    `rest` rewrites what a builder does with its model after it is built (compile, load weights …).
    """
    facts = ctx.facts.function(f"{ctx.module}:{node.name.value}")
    role = facts.role if facts is not None else "plain"
    if any("tf.function" not in ctx.code(d.decorator) for d in node.decorators):
        return _declined(node, ctx, "a decorated factory")
    if role == "layer-factory":
        return _layer_factory(node, ctx)
    gone = never_given(node, ctx)
    body = body_without(node, gone, ctx)
    if body is None or (gone and given_none(node, gone, ctx)):
        return _declined(node, ctx, f"`{gone[0]}`, for which there is an `Input`, is read or told otherwise too")
    found = (_either(body, ctx) or find_model(body, ctx)) if role == "model-factory" else None
    if found is None:
        plain = plain_factory(node, ctx)
        return _instead_of_chain(node, ctx, body, rest) or plain if plain.declines and not gone else plain
    if not gone:
        return _model_factory(node, ctx, found, rest)
    draft = _model_factory(without_params(node, gone), ctx, found, rest)
    detail = f"no longer takes {', '.join(gone)}, which nobody gives"
    change = InterfaceChange(f"{ctx.module}:{node.name.value}", "drops-parameter", detail, removed=gone)
    return replace(draft, changes=(*draft.changes, change))


def _instead_of_chain(
    node: cst.FunctionDef, ctx: Context, body: Sequence[cst.BaseStatement], rest: Rest | None
) -> Draft | None:
    """A class for the layers of a Sequential that are more than a chain of modules; None where it cannot be."""
    found = find_model(body, ctx)
    if found is None or not found.sequential:
        return None
    draft = _model_factory(node, ctx, found, rest)
    return None if draft.declines else draft


def _declined(node: cst.FunctionDef, ctx: Context, reason: str) -> Draft:
    return Draft(ctx.code(node), UnitKind.MODEL, declines=(Decline(reason, span=ctx.spans.get(node)),))


# --- tensor in, tensor out ---


def _layer_factory(node: cst.FunctionDef, ctx: Context) -> Draft:
    qualname = f"{ctx.module}:{node.name.value}"
    facts = ctx.facts.function(qualname)
    assert facts is not None
    parts = block_of(node, ctx)
    if parts is None:
        return _declined(node, ctx, "a factory whose tensors are not plain parameters")
    params = {p.name.value: param_text(p, "", ctx) for p in all_params(node) if p.name.value not in parts.tensors}
    removed = [name for name in params if only_names(node, name)]
    params = {name: text for name, text in params.items() if name not in removed}
    name = ctx.class_names.get(qualname, class_name(node.name.value))
    sizes = tuple(s.name for s in gained(ctx.facts, qualname))
    shape = Shape(
        name,
        f"{ctx.module}:{name}",
        tuple(parts.doc),
        ctx.layouts.get(qualname, LAST),
        whole=False,
        sizes=sizes,
        every_param=True,
    )
    graph = Graph(parts.statements, parts.tensors, None, params, carried=facts.carried, spans=parts.spans)
    made = module(ctx, graph, shape)
    gone = (*parts.tensors, *removed)
    changes = [InterfaceChange(qualname, "factory-to-module", f"{node.name.value} is the module {name}", sizes, gone)]
    return draft_of(made, render(made.build), UnitKind.LAYER, changes)


def only_names(node: cst.FunctionDef, param: str) -> bool:
    """Whether a parameter only goes into names of layers."""
    named = sum(
        len(find(arg.value, m.Name(param)))
        for arg in find(node.body, m.Arg(keyword=m.Name("name") | m.Name("block_name")))
        if isinstance(arg, cst.Arg)
    )
    return reads(node, param) == named and (named > 0 or param == "name")


# --- models ---


@dataclass(frozen=True)
class Found:
    """A model in a list of statements: what builds it, its graph's ends, and what follows.

    `name`: the variable that holds it, or None where it is returned at once.
    """

    before: list[cst.BaseStatement]
    after: list[cst.BaseStatement]
    name: str | None
    call: cst.Call
    sequential: bool
    spans: Mapping[cst.CSTNode, Span] = field(default_factory=dict)  # of statements that had to be made again
    returns: bool = False  # the statements return what goes out themselves, one way or another


def _either(statements: Sequence[cst.BaseStatement], ctx: Context) -> Found | None:
    """One of several models of the same inputs."""
    found = find_returned(statements, ctx)
    if found is None:
        return None
    return Found(found.statements, [], None, found.call, False, found.spans, returns=True)


_GRAPH = ("tf.keras.layers.", "tf.keras.applications.", "tf.keras.Sequential", "tf.keras.Model")


def keeps_data(node: cst.FunctionDef, ctx: Context) -> bool:
    """Whether a function reads, once it has built its model, what it made before: data to train on, for one.

    Such a function goes on as it is, with the model made where it was; a class would take the data with it.
    """
    found = find_model(body_without(node, never_given(node, ctx), ctx) or [], ctx)
    if found is None or found.name is None or size_change(ctx.facts, f"{ctx.module}:{node.name.value}") is not None:
        return False
    later = {name for s in found.after for name in names(s)} - {found.name}
    return any(name in later for s in found.before for name in _data(s, ctx))


def _data(statement: cst.BaseStatement, ctx: Context) -> list[str]:
    """The names that a line binds to anything but parts of a layer graph."""
    part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    if not isinstance(part, cst.Assign):
        return []
    value = ctx.value(part.value)
    symbolic = isinstance(value, Tensor) and value.origin == "keras"
    layer = isinstance(value, Instance) and value.api.startswith(_GRAPH)
    ours = isinstance(value, RepoInstance) and value.kind != "other"
    return [] if symbolic or layer or ours or isinstance(value, ModelValue) else list(assigned(statement))


def find_model(statements: Sequence[cst.BaseStatement], ctx: Context) -> Found | None:
    """The one model that the statements make, or None; a Sequential that is a part of its graph is none."""
    made = flat(statements, ctx)
    found = _only_model(made.statements, ctx if not made.spans else replace(ctx, spans=Both(made.spans, ctx.spans)))
    if found is None or not made.name:
        return found if found is None else replace(found, spans={**made.spans, **found.spans})
    name = found.name or made.name
    shown = [_renamed(s, made.name, name) for s in made.shown]
    returned = [] if found.name else [cst.SimpleStatementLine([cst.Return(cst.Name(name))])]
    return replace(found, name=name, after=[*shown, *found.after, *returned], spans={**made.spans, **found.spans})


def _only_model(statements: Sequence[cst.BaseStatement], ctx: Context) -> Found | None:
    found: list[tuple[int, str | None, cst.Call]] = []
    for index, statement in enumerate(statements):
        made = _made_here(statement, ctx)
        if made is not None:
            found.append((index, *made))
    if len(found) != 1:
        return None
    index, name, call = found[0]
    if not is_sequential(call, ctx):
        return Found(list(statements[:index]), list(statements[index + 1 :]), name, call, False)
    listed = calls(call, ctx)
    if listed is None:
        return None
    first = statements[index]
    if listed and isinstance(listed[0], cst.SimpleStatementLine):
        above = [*getattr(first, "leading_lines", ()), *listed[0].leading_lines]
        listed[0] = listed[0].with_changes(leading_lines=above)
    spans: dict[cst.CSTNode, Span] = {}
    adds, after = _split_additions(statements[index + 1 :], name, ctx, spans)
    return Found([*statements[:index], *listed, *adds], after, name, call, True, spans)


def _renamed(line: cst.BaseStatement, old: str, new: str) -> cst.BaseStatement:
    """`old.summary()` as `new.summary()`."""
    if old == new:
        return line
    made = line.deep_replace(find(line, m.Name(old))[0], cst.parse_expression(new))
    assert isinstance(made, cst.SimpleStatementLine)
    return made


def _made_here(statement: cst.BaseStatement, ctx: Context) -> tuple[str | None, cst.Call] | None:
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    small = statement.body[0]
    value = small.value if isinstance(small, cst.Assign | cst.Return) else None
    if not isinstance(value, cst.Call):
        return None
    callee = ctx.value(value.func)
    if not isinstance(callee, Api) or callee.name not in MODEL or extracts(value, ctx):
        return None
    name = get_full_name_for_node(small.targets[0].target) if isinstance(small, cst.Assign) else None
    return name, value


def _split_additions(
    statements: Sequence[cst.BaseStatement], name: str | None, ctx: Context, spans: dict[cst.CSTNode, Span]
) -> tuple[list[cst.BaseStatement], list[cst.BaseStatement]]:
    """(statements that go on building, statements that follow)."""
    if name is None:
        return [], list(statements)
    last = max((i for i, s in enumerate(statements) if additions(s, name, ctx, spans) is not None), default=-1)
    adds = []
    for statement in statements[: last + 1]:
        if _always_true(statement, ctx) or shows(statement, name):
            continue
        made = additions(statement, name, ctx, spans)
        adds.append(made if made is not None else statement)
    return adds, list(statements[last + 1 :])


def _always_true(statement: cst.BaseStatement, ctx: Context) -> bool:
    """An assertion about shapes that is known to hold: there is nothing to assert in the module."""
    parts = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    return bool(parts) and all(isinstance(p, cst.Assert) and ctx.value(p.test) == Literal(True) for p in parts)


def graph_of(found: Found, ctx: Context, params: Mapping[str, str]) -> Graph | Decline:
    """The graph of a model, ready to become a module."""
    if found.spans:
        ctx = replace(ctx, spans=Both(found.spans, ctx.spans))
    if found.sequential:
        clash = any(mentions(s, INPUT) and not _is_call(s) for s in found.before)
        if clash or INPUT in params or any(found.name and mentions(s, found.name) for s in found.before):
            return Decline("the statements between the layers of a Sequential use the model or a name `x`")
        made = Graph(found.before, (INPUT,), cst.Name(INPUT), dict(params), sequential=True, spans=found.spans)
        return replace(made, alone=partial(never_called, found.call, ctx))
    bound = ends(found.call)
    if bound is None:
        return Decline("a model whose inputs and outputs are not given")
    inputs, outputs = bound[0], None if found.returns else bound[1]
    if isinstance(outputs, cst.List) and len(outputs.elements) == 1:
        outputs = outputs.elements[0].value  # Keras unpacks a list of one
    found, inputs = _unaliased(found, inputs)
    network = network_input(inputs, ctx)
    taken = {name for statement in found.before for name in assigned(statement)} | params.keys()
    names = [fresh("inputs", taken)] if network else _input_names(inputs)
    if names is None:
        return Decline("a model whose inputs are not plain names")
    flat = list(names.values()) if isinstance(names, dict) else names
    unpack = None
    if isinstance(names, dict):
        texts = ", ".join(f'inputs["{k}"]' for k in names)
        unpack = f"{', '.join(flat)} = {texts}"
    elif isinstance(inputs, cst.List | cst.Tuple):
        unpack = f"{', '.join(flat)}{',' if len(flat) == 1 else ''} = inputs" if len(flat) > 1 else None
    starts = {**built_on(found.before, ctx), **({network: flat[0]} if network else {})}
    starts = {name: tensor for name, tensor in starts.items() if tensor in flat}
    reached = taps([*found.before, *([outputs] if outputs is not None else [])], starts, ctx)
    known = None if found.returns else ends_of(found.call, found.before, ctx)
    made = Graph(found.before, tuple(flat), outputs, dict(params), unpack=unpack, spans=found.spans, taps=reached)
    return replace(made, ends=known, alone=made.alone if found.returns else partial(never_called, found.call, ctx))


def _unaliased(found: Found, inputs: cst.BaseExpression) -> tuple[Found, cst.BaseExpression]:
    """The one input under its own name, where the model is told another that nothing else reads."""
    if not isinstance(inputs, cst.Name):
        return found, inputs
    pattern = m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Name(inputs.value))], m.Name())])
    at = [i for i, s in enumerate(found.before) if m.matches(s, pattern)]
    if len(at) != 1 or sum(names(s).get(inputs.value, 0) for s in found.before) != 1:
        return found, inputs
    line = found.before[at[0]]
    assert isinstance(line, cst.SimpleStatementLine)
    assert isinstance(line.body[0], cst.Assign)
    if line.leading_lines and any(blank.comment is not None for blank in line.leading_lines):
        return found, inputs
    return replace(found, before=[s for s in found.before if s is not line]), line.body[0].value


def _is_call(statement: cst.BaseStatement) -> bool:
    return m.matches(
        statement,
        m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Name(INPUT))], m.Call(args=[m.Arg(m.Name(INPUT))]))]),
    ) or isinstance(statement, cst.For | cst.If)


def _input_names(node: cst.BaseExpression) -> list[str] | dict[str, str] | None:
    if isinstance(node, cst.Name):
        return [node.value]
    if isinstance(node, cst.List | cst.Tuple):
        found = [e.value.value for e in node.elements if isinstance(e.value, cst.Name)]
        return found if len(found) == len(node.elements) else None
    if isinstance(node, cst.Dict):
        pairs = {}
        for element in node.elements:
            if not isinstance(element, cst.DictElement) or not isinstance(element.value, cst.Name):
                return None
            if not isinstance(element.key, cst.SimpleString):
                return None
            pairs[str(element.key.evaluated_value)] = element.value.value
        return pairs
    return None


def _model_factory(node: cst.FunctionDef, ctx: Context, found: Found, rest: Rest | None) -> Draft:
    qualname = f"{ctx.module}:{node.name.value}"
    doc, _ = split_doc(body_of(node), ctx)
    if doc:
        found = replace(found, before=found.before[1:])
    params = {p.name.value: param_text(p, "", ctx) for p in all_params(node)}
    found = _frozen_first(found, ctx)
    graph = graph_of(found, ctx, params)
    facts = ctx.facts.function(qualname)
    if isinstance(graph, Graph) and facts is not None:
        graph = replace(graph, carried=facts.carried)
    if isinstance(graph, Decline):
        return _declined(node, ctx, graph.reason)
    name = ctx.class_names.get(qualname, class_name(node.name.value))
    told = shape_lines(facts.returns if facts is not None else None, ctx.shapes_asked, params)
    shape = Shape(name, f"{ctx.module}:{name}", tuple(doc), whole=not found.returns, first=tuple(told))
    made = module(ctx, graph, shape)
    head = ctx.code(node.with_changes(body=cst.SimpleStatementSuite([cst.Pass()]), leading_lines=(), decorators=()))
    header = head[: head.rindex("pass")].rstrip()
    lines, needs = _builder_body(found, ctx, made, rest, node)
    for decline in needs.declines:
        made.build.needs.declines.append(decline)
    made.build.needs.imports |= needs.imports
    made.build.needs.gaps |= needs.gaps
    made.build.needs.notes.update(needs.notes)
    for helper in needs.helpers.values():
        made.build.needs.helpers.setdefault(helper.name, helper)
    text = f"{render(made.build)}\n\n{header}\n" + "\n".join(indent([*doc, *lines])) + "\n"
    change = size_change(ctx.facts, qualname)
    changes = [*([change] if change else []), *needs.changes]
    has_shapes = frozenset({name}) if told else frozenset()
    return replace(draft_of(made, text, UnitKind.MODEL, changes), needs_device=True, has_shapes=has_shapes)


def _frozen_first(found: Found, ctx: Context) -> Found:
    """What freezes networks right behind the model's creation belongs to its constructor, where they are."""
    count = next((i for i, s in enumerate(found.after) if not freezes_network(s, ctx)), len(found.after))
    if found.sequential or not count:
        return found
    return replace(found, before=[*found.before, *found.after[:count]], after=found.after[count:])


def construction(made: Made) -> str:
    """The call that makes the generated class where its parameters are in scope."""
    return f"{made.build.name}({', '.join(made.params)})"


def _builder_body(
    found: Found, ctx: Context, made: Made, rest: Rest | None, node: cst.FunctionDef
) -> tuple[list[str], Needs]:
    """The builder's own lines: make the module, go on with it, return it."""
    needs = Needs(imports=set())
    text, said = f"{construction(made)}.to(device)", said_of_parts(found.before, ctx)
    if found.name is None:
        return [*said, f"return {text}"], needs
    if len(found.after) == 1 and _returns(found.after[0], found.name):
        return [*said, *(c for c in comments(found.after[0]) if c), f"return {text}"], needs
    lines = [*said, f"{found.name} = {text}"]
    if rest is not None:
        draft = rest(found.after, ctx)
        needs.declines += draft.declines
        needs.imports |= draft.imports
        needs.helpers.update({h.name: h for h in draft.helpers})
        needs.gaps |= draft.gaps
        needs.notes.update(dict.fromkeys(draft.notes))
        needs.changes += draft.changes
        return [*lines, *draft.text.rstrip("\n").splitlines()], needs
    for statement in found.after:
        lines += after_model(statement, found.name, ctx, needs)
    return lines, needs


def said_of_parts(statements: Sequence[cst.BaseStatement], ctx: Context) -> list[str]:
    """The comments above lines that freeze a part: they are about the training of the whole."""
    frozen = [s for s in statements if frozen_part(s, ctx) is not None]
    return [line for statement in frozen for line in comments(statement) if line]


def after_model(statement: cst.BaseStatement, name: str, ctx: Context, needs: Needs) -> list[str]:
    """A statement behind the creation of a model, as far as this room knows it: printing and returning."""
    if m.matches(
        statement,
        m.SimpleStatementLine([m.Expr(m.Call(func=m.Attribute(value=m.Name(name), attr=m.Name("summary"))))]),
    ):
        return [*(c for c in comments(statement) if c), f"print({name})"]
    text = needs.text(statement.with_changes(leading_lines=()), ctx)
    attributes = find(statement, m.Attribute(value=m.Name(name)))
    if attributes:
        needs.decline(f"what is done with `{name}` after it is built", ctx, statement)
    return [*comments(statement), *text.splitlines()]


def _returns(statement: cst.BaseStatement, name: str) -> bool:
    return m.matches(statement, m.SimpleStatementLine([m.Return(m.Name(name))]))


def draft_of(made: Made, text: str, kind: UnitKind, changes: Sequence[InterfaceChange]) -> Draft:
    """The draft that a generated class and its builder are."""
    build = made.build
    needs = build.needs
    return Draft(
        text,
        kind,
        declines=tuple(needs.declines),
        imports=frozenset(needs.imports | {"import torch", "import torch.nn.functional as F"}),
        helpers=needs.helpers_of(text),
        changes=tuple(changes),
        weights=tuple(build.records),
        gaps=frozenset(needs.gaps),
        notes=tuple(needs.notes),
        has_logits={build.name: made.output.activation} if made.output and made.output.activation else {},
        has_ends={build.name: made.ends} if made.ends else {},
        has_parts={build.name: build.parts},
        has_penalty=frozenset({build.name}) if build.penalties else frozenset(),
        has_constraints=frozenset({build.name}) if build.constraints else frozenset(),
        has_additions=frozenset({build.name}) if build.adds else frozenset(),
        has_mask=frozenset({build.name}) if build.masks else frozenset(),
    )
