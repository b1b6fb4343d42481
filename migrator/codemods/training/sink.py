"""What the rewriting of one unit gathers on its way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from migrator.codemods.context import Draft
from migrator.model import Decline, Helper, InterfaceChange, Rewritten, UnitKind, WeightRecord


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
    hoisted: list[str] = field(default_factory=list)
    weights: list[WeightRecord] = field(default_factory=list)
    has_logits: dict[str, str] = field(default_factory=dict)
    has_penalty: set[str] = field(default_factory=set)
    has_constraints: set[str] = field(default_factory=set)
    has_additions: set[str] = field(default_factory=set)

    def absorb(self, draft: Draft) -> None:
        """Everything but the text of a draft that becomes part of this unit."""
        self.declines += draft.declines
        self.imports |= draft.imports
        self.gaps |= draft.gaps
        self.changes += draft.changes
        self.weights += draft.weights
        self.has_logits |= draft.has_logits
        self.has_penalty |= draft.has_penalty
        self.has_constraints |= draft.has_constraints
        self.has_additions |= draft.has_additions
        self.needs_device = self.needs_device or draft.needs_device
        self.hoisted += [draft.hoisted] if draft.hoisted else []
        self.note(*draft.notes)
        self.help(draft.helpers)

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
            hoisted="\n\n".join(text.strip("\n") + "\n" for text in self.hoisted),
            weights=tuple(self.weights),
            has_logits=self.has_logits,
            has_penalty=frozenset(self.has_penalty),
            has_constraints=frozenset(self.has_constraints),
            has_additions=frozenset(self.has_additions),
        )
