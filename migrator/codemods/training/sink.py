"""What the rewriting of one unit gathers on its way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from migrator.codemods.context import Draft
from migrator.model import Decline, Helper, InterfaceChange, Rewritten, UnitKind


@dataclass
class Sink:
    """Collects declines, imports, helpers and notes; becomes a `Draft` at the end."""

    declines: list[Decline] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    helpers: dict[str, Helper] = field(default_factory=dict)
    changes: list[InterfaceChange] = field(default_factory=list)
    gaps: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    needs_device: bool = False

    def take(self, rewritten: Rewritten) -> None:
        self.declines += rewritten.declines
        self.imports |= rewritten.imports
        self.gaps |= rewritten.gaps
        self.note(*rewritten.notes)
        self.help(rewritten.helpers)

    def help(self, helpers: Iterable[Helper]) -> None:
        for helper in helpers:
            self.helpers.setdefault(helper.name, helper)
            self.imports |= set(helper.imports)

    def note(self, *notes: str) -> None:
        self.notes += [note for note in notes if note not in self.notes]

    def decline(self, reason: str, api: str = "") -> None:
        decline = Decline(reason, api)
        if decline not in self.declines:
            self.declines.append(decline)

    def draft(self, text: str, kind: UnitKind) -> Draft:
        return Draft(
            text,
            kind,
            declines=tuple(self.declines),
            imports=frozenset(self.imports),
            helpers=tuple(self.helpers.values()),
            changes=tuple(self.changes),
            gaps=frozenset(self.gaps),
            notes=tuple(self.notes),
            needs_device=self.needs_device,
        )
