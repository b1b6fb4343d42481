from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from migrator.report import PAGE_PATH, save
from tests.command import command
from tests.report.sample import AFTER, BEFORE, sample
from tests.source.tree import contents, plant

HEAVY = ("torch", "tensorflow", "keras", "tf_keras", "openai", "ray", "libcst", "numpy")


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_imports_nothing_heavy(argument: str) -> None:
    code = f"""
import sys
from migrator.cli import main
sys.argv = ["migrator", {argument!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "name", ["run", "plan", "verify", "review", "eval", "explain", "rules", "doctor", "batch", "sent"]
)
def test_every_command_has_help(name: str) -> None:
    done = command(name, "--help")
    assert done.code == 0
    assert f"migrator {name}" in done.out


@pytest.mark.parametrize("arguments", [["nonsense"], ["run"], ["run", "x", "--nonsense"], ["verify", "x"]])
def test_wrong_usage_is_exit_2(arguments: list[str]) -> None:
    assert command(*arguments).code == 2


def test_review_writes_the_page_from_what_is_on_disk(tmp_path: Path) -> None:
    source = plant(tmp_path / "src", {"m.py": BEFORE})
    out = plant(tmp_path / "out", {"m.py": AFTER + "edited = 1\n"})
    report = sample()
    save(report.model_copy(update={"run": report.run.model_copy(update={"source": str(source)})}), out)
    done = command("review", str(out))
    assert (done.code, done.out.strip()) == (0, str(out / PAGE_PATH))
    assert "edited" in (out / PAGE_PATH).read_text()


def test_review_without_the_source_still_shows_the_verdicts(tmp_path: Path) -> None:
    save(sample(), tmp_path)
    assert command("review", str(tmp_path)).code == 0
    assert "no rule for tf.weird" in (tmp_path / PAGE_PATH).read_text()


def test_a_bad_setting_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path / "src", {"m.py": "import tensorflow\n", "pyproject.toml": "[tool.migrator]\ncheck = 'all'\n"})
    before = contents(tmp_path)
    done = command("run", str(tmp_path / "src"))
    assert done.code == 2
    assert done.err.startswith("migrator: check: ")
    assert done.err.count("\n") == 1
    assert contents(tmp_path) == before
    monkeypatch.setenv("MIGRATOR_JOBS", "many")
    assert command("run", str(tmp_path / "src"), "--check", "none").err.startswith("migrator: jobs: ")


def test_plan_and_coverage_name_what_is_known_and_what_is_not(tmp_path: Path) -> None:
    source = plant(
        tmp_path / "src", {"m.py": "import tensorflow as tf\n\n\ndef f(x):\n    return tf.sin(tf.no_such(x))\n"}
    )
    before = contents(tmp_path)
    planned = json.loads(command("plan", str(source), "--json").out)
    assert {api["api"]: api["covered"] for api in planned["apis"]} == {"tf.sin": True, "tf.no_such": False}
    assert "m.py::f" in {item["unit"] for item in planned["left"]}
    covered = json.loads(command("rules", "--coverage", str(source), "--json").out)
    assert {row["api"]: row["covered"] for row in covered} == {"tf.sin": True, "tf.no_such": False}
    shown = command("rules", "--coverage", str(source)).out
    assert shown.index("tf.no_such") < shown.index("tf.sin")
    assert "1 of 2 uses are of a known API" in shown
    assert "0 of 1 files that use TensorFlow use known APIs only" in shown
    assert contents(tmp_path) == before


def test_diff_and_dry_run(tmp_path: Path) -> None:
    source = plant(tmp_path / "src", {"m.py": "import tensorflow as tf\n\n\ndef f(x):\n    return tf.sin(x)\n"})
    done = command("run", str(source), "--check", "none", "--dry-run", "--diff")
    assert done.code == 1  # nothing was checked
    assert "-    return tf.sin(x)\n+    return torch.sin(x)\n" in done.out
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


def test_an_interrupt_is_exit_130(tmp_path: Path) -> None:
    """The settings are a pipe, so that the command waits in a known place."""
    source = plant(tmp_path / "src", {"m.py": "import tensorflow\n"})
    pipe = source / "pyproject.toml"
    os.mkfifo(pipe)
    run = subprocess.Popen([sys.executable, "-m", "migrator", "run", str(source)], stderr=subprocess.PIPE)
    with pipe.open("w"):  # opens when the command reads it
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert b"Traceback" not in err


def test_explain_says_which_name_is_meant() -> None:
    done = command("explain", "reduce_sum")
    assert done.code == 2
    assert "is tf.reduce_sum meant?" in done.err
