from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrator.errors import UsageError
from migrator.report import document, dumps, load, loads, save
from tests.report.sample import sample


def test_a_report_survives_the_disk(tmp_path: Path) -> None:
    report = sample()
    save(report, tmp_path)
    assert load(tmp_path) == report
    assert [p.name for p in (tmp_path / "migration").iterdir()] == ["report.json"]


def test_figures_that_are_not_finite_are_valid_json() -> None:
    text = dumps(sample())
    assert "Infinity" not in text
    assert json.loads(text)["version"] == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "report version None"),
        ('{"version": 99}', "report version 99, this tool reads version 2"),
        ('{"version": 2}', "not a report of migrator .run"),
        ('{"version": 2, "run": {"tool_version": "1", "extra": 2}}', r"run\.extra"),
    ],
)
def test_other_files_are_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        loads(text)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_report(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is it an output of migrator"):
        load(tmp_path)


def test_the_published_schema_is_fresh() -> None:
    assert document.main(["--check"]) == 0
