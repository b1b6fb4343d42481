"""Recorded calls that the original refuses when they are made alone."""

from __future__ import annotations

from migrator.model import Outcome, Rung, Verdict
from migrator.ran import Ran, repeated

REFUSED: Ran = ([Verdict(Rung.SOURCE_RUNS, Outcome.UNVERIFIABLE, "the original: ValueError: empty")], frozenset())
INFRA: Ran = ([Verdict(Rung.SOURCE_RUNS, Outcome.INFRA, "the original: no end")], frozenset())
EQUAL: Ran = (
    [Verdict(Rung.SOURCE_RUNS, Outcome.PASS, ""), Verdict(Rung.FORWARD, Outcome.PASS, "")],
    frozenset({"a.py:f"}),
)
WRONG: Ran = ([Verdict(Rung.SOURCE_RUNS, Outcome.PASS, ""), Verdict(Rung.FORWARD, Outcome.FAIL, "")], frozenset())


def outcomes(ran: list[Ran]) -> list[list[Outcome]]:
    return [[verdict.outcome for verdict in verdicts] for verdicts, _ in ran]


def test_a_call_that_needs_earlier_ones_is_set_aside_where_another_could_be_made() -> None:
    equal, refused = repeated([EQUAL, REFUSED])
    assert equal == EQUAL
    assert refused[0][0].outcome is Outcome.NOT_APPLICABLE
    assert refused[0][0].detail == "made alone, the original: ValueError: empty"


def test_where_none_could_be_made_nothing_is_verified() -> None:
    assert repeated([REFUSED]) == [REFUSED]


def test_differences_and_failures_of_the_tool_stay() -> None:
    assert outcomes(repeated([WRONG, REFUSED])) == [[Outcome.PASS, Outcome.FAIL], [Outcome.NOT_APPLICABLE]]
    assert outcomes(repeated([EQUAL, INFRA]))[1] == [Outcome.INFRA]
