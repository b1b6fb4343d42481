"""Outcomes of checks by content, of this run and of the one that its journal goes on with."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from migrator_validators import kept
from migrator_validators.check import Checked

from migrator.journal import Journal
from migrator.model import Verdict


@dataclass
class Outcomes:
    """What was checked: `known` by key. `ran` and `reused` count for people and tests."""

    journal: Journal | None = None
    ran: int = 0
    reused: int = 0
    known: dict[str, Checked] = field(default_factory=dict)
    _locks: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, key: str, check: Callable[[], Checked]) -> Checked:
        """The outcome of a key, checked where it is not known yet; two threads never check the same one."""
        with self._lock:
            own = self._locks[key]
        with own:
            found = self.known.get(key) or self._journaled(key)
            if found is not None:
                self.reused += 1
            else:
                found = check()
                self.ran += 1
                if self.journal is not None and kept.finished(found):
                    self.journal.put(key, kept.to_json(found))
            self.known[key] = found
            return found

    def verdicts(self, key: str, check: Callable[[], Sequence[Verdict]]) -> tuple[Verdict, ...]:
        """The same for checks that give verdicts alone."""
        return self.of(key, lambda: Checked("", tuple(check()))).verdicts

    def _journaled(self, key: str) -> Checked | None:
        found = self.journal.get(key) if self.journal is not None else None
        with contextlib.suppress(KeyError, TypeError, ValueError):
            return None if found is None else kept.from_json(found)
        return None
