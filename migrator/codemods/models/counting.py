"""Models whose output has a mask: a method says which steps count, for the loss and the metrics of a training."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import TYPE_CHECKING

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.build import ModuleBuild, signature
from migrator.codemods.models.forward import Line
from migrator.codemods.models.text import indent, names
from migrator.codemods.nodes import ancestors, find
from migrator.values import ModelValue, RepoClass, RepoFunction, Span

if TYPE_CHECKING:
    from migrator.codemods.models.functional import Graph

_DOC = '"""Which steps count: padding is left out of the loss and the metrics."""'


def counted(mask: str, graph: Graph, lines: list[Line], build: ModuleBuild, ctx: Context) -> list[str]:
    """The method `mask` of a module; the line of `forward` that made the mask calls it or is gone.

    Declines a mask that is made of something else than what goes into the model.
    """
    texts = [(line, i) for line in lines for i in range(len(line.text))]
    at = next((n for n, (line, i) in enumerate(texts) if line.text[i].startswith(f"{mask} = ")), None)
    made = "" if at is None else texts[at][0].text[texts[at][1]].partition(" = ")[2]
    read = names(made).keys() - {"torch"} if made else set()
    before = [line.text[i] for line, i in texts[:at]]
    bound = any(re.match(rf"(?:.*, )?{name}\b.* = ", text) for text in before for name in read)
    if not read or not read <= set(graph.inputs) or bound or "mask" in build.taken:
        build.needs.decline("what is returned carries a mask, which is not made of the inputs alone", ctx)
        return []
    assert at is not None
    args = [graph.packed] if graph.unpack else list(graph.inputs)
    line, place = texts[at]
    used = any(mask in names(other.text[i].strip()) for other, i in texts[at + 1 :] if _parses(other.text[i]))
    line.text[place : place + 1] = [f"{mask} = self.mask({', '.join(args)})"] if used else []
    build.masks = True
    unpack = [graph.unpack] if graph.unpack else []
    return [*signature("mask", args), *indent([_DOC, *unpack, f"return {made}"])]


def _parses(text: str) -> bool:
    try:
        cst.parse_module(text.strip() + "\n")
    except cst.ParserSyntaxError:
        return False
    return True


def never_called(call: cst.Call, ctx: Context) -> bool:
    """Whether nothing but methods of Keras uses the model that a call makes: no other graph, no loop of its own."""
    files = [ctx, *(file for file in ctx.siblings.values() if file is not ctx)]
    if any(find(file.tree, m.Attribute(attr=m.Name("GradientTape"))) for file in files):
        return False
    site = ctx.spans.get(call)
    if site is None:
        return False
    sites = {(ctx.module, site), *_callers(site, ctx)}
    return not any(_is_used(node, sites, file) for file in files for node in find(file.tree, m.Name() | m.Attribute()))


def _is_used(node: cst.CSTNode, sites: Set[tuple[str, Span]], ctx: Context) -> bool:
    """Whether an expression is one of these models and stands where the model itself is used."""
    value = ctx.value(node)
    if not isinstance(value, ModelValue) or value.site is None or (value.module, value.site) not in sites:
        return False
    _, *around = ancestors(node, ctx.tree)
    above, further = around[0], around[1] if len(around) > 1 else None
    if isinstance(above, cst.Arg) and isinstance(further, cst.Call):
        return not isinstance(ctx.value(further.func), RepoFunction | RepoClass)
    return not isinstance(above, cst.Attribute | cst.AssignTarget | cst.Return | cst.Expr)


def _callers(site: Span, ctx: Context) -> list[tuple[str, Span]]:
    """Where the functions are called that return the model."""
    found = []
    for function in find(ctx.tree, m.FunctionDef()):
        assert isinstance(function, cst.FunctionDef)
        facts = ctx.facts.function(f"{ctx.module}:{function.name.value}")
        returns = facts.returns if facts is not None else None
        if facts is not None and isinstance(returns, ModelValue) and returns.site == site:
            found += list(facts.callers)
    return found
