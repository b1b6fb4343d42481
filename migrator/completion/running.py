"""The model's part of a run: who is asked, what is sent, what it cost."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from migrator import asking, report
from migrator.checking import Checker, Step
from migrator.codemods.repository import RepositoryDraft
from migrator.completion.driver import Completed, Options, complete, foreseen
from migrator.completion.offline import questions
from migrator.config import RunSettings
from migrator.llm import batch, rendering
from migrator.llm.calls import Prompt
from migrator.llm.client import Client
from migrator.llm.endpoint import place
from migrator.llm.ledger import Ledger, turns
from migrator.llm.options import Chosen, choose
from migrator.llm.probe import require
from migrator.settle import Settled
from migrator.values import Facts

BATCH_PATH = "migration/batch.jsonl"


@dataclass(frozen=True)
class Asked:
    """What came of it. `batch`: questions for a batch file, as its text."""

    completed: Completed
    entry: report.ModelEntry
    batch: str = ""


@dataclass(frozen=True)
class _Diary:
    """The ledger, as the completion writes to it."""

    ledger: Ledger
    run: str

    def verdict(self, call: int, text: str, accepted: bool) -> None:
        self.ledger.record_verdict(call, text, accepted)

    def note(self, unit: str, text: str) -> None:
        self.ledger.note(self.run, unit, text)


def named(settings: RunSettings) -> Chosen | None:
    """The model that the run may ask, or None; raises before any work where it cannot be asked."""
    place(settings.base_url, os.environ)
    chosen = choose(asking.options(settings))
    if chosen is not None and settings.llm == "auto" and not settings.dry_run:
        require(chosen.endpoint)
    return chosen


def ask(
    chosen: Chosen | None,
    settings: RunSettings,
    draft: RepositoryDraft,
    settled: Settled,
    checker: Checker,
    facts: Facts,
    step: Step,
) -> Asked:
    """Ask about what is left, or say what asking would send and where."""
    options = Options(settings.max_attempts, settings.samples, values=settings.send_values)
    fragments = foreseen(draft, settled, checker, facts, options, step)
    first = questions(fragments)
    expected = report.ModelEntry(
        address=chosen.endpoint.address if chosen else place(settings.base_url, os.environ),
        name=chosen.endpoint.model if chosen else "",
        named_by=chosen.consent.named_by if chosen else "",
        prompt=rendering.version(),
        units=first.units,
        first_tokens=first.tokens,
        files=first.files,
    )
    if chosen is None or not fragments:
        return Asked(Completed(draft, settled), expected)
    with ExitStack() as stack:
        if settings.dry_run:
            chosen = _unsent(chosen, stack)
        run = _run_name(checker)
        client, ledger = stack.enter_context(chosen.open(run))
        if settings.replies is not None:
            batch.take(settings.replies, ledger, chosen.endpoint, run, chosen.price)
        done = complete(draft, settled, checker, facts, client, _Diary(ledger, run), options, step)
        return Asked(done, _entry(expected, client, ledger, run, settings), _batch(client, chosen))


def _unsent(chosen: Chosen, stack: ExitStack) -> Chosen:
    """The same, with every question kept back and a ledger that is thrown away."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="migrator-"))
    return replace(chosen, options=replace(chosen.options, mode="batch", ledger=Path(folder) / "ledger.sqlite"))


def _run_name(checker: Checker) -> str:
    """The run's name in the ledger: an interrupted run goes on under its own."""
    journal = checker.outcomes.journal
    name = journal.get("run") if journal is not None else None
    if name is None:
        name = f"{Path(checker.repo.root).name}-{uuid.uuid4().hex[:12]}"
        if journal is not None:
            journal.put("run", name)
    return str(name)


def _entry(
    expected: report.ModelEntry, client: Client, ledger: Ledger, run: str, settings: RunSettings
) -> report.ModelEntry:
    paid = ledger.paid(run)
    questions = [
        report.QuestionEntry(unit=prompt.name, files=prompt.sources, messages=tuple(_messages(prompt)))
        for prompt, _ in client.waiting.values()
    ]
    return expected.model_copy(
        update={
            "run": run,
            "ledger": "" if settings.dry_run else str(ledger.path),
            "calls": paid.calls,
            "cached": paid.cached,
            "tokens_in": paid.tokens_in,
            "tokens_out": paid.tokens_out,
            "cost": paid.usd,
            "unpriced": paid.unpriced,
            "waiting": len(questions),
            "questions": tuple(questions) if settings.dry_run else (),
        }
    )


def _messages(prompt: Prompt) -> Iterable[tuple[str, str]]:
    return ((turn["role"], turn["content"]) for turn in turns(prompt))


def _batch(client: Client, chosen: Chosen) -> str:
    """The questions that wait, as an input file of a batch."""
    if not client.waiting:
        return ""
    with tempfile.TemporaryDirectory(prefix="migrator-") as folder:
        path = Path(folder) / "batch.jsonl"
        batch.write(path, client.waiting, chosen.endpoint, chosen.options.max_output_tokens)
        return path.read_text(encoding="utf-8")
