import pytest

from migrator.evals.migrated import judge
from migrator.evals.result import TaskResult
from migrator.evals.score import total
from migrator.model import Origin, Outcome, Rung, Status, Unit, UnitKind, UnitResult, UnitRewrite, Verdict


def unit(name: str, status: Status, *verdicts: tuple[Rung, Outcome], reason: str = "") -> UnitResult:
    rewrite = UnitRewrite(Unit(f"m.py::{name}", "m.py", name, UnitKind.FUNCTION, 1, 2), "pass\n", Origin.RULES)
    return UnitResult(rewrite, status, reason, tuple(Verdict(rung, outcome, "") for rung, outcome in verdicts))


GOOD = unit("good", Status.ACCEPTED, (Rung.FORWARD, Outcome.PASS), (Rung.GRADIENTS, Outcome.PASS))
WITH_GAP = unit("gap", Status.ACCEPTED, (Rung.TRAINING, Outcome.GAP))
PLAIN = unit("plain", Status.UNTOUCHED)
LEFT = unit("left", Status.NEEDS_REVIEW, reason="no rule for tf.foo")
UNKNOWN = unit("unknown", Status.UNVERIFIABLE, reason="nothing could be run")
BROKEN = unit("broken", Status.INFRA_ERROR, reason="the worker did not answer")


@pytest.mark.parametrize(
    ("units", "ending"),
    [
        ([GOOD, PLAIN], "equal"),
        ([GOOD, WITH_GAP], "equal-with-gap"),
        ([GOOD, UNKNOWN], "unverifiable"),
        ([GOOD, UNKNOWN, LEFT], "declined"),
        ([LEFT, BROKEN], "infra-error"),
        ([PLAIN], "unverifiable"),
        ([], "unverifiable"),
    ],
)
def test_the_worst_unit_decides_a_program(units: list[UnitResult], ending: str) -> None:
    assert judge(units).ending == ending


def test_what_is_left_is_told_with_its_reason() -> None:
    row = judge([GOOD, PLAIN, LEFT])
    assert row.detail == "1 of 2 units accepted; left: no rule for tf.foo"
    assert row.rung == "gradients"
    assert row.cases == {"good": "accepted gradients", "plain": "untouched", "left": "needs-review"}


def test_a_declined_program_counts_as_such() -> None:
    totals = total([TaskResult(set="programs", task="t", rows=(judge([GOOD, LEFT]),))])
    assert (totals.declined, totals.equal, totals.wrong) == (1, 0, 0)
