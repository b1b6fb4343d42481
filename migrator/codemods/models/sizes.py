"""The input sizes that constructors and factories gain."""

from __future__ import annotations

from migrator.codemods.context import Context
from migrator.model import InterfaceChange
from migrator.values import Facts, SizeParam


def gained(facts: Facts, qualname: str) -> tuple[SizeParam, ...]:
    """The sizes that a class or factory gains, in order."""
    known = facts.cls(qualname) or facts.function(qualname)
    return known.sizes if known is not None else ()


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
