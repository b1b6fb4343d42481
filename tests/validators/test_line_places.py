"""Lines are found again where the file around their definition has changed."""

from __future__ import annotations

from migrator_validators.line_places import absolute, relative

BEFORE = {"a.py": b"import torch\n\n\ndef f(x):\n    return x\n\n\n@torch.no_grad()\ndef g(x):\n    return f(x)\n"}
AFTER = {"a.py": b"import tensorflow as tf\n\n\ndef helper():\n    return 1\n\n\n" + BEFORE["a.py"]}
REACHED = {"a.py:f", "a.py#5", "a.py#8", "a.py#10", "a.py#10:4-9", "source a.py#2", "a.py#1"}


def test_lines_move_with_their_definition() -> None:
    moved = absolute(relative(REACHED, BEFORE), AFTER)
    assert moved == {"a.py:f", "a.py#12", "a.py#15", "a.py#17", "a.py#17:4-9", "source a.py#2", "a.py#1"}


def test_unchanged_files_give_the_same_lines() -> None:
    assert absolute(relative(REACHED, BEFORE), BEFORE) == REACHED


def test_a_definition_that_is_gone_has_no_lines() -> None:
    only = {"a.py": b"def g(x):\n    return x\n"}
    assert absolute(relative({"a.py#5", "a.py#10"}, BEFORE), only) == {"a.py#3"}


def test_namesakes_are_told_apart() -> None:
    twice = {"a.py": b"def f():\n    return 1\n\n\ndef f():\n    return 2\n"}
    assert relative({"a.py#2", "a.py#6"}, twice) == {"a.py#f@0+1", "a.py#f@1+1"}
    assert absolute(relative({"a.py#6"}, twice), twice) == {"a.py#6"}


def test_what_does_not_parse_stays_as_it_is() -> None:
    assert relative({"a.py#2"}, {"a.py": b"def f(:\n"}) == {"a.py#2"}
