"""Putting new nodes into an expression without losing what is known of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import libcst as cst

from migrator.codemods.context import Context
from migrator.model import Rewritten
from migrator.syntax import transform
from migrator.values import Span


class _Swap(cst.CSTTransformer):
    def __init__(self, new: Mapping[cst.CSTNode, cst.CSTNode], known: Mapping[cst.CSTNode, Span]) -> None:
        super().__init__()
        self.new, self.known = new, known
        self.spans: dict[cst.CSTNode, Span] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node not in self.new

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Any:
        if original_node in self.new:
            return self.new[original_node]
        if original_node in self.known:
            self.spans[updated_node] = self.known[original_node]
        return updated_node


def swapped(
    node: cst.CSTNode, new: Mapping[cst.CSTNode, cst.CSTNode], known: Mapping[cst.CSTNode, Span]
) -> tuple[cst.CSTNode, dict[cst.CSTNode, Span]]:
    """The node with others inside it exchanged, and the spans of the nodes that had to be made again."""
    swap = _Swap(new, known)
    result = transform(node, swap)
    assert isinstance(result, cst.CSTNode)
    return result, swap.spans


class Both(Mapping[cst.CSTNode, Span]):
    """Two mappings as one, without copying the larger."""

    def __init__(self, new: Mapping[cst.CSTNode, Span], known: Mapping[cst.CSTNode, Span]) -> None:
        self.new, self.known = new, known

    def __getitem__(self, node: cst.CSTNode) -> Span:
        found = self.new.get(node)
        return self.known[node] if found is None else found

    def __iter__(self) -> Iterator[cst.CSTNode]:
        yield from self.new
        yield from (node for node in self.known if node not in self.new)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def rewrite(
    ctx: Context, node: cst.CSTNode, spans: Mapping[cst.CSTNode, Span], gone: Iterable[Span | None] = ()
) -> Rewritten:
    """Rewrite a node of which `spans` knows the parts that the original tree does not have.

    `gone`: positions of what was exchanged; what is said of them is not about this node any more.
    """
    known: Mapping[cst.CSTNode, Span] = Both(spans, ctx.spans) if spans else ctx.spans
    result: Rewritten = ctx.rules.rewrite(node, ctx.here, known, ctx.device)
    inside = [span for span in gone if span is not None]
    kept = tuple(d for d in result.declines if d.span is None or not any(_within(d.span, span) for span in inside))
    return replace(result, declines=kept)


def _within(one: Span, other: Span) -> bool:
    start, end = (one.line, one.column), (one.end_line, one.end_column)
    return (other.line, other.column) <= start and end <= (other.end_line, other.end_column)
