from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from migrator.errors import UsageError
from migrator.llm.ledger import Asked, Ledger, Received
from migrator.llm.migrations import MIGRATIONS, migrate
from tests.llm.asking import prompt
from tests.llm.scripted_server import ScriptedServer, Step, answers

GOOD = answers("def f(x):\n    return x\n")
RECEIVED = Received("text", "stop", None, 10, 20, 0.5, 1.0)


def asked(key: str = "k", unit: str = "a.py::f", run: str = "run-1") -> Asked:
    return Asked(key, run, "scripted", "http://localhost", prompt(unit))


def test_a_reply_is_found_by_its_key_alone(ledger: Ledger) -> None:
    call = ledger.begin(asked())
    assert ledger.reply("k") is None
    ledger.receive(call, RECEIVED)
    assert ledger.reply("k") == (call, RECEIVED)
    assert ledger.reply("other") is None


def test_beginning_again_never_forgets_a_reply(ledger: Ledger) -> None:
    call = ledger.begin(asked())
    ledger.receive(call, RECEIVED)
    assert ledger.begin(asked(run="run-2")) == call
    assert ledger.reply("k") == (call, RECEIVED)
    assert ledger.paid("run-2").calls == 0


def test_a_failed_call_is_no_reply(ledger: Ledger) -> None:
    call = ledger.begin(asked())
    ledger.fail(call, "no reply within 1 s")
    assert ledger.reply("k") is None
    assert ledger.begin(asked()) == call


def test_what_was_paid_by_run_and_unit(ledger: Ledger) -> None:
    for key, unit in (("1", "a.py::f"), ("2", "a.py::f"), ("3", "b.py::g")):
        ledger.receive(ledger.begin(asked(key, unit)), RECEIVED)
    found = ledger.reply("1")
    assert found is not None
    ledger.use("run-1", found[0])
    ledger.use("run-2", found[0])
    assert (ledger.paid("run-1").calls, ledger.paid("run-1").tokens_in, ledger.paid("run-1").usd) == (3, 30, 1.5)
    assert ledger.paid_by_unit("run-1")["a.py::f"].tokens_out == 40
    assert (ledger.paid("run-2").calls, ledger.paid("run-2").usd, ledger.paid("run-2").cached) == (0, 0, 1)
    assert ledger.paid("nobody").calls == 0


def test_the_record_of_what_was_sent(ledger: Ledger, tmp_path: Path) -> None:
    call = ledger.begin(asked())
    ledger.attempt(call)
    ledger.attempt(call)
    ledger.receive(call, RECEIVED)
    ledger.record_verdict(call, "forward: 0.3 > 1e-5")
    ledger.record_verdict(call, "accepted", accepted=True)
    ledger.begin(asked("never sent"), "waiting")
    assert ledger.export(tmp_path / "sent.jsonl", "run-1") == 1
    entry = json.loads((tmp_path / "sent.jsonl").read_text())
    assert (entry["attempts"], entry["reply"], entry["prompt"][1]["content"]) == (2, "text", "# a.py::f\n")
    assert [(verdict["verdict"], verdict["accepted"]) for verdict in entry["verdicts"]] == [
        ("forward: 0.3 > 1e-5", False),
        ("accepted", True),
    ]
    assert list(ledger.sent("run-2")) == []


def test_undecodable_text_is_no_reason_to_stop(ledger: Ledger) -> None:
    call = ledger.begin(Asked("k", "run-1", "m", "http://localhost", prompt("a.py::f", "half \ud800 a pair \x00")))
    ledger.receive(call, Received("half \ud800 a pair", "stop", "\udfff", 1, 1, None))
    ledger.record_verdict(call, "found \udc80")
    ledger.note("run-1", "a.py::f", "\ud800")
    ledger.fail(ledger.begin(asked("other")), "\ud800")
    found = ledger.reply("k")
    assert found is not None
    assert found[1].text == "half ? a pair"


def test_the_file_is_its_owners(ledger: Ledger) -> None:
    assert ledger.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b"no database at all, but longer than a header of one would be" * 10])
def test_a_file_that_is_no_ledger(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    if content:
        with pytest.raises(UsageError, match="cannot be used as a ledger"):
            Ledger(path)
    else:
        Ledger(path).close()


def test_a_ledger_of_a_newer_version_is_left_alone(ledger: Ledger) -> None:
    with sqlite3.connect(ledger.path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(UsageError, match="newer version"):
        Ledger(ledger.path)


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_every_older_ledger_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path, isolation_level=None) as db:
        for step in MIGRATIONS[:version]:
            db.executescript(step)
        db.execute(f"PRAGMA user_version = {version}")
    with Ledger(path) as ledger:
        ledger.receive(ledger.begin(asked()), RECEIVED)
        assert ledger.paid("run-1").calls == 1


def test_migrating_twice_changes_nothing(ledger: Ledger) -> None:
    with sqlite3.connect(ledger.path, isolation_level=None) as db:
        before = db.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        migrate(db)
        assert db.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == before


def test_several_processes_share_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"

    def fill(name: str) -> None:
        with Ledger(path) as own:
            for number in range(20):
                own.receive(own.begin(asked(f"{name}-{number}", run=name)), RECEIVED)

    threads = [threading.Thread(target=fill, args=(f"run-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Ledger(path) as ledger:
        assert [ledger.paid(f"run-{number}").calls for number in range(4)] == [20] * 4


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_killed_run_pays_nothing_twice(tmp_path: Path, after: int) -> None:
    """kill -9 while a question is under way, then the same run again: what had a reply is not sent again."""
    path = tmp_path / "ledger.sqlite"
    script = {f"m{number}.py::f": (Step(GOOD.content, delay_s=0.2 if number == after else 0.0),) for number in range(5)}
    with ScriptedServer(script) as server:
        arguments = [sys.executable, "-m", "tests.llm.killed", server.url, str(path), "5"]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
            assert process.stdout is not None
            while server.asked[f"m{after}.py::f"] == 0:  # under way now
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        with Ledger(path) as ledger:
            received = ledger.paid("run-1").calls
            assert received >= after
        subprocess.run(arguments, check=True, capture_output=True)
        answered = [server.asked[name] for name in script]
    assert answered == [2 if number == after else 1 for number in range(5)]  # only what had no reply is asked again
    with Ledger(path) as ledger:
        assert ledger.paid("run-1").calls == 5
