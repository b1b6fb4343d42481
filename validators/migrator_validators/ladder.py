"""The verdicts of one case as they come."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
    source_seconds: float = 0.0  # the longest that a run of the original took

    def say(self, rung: Rung, outcome: Outcome, detail: str = "", found: Comparison | None = None, **more: Any) -> None:
        """Add a verdict; anything but a pass, a gap or not-applicable ends the ladder."""
        measured = dict(more.pop("measured", {}))
        allowed = dict(more.pop("allowed", {}))
        if found is not None:
            measured["max difference"], allowed["max difference"] = found.measured, found.allowed
        diverges, limit = more.pop("diverges", ""), more.pop("limit", "")
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
                diverges,
                limit,
            )
        )
        stopped = outcome not in (Outcome.PASS, Outcome.GAP, Outcome.NOT_APPLICABLE)
        self.ended = self.ended or stopped or ORDER.index(rung) >= ORDER.index(self.up_to)

    def explain(self, diverges: str) -> None:
        """Say of the failure where the sides first differ."""
        self.verdicts = [
            replace(v, diverges=v.diverges or diverges) if v.outcome is Outcome.FAIL else v for v in self.verdicts
        ]

    def source_failed(self, reply: Reply) -> bool:
        """Say so when the original did not run."""
        if reply.status == "ok":
            self.source_seconds = max(self.source_seconds, reply.seconds)
            return False
        ours = reply.status in ("infra", "timeout", "killed")
        self.say(Rung.SOURCE_RUNS, Outcome.INFRA if ours else Outcome.UNVERIFIABLE, f"the original: {reply.reason}")
        return True

    def target_failed(self, rung: Rung, reply: Reply) -> bool:
        """Say so when the migrated program did not run."""
        if reply.status == "ok":
            return False
        if reply.needs_tensorflow:
            self.say(rung, Outcome.UNVERIFIABLE, f"it needs what is still TensorFlow: {reply.reason}")
            return True
        if reply.lacks_library:
            self.say(rung, Outcome.UNVERIFIABLE, reply.reason)
            return True
        ours = reply.status in ("infra", "timeout", "killed")
        importing = reply.error.get("stage", "").startswith("import ")
        self.say(
            Rung.IMPORTS if importing else rung,
            Outcome.INFRA if ours else Outcome.FAIL,
            reply.reason,
            diverges=raised_by(reply),
            limit=broken_limit(reply, self.source_seconds),
        )
        return True


SLOWER = 4.0
"""So many times as long as the original a migrated program may take before the time limit is called its own fault."""


def broken_limit(reply: Reply, source_seconds: float) -> str:
    """ "time" or "memory" where a migrated program went beyond it and the original, on the same inputs, did not."""
    if reply.status == "timeout":
        return "time" if reply.seconds > SLOWER * source_seconds else ""
    return "memory" if reply.status == "killed" or reply.out_of_memory else ""


def raised_by(reply: Reply) -> str:
    """The line of the program that raised, where it is known."""
    line = reply.error.get("line", "")
    return f"{reply.error.get('type', '')} raised by `{line}`" if line else ""
