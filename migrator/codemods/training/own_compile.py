"""A model with a `compile` of its own, which keeps optimizers and losses for its `train_step`."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import bind
from migrator.codemods.training.configuration import optimizer_code
from migrator.codemods.training.constraints import any_constraint
from migrator.codemods.training.made import made_of
from migrator.codemods.training.models import parameters, variables_of
from migrator.codemods.training.tape_reading import zipped
from migrator.codemods.training.writer import Code, Unfit, Writer
from migrator.model import Decline
from migrator.values import Instance, RepoInstance

_SUPER = m.Call(func=m.Attribute(value=m.Call(func=m.Name("super")), attr=m.Name("compile")), args=[])


def is_base_compile(line: cst.SimpleStatementLine) -> bool:
    """`super().compile()`, of which nothing is left."""
    return len(line.body) == 1 and m.matches(line.body[0], m.Expr(value=_SUPER))


def compile_itself(call: cst.Call, model: str, value: RepoInstance, writer: Writer) -> Code:
    """The call with torch optimizers, each over the parameters that the class's steps apply its gradients to."""
    if any_constraint(writer.ctx):
        raise Unfit("constraints in a model that has its own steps")
    ctx = writer.ctx.siblings.get(value.qualname.partition(":")[0], writer.ctx)
    cls, method = _definition(value, ctx)
    bound = bind(call, [p.name.value for p in method.params.params[1:]])
    if isinstance(bound, Decline):
        raise Unfit(f"compile: {bound.reason}")
    parts = []
    for name, node in bound.items():
        given = writer.ctx.value(node)
        optimizer = isinstance(given, Instance) and given.api.startswith("tf.keras.optimizers.")
        text = _optimizer(name, node, model, (cls, method), ctx, writer) if optimizer else writer.text(node)
        parts.append(f"{name}={text}")
    if len(parts) < 3:
        return Code("", f"{model}.compile({', '.join(parts)})")
    return Code("", "\n".join([f"{model}.compile(", *(f"    {part}," for part in parts), ")"]))


def _definition(value: RepoInstance, ctx: Context) -> tuple[cst.ClassDef, cst.FunctionDef]:
    name = value.qualname.rpartition(":")[2]
    for cls in (s for s in ctx.tree.body if isinstance(s, cst.ClassDef) and s.name.value == name):
        for method in cls.body.body:
            if isinstance(method, cst.FunctionDef) and method.name.value == "compile":
                return cls, method
    raise Unfit("the `compile` of a class that is not at hand")


def _optimizer(
    name: str,
    node: cst.BaseExpression,
    model: str,
    defined: tuple[cst.ClassDef, cst.FunctionDef],
    ctx: Context,
    writer: Writer,
) -> str:
    made = made_of(node, writer.ctx)
    code = made if isinstance(made, Decline) else optimizer_code(made, writer.ctx)
    if isinstance(code, Decline):
        raise Unfit(code.reason)
    if code.clip or code.schedule is not None or code.finish:
        raise Unfit("clipping, a schedule or averages of a model that has its own steps")
    writer.sink.imports |= set(code.imports)
    writer.sink.gaps |= set(code.gaps)
    writer.sink.help(code.helpers)
    params = _stepped(_attribute(name, defined[1]), defined[0], ctx)
    return code.call.replace("{params}", params.replace("self.", f"{model}."))


def _attribute(name: str, method: cst.FunctionDef) -> str:
    """The attribute that keeps an argument of `compile`."""
    kept = m.Assign(
        targets=[m.AssignTarget(target=m.Attribute(value=m.Name("self"), attr=m.Name()))], value=m.Name(name)
    )
    found = find(method, kept)
    target = found[0].targets[0].target if len(found) == 1 and isinstance(found[0], cst.Assign) else None
    if not isinstance(target, cst.Attribute):
        raise Unfit(f"where `compile` keeps `{name}` is not certain")
    return target.attr.value


def _stepped(attribute: str, cls: cst.ClassDef, ctx: Context) -> str:
    """The parameters that an optimizer of the class is asked to change, as the class writes them."""
    kept = m.Attribute(value=m.Name("self"), attr=m.Name(attribute))
    applied = find(cls, m.Call(func=m.Attribute(value=kept, attr=m.Name("apply_gradients")), args=[m.AtLeastN(n=1)]))
    texts = set()
    for call in applied:
        pairs = zipped(call.args[0].value) if isinstance(call, cst.Call) else None
        parts = variables_of(pairs[1], ctx, frozenset({"self"})) if pairs is not None else None
        texts.add("" if parts is None else parameters(parts))
    if len(texts) != 1 or "" in texts:
        raise Unfit(f"which parameters `{attribute}` changes is not certain")
    return texts.pop()
