"""The whole job, in order: read, know, rewrite, run, compare, accept or revert, write, report."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from migrator import catalog, source
from migrator import report as report_room
from migrator.byhand import NOTE, with_finished
from migrator.checking import Checker
from migrator.codemods.beside import new_files
from migrator.codemods.repository import RepositoryDraft
from migrator.completion.drafts import as_written
from migrator.completion.judging import guarded
from migrator.completion.offline import of_draft, questions
from migrator.completion.running import BATCH_PATH, Asked, ask, named
from migrator.config import RunSettings
from migrator.journal import work_area
from migrator.model import FileRewrite, Origin, SourceRepo, Status
from migrator.records import environment, run_record, weight_file
from migrator.settle import Settled, unchecked
from migrator.steps import Step, know, read, rewrite


def run(settings: RunSettings, step: Step) -> report_room.Report:
    """Migrate `settings.src` into `settings.out` and check it; the output is written once, at the end.

    Raises `UsageError` and `EnvironmentMissing`; nothing is on disk then.
    """
    repo = read(settings)
    chosen = named(settings)  # before any work: a model that was named must be one that can be asked
    with ExitStack() as stack:
        work = work_area(settings.out) if settings.out is not None else None
        checker = Checker.start(repo, settings, stack, work)  # before any work: without a sandbox there is none
        facts = know(repo)
        draft = rewrite(repo, facts, step, settings.fidelity)
        if checker is None:
            return _finish(settings, repo, draft, unchecked(draft), checker)
        settled = checker.settle(draft, facts, step)
        asked = ask(chosen, settings, draft, settled, checker, facts, step)
        return _finish(settings, repo, asked.completed.draft, asked.completed.settled, checker, asked)


def plan(settings: RunSettings) -> report_room.Plan:
    """What a run would do with the repository; runs none of it and writes nothing."""
    repo = read(settings)
    facts = know(repo)
    draft = rewrite(repo, facts, lambda *_: None, settings.fidelity)
    rewrites = [unit for file in draft.render({}).values() for unit in file.units]
    covered = dict.fromkeys(catalog.known(), True)
    return report_room.plan(repo, rewrites, covered, questions(of_draft(repo, facts, draft)))


def verify(settings: RunSettings, step: Step) -> report_room.Report:
    """Check what stands in `settings.out` against `settings.src` again, also units that a person finished since;
    changes nothing but the report and the cases beside it."""
    assert settings.out is not None
    repo = read(settings)
    with ExitStack() as stack:
        checker = Checker.start(repo, settings, stack)
        facts = know(repo)
        earlier = report_room.load(settings.out)
        draft = rewrite(repo, facts, step, earlier.run.config.get("fidelity", settings.fidelity))
        draft = by_model(draft, earlier, settings.out)
        draft, done = with_finished(draft, earlier, settings.out)
        files = on_disk(draft, earlier, settings.out, done)
        settled = checker.judge(draft, files, facts, step) if checker else unchecked(draft, files)
        if checker:
            texts = {path: file.text for path, file in files.items()}
            found = [guarded(r, texts[r.rewrite.unit.path], (), checker.entered) for r in settled.results]
            settled = replace(settled, results=tuple(found))
            source.add(settings.out, checker.case_files(settled.files))
        return report_room.carried(_report(settings, repo, draft, settled, checker), earlier)


def finished_by_hand(report: report_room.Report) -> tuple[report_room.UnitEntry, ...]:
    """Units that stayed TensorFlow in a run and were written by a person."""
    return tuple(unit for unit in report.units if NOTE in unit.notes)


def by_model(draft: RepositoryDraft, earlier: report_room.Report, out: Path) -> RepositoryDraft:
    """The draft with the units that a model wrote, as the last report names them and the files have them."""
    for unit in earlier.units:
        path = out / unit.id.partition("::")[0]
        if unit.migrated and unit.origin in (Origin.LLM, Origin.HYBRID) and path.is_file():
            with suppress(SyntaxError):  # its own rung says that the file does not parse
                draft = as_written(draft, unit.id, path.read_text(encoding="utf-8"), unit.origin, unit.gaps)
    return draft


def on_disk(
    draft: RepositoryDraft, earlier: report_room.Report, out: Path, done: frozenset[str] = frozenset()
) -> Mapping[str, FileRewrite]:
    """The migrated files as they stand on disk, with the units that the last report calls migrated or that are
    `done` since."""
    stays = [unit for unit in earlier.units if not unit.migrated and unit.status is not Status.UNTOUCHED]
    left = {unit.id: unit.reason for unit in stays if unit.id not in done}
    return {
        path: replace(file, text=(out / path).read_text(encoding="utf-8"), beside=_beside(file, out))
        for path, file in draft.render(left).items()
        if (out / path).is_file()
    }


def _beside(file: FileRewrite, out: Path) -> tuple[tuple[str, str], ...]:
    """The new modules of a file as they stand on disk."""
    return tuple((p, (out / p).read_text(encoding="utf-8")) for p, _ in file.beside if (out / p).is_file())


def _finish(
    settings: RunSettings,
    repo: SourceRepo,
    draft: RepositoryDraft,
    settled: Settled,
    checker: Checker | None,
    asked: Asked | None = None,
) -> report_room.Report:
    report = _report(settings, repo, draft, settled, checker, asked.entry if asked else None)
    assert settings.out is not None
    texts = {path: file.text for path, file in settled.files.items()}
    extra: dict[str, str | bytes] = {report_room.REPORT_PATH: report_room.dumps(report)}
    extra |= new_files(settled.files.values())
    if checker is not None:
        extra |= weight_file(checker.maps) | checker.case_files(settled.files)
    if asked is not None and asked.batch:
        extra[BATCH_PATH] = asked.batch
    source.write(repo, settings.out, texts, extra)
    if checker is not None and not (asked is not None and asked.batch):
        checker.finish()  # a run that waits for a batch goes on with what it recorded: its questions stay the same
    return report


def _report(
    settings: RunSettings,
    repo: SourceRepo,
    draft: RepositoryDraft,
    settled: Settled,
    checker: Checker | None,
    model: report_room.ModelEntry | None = None,
) -> report_room.Report:
    versions = checker.versions() if checker is not None else {}
    record = run_record(settings, repo, environment(versions))
    return report_room.build(settled.results, repo, record, draft.islands(), model)


def scratch(stack: ExitStack) -> Path:
    """A folder that is gone when the run ends."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="migrator-")))
