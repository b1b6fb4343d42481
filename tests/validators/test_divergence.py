"""Where two programs first differ is found and said; a failure is told apart from what only follows from it."""

from __future__ import annotations

import re

import pytest
from migrator_validators.check import check_case
from migrator_validators.workers import Limits, Workers, pack_tree

from migrator.model import Outcome, Rung, Verdict
from tests.validators.pairs import CASES, SOURCE, check

FIRST = [
    ("model", ("eps=1e-3, ", ""), "the output of `bn` (BatchNormalization)", "its input agrees"),
    ("model", ("x.permute(0, 2, 3, 1).flatten(1)", "x.flatten(1)"), "the output of `fc` (Dense)", "the order of its"),
    ("model", ("F.relu(self.conv(x))", "F.elu(self.conv(x))"), "the output of `bn`", "its input differs already"),
    ("model", ("nn.Dropout(rate)", "nn.Dropout(rate / 2)"), "the output of `dropout` (Dropout)", "its input agrees"),
    (
        "model",
        ("F.relu(self.conv(x))", "F.relu(self.conv(x)).detach()"),
        "gradient of conv.weight",
        "bn.bias, gradient",
    ),
    ("distances", ("d = ", "d = 1.001 * "), "`d` in `distances`", "by `d = 1.001 * "),
    ("distances", ("torch.sqrt(d)", "torch.sqrt(d + 1e-4)"), "what `distances` returns", "values before it agree"),
    ("distances", ("torch.sqrt(d)", "torch.sqroot(d)"), "AttributeError raised by `return d", "torch.sqroot(d)`"),
    ("loss", ("y.long())", "y.long(), reduction='sum')"), "what `loss` returns", "reduction='sum')`"),
    (
        "layer",
        ("self.out(x @ self.kernel)", "self.out(x @ self.kernel).abs()"),
        "what `Cross.forward` returns",
        ".abs()",
    ),
]


def failed(name: str, workers: Workers, *changes: tuple[str, str], explain: bool = True) -> Verdict:
    found = [v for v in check(name, workers, *changes, explain=explain) if v.outcome is Outcome.FAIL]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(("name", "change", "what", "more"), FIRST)
def test_the_first_difference_is_said_of_a_failure(
    name: str, change: tuple[str, str], what: str, more: str, workers: Workers
) -> None:
    verdict = failed(name, workers, change)
    assert what in verdict.diverges
    assert more in verdict.diverges


def test_it_has_figures_in_both_precisions(workers: Workers) -> None:
    said = failed("model", workers, ("eps=1e-3, ", "")).diverges
    single, double = said.split("; in float64: ")
    figures = re.compile(r"max difference ([\d.e-]+), allowed ([\d.e-]+)")
    (measured, allowed), (wide, exact) = (map(float, figures.findall(text)[0]) for text in (single, double))
    assert measured == pytest.approx(wide, rel=0.01)  # a wrong epsilon is no rounding
    assert measured > 10 * allowed > 1000 * exact


def test_it_changes_no_verdict_and_is_searched_only_where_asked(workers: Workers) -> None:
    plain = check("model", workers, ("eps=1e-3, ", "")).verdicts
    told = check("model", workers, ("eps=1e-3, ", ""), explain=True).verdicts
    assert [(v.rung, v.outcome, v.measured, v.detail) for v in plain] == [
        (v.rung, v.outcome, v.measured, v.detail) for v in told
    ]
    assert not any(v.diverges for v in plain)


def test_a_right_migration_has_none(workers: Workers) -> None:
    assert not any(v.diverges for v in check("model", workers, explain=True))


SLOW = ("d = ", "import time; time.sleep(60)\n    d = ")
LARGE = ("d = ", "torch.ones(1 << 31)\n    d = ")
KILLED = ("d = ", "import os; os.kill(os.getpid(), 9)\n    d = ")


def test_a_limit_that_the_original_kept_is_named(workers: Workers) -> None:
    check("distances", workers)  # both interpreters are warm
    slow = check("distances", workers, SLOW, timeout=6.0).verdicts[-1]
    assert (slow.outcome, slow.limit) == (Outcome.INFRA, "time")
    killed = check("distances", workers, KILLED).verdicts[-1]
    assert (killed.outcome, killed.limit) == (Outcome.INFRA, "memory")
    large = check("distances", workers, LARGE).verdicts[-1]
    assert (large.rung, large.outcome, large.limit) == (Rung.FORWARD, Outcome.FAIL, "memory")


def test_a_limit_that_the_original_breaks_as_well_is_nobodys_fault() -> None:
    source = SOURCE.replace("    d = tf", "    import time; time.sleep(60)\n    d = tf")
    with Workers(limits=Limits(seconds=6.0)) as own:
        tree = pack_tree({"program.py": source})
        (verdict,) = check_case(CASES["distances"], tree, tree, own)
    assert (verdict.outcome, verdict.limit) == (Outcome.INFRA, "")
