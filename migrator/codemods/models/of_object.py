"""Models that a method builds from attributes of its object: the class takes them as parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.models.factory import Found
from migrator.codemods.models.text import names
from migrator.codemods.nodes import ancestors, find
from migrator.values import ModelValue, RepoInstance, Scalar, Span, Unknown, Value


def of_object(found: Found, statements: Sequence[cst.BaseStatement], ctx: Context) -> tuple[Found, Mapping[str, str]]:
    """The model with names in the place of `self.units`, and what stands for each name where the class is made.

    Only attributes that are read, and models among them that are called: a method of the object that is called
    keeps its place, and is declined there.
    """
    owner = _owner(statements, ctx)
    parts = [*found.before, found.call]
    read = [n for part in parts for n in find(part, m.Attribute(value=m.Name(owner)))] if owner else []
    calls = [c for part in parts for c in find(part, m.Call()) if isinstance(c, cst.Call)]
    called = {c.func for c in calls if not _is_module(ctx.value(c.func))}
    attributes = [n for n in read if isinstance(n, cst.Attribute) and n not in called]
    if not attributes:
        return found, {}
    taken = {name for part in parts for name in names(part)}
    chosen = {node: _name(node, taken, ctx) for node in attributes}
    swap = _Named(chosen, {**ctx.spans, **found.spans})
    before = [swap.made(statement) for statement in found.before]
    call = swap.made(found.call)
    assert isinstance(call, cst.Call)
    own = {name: f"{owner}.{node.attr.value}" for node, name in chosen.items()}
    made = replace(found, before=before, call=call, spans={**found.spans, **swap.made_spans})  # type: ignore[arg-type]
    return made, own


def _is_module(value: Value) -> bool:
    return isinstance(value, ModelValue) or (isinstance(value, RepoInstance) and value.kind != "other")


def _owner(statements: Sequence[cst.BaseStatement], ctx: Context) -> str:
    """The name of the object whose method the statements belong to; "" for none."""
    around = ancestors(statements[0], ctx.tree)
    method = next((n for n in around if isinstance(n, cst.FunctionDef)), None)
    inside = any(isinstance(n, cst.ClassDef) for n in around)
    return method.params.params[0].name.value if inside and method is not None and method.params.params else ""


def _name(node: cst.Attribute, taken: set[str], ctx: Context) -> str:
    """The attribute's own name, or the one under which its value is known; one that the statements have is not it."""
    value = ctx.value(node)
    known = value.sym.text if isinstance(value, Scalar | Unknown) and value.sym is not None else ""
    name = known if known.isidentifier() else node.attr.value
    while name in taken:
        name += "_"
    return name


class _Named(cst.CSTTransformer):
    """Puts names in the place of attributes; what is made anew stands where the old stood."""

    def __init__(self, chosen: Mapping[cst.Attribute, str], spans: Mapping[cst.CSTNode, Span]) -> None:
        super().__init__()
        self.chosen, self.spans = chosen, spans
        self.made_spans: dict[cst.CSTNode, Span] = {}

    def made(self, node: cst.CSTNode) -> cst.CSTNode:
        changed = node.visit(self)
        assert isinstance(changed, cst.CSTNode)
        return changed

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        new = updated_node
        if isinstance(original_node, cst.Attribute) and original_node in self.chosen:
            new = cst.Name(self.chosen[original_node])
        if new is not original_node and original_node in self.spans:
            self.made_spans[new] = self.spans[original_node]
        return new
