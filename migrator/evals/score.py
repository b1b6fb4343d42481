"""From verdicts to endings, from endings to totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrator.evals.result import Ending, Row, TaskResult, Totals
from migrator.model import Outcome, Rung, Verdict

ACCEPTED: tuple[Ending, ...] = ("equal", "equal-with-gap")
SHARES: tuple[Ending, ...] = ("equal", "equal-with-gap", "declined", "wrong", "unverifiable", "not-applicable")
_LADDER = list(Rung)


@dataclass(frozen=True)
class Judged:
    """How one case, or all of them, ended; `rung` and `detail` belong to the verdict that decided."""

    ending: Ending
    rung: str = ""
    detail: str = ""
    case: str = ""


def judge_case(case: str, verdicts: Sequence[Verdict]) -> Judged:
    """The ending of one case: the worst outcome decides, and no pass at all is unverifiable."""
    for outcome, ending in _WORST_FIRST:
        found = next((v for v in verdicts if v.outcome is outcome), None)
        if found is not None:
            return Judged(ending, found.rung.value, found.detail, case)
    passed = [v for v in verdicts if v.outcome in (Outcome.PASS, Outcome.GAP)]
    if not passed:
        return Judged("unverifiable", "", "no rung applied", case)
    highest = max(passed, key=lambda v: _LADDER.index(v.rung))
    gap = any(v.outcome is Outcome.GAP for v in passed)
    return Judged("equal-with-gap" if gap else "equal", highest.rung.value, highest.detail, case)


_WORST_FIRST: tuple[tuple[Outcome, Ending], ...] = (
    (Outcome.FAIL, "wrong"),
    (Outcome.INFRA, "infra-error"),
    (Outcome.UNVERIFIABLE, "unverifiable"),
)
_ORDER: tuple[Ending, ...] = ("wrong", "infra-error", "unverifiable", "not-run", "declined", "equal-with-gap", "equal")


def judge_all(cases: Sequence[Judged]) -> Judged:
    """The ending of a migration: its worst case decides; of equal ones the highest rung is told."""
    if not cases:
        return Judged("unverifiable", "", "no cases")
    worst = min(cases, key=lambda judged: _ORDER.index(judged.ending))
    if worst.ending not in ACCEPTED:
        return worst
    return max((c for c in cases if c.ending == worst.ending), key=lambda c: _rank(c.rung))


def _rank(rung: str) -> int:
    return _LADDER.index(Rung(rung)) if rung else -1


def total(tasks: Iterable[TaskResult]) -> Totals:
    """Counts and rates over all rows; rates are None where nothing was counted."""
    tasks = tuple(tasks)
    rows = [row for task in tasks for row in task.rows]
    migrated = [row.ending for row in rows if row.kind == "migrated"]
    references = [row for row in rows if row.kind == "reference"]
    wrong = [row for row in rows if row.expected == "refused"]
    right = [row for row in rows if row.expected == "equal" and row.kind != "migrated"]
    killed = [row for row in wrong if row.ending == "wrong"]
    rejected = sum(row.ending == "wrong" for row in right)
    return Totals(
        tasks=len(tasks),
        equal=migrated.count("equal"),
        equal_with_gap=migrated.count("equal-with-gap"),
        declined=migrated.count("declined"),
        wrong=migrated.count("wrong"),
        unverifiable=migrated.count("unverifiable"),
        infra_error=sum(row.ending == "infra-error" for row in rows),
        not_run=migrated.count("not-run"),
        not_applicable=migrated.count("not-applicable"),
        equal_by_shape=sum(row.kind == "migrated" and row.rung == "shapes" for row in rows),
        rates={ending.replace("-", "_"): _share(migrated, ending) for ending in SHARES} if migrated else {},
        references=len(references),
        references_equal=_accepted(references),
        wrong_migrations=len(wrong),
        killed=len(killed),
        killed_where_expected=sum(row.rung == row.expected_rung for row in killed),
        right_migrations=len(right),
        rejected=rejected,
        undecided=len(right) - rejected - _accepted(right),
        kill_rate=_rate(len(killed), len(wrong)),
        false_reject_rate=_rate(rejected, len(right)),
    )


def _share(endings: Sequence[Ending], ending: Ending) -> float:
    return round(endings.count(ending) / len(endings), 4)


def _accepted(rows: Sequence[Row]) -> int:
    return sum(row.ending in ACCEPTED for row in rows)


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
