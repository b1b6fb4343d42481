"""Rewriting a statement by the rules around expressions that were decided elsewhere."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Mapping
from dataclasses import replace

import libcst as cst

from migrator.codemods.context import Context
from migrator.model import Rewritten
from migrator.syntax import index_of, transform
from migrator.values import Span

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


def statements(text: str) -> list[Statement]:
    """The statements of a piece of code; leading comments and blank lines stay with them."""
    module = cst.parse_module(text)
    body = list(module.body)
    if module.header and body:
        body[0] = body[0].with_changes(leading_lines=[*module.header, *body[0].leading_lines])
    return body


def embed(
    node: cst.CSTNode, decided: Mapping[cst.CSTNode, str], ctx: Context, cut: Collection[cst.CSTNode] = ()
) -> Rewritten:
    """`node` rewritten by the rules, with the text of `decided` nodes put in their place.

    `cut`: nodes of the original that `node` no longer has.
    """
    if not decided and not cut:
        rewritten: Rewritten = ctx.rewrite(node)
        return rewritten
    marker = _Marker(decided, ctx.spans, holders(node, decided))
    marked = transform(node, marker)
    assert isinstance(marked, cst.CSTNode)
    spans = ChainMap(marker.spans, ctx.spans)  # type: ignore[arg-type]
    result: Rewritten = ctx.rules.rewrite(marked, ctx.here, spans, ctx.device)
    filled = transform(result.node, _Filler(marker.texts))
    assert isinstance(filled, cst.CSTNode)
    gone = [ctx.spans[n] for n in (*decided, *cut) if n in ctx.spans]
    declines = tuple(d for d in result.declines if d.span is None or not any(_within(d.span, g) for g in gone))
    return replace(result, node=filled, declines=declines)


def _within(span: Span, other: Span) -> bool:
    start, end = (span.line, span.column), (span.end_line, span.end_column)
    return (other.line, other.column) <= start and end <= (other.end_line, other.end_column)


def holders(node: cst.CSTNode, wanted: Collection[cst.CSTNode]) -> frozenset[cst.CSTNode]:
    """`node` and all below it that have one of the wanted nodes in them."""
    index = index_of(node)
    found: set[cst.CSTNode] = set()
    start, end = index.ranges.get(node, (0, 0))
    for each in wanted:
        if not start <= index.ranges.get(each, (-1, 0))[0] < end:
            continue
        while each not in found:
            found.add(each)
            if each is node:
                break
            each = index.parents[each]
    return frozenset(found)


class _Marker(cst.CSTTransformer):
    """Replaces decided nodes by unique names. Only their ancestors are rebuilt, and keep their spans:
    all other nodes stay the same objects, so that facts are still found for them."""

    def __init__(
        self,
        decided: Mapping[cst.CSTNode, str],
        spans: Mapping[cst.CSTNode, Span],
        holders: frozenset[cst.CSTNode],
    ) -> None:
        super().__init__()
        self.decided = decided
        self.spans: dict[cst.CSTNode, Span] = {}
        self.texts: dict[str, str] = {}
        self._original = spans
        self._holders = holders

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node not in self.decided and node in self._holders

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        if original_node in self.decided:
            name = f"__decided_{len(self.texts)}__"
            self.texts[name] = self.decided[original_node]
            made = cst.Name(name)
            if original_node in self._original:  # what is known of it still holds
                self.spans[made] = self._original[original_node]
            return made
        if updated_node is not original_node and original_node in self._original:
            self.spans[updated_node] = self._original[original_node]
        return updated_node


class _Filler(cst.CSTTransformer):
    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self.texts = texts

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        text = self.texts.get(original_node.value)
        return updated_node if text is None else cst.parse_expression(text)
