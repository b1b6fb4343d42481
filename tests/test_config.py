from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrator.asking import options
from migrator.config import load
from migrator.errors import UsageError
from migrator.llm.budget import Limits


def configure(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.out, settings.check, settings.sandbox, settings.keras) == (None, "training", "bubblewrap", "auto")
    assert 1 <= settings.jobs <= len(os.sched_getaffinity(0))


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


def test_fidelity_by_flag_variable_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(tmp_path).fidelity == "idiomatic"
    src = configure(tmp_path, '[tool.migrator]\nfidelity = "exact"\n')
    assert load(src).fidelity == "exact"
    monkeypatch.setenv("MIGRATOR_FIDELITY", "idiomatic")
    assert load(src).fidelity == "idiomatic"
    assert load(src, fidelity="exact").fidelity == "exact"
    with pytest.raises(UsageError, match="fidelity: Input should be"):
        load(src, fidelity="loose")


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


def test_a_model_says_who_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-no-consent")
    assert (load(tmp_path).model, load(tmp_path).model_named_by) == (None, "")
    configure(tmp_path, '[tool.migrator]\nmodel = "from-file"\n')
    assert (load(tmp_path).model, load(tmp_path).model_named_by) == ("from-file", "configuration")
    monkeypatch.setenv("MIGRATOR_MODEL", "from-environment")
    assert (load(tmp_path).model, load(tmp_path).model_named_by) == ("from-environment", "environment")
    assert load(tmp_path, model="from-flag").model_named_by == "flag"


def test_the_repository_narrows_and_never_widens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(
        tmp_path,
        '[tool.migrator]\nnever-send = ["secret/"]\nallow-endpoints = ["localhost", "evil.example"]\n'
        "budget-usd = 100\nbudget-tokens = 1000\n",
    )
    monkeypatch.setenv("MIGRATOR_NEVER_SEND", "private.py")
    found = options(load(tmp_path, budget_usd=2.0, allow_endpoints=("localhost",)))
    assert found.never_send == ("private.py", "secret/")
    assert found.allow_endpoints == (("localhost",), ("localhost", "evil.example"))
    assert found.run_limits == Limits(usd=2.0, tokens=1000)


@pytest.mark.parametrize(
    "line",
    [
        'base-url = "http://evil"',
        'price = "0,0"',
        "send-values = true",
        'ledger = "x"',
        'api-key = "x"',
        'replies = "x"',
    ],
)
def test_the_repository_does_not_say_where_source_is_sent(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match="environment only"):
        load(configure(tmp_path, f"[tool.migrator]\n{line}\n"))


@pytest.mark.parametrize("name", ["MIGRATOR_REPOSITORY_BUDGET_USD", "MIGRATOR_MODEL_NAMED_BY"])
def test_what_the_program_sets_itself_is_no_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(UsageError, match=name):
        load(tmp_path)


def test_a_key_is_in_no_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATOR_API_KEY", "sk-very-secret")
    settings = load(tmp_path)
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk-very-secret"
    assert "sk-very" not in settings.model_dump_json() + repr(settings) + repr(options(settings))
