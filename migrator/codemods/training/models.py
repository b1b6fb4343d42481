"""Which expressions of a file are Keras models, also where only their use says so."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import is_model
from migrator.values import Choice, Instance, RepoInstance, Sequence, Tensor, Unknown, Value

VARIABLES = ("trainable_variables", "trainable_weights")


def used_as_models(tree: cst.Module, compiled: frozenset[str]) -> frozenset[str]:
    """Texts of what is compiled, asked for trainable variables, or called with `training=`."""
    found = set(compiled)
    for node in find(tree, m.Attribute()):
        if isinstance(node, cst.Attribute) and node.attr.value in VARIABLES:
            found.add(tree.code_for_node(node.value).strip())
    for node in find(tree, m.Call()):
        if isinstance(node, cst.Call) and any(
            a.keyword is not None and a.keyword.value == "training" for a in node.args
        ):
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
    if all(is_model(option) for option in _options(value)):
        return text
    return text if isinstance(value, Unknown) and text in known else None


@dataclass(frozen=True)
class Trained:
    """Something that gradients are taken for. `kind`: a "module", a "list" of variables, or "one" of them."""

    owner: str
    kind: str = "module"

    @property
    def text(self) -> str:
        return f"{self.owner}.parameters()" if self.kind == "module" else self.owner


Parts = tuple[Trained, ...]


def variables_of(node: cst.BaseExpression, ctx: Context, known: frozenset[str]) -> Parts | None:
    """What an expression lists the trainable variables of: models, layers, variables, or several added up."""
    # `variables` has statistics besides, which have no gradient and are left alone
    if isinstance(node, cst.Attribute) and node.attr.value in (*VARIABLES, "variables"):
        owner = module_text(node.value, ctx, known)
        return None if owner is None else (Trained(owner),)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return _joined([variables_of(node.left, ctx, known), variables_of(node.right, ctx, known)])
    if isinstance(node, cst.List | cst.Tuple):
        return _joined([_element(element, ctx, known) for element in node.elements])
    if isinstance(node, cst.Name | cst.Attribute) and _is_list_of_variables(ctx.value(node)):
        return (Trained(ctx.code(node).strip(), "list"),)
    return None


def _element(element: cst.BaseElement, ctx: Context, known: frozenset[str]) -> Parts | None:
    if isinstance(element, cst.StarredElement):
        return variables_of(element.value, ctx, known)
    return variable(element.value, ctx)


def variable(node: cst.BaseExpression, ctx: Context) -> Parts | None:
    """A single trainable variable; the weight of a layer of Keras has another name and shape in its module."""
    if isinstance(node, cst.Attribute) and isinstance(ctx.value(node.value), Instance):
        return None
    if isinstance(node, cst.Name | cst.Attribute) and _is_variable(ctx.value(node)):
        return (Trained(ctx.code(node).strip(), "one"),)
    return None


def is_untrained(node: cst.BaseExpression, ctx: Context) -> bool:
    """Whether a name is bound to a variable made with `trainable=False`, which no tape records by itself."""
    if not isinstance(node, cst.Name):
        return False
    off = m.Arg(keyword=m.Name("trainable"), value=m.Name("False"))
    made = m.Call(args=[m.ZeroOrMore(), off, m.ZeroOrMore()])
    return bool(find(ctx.tree, m.Assign(targets=[m.AssignTarget(m.Name(node.value))], value=made)))


def _is_variable(value: Value) -> bool:
    return isinstance(value, Tensor) and value.origin == "variable"


def _is_list_of_variables(value: Value) -> bool:
    if not isinstance(value, Sequence):
        return False
    return bool(value.items) and all(_is_variable(item) for item in value.items or ())


def _joined(found: list[Parts | None]) -> Parts | None:
    known = [parts for parts in found if parts is not None]
    return tuple(part for parts in known for part in parts) if found and len(known) == len(found) else None


def module_text(node: cst.BaseExpression, ctx: Context, known: frozenset[str]) -> str | None:
    """The text of an expression that is a model or a layer, else None."""
    if isinstance(node, cst.Name | cst.Attribute) and _is_layer(ctx.value(node)):
        return ctx.code(node).strip()
    return model_text(node, ctx, known)


def _options(value: Value) -> tuple[Value, ...]:
    """What a value may be, as far as it is one of several objects."""
    return value.options if isinstance(value, Choice) else (value,)


def _is_layer(value: Value) -> bool:
    if isinstance(value, Choice):
        return all(_is_layer(option) or is_model(option) for option in value.options)
    if isinstance(value, RepoInstance):
        return value.kind == "layer"
    return isinstance(value, Instance) and value.api.startswith("tf.keras.layers.")


def parameters(parts: Parts) -> str:
    """An iterable of the parameters of one or several modules and variables."""
    if len(parts) == 1 and parts[0].kind != "one":
        return parts[0].text
    return "[" + ", ".join(part.text if part.kind == "one" else f"*{part.text}" for part in parts) + "]"


def listed(parts: Parts) -> str:
    """The same as a sequence, which can be read more than once."""
    text = parameters(parts)
    return f"list({text})" if len(parts) == 1 and parts[0].kind == "module" else text
