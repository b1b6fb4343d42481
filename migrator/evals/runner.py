"""Checks one migration case by case."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from migrator_validators.cases import Case

from migrator.evals.result import Expected, Kind, Row
from migrator.evals.score import ACCEPTED, Judged, judge_all, judge_case
from migrator.evals.verifier import Pair, Verifier


@dataclass(frozen=True)
class Candidate:
    """A migration to check: `kind`, `id` and expectations go to its row, `first` is the case tried first."""

    kind: Kind
    id: str
    expected: Expected
    cases: tuple[Case, ...]
    pair: Pair
    expected_rung: str = ""
    first: str = ""


def check_all(candidates: Iterable[Candidate], verifier: Verifier) -> tuple[Row, ...]:
    """Checks the right migration that comes first, then the others.

    A wrong one is judged by the cases that the right one passes: failing where that fails as well is no kill.
    """
    rows: list[Row] = []
    for candidate in candidates:
        if rows and candidate.expected == "refused":
            sound = tuple(case for case in candidate.cases if rows[0].cases.get(case.id) in ACCEPTED)
            candidate = replace(candidate, cases=sound)
        rows.append(check(candidate, verifier))
    return tuple(rows)


def check(candidate: Candidate, verifier: Verifier) -> Row:
    """The files of `candidate`, then its cases; one expected to be refused is done at its first failure."""
    started = time.perf_counter()
    judged: list[Judged] = []
    for one in _judge(candidate, verifier):
        judged.append(one)
        if candidate.expected == "refused" and one.ending == "wrong":
            break
    return _row(candidate, judged, time.perf_counter() - started)


def _judge(candidate: Candidate, verifier: Verifier) -> Iterator[Judged]:
    files = judge_case("", verifier.files(candidate.pair))
    if files.ending != "equal":  # that its files are in order is no evidence that a migration is right
        yield files
    for case in ordered(candidate.cases, candidate.first):
        yield judge_case(case.id, verifier.case(case, candidate.pair))


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
        cases={one.case: one.ending for one in judged if one.case},
        seconds=round(seconds, 3),
    )
