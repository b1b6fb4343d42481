"""Verdicts as the text that a repair begins with."""

from __future__ import annotations

import pytest

from migrator.llm import feedback, rendering
from migrator.model import Outcome, Rung, Verdict

PASSED = Verdict(Rung.SPEC, Outcome.PASS, "structure agrees")
FAILED = Verdict(
    Rung.FORWARD,
    Outcome.FAIL,
    "0.25 instead of 0.5 at [0, 3], 7 of 12 differ",
    measured=(("max difference", 0.251234),),
    allowed=(("max difference", 1e-5),),
    inputs="recorded",
    repro="python -m migrator_validators migration/cases/cases.json --case a",
    diverges="the output of `bn` (BatchNormalization): max difference 0.003, allowed 8e-05; its input agrees",
)


def told(*verdicts: Verdict, values: bool = False) -> str:
    return rendering.repair(feedback.heading(verdicts), feedback.of_verdicts(verdicts, values))


def test_a_failure_is_told_with_its_figures_and_where_it_begins() -> None:
    text = told(PASSED, FAILED)
    assert "- passed: spec" in text
    assert "failed: forward on recorded inputs (max difference 0.251, allowed 1e-05)" in text
    assert "where it first differs:" in text
    assert "the output of `bn` (BatchNormalization): max difference 0.003" in text
    assert "--case a" in text
    assert "0.25 instead" not in text  # a single recorded value stays here
    assert "0.25 instead of 0.5" in told(FAILED, values=True)


def test_the_summary_is_one_line_without_values() -> None:
    line = feedback.summary([PASSED, FAILED])
    assert line.startswith("forward: another value at [0, 3]")
    assert "\n" not in line
    assert feedback.summary([PASSED]) == ""


@pytest.mark.parametrize(
    ("outcome", "limit", "heading", "counts"),
    [
        (Outcome.FAIL, "", feedback.FAILED, True),
        (Outcome.FAIL, "memory", feedback.TOO_LARGE, True),
        (Outcome.INFRA, "memory", feedback.TOO_LARGE, True),
        (Outcome.INFRA, "time", feedback.TOO_SLOW, True),
        (Outcome.INFRA, "", feedback.FAILED, False),
        (Outcome.UNVERIFIABLE, "", feedback.FAILED, False),
    ],
)
def test_a_limit_that_the_original_kept_counts_against_a_candidate(
    outcome: Outcome, limit: str, heading: str, counts: bool
) -> None:
    verdict = Verdict(Rung.FORWARD, outcome, "no end after 120 s", limit=limit)
    assert feedback.bad(verdict) is counts
    assert feedback.heading([PASSED, verdict]) == heading


def test_a_long_detail_keeps_its_ends() -> None:
    text = feedback.shortened("a" * 2000 + "b" * 2000)
    assert len(text) < feedback.LONGEST + 60
    assert text.startswith("aaa")
    assert text.endswith("bbb")
    assert "characters left out" in text
