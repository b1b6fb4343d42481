"""Parts of a module that do not follow its mode: frozen ones, and those that always infer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models.part import is_application
from migrator.codemods.models.term import Bound
from migrator.model import Helper
from migrator.values import Literal, Unknown, Value

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
    if not lines:
        return []
    body = ["super().train(mode)", *lines, "return self"]
    return ["def train(self, mode=True):", *(f"    {line}" for line in body)]
