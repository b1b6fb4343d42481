"""What accumulates while a unit is rewritten: imports, helpers, notes and reasons to decline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import libcst as cst

from migrator.codemods.context import Context
from migrator.model import Decline, Helper, InterfaceChange, LayerCode, Rewritten


@dataclass
class Needs:
    """Gathered from every rule that contributed to a unit."""

    declines: list[Decline] = field(default_factory=list)
    imports: set[str] = field(default_factory=lambda: {"from torch import nn"})
    helpers: dict[str, Helper] = field(default_factory=dict)
    gaps: set[str] = field(default_factory=set)
    notes: dict[str, None] = field(default_factory=dict)
    changes: list[InterfaceChange] = field(default_factory=list)

    def take(self, source: Rewritten | LayerCode) -> None:
        """Add what a rule's result asks for."""
        self.imports |= set(source.imports)
        for helper in _with_needs(source.helpers):
            self.helpers.setdefault(helper.name, helper)
            self.imports |= set(helper.imports)
        self.gaps |= set(source.gaps)
        self.notes.update(dict.fromkeys(source.notes))
        if isinstance(source, Rewritten):
            self.declines += source.declines

    def absorb(self, other: Needs) -> None:
        """Add all that another part of the unit asks for."""
        self.declines += [d for d in other.declines if d not in self.declines]
        self.imports |= other.imports
        self.helpers = {**other.helpers, **self.helpers}
        self.gaps |= other.gaps
        self.notes.update(other.notes)
        self.changes += other.changes

    def decline(self, reason: str, ctx: Context, node: cst.CSTNode | None = None, api: str = "") -> None:
        """Record why this unit stays as it is."""
        span = None if node is None else ctx.spans.get(node)
        found = Decline(reason, api, span)
        if found not in self.declines:
            self.declines.append(found)

    def helpers_of(self, text: str) -> tuple[Helper, ...]:
        """The helpers that a unit's text names, itself or through another: what is written otherwise needs none."""
        kept: dict[str, Helper] = {}
        texts = [text]
        while texts:
            words = set(re.findall(r"\w+", texts.pop()))
            found = [h for h in self.helpers.values() if h.name in words and h.name not in kept]
            kept |= {h.name: h for h in found}
            texts += [h.source for h in found]
        return tuple(h for h in self.helpers.values() if h.name in kept)

    def note(self, text: str) -> None:
        self.notes[text] = None

    def text(self, node: cst.CSTNode, ctx: Context) -> str:
        """The rewritten source of a node; what cannot be rewritten is recorded."""
        rewritten = ctx.rewrite(node)
        self.take(rewritten)
        return ctx.code(rewritten.node).strip()


def _with_needs(helpers: Iterable[Helper]) -> Iterator[Helper]:
    """Helpers behind those that they call."""
    for helper in helpers:
        yield from _with_needs(helper.needs)
        yield helper
