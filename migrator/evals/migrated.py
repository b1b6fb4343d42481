"""Our own migration of a program, settled and judged by the cases of its task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from migrator.evals.result import Ending, Row
from migrator.evals.task import Task, own_cases
from migrator.evals.verifier import Verifier
from migrator.model import Outcome, Rung, Status, UnitResult

_BY_STATUS: tuple[tuple[Status, Ending], ...] = (
    (Status.INFRA_ERROR, "infra-error"),
    (Status.NEEDS_REVIEW, "declined"),
    (Status.UNVERIFIABLE, "unverifiable"),
)
_LADDER = list(Rung)


def migrate(source: Path, task: Task, out: Path, verifier: Verifier) -> Row:
    """Migrates `source` by the rules, with the task's cases as the inputs of every check, and writes it to `out`.

    A unit that fails a case is reverted, as in any run, so that nothing wrong is shipped: the program
    ends as declined then. The verifier's interpreters are not shared, for a run starts its own.
    """
    started = time.perf_counter()
    with ExitStack() as stack:
        results = _settled(source, task, out, stack)
    said = {name.strip() for part in task.unchecked for name in part.what.split(",")}
    compared = [r for r in results if r.status is not Status.UNVERIFIABLE or r.rewrite.unit.name not in said]
    return judge(compared, time.perf_counter() - started)


def _settled(source: Path, task: Task, out: Path, stack: ExitStack) -> tuple[UnitResult, ...]:
    from migrator import source as source_room
    from migrator import steps
    from migrator.checking import Checker
    from migrator.config import RunSettings
    from migrator.settle import settle

    settings = RunSettings(src=source, out=out, keras="2" if task.keras == 2 else "3")
    repo, quiet = steps.read(settings), lambda *_: None
    checker = Checker.start(repo, settings, stack)
    assert checker is not None
    facts = steps.know(repo)
    draft = steps.rewrite(repo, facts, quiet)
    checker.recorded = own_cases(task)  # in place of what a run of the original would have recorded
    settled = settle(draft, lambda files: checker.check(draft, files, facts, quiet))
    source_room.write(repo, out, {path: file.text for path, file in settled.files.items()}, {})
    return settled.results


def judge(results: Sequence[UnitResult], seconds: float = 0.0) -> Row:
    """The row of a program from its units: the worst status decides, and the reasons are told."""
    left = [r for r in results if r.status not in (Status.ACCEPTED, Status.UNTOUCHED)]
    accepted = [r for r in results if r.status is Status.ACCEPTED]
    return Row(
        kind="migrated",
        id="migrated",
        expected="equal",
        ending=_ending(results),
        rung=_highest(accepted),
        detail=f"{len(accepted)} of {len(accepted) + len(left)} units accepted"
        + "".join(f"; {r.rewrite.unit.name}: {r.reason}" for r in left),
        cases={r.rewrite.unit.name: f"{r.status.value} {_highest([r])}".strip() for r in results},
        seconds=round(seconds, 3),
    )


def _ending(results: Sequence[UnitResult]) -> Ending:
    for status, ending in _BY_STATUS:
        if any(r.status is status for r in results):
            return ending
    if not any(r.status is Status.ACCEPTED for r in results):
        return "unverifiable"
    gap = any(v.outcome is Outcome.GAP for r in results for v in r.verdicts)
    return "equal-with-gap" if gap else "equal"


def _highest(results: Sequence[UnitResult]) -> str:
    passed = [v.rung for r in results for v in r.verdicts if v.outcome in (Outcome.PASS, Outcome.GAP)]
    return max(passed, key=_LADDER.index).value if passed else ""
