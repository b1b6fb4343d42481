"""Through HTTP and the real verifier: a repository whose left units are answered wrong, then right.

The server is scripted (`scripted_server.py`); no model is behind it, and its figures are no model's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from migrator import pipeline
from migrator.config import load
from migrator.llm.ledger import Ledger
from migrator.report import Report, UnitEntry, page
from migrator.source import pairs
from tests.llm.circle import CIRCLE, CIRCLE_SCRIPT
from tests.llm.scripted_server import MODEL, ScriptedServer, Step
from tests.llm.shop import LOOSE, LOOSE_SCRIPT, OPS, RIGHT_SQUASH, SCRIPT, WRONG_SQUASH, plant


@dataclass(frozen=True)
class Ran:
    report: Report
    out: Path
    ledger: Path
    prompts: list[str]

    def unit(self, name: str) -> UnitEntry:
        return next(u for u in self.report.units if u.name == name)


def migrate(src: Path, ledger: Path, server: ScriptedServer | None, **flags: object) -> Report:
    named = {"model": MODEL, "base_url": server.url} if server is not None else {}
    settings = load(src, **{"out": src.parent / "out", "price": "1,10", "ledger": ledger, **named, **flags})
    return pipeline.run(settings, lambda *_: None)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("shop")
    source = plant(folder / "src")
    with ScriptedServer(SCRIPT) as server:
        report = migrate(source, folder / "ledger.sqlite", server)
        yield Ran(report, folder / "out", folder / "ledger.sqlite", [_last(seen.body) for seen in server.chats])


def _last(body: dict[str, object]) -> str:
    return body["messages"][-1]["content"]  # type: ignore[index,no-any-return]


def test_wrong_then_right_is_first_rejected_with_figures_then_accepted(ran: Ran) -> None:
    unit = ran.unit("squash")
    assert [t.ending for t in unit.tries] == ["rejected", "accepted"]
    failed = next(v for v in unit.tries[0].verdicts if v.outcome == "fail")
    assert failed.measured["max difference"] > failed.allowed["max difference"]  # type: ignore[operator]
    assert failed.diverges.startswith("what `squash` returns")
    assert (unit.status, unit.origin, unit.migrated) == ("accepted", "llm", True)
    assert "F.leaky_relu(x, 0.3)" in (ran.out / "ops.py").read_text()
    assert "tensorflow" not in (ran.out / "ops.py").read_text()


def test_the_verdict_went_back_with_its_figures(ran: Ran) -> None:
    told = next(p for p in ran.prompts if "The verifier ran it" in p)
    assert "failed: forward on recorded inputs (max difference" in told
    assert "passed:" in told
    assert "where it first differs:" in told
    assert "what `squash` returns" in told
    assert "; in float64: max difference" in told
    assert "migration/cases/cases.json --case" in told


def test_malicious_code_dies_in_the_gate(ran: Ran) -> None:
    unit = ran.unit("Gate")
    assert [t.ending for t in unit.tries] == ["gate", "accepted"]
    assert "may not be imported" in unit.tries[0].detail
    assert unit.tries[0].verdicts == ()
    assert unit.origin == "hybrid"


def test_callers_follow_their_callees(ran: Ran) -> None:
    first = [p for p in ran.prompts if p.startswith(("Rewrite", "Fill"))]
    assert [p.split(" (")[0].split()[-1] for p in first] == ["`squash`", "`Gate`", "`Net`"]
    asked_for_net = first[-1]
    assert "`Gate` (`net.py`), in PyTorch already" in asked_for_net
    assert ran.unit("Net").status == "accepted"
    assert ran.unit("combine").status == "accepted"


def test_report_and_ledger_show_what_was_tried_and_paid(ran: Ran) -> None:
    assert ran.report.model.calls == 5
    assert ran.report.model.cost == pytest.approx(5 * (100 * 1e-6 + 50 * 10e-6))
    assert ran.report.totals.tokens == 5 * 150
    assert ran.report.totals.by_origin["llm"] + ran.report.totals.by_origin["hybrid"] == 3
    assert ran.unit("squash").attempts == 2
    with Ledger(ran.ledger) as ledger:
        sent = list(ledger.sent(ran.report.model.run))
    verdicts = {
        (entry["unit"].partition("::")[2], v["accepted"]): v["verdict"] for entry in sent for v in entry["verdicts"]
    }
    assert verdicts["squash", False].startswith("rejected: forward: ")
    assert verdicts["Gate", False].startswith("gate: ")
    assert {name for name, accepted in verdicts if accepted} == {"squash", "Gate", "Net"}
    assert {entry["prompt_version"] for entry in sent} == {ran.report.model.prompt}


def test_the_page_shows_it(ran: Ran) -> None:
    html = page(ran.report, pairs(ran.report.run.source, ran.out, [f.path for f in ran.report.files]))
    assert "Asked of a language model" in html
    assert "rejected" in html


def test_nothing_is_sent_unless_a_model_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = plant(tmp_path / "src", ops=OPS)
    with ScriptedServer(SCRIPT) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-not-consent")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        report = migrate(source, tmp_path / "ledger.sqlite", None, check="forward")
        assert server.requests == []
    assert (report.model.name, report.model.units, report.model.calls) == ("", 1, 0)
    assert report.model.first_tokens > 300
    assert report.model.files == ("ops.py",)
    assert not (tmp_path / "ledger.sqlite").exists()
    unit = next(u for u in report.units if u.name == "squash")
    assert (unit.status, unit.migrated) == ("needs-review", False)


def test_a_batch_goes_from_file_to_accepted_units(tmp_path: Path) -> None:
    source = plant(tmp_path / "src", ops=OPS)
    ledger, replies = tmp_path / "ledger.sqlite", tmp_path / "replies.jsonl"
    flags: dict[str, object] = {"llm": "batch", "model": MODEL, "base_url": "http://127.0.0.1:9/v1"}
    first = migrate(source, ledger, None, **flags)
    assert (first.exit_code, first.model.waiting, first.model.calls) == (1, 1, 0)
    endings = []
    for step in (WRONG_SQUASH, RIGHT_SQUASH):
        replies.write_text(_answered(tmp_path / "out/migration/batch.jsonl", step))
        report = migrate(source, ledger, None, replies=replies, **flags)
        endings.append([t.ending for u in report.units if u.name == "squash" for t in u.tries])
    assert endings == [["rejected", "pending"], ["rejected", "accepted"]]
    assert not (tmp_path / "out/migration/batch.jsonl").exists()
    assert "F.leaky_relu(x, 0.3)" in (tmp_path / "out/ops.py").read_text()


def _answered(path: Path, step: Step) -> str:
    """An output file as the Batch API gives it."""
    lines = []
    for request in map(json.loads, path.read_text().splitlines()):
        message = {"role": "assistant", "content": step.content}
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": MODEL,
            "choices": [choice],
            "usage": usage,
        }
        lines.append({"id": "r", "custom_id": request["custom_id"], "response": {"status_code": 200, "body": body}})
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_a_dry_run_shows_what_would_leave_and_sends_nothing(tmp_path: Path) -> None:
    source = plant(tmp_path / "src", ops=OPS)
    with ScriptedServer(SCRIPT) as server:
        report = migrate(source, tmp_path / "ledger.sqlite", server, dry_run=True, check="import")
        assert server.requests == []
    (question,) = report.model.questions
    assert question.unit == "ops.py::squash"
    assert question.files == ("ops.py",)
    assert [role for role, _ in question.messages] == ["system", "user"]
    assert "tf.raw_ops.LeakyRelu" in question.messages[1][1]
    assert not (tmp_path / "ledger.sqlite").exists()


def test_what_was_never_run_is_never_accepted(tmp_path: Path) -> None:
    """One unit cannot be called for want of inputs, of another a method is wrong that nothing calls."""
    source = plant(tmp_path / "src", loose=LOOSE)
    with ScriptedServer(LOOSE_SCRIPT) as server:
        report = migrate(source, tmp_path / "ledger.sqlite", server)
    held, meter = (next(u for u in report.units if u.name == name) for name in ("held", "Meter"))
    assert [t.ending for t in (*held.tries, *meter.tries)] == ["unverified", "unverified"]
    assert (held.status, meter.status) == ("needs-review", "needs-review")
    assert held.reason.startswith("unverified: ")
    assert "rewritten code never ran: lines" in meter.reason  # those of `Meter.reset`
    assert report.exit_code == 1


def test_units_that_refer_to_each_other_are_asked_about_at_once(tmp_path: Path) -> None:
    source = plant(tmp_path / "src", circle=CIRCLE)
    with ScriptedServer(CIRCLE_SCRIPT) as server:
        report = migrate(source, tmp_path / "ledger.sqlite", server)
        assert len(server.chats) == 3
    units = {u.name: u for u in report.units}
    assert [t.ending for t in units["even"].tries] == ["rejected", "accepted"]
    assert [t.ending for t in units["odd"].tries] == ["rejected", "accepted"]
    assert {units[name].status for name in ("even", "odd", "total")} == {"accepted"}
    assert report.totals.tokens == 3 * 150
    text = (tmp_path / "out/circle.py").read_text()
    assert text.index("def even") < text.index("def odd") < text.index("def total")
    assert "torch.round(x)" in text


def test_verify_checks_what_a_model_wrote(ran: Ran) -> None:
    settings = load(Path(ran.report.run.source), out=ran.out)
    again = pipeline.verify(settings, lambda *_: None)
    assert {u.name: u.status for u in again.units} == {u.name: u.status for u in ran.report.units}
    assert next(u for u in again.units if u.name == "squash").origin == "llm"
    path = ran.out / "ops.py"
    text = path.read_text()
    path.write_text(text.replace("leaky_relu(x, 0.3)", "leaky_relu(x, 0.29)"))
    try:
        edited = pipeline.verify(settings, lambda *_: None)
    finally:
        path.write_text(text)
    unit = next(u for u in edited.units if u.name == "squash")
    assert unit.status == "needs-review"
    assert any(v.outcome == "fail" for v in unit.verdicts)


def test_a_killed_run_goes_on_and_pays_nothing_twice(tmp_path: Path) -> None:
    """kill -9 while the second question is under way: the first is not asked again."""
    source, ledger = plant(tmp_path / "src", ops=OPS), tmp_path / "ledger.sqlite"
    hanging = replace(RIGHT_SQUASH, delay_s=120.0)
    with ScriptedServer({"`squash` (function)": [WRONG_SQUASH, hanging, RIGHT_SQUASH]}) as server:
        command = [sys.executable, "-m", "migrator", "run", str(source), "-o", str(tmp_path / "out")]
        command += ["--model", MODEL, "--base-url", server.url, "--ledger", str(ledger), "--price", "1,10"]
        process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + 240
            while len(server.chats) < 2 and time.monotonic() < deadline:
                time.sleep(0.2)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert len(server.chats) == 2
        assert not (tmp_path / "out").exists()
        report = migrate(source, ledger, server)
        assert len(server.chats) == 3
        again = migrate(source, ledger, server, out=tmp_path / "other")
        assert len(server.chats) == 3  # a later run asks the same, which is not paid again
    unit = next(u for u in report.units if u.name == "squash")
    assert [(t.ending, t.cached) for t in unit.tries] == [("rejected", True), ("accepted", False)]
    assert report.model.calls == 2
    assert (again.model.calls, again.model.cached, again.model.cost) == (0, 2, 0.0)
    assert next(u for u in again.units if u.name == "squash").status == "accepted"
