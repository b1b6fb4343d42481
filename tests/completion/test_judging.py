"""What a model wrote is accepted only as far as some check ran it, its helpers too."""

from __future__ import annotations

from dataclasses import replace

from migrator.completion.judging import guarded, never_run
from migrator.model import Origin, Status, Unit, UnitKind, UnitResult, UnitRewrite

TEXT = """import torch


def helper(x):
    if x.dim() > 3:
        x = x - 1
    return x


def f(x):
    return helper(x) * 2
"""

UNIT = Unit("m.py::f", "m.py", "f", UnitKind.FUNCTION, 4, 5)
REWRITE = UnitRewrite(UNIT, "def f(x):\n    return helper(x) * 2\n", Origin.LLM, defines=("f",))
RAN = {"m.py::f": frozenset({"m.py:f", "m.py:helper", "m.py#5", "m.py#7", "m.py#11"})}
ALL = {"m.py::f": RAN["m.py::f"] | {"m.py#6"}}


def test_a_function_that_no_check_entered_is_named() -> None:
    assert never_run(REWRITE, TEXT, (), {"m.py::f": frozenset()}) == "f was never run"
    assert never_run(REWRITE, TEXT, (), RAN) == ""


def test_lines_of_helpers_count_as_well() -> None:
    assert never_run(REWRITE, TEXT, ("helper",), RAN) == "rewritten code never ran: lines 6"
    assert never_run(REWRITE, TEXT, ("helper",), ALL) == ""


def test_what_another_unit_ran_counts() -> None:
    both = {"m.py::f": RAN["m.py::f"], "m.py::g": frozenset({"m.py#6"})}
    assert never_run(REWRITE, TEXT, ("helper",), both) == ""


def test_only_what_a_model_wrote_is_held_back() -> None:
    accepted = UnitResult(REWRITE, Status.ACCEPTED, "equal up to gradients")
    held = guarded(accepted, TEXT, ("helper",), RAN)
    assert (held.status, held.reason) == (
        Status.NEEDS_REVIEW,
        "unverified: rewritten code never ran: lines 6",
    )
    assert guarded(accepted, TEXT, ("helper",), ALL) is accepted
    rules = replace(accepted, rewrite=replace(REWRITE, origin=Origin.RULES))
    assert guarded(rules, TEXT, ("helper",), {}) is rules
