"""Calls of factories of blocks: the module that takes the place of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from migrator.codemods.models.create import inside, result_layout
from migrator.codemods.models.layout import LAST
from migrator.codemods.models.naming import attribute, class_name, stem
from migrator.codemods.models.part import ELEMENTWISE, Part, chain
from migrator.model import Decline, LayerCode
from migrator.values import Instance, Literal

if TYPE_CHECKING:
    from migrator.codemods.models.graph import GraphLowerer


def made_with(node: cst.Call) -> Sequence[cst.Arg]:
    """The arguments that say what a factory makes: those of the first call in `conv(64)(x)`."""
    return node.func.args if isinstance(node.func, cst.Call) else node.args


def factory_part(lower: GraphLowerer, node: cst.Call, qualname: str) -> Part | Decline:
    """The module that a call of a tensor-in, tensor-out factory makes."""
    facts = lower.ctx.facts.function(qualname)
    assert facts is not None
    args = made_with(node)
    sizes = lower.maker.sizes(node, qualname)
    if isinstance(sizes, Decline):
        return sizes
    removed = {name for c in lower.ctx.changes.get(qualname, ()) for name in c.removed} | {"name"}
    params = [name for name, _ in facts.params]
    texts: list[str] = []
    keyworded = False
    for index, arg in enumerate(args):
        if arg.star:
            return Decline("a factory called with unpacked arguments")
        keyword = arg.keyword.value if arg.keyword else None
        name = keyword or (params[index] if index < len(params) else None)
        if name is None:
            return Decline("a factory called with more arguments than it takes")
        if lower.dynamic(arg.value):
            keyworded = keyworded or index > 0
            continue
        if name in removed:
            keyworded = True
            continue
        text = _handed(lower, arg.value)
        if isinstance(text, Decline):
            return text
        texts.append(f"{name}={text}" if keyword or keyworded else text)
    new = lower.ctx.class_names.get(qualname) or class_name(qualname.rpartition(":")[2])
    attr = _name_of(lower, node) or stem(new)
    inner = lower.ctx.layouts.get(qualname, LAST)
    made = LayerCode(f"{new}({', '.join([*sizes, *texts])})", "{self}({x})", attr)
    code = inside(made, {qualname}, lower.ctx)
    output = lower.ctx.value(node)
    return Part(qualname, code, inner, result_layout(output, inner), arguments=True, output=output)


def _handed(lower: GraphLowerer, node: cst.BaseExpression) -> str | Decline:
    """An argument as the module takes it; a layer that changes each number by itself is a module of torch."""
    if not isinstance(node, cst.Call) or lower.maker.kind(node) != "keras":
        return lower.maker.static(node)
    value = lower.ctx.value(node)
    part = lower.maker.part(node) if isinstance(value, Instance) and value.api in ELEMENTWISE else None
    modules = chain(part, LAST) if part is not None and not part.code.params else None
    if modules is None or len(modules) != 1:
        return Decline("a layer that is handed to a factory", getattr(value, "api", ""))
    return modules[0]


def _name_of(lower: GraphLowerer, node: cst.Call) -> str | None:
    """An attribute out of a `name=` argument: a literal, or the words that end an f-string."""
    arg = next((a.value for a in made_with(node) if a.keyword and a.keyword.value == "name"), None)
    if arg is None:
        return None
    value = lower.ctx.value(arg)
    if isinstance(value, Literal) and isinstance(value.value, str):
        return attribute(value.value)
    if isinstance(arg, cst.FormattedString) and arg.parts and isinstance(arg.parts[-1], cst.FormattedStringText):
        return attribute(arg.parts[-1].value)
    return None
