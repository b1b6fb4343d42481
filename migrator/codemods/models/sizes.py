"""The input sizes that constructors and factories gain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeGuard

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.model import InterfaceChange
from migrator.values import Carried, Facts, RepoInstance, SizeParam, Span, Value


def gained(facts: Facts, qualname: str) -> tuple[SizeParam, ...]:
    """The sizes that a class or factory gains, in order."""
    known = facts.cls(qualname)
    if known is not None:
        return known.sizes
    function = facts.function(qualname)
    if function is None:
        return ()
    # what a builder's callers agree on is the default of the class that it makes
    if function.role != "model-factory":
        return function.sizes
    made = function.returns
    given = {s.name for s in gained(facts, made.qualname) if s.default is not None} if _is_model(made) else set()
    return tuple(size for size in function.sizes if size.default is None and size.name not in given)


def _is_model(value: Value) -> TypeGuard[RepoInstance]:
    return isinstance(value, RepoInstance) and value.kind == "model"


def has_default(facts: Facts, qualname: str, size: SizeParam) -> bool:
    """Whether the size goes last with a default: a whole model whose every use agrees on it."""
    known = facts.cls(qualname)
    return size.default is not None and known is not None and known.kind == "model"


def required(ctx: Context, qualname: str) -> list[str]:
    """The sizes that every construction must give, first."""
    return [s.name for s in gained(ctx.facts, qualname) if not has_default(ctx.facts, qualname, s)]


def size_change(facts: Facts, qualname: str) -> InterfaceChange | None:
    """The change of interface that the sizes are, or None."""
    sizes = gained(facts, qualname)
    if not sizes:
        return None
    names = tuple(s.name for s in sizes)
    defaults = tuple((s.name, s.default) for s in sizes if has_default(facts, qualname, s))
    return InterfaceChange(qualname, "adds-size", f"takes {', '.join(names)}", added=names, mapping=defaults)


def with_sizes(params: list[str], first: list[str], last: list[str]) -> list[str]:
    """Constructor parameters with the required sizes first and the others behind those with defaults."""
    at = next((i for i, p in enumerate(params) if p.startswith("*")), len(params))
    return [*first, *params[:at], *last, *params[at:]]


def carried_by(
    node: cst.For,
    carried: Sequence[Carried],
    spans: Mapping[cst.CSTNode, Span],
    others: Collection[Span] = (),
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The sizes that a loop carries round: (name, value before the loop) and (name, value after one round).

    For layers added to a Sequential the facts name the creation of the first layer instead of the loop;
    `others` are loops that stand for this one (over the list of modules that it fills).
    """
    here = spans.get(node)
    inner = [spans[n] for n in find(node, m.For()) if n is not node and n in spans]

    def belongs(span: Span) -> bool:
        if span == here or span in others:
            return True
        return here is not None and _within(span, here) and not any(_within(span, i) for i in inner)

    first = [(c.name, c.init) for c in carried if belongs(c.start) and c.init != c.name]
    after = [(c.name, c.update) for c in carried if belongs(c.loop) and c.update != c.name and c.at is None]
    return list(dict.fromkeys(first)), list(dict.fromkeys(after))


def kept_before(node: cst.CSTNode, carried: Sequence[Carried], spans: Mapping[cst.CSTNode, Span]) -> list[str]:
    """Lines that keep sizes before a statement changes what they are written with."""
    here = spans.get(node)
    found = [f"{c.name} = {c.update}" for c in carried if c.at is not None and here is not None and _within(c.at, here)]
    return list(dict.fromkeys(found))


def _within(one: Span, other: Span) -> bool:
    inside = (other.line, other.column) <= (one.line, one.column)
    return inside and (one.end_line, one.end_column) <= (other.end_line, other.end_column)
