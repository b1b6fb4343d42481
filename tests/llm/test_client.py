from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from migrator.llm.budget import Limits
from migrator.llm.calls import Message, Prompt
from migrator.llm.consent import Consent
from migrator.llm.endpoint import endpoint
from migrator.llm.ledger import Ledger
from migrator.llm.replies import Answer, Failed, Malformed, Pending, Reply, Spent, Withheld
from tests.llm.asking import asking, prompt
from tests.llm.scripted_server import BAD_KEY, MALFORMED, MODEL, Knows, ScriptedServer, Step, answers

GOOD = answers("def f(x):\n    return x\n", imports=["import torch"])
FENCED = Step("```python\ndef f(x):\n    return x\n```")


def test_an_answer_with_its_price(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=GOOD) as server, asking(server, ledger) as client:
        found = client.complete(prompt())
    assert found.outcome == Answer(Reply(code="def f(x):\n    return x\n", imports=["import torch"]))
    assert (found.tokens_in, found.tokens_out, found.cached) == (100, 50, False)
    assert found.cost_usd == pytest.approx(100e-6 + 50 * 10e-6)


def test_the_same_question_is_paid_once(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=GOOD) as server:
        with asking(server, ledger) as client:
            first = client.complete(prompt())
            again = client.complete(prompt())
        with asking(server, ledger, setup={"run": "run-2"}) as client:
            later = client.complete(prompt())
        assert len(server.chats) == 1
    assert first.outcome == again.outcome == later.outcome
    assert [found.cached for found in (first, again, later)] == [False, True, True]
    assert (ledger.paid("run-1").calls, ledger.paid("run-2").calls, ledger.paid("run-2").cached) == (1, 0, 1)


@pytest.mark.parametrize("change", ["text", "system", "sample", "model", "length"])
def test_another_question_is_another_call(ledger: Ledger, change: str) -> None:
    asked = prompt(text="two" if change == "text" else "one")
    if change == "system":
        asked = Prompt("Other.", asked.messages, asked.name, asked.version)
    with ScriptedServer(otherwise=GOOD) as server:
        with asking(server, ledger) as client:
            client.complete(prompt(text="one"))
        place = endpoint("other" if change == "model" else MODEL, server.url)
        setup = {"endpoint": place, "max_output": 999 if change == "length" else 1000}
        with asking(server, ledger, setup=setup) as client:
            client.complete(asked, sample=int(change == "sample"))
        assert len(server.chats) == 2


def test_the_same_question_at_the_same_time_is_sent_once(ledger: Ledger) -> None:
    slow = Step(GOOD.content, delay_s=0.2)
    with ScriptedServer(otherwise=slow) as server, asking(server, ledger) as client:
        found = client.complete_all([(prompt(), 0)] * 5)
        assert len(server.chats) == 1
    assert [completion.cached for completion in found].count(False) == 1


def test_several_at_once_and_in_order(ledger: Ledger) -> None:
    names = [f"m{number}.py::f" for number in range(12)]
    script = {name: (Step(f"```python\n{name[:-4]!r}\n```", delay_s=0.1),) for name in names}
    with ScriptedServer(script) as server, asking(server, ledger, setup={"at_once": 3}) as client:
        client.complete(prompt("first.py::f"))  # finds out how the server is spoken to
        found = client.complete_all([(prompt(name), 0) for name in names])
        assert 2 <= server.most_at_once <= 3
    codes = [completion.outcome.reply.code for completion in found if isinstance(completion.outcome, Answer)]
    assert codes == [f"{name[:-4]!r}\n" for name in names]


def test_threads_may_share_a_client(ledger: Ledger) -> None:
    done: list[object] = []
    with ScriptedServer(otherwise=GOOD) as server, asking(server, ledger) as client:
        threads = [
            threading.Thread(target=lambda n=n: done.append(client.complete(prompt(f"{n}.py::f")).outcome))
            for n in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [type(outcome) for outcome in done] == [Answer] * 6


@pytest.mark.parametrize(("knows", "requests"), [("schema", 1), ("json", 2), ("text", 3)])
def test_the_best_form_of_reply_is_found_once_and_remembered(ledger: Ledger, knows: Knows, requests: int) -> None:
    reply = FENCED if knows == "text" else GOOD
    with ScriptedServer(otherwise=reply, knows=knows) as server:
        for name in ("a.py::f", "b.py::f", "c.py::f"):
            with asking(server, ledger) as client:  # each a new process, as it were
                assert isinstance(client.complete(prompt(name)).outcome, Answer)
        kinds = [seen.body.get("response_format", {}).get("type", "text") for seen in server.chats]
        assert len(kinds) == requests + 2
        last = {"schema": "json_schema", "json": "json_object", "text": "text"}[knows]
        assert kinds[-3:] == [last] * 3
        assert ("one fenced block" in server.chats[-1].body["messages"][0]["content"]) == (knows == "text")


def test_the_first_question_finds_out_and_the_others_wait_for_it(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=FENCED, knows="text") as server, asking(server, ledger) as client:
        found = client.complete_all([(prompt(f"{number}.py::f"), 0) for number in range(6)])
        assert len(server.chats) == 8
    assert all(isinstance(completion.outcome, Answer) for completion in found)


@pytest.mark.parametrize(("limit", "temperature"), [("max_tokens", True), ("max_completion_tokens", False)])
def test_what_a_server_calls_its_limits(ledger: Ledger, limit: str, temperature: bool) -> None:
    with (
        ScriptedServer(otherwise=GOOD, limit=limit, temperature=temperature) as server,
        asking(server, ledger) as client,
    ):
        assert isinstance(client.complete(prompt()).outcome, Answer)
        body = server.chats[-1].body
        assert (body[limit], "temperature" in body) == (1000, temperature)


def test_a_server_that_refuses_everything_is_believed_after_a_few_tries(ledger: Ledger) -> None:
    refuses = Step("no", status=400)
    with ScriptedServer(otherwise=refuses) as server, asking(server, ledger) as client:
        outcome = client.complete(prompt()).outcome
        assert len(server.chats) == 3
    assert isinstance(outcome, Failed)


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens "
        "(808 in the messages, 8192 in the completion).",
        "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 4096",
        "max_tokens is too large: 8192. This model supports at most 4096 completion tokens",
    ],
)
def test_a_reply_that_may_be_shorter_is_asked_for(ledger: Ledger, words: str) -> None:
    refuses = Step(words, status=400)
    with ScriptedServer({"a.py::f": (refuses, refuses, GOOD)}) as server:
        with asking(server, ledger, setup={"max_output": 8192}) as client:
            assert isinstance(client.complete(prompt()).outcome, Answer)
        assert [seen.body["max_tokens"] for seen in server.chats] == [8192, 4096, 2048]
        with asking(server, ledger, setup={"max_output": 8192}) as client:
            client.complete(prompt("b.py::f"))
        assert server.chats[-1].body["max_tokens"] == 8192  # how much fits is each prompt's own affair


def test_a_filter_that_refuses_the_prompt_is_believed(ledger: Ledger) -> None:
    words = Step("The prompt triggered the content management policy", status=400, code="content_filter")
    with ScriptedServer(otherwise=words) as server, asking(server, ledger) as client:
        outcome = client.complete(prompt()).outcome
        assert len(server.chats) == 1
    assert isinstance(outcome, Failed)
    assert (outcome.final, "content filter" in outcome.why) == (False, True)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (
            {"choices": [{"message": {"content": [{"type": "text", "text": "```python\nx = "}, {"text": "1\n```"}]}}]},
            True,
        ),
        ({"choices": [{"message": {"content": "```python\nx = 1\n```"}}], "usage": {"prompt_tokens": None}}, True),
        ({"choices": [{"message": {"content": "```python\nx = 1\n```"}}], "usage": {"total_tokens": -3}}, True),
        ({"error": {"message": "upstream is down", "code": 502}}, False),
        ({"error": "upstream is down"}, False),
    ],
)
def test_servers_that_write_it_differently(ledger: Ledger, raw: dict[str, object], code: bool) -> None:
    with ScriptedServer(otherwise=Step(raw=json.dumps(raw))) as server, asking(server, ledger) as client:
        found = client.complete(prompt())
    if code:
        assert found.outcome == Answer(Reply(code="x = 1\n"))
        assert found.tokens_out > 0
    else:
        assert isinstance(found.outcome, Failed)
        assert "upstream is down" in found.outcome.why


def test_samples_after_the_first_are_drawn_warmer(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=GOOD) as server, asking(server, ledger) as client:
        client.complete(prompt(), sample=0)
        client.complete(prompt(), sample=1)
        assert [seen.body["temperature"] for seen in server.chats] == [0.0, 0.8]


# --- budgets -----------------------------------------------------------------------------------------


def test_a_budget_ends_the_questions_and_not_the_run(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=GOOD) as server, asking(server, ledger, run=Limits(tokens=1300)) as client:
        found = [client.complete(prompt(f"{number}.py::f")).outcome for number in range(4)]
        assert len(server.chats) == 2  # 150 tokens each, and the next may take 1000 and the prompt
    assert [type(outcome) for outcome in found] == [Answer, Answer, Spent, Spent]
    assert isinstance(found[2], Spent)
    assert "budget of the run" in found[2].why


def test_a_budget_in_dollars_holds_for_calls_at_the_same_time(ledger: Ledger) -> None:
    costly = Step(GOOD.content, usage=(100, 1000), delay_s=0.05)  # $0.0101 each; set aside: a little more
    limit = 0.05
    with (
        ScriptedServer(otherwise=costly) as server,
        asking(server, ledger, run=Limits(usd=limit), setup={"at_once": 8}) as client,
    ):
        found = client.complete_all([(prompt(f"{number}.py::f"), 0) for number in range(12)])
    paid = sum(completion.cost_usd or 0 for completion in found if not isinstance(completion.outcome, Spent))
    assert paid <= limit
    assert [type(completion.outcome) for completion in found].count(Answer) == 4
    assert ledger.paid("run-1").usd == pytest.approx(paid)


def test_a_unit_has_its_own_budget(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=MALFORMED) as server, asking(server, ledger, unit=Limits(tokens=1150)) as client:
        found = [client.complete(prompt("a.py::f", str(number))).outcome for number in range(3)]
        other = client.complete(prompt("b.py::f")).outcome
    assert [type(outcome) for outcome in (*found, other)] == [Malformed, Spent, Spent, Malformed]


def test_malformed_replies_are_paid(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=MALFORMED) as server, asking(server, ledger) as client:
        client.complete(prompt())
    assert (ledger.paid("run-1").tokens_in, ledger.paid("run-1").tokens_out) == (100, 50)


def test_an_interrupted_run_goes_on_with_what_is_left(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=GOOD) as server:
        with asking(server, ledger, run=Limits(tokens=1150)) as client:
            client.complete(prompt("a.py::f"))
        with asking(server, ledger, run=Limits(tokens=1150)) as client:
            assert isinstance(client.complete(prompt("b.py::f")).outcome, Spent)
        with asking(server, ledger, run=Limits(tokens=1150), setup={"run": "run-2"}) as client:
            assert isinstance(client.complete(prompt("b.py::f")).outcome, Answer)


def test_without_usage_tokens_are_estimated(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=Step(GOOD.content, usage=None)) as server, asking(server, ledger) as client:
        found = client.complete(prompt(text="word " * 100))
    assert 100 < found.tokens_in < 300
    assert found.tokens_out > 10


def test_no_price_is_no_cost(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=GOOD) as server, asking(server, ledger, price=None) as client:
        assert client.complete(prompt()).cost_usd is None
    assert ledger.paid("run-1").unpriced == 1


# --- what may be sent ----------------------------------------------------------------------------------


@pytest.mark.parametrize("patterns", [("secret/",), ("*.key.py",), ("/secret/a.key.py",)])
def test_what_is_never_sent(ledger: Ledger, patterns: tuple[str, ...]) -> None:
    asked = prompt("secret/a.key.py::f")
    borrowed = Prompt("s", (Message("user", "x"),), "b.py::g", "1", sources=("b.py", "secret/a.key.py"))
    with (
        ScriptedServer(otherwise=GOOD) as server,
        asking(server, ledger, setup={"consent": Consent("flag", patterns)}) as client,
    ):
        found = [client.complete(question).outcome for question in (asked, borrowed)]
        assert server.requests == []
        assert isinstance(client.complete(prompt("public.py::f")).outcome, Answer)
    assert found == [Withheld("secret/a.key.py matches never-send")] * 2
    assert len(list(ledger.sent())) == 1


def test_secrets_leave_neither_in_requests_nor_into_the_ledger(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "value-of-the-environment")
    text = 'password = "hunter2-and-more"\nurl = "value-of-the-environment"\n'
    echo = answers('def f():\n    return "REDACTED_SECRET_2"\n', helpers=["K = 'REDACTED_SECRET_1'"])
    with ScriptedServer(otherwise=echo) as server, asking(server, ledger) as client:
        first, again = client.complete(prompt(text=text)), client.complete(prompt(text=text))
        sent = json.dumps([seen.body for seen in server.requests])
    assert again.cached
    for secret in ("hunter2", "value-of-the-environment"):
        assert secret not in sent
        assert secret not in json.dumps(list(ledger.sent()))
    for found in (first, again):
        assert isinstance(found.outcome, Answer)
        assert "hunter2-and-more" in found.outcome.reply.code + found.outcome.reply.helpers[0]
        assert "value-of-the-environment" in found.outcome.reply.code + found.outcome.reply.helpers[0]


def test_the_key_is_sent_as_a_header_alone(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=GOOD, key="sk-scripted") as server:
        place = endpoint(MODEL, server.url, SecretStr("sk-scripted"))
        with asking(server, ledger, setup={"endpoint": place}) as client:
            assert isinstance(client.complete(prompt()).outcome, Answer)
        assert "sk-scripted" not in json.dumps(server.chats[0].body)
    assert "sk-scripted" not in json.dumps(list(ledger.sent())) + repr(place)
    assert b"sk-scripted" not in ledger.path.read_bytes()


def test_a_key_in_the_servers_words_is_not_repeated(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "my-own-key-123")
    words = Step("Incorrect API key provided: my-own-key-123 (or sk-abc***xyz)", status=401, code=BAD_KEY.code)
    with ScriptedServer(otherwise=words) as server, asking(server, ledger) as client:
        outcome = client.complete(prompt()).outcome
    assert isinstance(outcome, Failed)
    assert "my-own-key" not in outcome.why
    assert "sk-abc" not in outcome.why


def test_nobody_there(ledger: Ledger) -> None:
    with ScriptedServer() as server:
        pass
    with asking(server, ledger) as client:
        first, second = (client.complete(prompt(name)).outcome for name in ("a.py::f", "b.py::f"))
    assert isinstance(first, Failed)
    assert first.final
    assert "cannot be reached" in first.why
    assert first == second


def test_a_batch_round_asks_nothing(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=GOOD) as server, asking(server, ledger, setup={"batch": True}) as client:
        found = client.complete(prompt()).outcome
        assert isinstance(found, Pending)
        assert list(client.waiting) == [found.key]
        assert server.requests == []
    assert list(ledger.sent()) == []


def test_an_interrupted_question_ends_at_once(tmp_path: Path) -> None:
    slow = Step(GOOD.content, delay_s=30.0)
    with ScriptedServer(otherwise=slow) as server:
        arguments = [sys.executable, "-m", "tests.llm.killed", server.url, str(tmp_path / "l.sqlite"), "1", "30"]
        with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as process:
            while not server.chats:
                assert process.poll() is None
                time.sleep(0.01)
            start = time.monotonic()
            process.send_signal(signal.SIGINT)
            process.wait(20)
            assert time.monotonic() - start < 10
