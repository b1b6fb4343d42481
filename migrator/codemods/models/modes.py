"""Parts of a module that do not follow its mode: frozen ones, and those that always infer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models.part import is_application
from migrator.codemods.models.term import Bound
from migrator.codemods.nodes import ancestors, find
from migrator.model import Helper
from migrator.values import Instance, Literal, ModelValue, RepoFunction, RepoInstance, Unknown, Value

if TYPE_CHECKING:
    from migrator.codemods.models.build import ModuleBuild

CLASSES = "(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)"
KEEP_FROZEN = Helper(
    "keep_frozen",
    f'''def keep_frozen(model):
    """Puts frozen batch normalisation into evaluation mode: it uses its statistics and keeps them."""
    for layer in model.modules():
        parameters = list(layer.parameters(recurse=False))
        if isinstance(layer, {CLASSES}) and parameters:
            if not any(p.requires_grad for p in parameters):
                layer.eval()
''',
    ("from torch import nn",),
)
KEEP_STATISTICS = Helper(
    "keep_statistics",
    f'''def keep_statistics(model):
    """Puts batch normalisation into evaluation mode: it uses its statistics and keeps them."""
    for layer in model.modules():
        if isinstance(layer, {CLASSES}):
            layer.eval()
''',
    ("from torch import nn",),
)
OVERRIDDEN = (
    "`training=False` in a layer graph has no effect in Keras 3: the model's own mode overrides it, and the migrated "
    "code does as Keras does. Frozen normalisation keeps its statistics all the same"
)
_ATTRIBUTE = re.compile(r"self\.\w+")


def told_to_infer(node: cst.Call) -> bool:
    """Whether a layer is called with `training=False`."""
    return any(is_false(a.value) for a in node.args if a.keyword is not None and a.keyword.value == "training")


def is_false(node: cst.BaseExpression) -> bool:
    """Whether an expression is `False` as written: the value of a parameter is that of some calls only."""
    return isinstance(node, cst.Name) and node.value == "False"


def note_call(build: ModuleBuild, target: str, infers: bool) -> str:
    """Take note of a call of a part; why it has no place in a module, or ""."""
    if infers and not _ATTRIBUTE.fullmatch(target):
        return "a layer is told not to train"
    (build.inferring if infers else build.following).add(target)
    return "a layer that is told not to train in one call of several" if target in build.both_modes else ""


def set_trainable(node: cst.CSTNode, bound: dict[str, Bound], build: ModuleBuild, ctx: Context) -> list[str] | None:
    """`base.trainable = False` of a part, or a loop that says so of all its layers, as a line of the constructor.

    None for any other statement.
    """
    loop = isinstance(node, cst.For)
    owner, value = _looped(node, ctx) if isinstance(node, cst.For) else _assigned(node, ctx)
    part = bound.get(get_full_name_for_node(owner) or "") if owner is not None else None
    if part is None or not _ATTRIBUTE.fullmatch(part.target) or not isinstance(value, Literal):
        return None
    if loop and not is_application(ctx.value(owner)):  # type: ignore[arg-type]
        return None
    if value.value:
        build.frozen.discard(part.target)
    elif ".VGG" not in part.part.api:  # they have nothing that normalises
        build.frozen.add(part.target)
        build.needs.helpers.setdefault(KEEP_FROZEN.name, KEEP_FROZEN)
        build.needs.imports |= set(KEEP_FROZEN.imports)
    if part.part.code.penalty:
        build.needs.decline("a frozen layer with a regulariser, which Keras no longer counts", ctx, node)
    return [f"{part.target}.requires_grad_({bool(value.value)})"]


def frozen_part(node: cst.CSTNode, ctx: Context) -> cst.BaseExpression | None:
    """What a line freezes that is trained by itself too, and learns there as Keras 2 has it; None for other lines."""
    if isinstance(node, cst.SimpleStatementLine):
        return frozen_part(node.body[0], ctx) if len(node.body) == 1 else None
    owner, value = _assigned(node, ctx)
    model = ctx.value(owner) if owner is not None else Unknown()
    if ctx.keras != 2 or value != Literal(False) or not isinstance(model, ModelValue) or is_application(model):
        return None
    return owner if compiles(model, ctx) else None


def keep_part(owner: cst.BaseExpression, build: ModuleBuild, ctx: Context) -> None:
    """Take note of a part that learns elsewhere: what it normalises with stays as it is while the whole is trained."""
    model = ctx.value(owner)
    assert isinstance(model, ModelValue)
    name = get_full_name_for_node(owner) or ""
    build.kept[name] = may_normalise(model, ctx)
    if build.kept[name]:
        build.needs.helpers.setdefault(KEEP_STATISTICS.name, KEEP_STATISTICS)
        build.needs.imports |= set(KEEP_STATISTICS.imports)


def compiles(model: ModelValue, ctx: Context) -> bool:
    """Whether the file compiles a model."""
    calls = find(ctx.tree, m.Call(func=m.Attribute(attr=m.Name("compile"))))
    owners = [ctx.value(c.func.value) for c in calls]  # type: ignore[attr-defined]
    return any(isinstance(o, ModelValue) and o.site == model.site for o in owners)


def may_normalise(model: ModelValue, ctx: Context) -> bool:
    """Whether batch normalisation may be in a model: what makes it has some, or calls what is not known."""
    made = _made_with(model, ctx)
    return made is None or any(
        isinstance(value, RepoInstance)
        or (isinstance(value, Instance) and value.api.endswith("BatchNormalization"))
        or is_application(value)
        for value in made
    )


def may_be_penalised(model: ModelValue, ctx: Context) -> bool:
    """Whether layers of a model may have regularisers or constraints."""
    made = model.layers if model.layers is not None else _made_with(model, ctx)
    return made is not None and any(_is_penalised(value, ctx) for value in made)


def _is_penalised(value: Value, ctx: Context) -> bool:
    if isinstance(value, RepoInstance):
        return value.qualname in ctx.penalised | ctx.constrained
    args = value.args if isinstance(value, Instance) else ()
    return any(name.endswith(("regularizer", "constraint")) and given != Literal(None) for name, given in args)


def _made_with(model: ModelValue, ctx: Context) -> list[Value] | None:
    """The values of all calls in the function that makes a model, or in the file; None where it is made elsewhere."""
    at = next((n for n in find(ctx.tree, m.Call()) if ctx.spans.get(n) == model.site), None)
    if at is None or model.module != ctx.module:
        return None
    callee = ctx.value(at.func)  # type: ignore[attr-defined]
    name = callee.qualname.rpartition(":")[2] if isinstance(callee, RepoFunction) else ""
    made = find(ctx.tree, m.FunctionDef(name=m.Name(name))) if name else ancestors(at, ctx.tree)
    scope = next((n for n in made if isinstance(n, cst.FunctionDef)), ctx.tree)
    return [ctx.value(call) for call in find(scope, m.Call())]


def freezes_network(node: cst.BaseStatement, ctx: Context) -> bool:
    """Whether a statement sets `trainable` of a network of Keras, whole or layer by layer."""
    single = isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1
    part = node.body[0] if isinstance(node, cst.SimpleStatementLine) and single else node
    owner, _ = _looped(part, ctx) if isinstance(part, cst.For) else _assigned(part, ctx)
    return owner is not None and is_application(ctx.value(owner))


def _assigned(node: cst.CSTNode, ctx: Context) -> tuple[cst.BaseExpression | None, Value]:
    """The owner and the value in `owner.trainable = value`."""
    if not isinstance(node, cst.Assign) or len(node.targets) != 1:
        return None, Unknown()
    target = node.targets[0].target
    if not isinstance(target, cst.Attribute) or target.attr.value != "trainable":
        return None, Unknown()
    return target.value, ctx.value(node.value)


def _looped(node: cst.For, ctx: Context) -> tuple[cst.BaseExpression | None, Value]:
    """The network and the value in `for layer in base.layers: layer.trainable = value`."""
    body = node.body.body
    line = body[0] if len(body) == 1 and node.orelse is None else None
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1 or not isinstance(node.target, cst.Name):
        return None, Unknown()
    owner, value = _assigned(line.body[0], ctx)
    if not isinstance(owner, cst.Name) or owner.value != node.target.value:
        return None, Unknown()
    over = node.iter
    return (over.value if isinstance(over, cst.Attribute) and over.attr.value == "layers" else None), value


def train_method(build: ModuleBuild) -> list[str]:
    """The `train` of a module with parts that do not follow its mode; nothing for others."""
    lines = [f"{target}.eval()  # in training too" for target in sorted(build.inferring)]
    lines += [f"keep_frozen({target})" for target in sorted(build.frozen - build.inferring)]
    lines += [f"keep_statistics(self.{build.captured[name]})" for name in sorted(build.kept) if build.kept[name]]
    if not lines:
        return []
    body = ["super().train(mode)", *lines, "return self"]
    return ["def train(self, mode=True):", *(f"    {line}" for line in body)]
