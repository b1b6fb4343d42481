"""From the values of a run to its report."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Sequence

from migrator.model import (
    Attempt,
    Decline,
    InterfaceChange,
    Origin,
    SourceFile,
    SourceRepo,
    Status,
    UnitResult,
    Verdict,
)
from migrator.report.schema import (
    AttemptEntry,
    ChangeEntry,
    DeclineEntry,
    FileEntry,
    Island,
    ModelEntry,
    Report,
    Run,
    Totals,
    UnitEntry,
    VerdictEntry,
)


def build(
    results: Sequence[UnitResult],
    repo: SourceRepo,
    run: Run,
    islands: Sequence[Sequence[str]] = (),
    model: ModelEntry | None = None,
) -> Report:
    """The report of a run.

    `results`: one per unit, in any order. `islands`: ids of units that share tensors, variables or
    models. `model`: which language model was asked, or what asking one would send. Raises ValueError when
    a result belongs to no Python file of `repo`.
    """
    by_path: dict[str, list[UnitResult]] = {}
    for result in results:
        by_path.setdefault(result.rewrite.unit.path, []).append(result)
    files = tuple(_file(f, by_path.get(str(f.path), ())) for f in repo.files if f.path.suffix == ".py")
    unknown = by_path.keys() - {f.path for f in files}
    if unknown:
        raise ValueError(f"results for files that are not in the repository: {sorted(unknown)}")
    accepted = {r.rewrite.unit.id for r in results if r.status in {Status.ACCEPTED, Status.UNTOUCHED}}
    stays = {r.rewrite.unit.id for r in results if r.rewrite.text is None and r.status is not Status.UNTOUCHED}
    parts = [
        Island(units=tuple(i), whole=accepted >= set(i), left=tuple(unit for unit in i if unit in stays))
        for i in islands
    ]
    parts.sort(key=lambda island: (not island.whole, len(island.left)))
    report = Report(run=run, model=model or ModelEntry(), files=files, islands=tuple(parts), skipped=dict(repo.skipped))
    return report.model_copy(update={"totals": totals(report, others=len(repo.files) - len(files))})


def totals(report: Report, others: int = 0) -> Totals:
    """Counts over a report's files; `others` is the number of files that are no Python."""
    units = report.units
    rungs: dict[str, Counter[str]] = {}
    for unit in units:
        for verdict in unit.verdicts:
            rungs.setdefault(verdict.rung, Counter())[verdict.outcome] += 1
    return Totals(
        files=len(report.files),
        files_with_tf=sum(file.uses_tf for file in report.files),
        other_files=others,
        units=len(units),
        by_status=_counts(unit.status for unit in units),
        by_rung={rung: dict(sorted(counter.items())) for rung, counter in sorted(rungs.items())},
        by_origin=_counts(unit.origin for unit in units),
        uses=sum(len(unit.uses) for unit in units),
        uses_rewritten=sum(len(unit.uses) for unit in units if unit.migrated),
        islands=len(report.islands),
        islands_whole=sum(island.whole for island in report.islands),
        tokens=sum(unit.tokens for unit in units),
        cost=sum(unit.cost for unit in units),
    )


def carried(report: Report, earlier: Report) -> Report:
    """The report of a check with what an earlier one says of the model: that was not done again."""
    before = {unit.id: unit for unit in earlier.units}
    kept = ("attempts", "tokens", "cost", "tries")

    def unit(entry: UnitEntry) -> UnitEntry:
        old = before.get(entry.id)
        return entry if old is None else entry.model_copy(update={name: getattr(old, name) for name in kept})

    files = tuple(f.model_copy(update={"units": tuple(map(unit, f.units))}) for f in report.files)
    found = report.model_copy(update={"files": files, "model": earlier.model})
    return found.model_copy(update={"totals": totals(found, others=report.totals.other_files)})


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(str(name) for name in names).items()))


def _file(file: SourceFile, results: Sequence[UnitResult]) -> FileEntry:
    units = sorted(results, key=lambda r: r.rewrite.unit.start)
    left_out = file.why.endswith(("--include", "--exclude", "symbolic link"))
    entries = tuple(unit_entry(r) for r in units)
    return FileEntry(path=str(file.path), uses_tf=file.uses_tf, why=file.why, left_out=left_out, units=entries)


def unit_entry(result: UnitResult) -> UnitEntry:
    """The entry of one unit."""
    rewrite, unit = result.rewrite, result.rewrite.unit
    return UnitEntry(
        id=unit.id,
        name=unit.name,
        kind=unit.kind,
        start=unit.start,
        end=unit.end,
        status=result.status,
        reason=result.reason,
        origin=rewrite.origin,
        migrated=rewrite.text is not None and rewrite.origin != Origin.UNTOUCHED,
        verdicts=tuple(_verdict(v) for v in result.verdicts),
        declines=tuple(_decline(d) for d in rewrite.declines),
        changes=tuple(_change(c) for c in rewrite.changes),
        gaps=rewrite.gaps,
        notes=rewrite.notes,
        uses=tuple(name for name, _ in unit.uses),
        draft=rewrite.draft,
        group=rewrite.group,
        attempts=sum(a.call is not None for a in result.attempts),
        tokens=sum(a.tokens_in + a.tokens_out for a in result.attempts),
        cost=sum(a.cost or 0.0 for a in result.attempts),
        tries=tuple(_attempt(a) for a in result.attempts),
    )


def _attempt(attempt: Attempt) -> AttemptEntry:
    fields = {f.name: getattr(attempt, f.name) for f in dataclasses.fields(attempt)}
    return AttemptEntry(**fields | {"verdicts": tuple(_verdict(v) for v in attempt.verdicts)})


def _verdict(verdict: Verdict) -> VerdictEntry:
    return VerdictEntry(
        rung=verdict.rung,
        outcome=verdict.outcome,
        measured=_figures(verdict.measured),
        allowed=_figures(verdict.allowed),
        evidence=verdict.detail,
        inputs=verdict.inputs,
        unchecked=verdict.unchecked,
        repro=verdict.repro,
        diverges=verdict.diverges,
        limit=verdict.limit,
    )


def _figures(pairs: Sequence[tuple[str, float]]) -> dict[str, float | None]:
    """JSON has no infinity and no NaN; both are None."""
    return {name: float(value) if math.isfinite(value) else None for name, value in pairs}


def _decline(decline: Decline) -> DeclineEntry:
    return DeclineEntry(reason=decline.reason, api=decline.api, line=decline.span.line if decline.span else None)


def _change(change: InterfaceChange) -> ChangeEntry:
    return ChangeEntry(
        qualname=change.qualname,
        kind=change.kind,
        detail=change.detail,
        added=change.added,
        removed=change.removed,
    )
