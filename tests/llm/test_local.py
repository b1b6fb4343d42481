"""A real model on this machine: real HTTP, real structured output. What it writes is mostly wrong; it is only read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrator.llm.budget import Budget, Limits
from migrator.llm.calls import Message, Prompt
from migrator.llm.client import Setup, connect
from migrator.llm.consent import Consent
from migrator.llm.endpoint import Endpoint, endpoint
from migrator.llm.ledger import Ledger
from migrator.llm.prices import FREE
from migrator.llm.probe import probe
from migrator.llm.replies import Answer, Failed, Malformed, Truncated, schema
from tests.command import command
from tests.llm.local_server import NAME, local_server
from tests.source.tree import plant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CONTEXT = 8192
TF = "```python\ndef total(x):\n    return tf.reduce_sum(x, axis=1)\n```"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with local_server(tmp_path_factory.mktemp("model"), CONTEXT) as url:
        yield endpoint(NAME, url)


def shown(*pairs: tuple[str, str]) -> tuple[Message, ...]:
    """Turns that show how to reply: a model this small continues a pattern, and knows no instructions."""
    turns = []
    for question, code in pairs:
        reply = {name: code if name == "code" else [] for name in schema()["properties"]}
        turns += [Message("user", question), Message("assistant", json.dumps(reply))]
    return tuple(turns)


def test_replies_have_the_shape_that_the_server_is_told(place: Endpoint, ledger: Ledger) -> None:
    pattern = shown(("Set a to 1.", "a = 1"), ("Set b to 2.", "b = 2"), ("Set c to 3.", "c = 3"))
    easy = Prompt("You write Python.", (*pattern, Message("user", "Set d to 4.")), "easy.py::d", "1")
    hard = Prompt("You write PyTorch.", (Message("user", f"Rewrite for PyTorch:\n{TF}"),), "hard.py::total", "1")
    setup = Setup(place, Consent("flag"), "run-1", max_output=80)
    with connect(setup, ledger, Budget(Limits(), Limits(), FREE)) as client:
        found = client.complete_all([(easy, 0), (hard, 0), (hard, 1)])
        again = client.complete(hard, 1)
    assert isinstance(found[0].outcome, Answer), found[0]
    for completion in found:
        assert isinstance(completion.outcome, (Answer, Truncated, Malformed)), completion
        assert completion.tokens_in > 0
        assert completion.cost_usd == 0
    assert again.cached
    for entry in ledger.sent():
        assert entry["attempts"] == 1
        assert re.match(r'\s*\{\s*"code"\s*:\s*"', entry["reply"]), entry["reply"]
    learnt = json.loads(ledger.dialect(place.address, NAME) or "{}")
    assert (learnt["shape"], learnt["proven"]) == ("schema", True)


def test_a_prompt_that_does_not_fit(place: Endpoint, ledger: Ledger) -> None:
    setup = Setup(place, Consent("flag"), "run-1", max_output=10)
    with connect(setup, ledger, Budget(Limits(), Limits(), FREE)) as client:
        outcome = client.complete(Prompt("s", (Message("user", "word " * 9000),), "a.py::f", "1")).outcome
    assert isinstance(outcome, Failed)
    assert "does not fit the model" in outcome.why
    assert not outcome.final


def test_the_server_is_found(place: Endpoint) -> None:
    state = probe(place)
    assert state.ok
    assert state.detail == f"{NAME} at {place.address}"


SOURCE = """import tensorflow as tf


def apart(x, y):
    return tf.raw_ops.SquaredDifference(x=x, y=y)


def check():
    return apart(tf.ones((2, 9)), tf.zeros((2, 9)))
"""


def test_a_run_accepts_nothing_that_is_wrong(place: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the source to the report with a real model. Should it ever be right, that is judged here anew."""
    monkeypatch.setenv("MIGRATOR_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setenv("MIGRATOR_MAX_OUTPUT_TOKENS", "100")
    src, out = plant(tmp_path / "src", {"m.py": SOURCE}), tmp_path / "out"
    flags = ["--model", NAME, "--base-url", place.address, "--max-attempts", "1", "--samples", "2"]
    done = command("run", str(src), "-o", str(out), "--json", *flags)
    report = json.loads(done.out)
    (unit,) = [unit for file in report["files"] for unit in file["units"] if unit["id"] == "m.py::apart"]
    assert report["model"]["calls"] >= 2, done.err
    assert report["model"]["tokens_in"] > 0
    assert unit["tries"]
    if unit["status"] == "accepted":
        assert _is_right((out / "m.py").read_text())
    else:
        assert done.code == 1
        assert "tf.raw_ops.SquaredDifference" in (out / "m.py").read_text()


def _is_right(text: str) -> bool:
    import torch

    names: dict[str, Any] = {}
    exec(text, names)
    x, y = torch.randn(3, 5), torch.randn(3, 5)
    return torch.allclose(names["apart"](x, y), (x - y) ** 2)
