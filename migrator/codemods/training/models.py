"""Which expressions of a file are Keras models, also where only their use says so."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import is_model
from migrator.values import Unknown

VARIABLES = ("trainable_variables", "trainable_weights")
_EVIDENCE = m.Attribute(attr=m.Name("trainable_variables") | m.Name("trainable_weights"))
_TRAINING = m.Call(args=[m.ZeroOrMore(), m.Arg(keyword=m.Name("training")), m.ZeroOrMore()])


def used_as_models(tree: cst.Module, compiled: frozenset[str]) -> frozenset[str]:
    """Texts of what is compiled, asked for trainable variables, or called with `training=`."""
    found = set(compiled)
    for node in find(tree, _EVIDENCE):
        if isinstance(node, cst.Attribute):
            found.add(tree.code_for_node(node.value).strip())
    for node in find(tree, _TRAINING):
        if isinstance(node, cst.Call):
            found.add(tree.code_for_node(node.func).strip())
    return frozenset(text for text in found if text.split(".")[0] not in _defined(tree))


def _defined(tree: cst.Module) -> set[str]:
    """Functions, classes and imported names of a file: they are no models."""
    names = {s.name.value for s in tree.body if isinstance(s, cst.FunctionDef | cst.ClassDef)}
    for node in find(tree, m.ImportAlias()):
        assert isinstance(node, cst.ImportAlias)
        names.add(node.evaluated_alias or node.evaluated_name.split(".")[0])
    return names


def model_text(node: cst.BaseExpression, ctx: Context, known: frozenset[str]) -> str | None:
    """The text of an expression that is a model, else None."""
    if not isinstance(node, cst.Name | cst.Attribute):
        return None
    value, text = ctx.value(node), ctx.code(node).strip()
    if is_model(value):
        return text
    return text if isinstance(value, Unknown) and text in known else None


def variables_of(node: cst.BaseExpression, ctx: Context, known: frozenset[str]) -> list[str] | None:
    """The models whose trainable variables an expression lists: one, or several added up."""
    # `variables` has statistics besides, which have no gradient and are left alone
    if isinstance(node, cst.Attribute) and node.attr.value in (*VARIABLES, "variables"):
        model = model_text(node.value, ctx, known)
        return None if model is None else [model]
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        left, right = variables_of(node.left, ctx, known), variables_of(node.right, ctx, known)
        return None if left is None or right is None else left + right
    return None


def parameters(models: list[str]) -> str:
    """An iterable of the parameters of one or several models."""
    if len(models) == 1:
        return f"{models[0]}.parameters()"
    return "[" + ", ".join(f"*{model}.parameters()" for model in models) + "]"
