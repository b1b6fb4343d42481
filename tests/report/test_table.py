from __future__ import annotations

import pytest
from rich.console import Console

from migrator.report import progress, summary
from migrator.report.words import figure
from tests.report.sample import sample


def rendered(width: int = 160) -> str:
    console = Console(width=width, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(summary(sample(), width))
    return capture.get()


def test_the_table_names_units_rungs_figures_and_reasons() -> None:
    lines = [" ".join(line.split()) for line in rendered().splitlines()]
    assert lines[:6] == [
        "m.py",
        "f accepted ≈ steps",
        "weights 2.00e-03",
        "weights, gap removed 1.00e-07",
        "g needs review no rule for tf.weird",
        "h needs review ✗ forward forward differs",
    ]
    assert "values not finite > 1.00e-05" in lines
    assert "4 units in 1 Python files: 1 accepted, 2 needs review, 1 untouched" in lines
    assert "1 of 4 uses of TensorFlow rewritten" in lines
    assert not any("imports" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_terminal_loses_no_reason(width: int) -> None:
    text = "".join(rendered(width).split())
    assert "tf.weird" in text
    assert "1.00e-07" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "not finite"), (3.0, "3"), (3.1e-7, "3.10e-07"), (0.5, "0.5"), (12345.5, "1.23e+04"), (0.0, "0")],
)
def test_figures_are_short(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_progress_is_silent_off_a_terminal() -> None:
    console = Console(force_terminal=False)
    with console.capture() as capture, progress(console) as step:
        step("checking", 1, 2)
    assert capture.get().strip() == ""
