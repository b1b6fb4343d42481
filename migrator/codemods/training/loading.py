"""`load_model`: the model that the repository saved to that file is made again and gets the weights."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, find
from migrator.codemods.training.building import construction, is_construction
from migrator.codemods.training.calls import api_of, bind, constant, is_model, receiver
from migrator.codemods.training.files import file_name
from migrator.codemods.training.owners import TRAINS
from migrator.codemods.training.remaking import made_again
from migrator.codemods.training.scope import bound_at_top
from migrator.codemods.training.writer import Code, Unfit, Writer
from migrator.model import Decline
from migrator.values import ModelValue, RepoClass, RepoFunction, RepoInstance

LOAD = "tf.keras.models.load_model"
_PARAMETERS = ("filepath", "custom_objects", "compile", "safe_mode", "options")


def loads(call: cst.Call, ctx: Context) -> bool:
    return api_of(ctx.value(call.func)) == LOAD


def load_model(call: cst.Call, writer: Writer, line: cst.CSTNode) -> Code:
    """Statements that make the model and load its weights, and its name; `line` has the call."""
    ctx = writer.ctx
    bound = bind(call, _PARAMETERS)
    if isinstance(bound, Decline) or "filepath" not in bound or set(bound) - set(_PARAMETERS):
        raise Unfit("arguments of `load_model`")
    value = ctx.value(call)
    if not is_model(value) or not isinstance(value, ModelValue | RepoInstance):
        raise Unfit("a model from a file of which it is not certain that this repository has saved it")
    made = _maker(value, ctx)
    if made is None or not isinstance(line, cst.SimpleStatementLine) or len(line.body) > 1:
        raise Unfit("a loaded model in a place where it cannot be made again")
    target = _target(line, call)
    name = target or writer.names.fresh("model", "loaded")
    _refuse_training(name if target else "", call, writer)
    writer.sink.imports.add("import torch")
    writer.sink.needs_device = True
    if "custom_objects" in bound:
        writer.sink.note("`custom_objects` of `load_model` are gone: the class itself is made")
    path = file_name(bound["filepath"], writer)
    state = f"{name}.load_state_dict(torch.load({path}, map_location=device))"
    return Code("\n".join([*_fresh(made, name, call, writer), state]), name)


def _maker(value: ModelValue | RepoInstance, ctx: Context) -> cst.Call | None:
    """The call of this file that made the model that was saved."""
    if value.site is None or value.module != ctx.module:
        return None
    made = next((n for n, span in ctx.spans.items() if span == value.site and isinstance(n, cst.Call)), None)
    return made and (_factory_call(made, ctx) or made)


def _factory_call(made: cst.Call, ctx: Context) -> cst.Call | None:
    """The call of the function that makes the model, where all calls of it in the file are the same."""
    around = [n for n in ancestors(made, ctx.tree) if isinstance(n, cst.FunctionDef)]
    facts = ctx.facts.function(f"{ctx.module}:{around[-1].name.value}") if around else None
    returns = facts.returns if facts is not None else None
    if not isinstance(returns, ModelValue) or returns.site != ctx.spans[made]:
        return None
    found = find(ctx.tree, m.Call(func=m.Name(around[-1].name.value)))
    calls = [call for call in found if isinstance(call, cst.Call)]
    return calls[0] if calls and len({ctx.code(call).strip() for call in calls}) == 1 else None


def _target(line: cst.SimpleStatementLine, call: cst.Call) -> str:
    part = line.body[0]
    plain = isinstance(part, cst.Assign) and part.value is call and len(part.targets) == 1
    target = part.targets[0].target if plain and isinstance(part, cst.Assign) else None
    return target.value if isinstance(target, cst.Name) else ""


def _fresh(made: cst.Call, name: str, call: cst.Call, writer: Writer) -> list[str]:
    """The statement that makes another such model: by the same call, or as a copy of the one that is there."""
    ctx = writer.ctx
    factory = isinstance(ctx.value(made.func), RepoFunction | RepoClass)
    if factory and _repeatable(made, ctx):
        plain = ctx.code(made).strip()
        return [f"{name} = {construction(made, plain, ctx, writer.sink) if is_construction(made, ctx) else plain}"]
    source, value = _still_there(made, call, writer), ctx.value(call)
    if source == name and _unshared(name, call, writer):
        return []
    again = made_again(value, ctx) if isinstance(value, ModelValue) and not writer.plan.frozen else ""
    if again:
        return [f"{name} = {again}"]
    if not source:
        raise Unfit("a model that was made with what is not known where it is loaded")
    writer.sink.imports.add("import copy")
    return [f"{name} = copy.deepcopy({source})"]


def _repeatable(made: cst.Call, ctx: Context) -> bool:
    """Whether a call means the same anywhere in the file: all it is given are constants."""
    top = bound_at_top(ctx.tree)
    globals_ = {n for n in top if len(find(ctx.tree, m.AssignTarget(target=m.Name(n)))) == 1}

    def same(node: cst.BaseExpression) -> bool:
        return constant(node, ctx) is not None and (not isinstance(node, cst.Name) or node.value in globals_)

    return all(not arg.star and same(arg.value) for arg in made.args)


def _still_there(made: cst.Call, call: cst.Call, writer: Writer) -> str:
    """The name that the saved model has in this scope, where it has no other value before it is loaded again."""
    plan, ctx = writer.plan, writer.ctx
    value = ctx.value(call)
    if plan.holders.get(made) is not writer.holder:
        return ""
    for node in find(writer.holder, m.Assign(targets=[m.AssignTarget(target=m.Name())])):
        assert isinstance(node, cst.Assign)
        target = node.targets[0].target
        if not isinstance(target, cst.Name) or ctx.value(node.value) != value or node.value is call:
            continue
        bound = find(writer.holder, m.AssignTarget(target=m.Name(target.value)))
        others = [a for a in bound if a is not node.targets[0] and not _binds(a, call, writer)]
        if not others and ctx.spans[node] < ctx.spans[call]:
            return target.value
    return ""


def _binds(target: cst.CSTNode, call: cst.Call, writer: Writer) -> bool:
    around = ancestors(target, writer.ctx.tree)
    return len(around) > 1 and isinstance(around[1], cst.Assign) and around[1].value is call


def _unshared(name: str, call: cst.Call, writer: Writer) -> bool:
    """Whether a model has no second name: it is only called, asked for its members, and bound."""
    return not _other_uses(name, writer) and not _in_loop(call, writer)


def _escapes(name: str, writer: Writer) -> bool:
    """Whether a model leaves its scope, or has no name in it; what only the top level binds may be used anywhere."""
    return not name or _other_uses(name, writer) > 0


def _other_uses(name: str, writer: Writer) -> int:
    """Uses of a name that are neither its binding nor calls of it or of its methods."""
    found = 0
    for node in find(writer.holder, m.Name(name)):
        around = ancestors(node, writer.ctx.tree)
        parent = around[1] if len(around) > 1 else node
        called = isinstance(parent, cst.Call) and parent.func is node
        found += not called and not isinstance(parent, cst.Attribute | cst.AssignTarget)
    return found


def _in_loop(call: cst.Call, writer: Writer) -> bool:
    return any(isinstance(n, cst.For | cst.While) for n in _within(ancestors(call, writer.ctx.tree), writer))


def _within(around: Sequence[cst.CSTNode], writer: Writer) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    for node in around:
        if node is writer.holder:
            break
        found.append(node)
    return found


def _refuse_training(name: str, call: cst.Call, writer: Writer) -> None:
    """Keras's file has the optimizer too, ours has not: nothing may go on training with the loaded model."""
    plan, ctx = writer.plan, writer.ctx
    for other, compiled in plan.of_call.items():
        owner = receiver(other)
        if other is compiled.call or owner is None or owner[1] not in TRAINS:
            continue
        text = ctx.code(owner[0]).strip()
        here = plan.holders[other] is writer.holder
        near = compiled.holder is plan.holders[other] and compiled.model == text
        if here and text != name and not _escapes(name, writer):
            continue
        if here and text == name:
            near = near and (ctx.spans[other] < ctx.spans[call] or ctx.spans[call] < ctx.spans[compiled.call])
            near = near and not _in_loop(call, writer)
        if not near:
            raise Unfit("training that may go on with a loaded model, whose optimizer is in Keras's file alone")
