"""Whole runs: what leaves the machine, and what never does. The server is scripted, the checks are real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import command
from tests.llm.scripted_server import MODEL, ScriptedServer, answers
from tests.source.tree import contents, plant

pytestmark = pytest.mark.timeout(600)

SOURCE = '''import tensorflow as tf

from settings import PASSWORD


def apart(x, y):
    """How far apart."""
    password = "correct-horse-battery"
    return tf.raw_ops.SquaredDifference(x=x, y=y)
'''
SETTINGS = 'PASSWORD = "hunter2-and-a-half"\n'
GOOD = answers(
    'def apart(x, y):\n    """How far apart."""\n    password = "REDACTED_SECRET_1"\n    return (x - y).square()\n',
    imports=["import torch"],
)
KEY = "sk-key-of-this-test-0123456789"


@pytest.fixture
def src(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIGRATOR_LEDGER", str(tmp_path / "ledger.sqlite"))
    return plant(tmp_path / "src", {"m.py": SOURCE, "settings.py": SETTINGS})


def run(src: Path, *more: str) -> Any:
    """A whole run into `out` beside the source; what it printed."""
    return command("run", str(src), "-o", str(src.parent / "out"), "--check", "forward", "--json", *more)


def to(server: ScriptedServer) -> tuple[str, ...]:
    return ("--model", MODEL, "--base-url", server.url)


def test_a_key_and_an_address_in_the_environment_send_nothing(src: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(otherwise=GOOD, key=KEY) as server:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        done = run(src)
        assert server.requests == []
        found = json.loads(done.out)["model"]
        assert (found["name"], found["address"], found["units"]) == ("", server.url, 1)
    assert not (src.parent / "ledger.sqlite").exists()


def test_a_dry_run_shows_what_would_leave_and_sends_nothing(src: Path) -> None:
    with ScriptedServer(otherwise=GOOD) as server:
        before = contents(src)
        shown = json.loads(run(src, *to(server), "--dry-run").out)["model"]["questions"]
        assert server.requests == []
        assert not (src.parent / "ledger.sqlite").exists()
        run(src, *to(server))
        sent = [(turn["role"], turn["content"]) for turn in server.chats[0].body["messages"]]
    assert [tuple(turn) for turn in shown[0]["messages"]] == sent
    assert contents(src) == before


def test_neither_the_key_nor_a_secret_of_the_source_is_written_or_sent(
    src: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ScriptedServer(otherwise=GOOD, key=KEY) as server:
        done = run(src, *to(server))
        bodies = json.dumps([seen.body for seen in server.requests])
    assert "apart" in bodies
    assert not any(secret in bodies for secret in ("correct-horse", "hunter2", KEY))
    files = [path for path in src.parent.rglob("*") if path.is_file() and src not in path.parents]
    assert {"m.py", "report.json", "ledger.sqlite"} <= {path.name for path in files}
    assert not any(KEY.encode() in path.read_bytes() for path in files)
    assert KEY not in done.out + done.err
    ledger = b"".join(path.read_bytes() for path in files if path.name.startswith("ledger"))
    assert b"correct-horse" not in ledger
    assert "correct-horse-battery" in (src.parent / "out/m.py").read_text()  # the code keeps what the original has


def test_what_the_repository_never_sends(src: Path) -> None:
    (src / "pyproject.toml").write_text('[tool.migrator]\nnever-send = ["m.py"]\n')
    with ScriptedServer(otherwise=GOOD) as server:
        done = run(src, *to(server))
        assert server.chats == []
    assert "never-send" in done.out
    assert "tf.raw_ops.SquaredDifference" in (src.parent / "out/m.py").read_text()


def test_an_endpoint_that_the_repository_does_not_allow(src: Path) -> None:
    (src / "pyproject.toml").write_text('[tool.migrator]\nallow-endpoints = ["models.example.com"]\n')
    with ScriptedServer(otherwise=GOOD) as server:
        done = run(src, *to(server))
        assert server.requests == []
    assert (done.code, "not among the allowed endpoints" in done.err) == (2, True)
    assert not (src.parent / "out").exists()
