"""Whole runs with the scripted server: batches handed in, a server that stops answering. The checks are real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import command
from tests.llm.scripted_server import MODEL, NO_QUOTA, ScriptedServer, answers
from tests.source.tree import plant

pytestmark = pytest.mark.timeout(600)

SOURCE = '''import tensorflow as tf


def total(x):
    return tf.reduce_sum(x, axis=1)


def apart(x, y):
    """How far apart."""
    return tf.raw_ops.SquaredDifference(x=x, y=y)


def nearest(x):
    return tf.raw_ops.Rint(x=x)


def check():
    return apart(tf.ones((2, 9)), tf.zeros((2, 9))), nearest(tf.ones((2, 3)) * 1.5), total(tf.ones((2, 3)))
'''

APART = answers('def apart(x, y):\n    """How far apart."""\n    return (x - y).square()\n', imports=["import torch"])
NEAREST = answers("def nearest(x):\n    return torch.round(x)\n", imports=["import torch"])
WRONG = answers("def nearest(x):\n    return torch.ceil(x)\n", imports=["import torch"])
ABOUT_APART, ABOUT_NEAREST = "`apart` (function)", "`nearest` (function)"


@pytest.fixture
def src(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIGRATOR_LEDGER", str(tmp_path / "ledger.sqlite"))
    return plant(tmp_path / "src", {"m.py": SOURCE})


def asked(src: Path, server: ScriptedServer, *more: str) -> list[str]:
    return ["run", str(src), "--model", MODEL, "--base-url", server.url, *more]


def statuses(out: str) -> dict[str, str]:
    return {unit["id"].split("::")[1]: unit["status"] for file in json.loads(out)["files"] for unit in file["units"]}


def test_a_batch_from_file_to_accepted_units(src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Round one is answered right and wrong; round two asks again about what was wrong, with the figures."""
    monkeypatch.setenv("MIGRATOR_API_KEY", "key")
    out = tmp_path / "out"
    file, replies = out / "migration/batch.jsonl", out / "migration/batch.replies.jsonl"
    with ScriptedServer({ABOUT_APART: (APART,), ABOUT_NEAREST: (WRONG, NEAREST)}) as server:
        told = asked(src, server, "-o", str(out), "--llm", "batch")
        place = ["--model", MODEL, "--base-url", server.url]
        first = command(*told)
        assert (first.code, len(file.read_text().splitlines())) == (1, 2), first.err
        assert f"Next: migrator batch {file} --model {MODEL} --base-url {server.url}" in first.out
        command("batch", str(file), *place)
        kept = replies.rename(tmp_path / "one.jsonl")
        second = command(*told, "--json", "--replies", str(kept))
        assert second.code == 1, second.err
        assert statuses(second.out)["apart"] == "accepted"
        assert statuses(second.out)["nearest"] == "needs-review"
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert len(lines) == 1
        assert "torch.ceil" in json.dumps(lines[0]["body"])
        assert command("batch", str(file), *place).code == 0
        kept = replies.rename(tmp_path / "two.jsonl")
        third = command(*told, "--json", "--replies", str(kept))
        assert server.chats == []
    assert third.code == 0, third.err
    assert set(statuses(third.out).values()) == {"accepted"}
    assert "torch.round" in (out / "m.py").read_text()


def test_a_server_that_stops_answering_ends_the_questions_and_not_the_run(src: Path, tmp_path: Path) -> None:
    with ScriptedServer({ABOUT_APART: (APART,), ABOUT_NEAREST: (NO_QUOTA,)}) as server:
        done = command(*asked(src, server, "-o", str(tmp_path / "out"), "--json"))
        assert server.asked[ABOUT_NEAREST] == 1
    assert done.code == 1, done.err
    found = statuses(done.out)
    assert (found["total"], found["apart"], found["nearest"]) == ("accepted", "accepted", "needs-review")
    assert "the quota" in done.out
    assert "tf.raw_ops.Rint" in (tmp_path / "out/m.py").read_text()
