from __future__ import annotations

from pathlib import PurePosixPath

from rich.console import Console

from migrator.model import SourceFile
from migrator.report import Plan, plan, plan_view
from tests.report.sample import repo, results


def planned() -> Plan:
    old = SourceFile(PurePosixPath("old.py"), uses_tf=True, why="Python 2 (line 1: x)")
    return plan(repo(old), [r.rewrite for r in results()], {"tf.sin": True, "tf.a": True})


def test_uses_are_counted_by_what_is_known() -> None:
    found = planned()
    assert [(api.api, api.uses, api.covered) for api in found.apis] == [
        ("tf.a", 1, True),
        ("tf.b", 1, False),
        ("tf.sin", 1, True),
        ("tf.weird", 1, False),
    ]
    assert (found.uses, found.uses_covered) == (4, 2)


def test_what_would_be_left_says_why() -> None:
    assert [(item.unit, item.reasons) for item in planned().left] == [("m.py::g", ("no rule for tf.weird",))]


def test_files_count_their_units() -> None:
    files = {file.path: file for file in planned().files}
    assert (files["m.py"].units, files["m.py"].drafted, files["m.py"].uses) == (4, 3, 4)
    assert files["old.py"].why.startswith("Python 2")


def test_the_view_shows_files_names_and_what_is_left() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(plan_view(planned()))
    text = " ".join(capture.get().split())
    for words in (
        "m.py 4 3 4",
        "old.py 0 0 0 Python 2",
        "tf.sin 1 yes",
        "tf.weird 1 no",
        "m.py::g no rule for tf.weird",
        "2 of 4 uses",
    ):
        assert words in text, words
