from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from migrator.report.diff import side_by_side


def shown(before: str, after: str, units: dict[int, str] | None = None) -> list[str]:
    rows = side_by_side(before, after, units or {})
    return [
        f"{r.kind} {r.left or '-'}|{r.right or '-'}{' ' + r.unit if r.unit else ''}{' hidden' if r.hidden else ''}"
        for r in rows
    ]


def test_equal_changed_and_one_sided_lines() -> None:
    assert shown("a\nb\nc\n", "a\nB\nc\nd\n") == ["same 1|1", "change 2|2", "same 3|3", "add -|4"]


def test_long_unchanged_runs_fold_but_units_stay_visible() -> None:
    text = "".join(f"x{n} = {n}\n" for n in range(30))
    rows = side_by_side(text, text + "y = 1\n", {15: "m.py::f"})
    assert [r.folded for r in rows if r.folded] == [14, 12]
    assert not rows[14].hidden
    assert rows[14].unit == "m.py::f"
    assert not rows[-1].hidden


def test_text_is_escaped_and_coloured() -> None:
    row = side_by_side("x = '<b>' # hi\n", "", {})[0]
    assert "<b>" not in row.left_html
    assert "&lt;b&gt;" in row.left_html
    assert '<span class="c1">' in row.left_html


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(TEXT, TEXT)
def test_every_line_appears_once_on_its_side(before: str, after: str) -> None:
    rows = side_by_side(before, after, {})
    for text, numbers in ((before, [r.left for r in rows]), (after, [r.right for r in rows])):
        count = text.count("\n") + (1 if text and not text.endswith("\n") else 0)
        assert [n for n in numbers if n] == list(range(1, count + 1))
    for row in rows:
        assert not re.search(r"<(?!/?span)", row.left_html)
