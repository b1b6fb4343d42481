"""Checks one migration case by case."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrator_validators.cases import Case

from migrator.evals.result import Expected, Kind, Row
from migrator.evals.score import Judged, judge_all, judge_case
from migrator.model import Verdict

Check = Callable[[Case, Path, Path], tuple[Verdict, ...]]
"""Runs one case on a source and a target tree; in practice `migrator_validators.check_case` with its workers."""


@dataclass(frozen=True)
class Candidate:
    """A migration to check: `kind`, `id` and expectations go to its row, `first` is the case tried first."""

    kind: Kind
    id: str
    expected: Expected
    cases: tuple[Case, ...]
    target: Path
    expected_rung: str = ""
    first: str = ""


def check(candidate: Candidate, source: Path, run: Check) -> Row:
    """Runs the cases of `candidate`; one expected to be refused is done at its first failure."""
    started = time.perf_counter()
    judged: list[Judged] = []
    for case in ordered(candidate.cases, candidate.first):
        judged.append(judge_case(case.id, run(case, source, candidate.target)))
        if candidate.expected == "refused" and judged[-1].ending == "wrong":
            break
    return _row(candidate, judged, time.perf_counter() - started)


def ordered(cases: Sequence[Case], first: str) -> Iterator[Case]:
    """`cases` with the one named `first` in front."""
    yield from (case for case in cases if case.id == first)
    yield from (case for case in cases if case.id != first)


def _row(candidate: Candidate, judged: Sequence[Judged], seconds: float) -> Row:
    end = judge_all(judged)
    return Row(
        kind=candidate.kind,
        id=candidate.id,
        expected=candidate.expected,
        ending=end.ending,
        rung=end.rung,
        expected_rung=candidate.expected_rung,
        case=end.case,
        detail=end.detail,
        cases={one.case: one.ending for one in judged},
        seconds=round(seconds, 3),
    )
