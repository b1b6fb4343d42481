import pytest

from migrator.evals.result import EvalResult, Row, TaskResult
from migrator.evals.score import Judged, judge_all, judge_case, total
from migrator.evals.table import as_expected, summary
from migrator.model import Outcome, Rung, Verdict


def verdict(rung: Rung, outcome: Outcome) -> Verdict:
    return Verdict(rung, outcome, f"{rung} {outcome}")


@pytest.mark.parametrize(
    ("outcomes", "ending"),
    [
        ([Outcome.PASS, Outcome.PASS], "equal"),
        ([Outcome.PASS, Outcome.GAP], "equal-with-gap"),
        ([Outcome.PASS, Outcome.NOT_APPLICABLE], "equal"),
        ([Outcome.NOT_APPLICABLE], "unverifiable"),
        ([], "unverifiable"),
        ([Outcome.PASS, Outcome.UNVERIFIABLE], "unverifiable"),
        ([Outcome.PASS, Outcome.INFRA], "infra-error"),
        ([Outcome.INFRA, Outcome.FAIL], "wrong"),
    ],
)
def test_the_worst_outcome_decides_a_case(outcomes: list[Outcome], ending: str) -> None:
    rungs = [Rung.IMPORTS, Rung.FORWARD, Rung.GRADIENTS]
    assert judge_case("c", [verdict(r, o) for r, o in zip(rungs, outcomes, strict=False)]).ending == ending


def test_the_highest_passed_rung_is_told() -> None:
    judged = judge_case("c", [verdict(Rung.FORWARD, Outcome.PASS), verdict(Rung.NAMES, Outcome.PASS)])
    assert judged.rung == "forward"


def test_the_worst_case_decides_a_migration() -> None:
    cases = [Judged("equal", "steps", case="a"), Judged("wrong", "forward", case="b"), Judged("unverifiable", case="c")]
    assert judge_all(cases).case == "b"
    assert judge_all([*cases[:1], cases[2]]).ending == "unverifiable"
    assert judge_all([]).ending == "unverifiable"


def row(kind: str, ending: str, **more: object) -> Row:
    expected = "refused" if kind in ("mutant", "wrong") else "equal"
    return Row.model_validate({"kind": kind, "id": "x", "expected": expected, "ending": ending, **more})


def test_a_failure_of_ours_kills_nothing() -> None:
    rows = (
        row("right", "equal"),
        row("mutant", "wrong", rung="forward", expected_rung="forward"),
        row("mutant", "wrong", rung="spec", expected_rung="forward"),
        row("mutant", "infra-error"),
        row("mutant", "equal"),
        row("variant", "wrong"),
        row("variant", "unverifiable"),
        row("variant", "equal-with-gap"),
    )
    totals = total([TaskResult(set="mutants", task="t", rows=rows)])
    assert (totals.killed, totals.wrong_migrations, totals.kill_rate) == (2, 4, 0.5)
    assert totals.killed_where_expected == 1
    assert (totals.rejected, totals.undecided, totals.right_migrations) == (1, 1, 4)
    assert totals.false_reject_rate == 0.25


def test_only_our_own_migrations_count_as_equal_or_wrong() -> None:
    rows = (row("reference", "equal"), row("wrong", "wrong"), row("migrated", "declined"))
    totals = total([TaskResult(set="programs", task="t", rows=rows)])
    assert (totals.equal, totals.wrong, totals.declined) == (0, 0, 1)
    assert totals.references_equal == 1


def test_rates_of_nothing_are_none() -> None:
    totals = total([])
    assert totals.kill_rate is None
    assert totals.false_reject_rate is None
    assert summary(totals, 1.0) == "0 tasks in 1 s"


def test_what_was_expected() -> None:
    assert as_expected(row("mutant", "wrong"))
    assert not as_expected(row("mutant", "unverifiable"))
    assert not as_expected(row("variant", "unverifiable"))
    assert as_expected(row("migrated", "not-run"))


def test_the_json_has_totals_and_tasks() -> None:
    result = EvalResult(sets=("mutants",), totals=total([]), tasks=())
    assert {"totals", "tasks"} <= set(result.model_dump(mode="json"))
    assert "kill_rate" in result.model_dump(mode="json")["totals"]
