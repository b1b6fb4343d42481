"""Lines that no check ran: rewritten ones are told from those that stayed as they were."""

from __future__ import annotations

import pytest

from migrator.model import Origin, Outcome, Unit, UnitKind, UnitRewrite
from migrator.unrun import Ran, lines_verdict, of_path

SOURCE = '''import tensorflow as tf


def f(x, wide=False):
    """Sums."""
    if wide:
        y = 3
        x = tf.square(x)
    if x is None:
        raise ValueError(tf.version)
    return tf.reduce_sum(x)
'''
TARGET = (
    SOURCE.replace("tf.square", "torch.square")
    .replace("tf.reduce_sum", "torch.sum")
    .replace("tensorflow as tf", "torch")
)
ALL = frozenset(range(1, 13))
REWRITE = UnitRewrite(Unit("a.py::f", "a.py", "f", UnitKind.FUNCTION, 4, 11), "", Origin.RULES, defines=("f",))


def said(
    source: frozenset[int], target: frozenset[int], migrated: str = TARGET
) -> tuple[Outcome, str, tuple[str, ...]]:
    verdict = lines_verdict(REWRITE, SOURCE, migrated, Ran(source, target))
    assert verdict is not None
    return verdict.outcome, verdict.detail, verdict.unchecked


def test_a_raise_need_not_run() -> None:
    assert said(ALL - {10}, ALL - {10}) == (Outcome.PASS, "every rewritten line ran", ())


def test_a_rewritten_line_that_never_ran_keeps_it_from_being_accepted() -> None:
    outcome, detail, notes = said(ALL - {7, 8}, ALL - {7, 8})
    assert outcome is Outcome.UNVERIFIABLE
    assert detail == "rewritten code never ran: lines 8 and lines 8 of the original"
    assert notes == ("lines that never ran: 7-8",)


def test_a_line_that_stayed_is_named_alone() -> None:
    assert said(ALL - {7}, ALL - {7}) == (Outcome.PASS, "every rewritten line ran", ("lines that never ran: 7",))


def test_a_branch_that_is_gone_counts_on_the_original() -> None:
    gone = TARGET.replace("        x = torch.square(x)\n", "")
    outcome, detail, _ = said(ALL - {8}, ALL, gone)
    assert (outcome, detail) == (Outcome.UNVERIFIABLE, "rewritten code never ran: lines 8 of the original")


def test_a_build_that_returns_where_it_was_built_need_not_do_so() -> None:
    source = SOURCE.replace(
        "if wide:\n        y = 3\n        x = tf.square(x)", "if self.built:\n        return\n    y = 3"
    )
    gone = TARGET.replace("if wide:\n        y = 3\n        x = torch.square(x)", "y = 3\n    y = 3")
    verdict = lines_verdict(REWRITE, source, gone, Ran(ALL - {7}, ALL))
    assert verdict is not None
    assert verdict.outcome is Outcome.PASS
    verdict = lines_verdict(REWRITE, source.replace("self.built", "wide"), gone, Ran(ALL - {7}, ALL))
    assert verdict is not None
    assert verdict.outcome is Outcome.UNVERIFIABLE


def test_the_branch_of_another_image_format_need_not_run() -> None:
    source = SOURCE.replace("if wide:", "if K.image_data_format() == 'channels_first':")
    gone = TARGET.replace("    if wide:\n        y = 3\n        x = torch.square(x)\n", "")
    verdict = lines_verdict(REWRITE, source, gone, Ran(ALL - {7, 8}, ALL))
    assert verdict is not None
    assert verdict.outcome is Outcome.PASS
    other = source.replace("K.image_data_format()", "self.data_format")
    verdict = lines_verdict(REWRITE, other, gone, Ran(ALL - {7, 8}, ALL))
    assert verdict is not None
    assert verdict.outcome is Outcome.UNVERIFIABLE


def test_what_autograph_ran_says_nothing_of_lines() -> None:
    assert said(frozenset(), ALL - {10})[0] is Outcome.PASS


def test_lines_of_a_file_are_told_from_functions_and_other_files() -> None:
    reached = [{"a.py:f", "a.py#3", "source a.py#4", "b.py#9", "source b.py#7"}]
    assert of_path(reached, "a.py") == Ran(frozenset({4}), frozenset({3}))


SCRIPT = """import tensorflow as tf

x = tf.ones(3)
if wide:
    x = tf.square(x)
print(x)
"""
OF_SCRIPT = UnitRewrite(
    Unit("a.py::x@3", "a.py", "x@3", UnitKind.SCRIPT, 3, 6),
    SCRIPT.replace("tf.", "torch.").partition("\n\n")[2],
    Origin.RULES,
)


def test_a_branch_of_a_script_that_never_ran_counts() -> None:
    migrated = SCRIPT.replace("tf.", "torch.").replace("tensorflow as tf", "torch")
    every = frozenset(range(1, 7))
    ended = lines_verdict(OF_SCRIPT, SCRIPT, migrated, Ran(every, every))
    assert ended is not None
    assert ended.outcome is Outcome.PASS
    missed = lines_verdict(OF_SCRIPT, SCRIPT, migrated, Ran(every - {5}, every - {5}))
    assert missed is not None
    assert missed.outcome is Outcome.UNVERIFIABLE
    assert missed.detail == "rewritten code never ran: lines 5 and lines 5 of the original"


CHOICE = """import tensorflow as tf


def f(x, wide=False):
    scale = 2.0 if wide else 1.0
    y = tf.square(x) if wide else tf.abs(x)
    return (y if x is None else tf.reduce_sum(y)) * scale
"""
CHOSEN = CHOICE.replace("tf.square", "torch.square").replace("tf.abs", "torch.abs").replace("tf.reduce_", "torch.")
PLACES = {"torch.square(x)": "6:8-23", "torch.abs(x)": "6:37-49", "torch.sum(y)": "7:32-44", "2.0": "5:12-15"}


@pytest.mark.parametrize("part", ["torch.square(x)", "torch.abs(x)", "torch.sum(y)"])
def test_the_value_of_a_condition_that_was_never_taken_counts_where_it_is_rewritten(part: str) -> None:
    ran = frozenset({"1:0-0", *PLACES.values()} - {PLACES[part]})
    verdict = lines_verdict(REWRITE, CHOICE, CHOSEN, Ran(ALL, ALL, ran))
    assert verdict is not None
    assert verdict.outcome is Outcome.UNVERIFIABLE
    assert verdict.detail == f"rewritten code never ran: lines {PLACES[part].partition(':')[0]}"


@pytest.mark.parametrize("parts", [None, frozenset(PLACES.values()), frozenset({*PLACES.values()} - {PLACES["2.0"]})])
def test_parts_that_stayed_or_are_not_known_count_for_nothing(parts: frozenset[str] | None) -> None:
    verdict = lines_verdict(REWRITE, CHOICE, CHOSEN, Ran(ALL, ALL, parts))
    assert verdict is not None
    assert verdict.outcome is Outcome.PASS


def test_a_device_that_is_not_there_need_not_be_used() -> None:
    there = CHOSEN.replace("torch.square(x) if wide", "x.cuda() if torch.cuda.is_available()")
    verdict = lines_verdict(REWRITE, CHOICE, there, Ran(ALL, ALL, frozenset({"6:57-69", "7:32-44"})))
    assert verdict is not None
    assert verdict.outcome is Outcome.PASS


FORMULA = """import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self):
        a = torch.ones(2)
        return a * 2


d = Model()()
"""


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        ("", "", Outcome.PASS),
        ("super().__init__()", "super().__init__()\n        self.a = nn.Linear(2, 2)", Outcome.UNVERIFIABLE),
        ("return a * 2", "return a * 2 if d else a", Outcome.UNVERIFIABLE),
        ("        a = torch.ones(2)\n", "        if d:\n            a = torch.ones(2)\n", Outcome.UNVERIFIABLE),
        ("        a = torch.ones(2)\n", "        print(d)\n        a = torch.ones(2)\n", Outcome.UNVERIFIABLE),
    ],
)
def test_a_script_that_became_a_formula_is_compared_by_what_it_gets(old: str, new: str, outcome: Outcome) -> None:
    text = FORMULA.replace(old, new) if old else FORMULA
    unit = Unit("a.py::d@1", "a.py", "d", UnitKind.SCRIPT, 1, 3)
    rewrite = UnitRewrite(unit, "d = Model()()\n", Origin.RULES, defines=("Model", "d"))
    methods = {n for n, line in enumerate(text.splitlines(), 1) if line.startswith("        ") and "super" not in line}
    ran = frozenset(range(1, 40)) - methods
    verdict = lines_verdict(rewrite, "import tensorflow as tf\na = tf.ones(2)\nd = a * 2\n", text, Ran(ran, ran))
    assert verdict is not None
    assert verdict.outcome is outcome
