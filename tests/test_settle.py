"""What the verdicts of a unit make of it."""

from __future__ import annotations

from migrator import settle
from migrator.model import Origin, Outcome, Rung, Status, Unit, UnitKind, UnitRewrite, Verdict

LINE = "    return x + torch.ones(3)"
REWRITE = UnitRewrite(Unit("m.py::f", "m.py", "f", UnitKind.FUNCTION, 1, 2), f"def f(x):\n{LINE}\n", Origin.RULES)
FORWARD = Verdict(Rung.FORWARD, Outcome.PASS, "")


def mixed(line: str) -> Verdict:
    return Verdict(Rung.DEVICE, Outcome.GAP, f"on a GPU it fails at `{line}`", diverges=line)


def test_a_line_that_a_gpu_refuses_is_told_of_the_unit_that_has_it() -> None:
    ended = settle.result(REWRITE, [FORWARD, mixed(LINE.strip())])
    assert ended.status is Status.ACCEPTED
    assert ended.reason == f"equal up to forward; on a GPU it fails at `{LINE.strip()}`"


def test_a_line_of_another_unit_is_told_there() -> None:
    ended = settle.result(REWRITE, [FORWARD, mixed("return y + torch.ones(3)")])
    assert (ended.reason, ended.verdicts) == ("equal up to forward", (FORWARD,))
