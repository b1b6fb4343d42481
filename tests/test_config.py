from __future__ import annotations

from pathlib import Path

import pytest

from migrator.config import load
from migrator.errors import UsageError


def configure(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.out, settings.check, settings.sandbox, settings.keras, settings.jobs) == (
        None,
        "training",
        "bubblewrap",
        "auto",
        1,
    )


def test_flag_over_environment_over_file_over_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    src = configure(
        tmp_path, '[tool.migrator]\ncheck = "import"\nkeras = 2\njobs = 3\nexclude = ["tests/"]\nout = "../there"\n'
    )
    monkeypatch.setenv("MIGRATOR_CHECK", "forward")
    monkeypatch.setenv("MIGRATOR_INCLUDE", "a.py, b/")
    settings = load(src, jobs=5, out=None)
    assert (settings.check, settings.jobs, settings.keras) == ("forward", 5, "2")
    assert settings.exclude == ("tests/",)
    assert settings.include == ("a.py", "b/")
    assert settings.out == src / "../there"
    assert load(src, check="none").check == "none"


def test_the_file_beside_a_single_source_counts(tmp_path: Path) -> None:
    configure(tmp_path, '[tool.migrator]\ntf-python = "/opt/tf/bin/python"\n')
    assert load(tmp_path / "model.py").tf_python == "/opt/tf/bin/python"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.migrator]\nchek = 1\n", "no setting 'chek'"),
        ('[tool.migrator]\nsandbox = "none"\n', "command line or the environment only"),
        ('[tool.migrator]\ncheck = "all"\n', "check: Input should be"),
        ("[tool.migrator]\njobs = 0\n", "jobs: "),
        ("[tool\n", "cannot be read"),
        ("[tool]\nmigrator = 3\n", "not a table"),
    ],
)
def test_mistakes_in_the_file_are_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        load(configure(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_misspelt_variable_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATOR_CHEK", "forward")
    with pytest.raises(UsageError, match="MIGRATOR_CHEK"):
        load(tmp_path)


def test_other_tools_tables_do_not_matter(tmp_path: Path) -> None:
    assert load(configure(tmp_path, "[tool.other]\ncheck = 1\n")).check == "training"
