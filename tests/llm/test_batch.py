from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrator.errors import EnvironmentMissing, UsageError
from migrator.llm import batch
from migrator.llm.budget import Limits
from migrator.llm.calls import Prompt
from migrator.llm.endpoint import endpoint
from migrator.llm.ledger import Ledger
from migrator.llm.replies import Answer, Pending, Spent
from tests.command import command
from tests.llm.asking import PRICE, asking, prompt
from tests.llm.scripted_server import BROKEN, MODEL, TRUNCATED, ScriptedServer, Step, answers

GOOD = answers("x = 1\n")
NAMES = ("a.py::f", "b.py::g")


def waiting(server: ScriptedServer, ledger: Ledger) -> dict[str, tuple[Prompt, int]]:
    """The questions of a round in which nothing was asked."""
    with asking(server, ledger, setup={"batch": True}) as client:
        found = [client.complete(prompt(name)).outcome for name in NAMES]
        assert all(isinstance(outcome, Pending) for outcome in found)
        return client.waiting


def test_a_round_trip(ledger: Ledger, tmp_path: Path) -> None:
    """File out, replies in, and the same questions are answered without a request."""
    with ScriptedServer(otherwise=GOOD) as server:
        place = endpoint(MODEL, server.url)
        questions = waiting(server, ledger)
        assert batch.write(tmp_path / "in.jsonl", questions, place, 1000) == 2
        told: list[str] = []
        server.polls_until_done = 3
        batch.hand_in(tmp_path / "in.jsonl", tmp_path / "out.jsonl", place, ledger, "run-1", told.append, poll_s=0.01)
        assert told[-1].endswith("completed")
        assert batch.take(tmp_path / "out.jsonl", ledger, place, "run-1", PRICE) == batch.Taken(2)
        with asking(server, ledger, setup={"batch": True}) as client:
            found = [client.complete(prompt(name)) for name in NAMES]
            assert client.waiting == {}
        assert server.chats == []
    assert [type(completion.outcome) for completion in found] == [Answer, Answer]
    assert ledger.paid("run-1").calls == 2
    assert {entry["unit"] for entry in ledger.sent("run-1")} == set(NAMES)


def test_the_file_is_in_the_batch_apis_format(ledger: Ledger, tmp_path: Path) -> None:
    with ScriptedServer() as server:
        questions = waiting(server, ledger)
        batch.write(tmp_path / "deep/in.jsonl", questions, endpoint(MODEL, server.url), 1000)
    lines = [json.loads(line) for line in (tmp_path / "deep/in.jsonl").read_text().splitlines()]
    assert [line["custom_id"] for line in lines] == list(questions)
    assert {(line["method"], line["url"]) for line in lines} == {("POST", "/v1/chat/completions")}
    body = lines[0]["body"]
    assert (body["model"], body["messages"][0]["role"], body["response_format"]["type"]) == (
        MODEL,
        "system",
        "json_schema",
    )
    assert all(len(line["custom_id"]) <= 64 for line in lines)


def test_handing_in_again_pays_nothing_again(ledger: Ledger, tmp_path: Path) -> None:
    with ScriptedServer(otherwise=GOOD) as server:
        place = endpoint(MODEL, server.url)
        batch.write(tmp_path / "in.jsonl", waiting(server, ledger), place, 1000)
        for _ in range(2):
            batch.hand_in(tmp_path / "in.jsonl", tmp_path / "out.jsonl", place, ledger, "", lambda _: None, poll_s=0.01)
        assert len(server.batches) == 1
        for _ in range(2):
            batch.take(tmp_path / "out.jsonl", ledger, place, "run-1", PRICE)
    assert ledger.paid("run-1").calls == 2


def test_replies_that_went_wrong_wait_for_the_next_round(ledger: Ledger, tmp_path: Path) -> None:
    with ScriptedServer({"a.py::f": (BROKEN,), "b.py::g": (TRUNCATED,)}) as server:
        place = endpoint(MODEL, server.url)
        batch.write(tmp_path / "in.jsonl", waiting(server, ledger), place, 1000)
        told = batch.hand_in(tmp_path / "in.jsonl", tmp_path / "out.jsonl", place, ledger, "", print, poll_s=0.01)
        taken = batch.take(tmp_path / "out.jsonl", ledger, place, "run-1", PRICE)
        assert taken == told
        assert (taken.replies, len(taken.failed)) == (1, 1)
        assert "internal error" in taken.failed[0]
        with asking(server, ledger, setup={"batch": True}) as client:
            assert isinstance(client.complete(prompt("a.py::f")).outcome, Pending)
            client.complete(prompt("b.py::g"))
            assert len(client.waiting) == 1


def test_replies_of_another_machine_are_known_by_their_key(ledger: Ledger, tmp_path: Path) -> None:
    with ScriptedServer(otherwise=GOOD) as server:
        questions = waiting(server, ledger)
        lines = [
            {
                "custom_id": key,
                "response": {"body": {"choices": [{"message": {"content": "```python\ny = 2\n```"}}]}},
            }
            for key in questions
        ]
        (tmp_path / "out.jsonl").write_text("\n".join(map(json.dumps, lines)))
        with Ledger(tmp_path / "fresh.sqlite") as fresh:
            batch.take(tmp_path / "out.jsonl", fresh, endpoint(MODEL, server.url), "run-1", None)
            with asking(server, fresh, setup={"batch": True}) as client:
                assert isinstance(client.complete(prompt(NAMES[0])).outcome, Answer)


@pytest.mark.parametrize("text", ["{}", "[]", "no json", '{"custom_id": 3}', '{"custom_id": "a"}\n{"broken'])
def test_a_file_that_is_none(ledger: Ledger, tmp_path: Path, text: str) -> None:
    (tmp_path / "out.jsonl").write_text(text)
    with pytest.raises(UsageError, match=r"out\.jsonl:\d: no line of a batch output file"):
        batch.take(tmp_path / "out.jsonl", ledger, endpoint(MODEL, "http://localhost:1/v1"), "run-1", None)
    with pytest.raises(UsageError, match="cannot be read"):
        batch.take(tmp_path / "missing.jsonl", ledger, endpoint(MODEL, "http://localhost:1/v1"), "run-1", None)


def test_a_budget_bounds_a_batch(ledger: Ledger) -> None:
    with ScriptedServer() as server, asking(server, ledger, run=Limits(tokens=1100), setup={"batch": True}) as client:
        found = [client.complete(prompt(name)).outcome for name in NAMES]
    assert [type(outcome) for outcome in found] == [Pending, Spent]


def test_what_was_written_for_one_place_is_not_sent_to_another(ledger: Ledger, tmp_path: Path) -> None:
    with ScriptedServer() as meant, ScriptedServer() as other:
        batch.write(tmp_path / "in.jsonl", waiting(meant, ledger), endpoint(MODEL, meant.url), 1000)
        with pytest.raises(UsageError, match="was written for"):
            batch.hand_in(tmp_path / "in.jsonl", tmp_path / "o", endpoint(MODEL, other.url), ledger, "", print)
        assert other.requests == []


def test_an_endpoint_without_batches(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"custom_id": "a"}\n')
    with ScriptedServer(key="right") as server, pytest.raises(EnvironmentMissing, match="refuses the key"):
        batch.hand_in(tmp_path / "in.jsonl", tmp_path / "o", endpoint(MODEL, server.url), ledger, "", lambda _: None)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATOR_API_KEY", "key")
    monkeypatch.setenv("MIGRATOR_LEDGER", str(tmp_path / "l.sqlite"))
    with ScriptedServer(otherwise=Step(GOOD.content), key="key") as server:
        with Ledger(tmp_path / "l.sqlite") as ledger:
            batch.write(tmp_path / "in.jsonl", waiting(server, ledger), endpoint(MODEL, server.url), 1000)
        done = command("batch", str(tmp_path / "in.jsonl"), "--model", MODEL, "--base-url", server.url)
    assert done.code == 0, done.err
    assert done.out.startswith("2 replies, 0 questions without one: ")
    assert done.out.splitlines()[1].startswith(
        f"Next: migrator run SRC --llm batch --model {MODEL} --base-url {server.url} --replies"
    )
    assert len((tmp_path / "in.replies.jsonl").read_text().splitlines()) == 2
    assert command("batch", str(tmp_path / "in.jsonl")).code == 2  # no model is named
