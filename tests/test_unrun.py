"""Lines that no check ran: rewritten ones are told from those that stayed as they were."""

from __future__ import annotations

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
