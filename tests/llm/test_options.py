from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from migrator import asking as corridor
from migrator.config import load
from migrator.errors import EnvironmentMissing, UsageError
from migrator.llm.budget import Limits
from migrator.llm.endpoint import endpoint
from migrator.llm.options import Options, choose
from migrator.llm.prices import FREE, Price
from migrator.llm.probe import probe, require
from migrator.llm.replies import Answer, Spent
from tests.command import command
from tests.llm.asking import prompt
from tests.llm.scripted_server import MODEL, ScriptedServer, answers

KEY = {"OPENAI_API_KEY": "sk-lying-around"}


def test_a_key_is_no_consent() -> None:
    assert choose(Options(), KEY) is None
    assert choose(Options(base_url="http://localhost:1/v1"), KEY | {"OPENAI_BASE_URL": "http://localhost:1"}) is None


def test_off_is_off() -> None:
    assert choose(Options(mode="off", model="gpt-4.1", named_by="flag"), KEY) is None


def test_a_named_model_is_asked_where_its_key_belongs() -> None:
    chosen = choose(Options(model="gpt-4.1", named_by="environment"), KEY)
    assert chosen is not None
    assert chosen.words == "gpt-4.1 at https://api.openai.com/v1, named by environment"
    assert chosen.price == Price(2.0, 8.0)


def test_half_the_price_for_a_batch() -> None:
    chosen = choose(Options(mode="batch", model="gpt-4.1"), {})
    assert chosen is not None
    assert chosen.price == Price(1.0, 4.0)
    with pytest.raises(UsageError, match="name one by --model"):
        choose(Options(mode="batch"), KEY)


def test_a_budget_in_dollars_needs_a_price() -> None:
    told = Options(model="my-own", base_url="https://x.example/v1", run_limits=Limits(usd=1.0))
    with pytest.raises(UsageError, match="--price"):
        choose(told, {})
    local = choose(Options(model="my-own", base_url="http://localhost:1/v1", run_limits=Limits(usd=1.0)), {})
    assert local is not None
    assert local.price == FREE


def test_an_endpoint_that_is_not_allowed() -> None:
    with pytest.raises(UsageError, match="allowed"):
        choose(Options(model="m", base_url="http://localhost:1/v1", allow_endpoints=((), ("api.openai.com",))), {})


def test_opened_it_asks_within_its_budget(tmp_path: Path) -> None:
    with ScriptedServer(otherwise=answers("x = 1\n")) as server:
        told = Options(
            model=MODEL,
            base_url=server.url,
            ledger=tmp_path / "l.sqlite",
            run_limits=Limits(tokens=1100),
            max_output_tokens=1000,
        )
        chosen = choose(told, {})
        assert chosen is not None
        with chosen.open("run-1") as (client, ledger):
            assert isinstance(client.complete(prompt("a.py::f")).outcome, Answer)
            assert isinstance(client.complete(prompt("b.py::f")).outcome, Spent)
            assert ledger.paid("run-1").calls == 1


# --- is it there? -----------------------------------------------------------------------------------------


def test_a_server_that_is_there() -> None:
    with ScriptedServer() as server:
        assert probe(endpoint(MODEL, server.url)).ok
        other = probe(endpoint("other", server.url))
        assert server.chats == []
    assert other.ok
    assert f"other is not in its list ({MODEL})" in other.detail


def test_one_that_is_not(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        pass
    place = endpoint(MODEL, server.url)
    state = probe(place)
    assert not state.ok
    assert "start the server" in state.hint
    with pytest.raises(EnvironmentMissing, match="cannot be reached") as caught:
        require(place)
    assert "\n" not in str(caught.value)


def test_one_that_refuses_the_key() -> None:
    with ScriptedServer(key="right") as server:
        state = probe(endpoint(MODEL, server.url, SecretStr("wrong")))
        assert probe(endpoint(MODEL, server.url, SecretStr("right"))).ok
    assert not state.ok
    assert "OPENAI_API_KEY" in state.hint


def test_one_without_a_list_of_models() -> None:
    with ScriptedServer(lists_models=False) as server:
        state = probe(endpoint(MODEL, server.url))
    assert state.ok
    assert "no list of models" in state.detail


def test_doctor_has_a_line_for_the_model(tmp_path: Path) -> None:
    assert not corridor.check(load(tmp_path)).needed
    with ScriptedServer() as server:
        there = corridor.check(load(tmp_path, model=MODEL, base_url=server.url))
    gone = corridor.check(load(tmp_path, model=MODEL, base_url=server.url))
    assert (there.ok, gone.ok, gone.needed) == (True, False, True)
    assert not corridor.check(load(tmp_path, model=MODEL, base_url="nonsense")).ok


def test_the_record_of_what_was_sent_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    with ScriptedServer(otherwise=answers("x = 1\n")) as server:
        chosen = choose(Options(model=MODEL, base_url=server.url, ledger=path), {})
        assert chosen is not None
        with chosen.open("run-1") as (client, _):
            client.complete(prompt("a.py::f"))
    done = command("sent", "--ledger", str(path))
    assert [json.loads(line)["unit"] for line in done.out.splitlines()] == ["a.py::f"]
    assert command("sent", "--ledger", str(tmp_path / "none.sqlite")).code == 2


def test_a_run_whose_endpoint_is_dead_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("import tensorflow as tf\n")
    with ScriptedServer() as server:
        pass
    done = command(
        "run", str(tmp_path / "m.py"), "-o", str(tmp_path / "out"), "--model", MODEL, "--base-url", server.url
    )
    assert done.code == 3
    assert done.err.startswith("migrator: model endpoint: ")
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_run_whose_endpoint_is_no_address_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("import tensorflow as tf\n")
    done = command("run", str(tmp_path / "m.py"), "--base-url", "localhost")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
