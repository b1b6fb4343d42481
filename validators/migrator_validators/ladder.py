"""The verdicts of one case as they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from migrator.model import Outcome, Rung, Verdict
from migrator_validators.cases import Case
from migrator_validators.compare import Comparison
from migrator_validators.workers import Reply

ORDER = tuple(Rung)


@dataclass
class Ladder:
    """The verdicts of one case as they come; `ended` once one of them is not a pass."""

    case: Case
    repro: str = ""
    up_to: Rung = Rung.RUNS
    verdicts: list[Verdict] = field(default_factory=list)
    ended: bool = False

    def say(self, rung: Rung, outcome: Outcome, detail: str = "", found: Comparison | None = None, **more: Any) -> None:
        """Add a verdict; anything but a pass, a gap or not-applicable ends the ladder."""
        measured = dict(more.pop("measured", {}))
        allowed = dict(more.pop("allowed", {}))
        if found is not None:
            measured["max difference"], allowed["max difference"] = found.measured, found.allowed
        unchecked = (*self.case.unchecked, *more.pop("unchecked", ()), *(sorted(found.notes) if found else ()))
        self.verdicts.append(
            Verdict(
                rung,
                outcome,
                detail,
                tuple(measured.items()),
                tuple(allowed.items()),
                self.case.inputs_from,
                unchecked,
                self.repro,
            )
        )
        stopped = outcome not in (Outcome.PASS, Outcome.GAP, Outcome.NOT_APPLICABLE)
        self.ended = self.ended or stopped or ORDER.index(rung) >= ORDER.index(self.up_to)

    def source_failed(self, reply: Reply) -> bool:
        """Say so when the original did not run."""
        if reply.status == "ok":
            return False
        ours = reply.status in ("infra", "timeout")
        self.say(Rung.SOURCE_RUNS, Outcome.INFRA if ours else Outcome.UNVERIFIABLE, f"the original: {reply.reason}")
        return True

    def target_failed(self, rung: Rung, reply: Reply) -> bool:
        """Say so when the migrated program did not run."""
        if reply.status == "ok":
            return False
        if reply.needs_tensorflow:
            self.say(rung, Outcome.UNVERIFIABLE, f"it needs what is still TensorFlow: {reply.reason}")
            return True
        ours = reply.status in ("infra", "timeout")
        importing = reply.error.get("stage", "").startswith("import ")
        self.say(Rung.IMPORTS if importing else rung, Outcome.INFRA if ours else Outcome.FAIL, reply.reason)
        return True
