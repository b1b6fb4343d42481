"""The verifier, as an evaluation asks it: the files of a migration, then its cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from migrator_validators.cases import Case

from migrator.model import InterfaceChange, Verdict

if TYPE_CHECKING:
    from migrator_validators.workers import Workers


@dataclass(frozen=True)
class Pair:
    """A source tree and a migration of it. `module` is the file migrated, `keras` the Keras it means."""

    source: Path
    target: Path
    module: str
    keras: int = 3
    changes: tuple[InterfaceChange, ...] = ()


class Verifier(Protocol):
    """What judges a migration."""

    def files(self, pair: Pair) -> Sequence[Verdict]:
        """The static rungs of the migrated file."""

    def case(self, case: Case, pair: Pair) -> Sequence[Verdict]:
        """The rungs of one case."""


@dataclass(frozen=True)
class Executed:
    """The real verifier: both programs run on `workers`."""

    workers: Workers

    def files(self, pair: Pair) -> Sequence[Verdict]:
        from migrator_validators.files import check_public, check_text

        name = f"{pair.module}.py"
        source, target = ((tree / name).read_text(encoding="utf-8") for tree in (pair.source, pair.target))
        verdicts = check_text(name, target, self.workers)
        if verdicts[0].outcome != "pass":
            return verdicts
        return *verdicts, check_public(source, target, pair.module, pair.changes)

    def case(self, case: Case, pair: Pair) -> Sequence[Verdict]:
        from migrator_validators.check import check_case

        return check_case(case, pair.source, pair.target, self.workers, keras=pair.keras, changes=pair.changes).verdicts
