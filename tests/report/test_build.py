from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from migrator.model import Rung, SourceFile, Status
from migrator.report import Run, build
from tests.report.sample import repo, results, sample


def test_totals_count_what_is_there() -> None:
    totals = sample().totals
    assert (totals.files, totals.files_with_tf, totals.other_files, totals.units) == (1, 1, 1, 4)
    assert totals.by_status == {"accepted": 1, "needs-review": 2, "untouched": 1}
    assert totals.by_rung == {"forward": {"fail": 1, "pass": 1}, "steps": {"equal-with-gap": 1}}
    assert totals.by_origin == {"rules": 2, "untouched": 2}
    assert (totals.uses, totals.uses_rewritten) == (4, 1)
    assert (totals.islands, totals.islands_whole) == (2, 1)


def test_units_stand_in_source_order_with_all_that_is_known() -> None:
    units = sample().units
    assert [u.name for u in units] == ["imports", "f", "g", "h"]
    f, g, h = units[1:]
    assert f.highest == Rung.STEPS
    assert f.migrated
    assert f.verdicts[0].measured == {"values": 3.1e-7}
    assert f.changes[0].added == ("in_features",)
    assert (g.declines[0].reason, g.declines[0].line, g.migrated) == ("no rule for tf.weird", 9, False)
    assert h.verdicts[0].measured == {"values": None}
    assert h.highest is None


@pytest.mark.parametrize(
    ("kept", "file", "code"),
    [
        ((Status.ACCEPTED, Status.UNTOUCHED), None, 0),
        ((Status.ACCEPTED, Status.NEEDS_REVIEW), None, 1),
        ((Status.ACCEPTED,), SourceFile(PurePosixPath("old.py"), uses_tf=True, why="Python 2"), 1),
        ((Status.ACCEPTED,), SourceFile(PurePosixPath("old.py"), uses_tf=False, why="Python 2"), 0),
        ((Status.ACCEPTED,), SourceFile(PurePosixPath("old.py"), uses_tf=True, why="left out by --exclude"), 0),
        ((), None, 0),
    ],
)
def test_the_exit_code_is_zero_only_when_all_is_settled(
    kept: tuple[Status, ...], file: SourceFile | None, code: int
) -> None:
    files = (file,) if file else ()
    report = build([r for r in results() if r.status in kept], repo(*files), Run(tool_version="0"))
    assert report.exit_code == code


@pytest.mark.parametrize("status", [Status.UNVERIFIABLE, Status.INFRA_ERROR])
def test_what_could_not_be_checked_is_not_passed(status: Status) -> None:
    from dataclasses import replace

    report = build([replace(results()[0], status=status)], repo(), Run(tool_version="0"))
    assert report.exit_code == 1


def test_a_result_of_an_unknown_file_is_a_bug() -> None:
    with pytest.raises(ValueError, match=r"m\.py"):
        build(results(), repo().__class__("/src", ()), Run(tool_version="0"))
