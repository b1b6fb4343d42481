"""The places of a migrated TensorFlow 1 graph's weights, in the order in which the graph made them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from migrator_validators.cases import RecordedMap

GRAPH = "tf.Graph"
"""Class of a record of a graph. Its entries are (kind, place, transform): "trained" and "moving" are weights, "also" is
where another part of the weight before goes, "inside" is a module with a record of its own; `*` stands for each entry
of a list, and a number behind the kind ("trained@1") ties entries that one turn of a loop makes."""

Entry = tuple[str, str, str]
Place = tuple[str, str]
"""State entry and transform."""


@dataclass
class GraphOrder:
    """`records` by class; `modules`: name → class; `state`: names of all entries."""

    records: Mapping[str, RecordedMap]
    modules: Mapping[str, str]
    state: frozenset[str]
    trained: list[list[Place]] = field(default_factory=list)
    moving: list[list[Place]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def places(self) -> list[list[Place]]:
        """The places of each weight: of trainable weights, then of moving averages."""
        for name, cls in self.modules.items():  # outer modules come before what is inside of them
            if cls in self.records and name not in self.seen:
                self._module(name)
        return [*self.trained, *self.moving]

    def _module(self, name: str) -> None:
        record = self.records.get(self.modules.get(name, ""))
        if record is None or name in self.seen:
            return
        self.seen.add(name)
        prefix = f"{name}." if name else ""
        for tie, group in itertools.groupby(record.params, key=lambda entry: entry[0].partition("@")[2]):
            for kind, place, transform in self._turns(list(group), prefix) if tie else group:
                self._enter(kind.partition("@")[0], prefix + place, transform)

    def _turns(self, entries: list[Entry], prefix: str) -> Iterator[Entry]:
        """The entries of a loop, turn by turn, as far as the lists go."""
        for turn in itertools.count():
            made = [(kind, place.replace("*", str(turn), 1), transform) for kind, place, transform in entries]
            if not all(prefix + place in self.state or prefix + place in self.modules for _, place, _ in made):
                return
            yield from made

    def _enter(self, kind: str, place: str, transform: str) -> None:
        if kind == "inside":
            self._module(place)
        elif kind == "also":
            self.trained[-1].append((place, transform))
        else:
            (self.trained if kind == "trained" else self.moving).append([(place, transform)])
