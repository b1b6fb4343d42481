"""Accept or revert: the loop between what is written and what the verifier says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from migrator.codemods.files import reason_of
from migrator.codemods.repository import RepositoryDraft
from migrator.model import (
    FileRewrite,
    Origin,
    Outcome,
    Rung,
    Status,
    UnitKind,
    UnitResult,
    UnitRewrite,
    Verdict,
)

Check = Callable[[Mapping[str, FileRewrite]], Mapping[str, Sequence[Verdict]]]
"""Runs the ladder on files as they would be shipped; gives the verdicts by unit id."""

BEHAVIOUR = frozenset(
    {
        Rung.FORWARD,
        Rung.TRAIN_FORWARD,
        Rung.GRADIENTS,
        Rung.STEPS,
        Rung.TRAINING,
        Rung.BATCHES,
    }
)
"""Rungs that compare what the unit does; without one of them nothing is accepted."""

STATIC_SUFFICES = frozenset({UnitKind.IMPORTS, UnitKind.CONSTANT})
"""Kinds that do nothing of their own: that they import, with equal values, is all there is to check."""


@dataclass(frozen=True)
class Settled:
    """The files as they go to disk and the result of every unit."""

    files: Mapping[str, FileRewrite]
    results: tuple[UnitResult, ...]


def settle(draft: RepositoryDraft, check: Check, rounds: int = 20) -> Settled:
    """Check, revert what failed with everything that needs it, and check what is left again.

    Ends when a round rejects nothing more, so that every verdict is of the files as shipped.
    """
    reverted: dict[str, str] = {}
    rejected: dict[str, tuple[Verdict, ...]] = {}
    for _ in range(rounds):
        files = draft.render(reverted)
        verdicts = check(files)
        failed = {
            unit: found
            for unit, found in verdicts.items()
            if unit not in reverted and any(v.outcome is Outcome.FAIL for v in found)
        }
        if not failed:
            return Settled(files, results(files, verdicts, rejected))
        for unit, found in failed.items():
            worst = next(v for v in found if v.outcome is Outcome.FAIL)
            reverted[unit] = f"the {worst.rung} check failed: {worst.detail}"
            rejected[unit] = tuple(found)
    everything = {
        part.segment.unit.id: "it could not be settled with the units around it"
        for file in draft.files.values()
        for part in file.parts
    }
    files = draft.render(everything)
    return Settled(files, results(files, {}, rejected))


def results(
    files: Mapping[str, FileRewrite],
    verdicts: Mapping[str, Sequence[Verdict]],
    rejected: Mapping[str, Sequence[Verdict]],
) -> tuple[UnitResult, ...]:
    units = [rewrite for file in files.values() for rewrite in file.units]
    return tuple(result(unit, verdicts.get(unit.unit.id, rejected.get(unit.unit.id, ()))) for unit in units)


def unchecked(draft: RepositoryDraft, files: Mapping[str, FileRewrite] | None = None) -> Settled:
    """The files as the codemods left them, with nothing executed: no unit of it is accepted."""
    texts = draft.render({}) if files is None else files
    skipped = Verdict(Rung.IMPORTS, Outcome.UNVERIFIABLE, "nothing was executed (--check none)")
    verdicts = {u.unit.id: [skipped] for f in texts.values() for u in f.units if u.text is not None}
    return Settled(texts, results(texts, verdicts, {}))


def result(rewrite: UnitRewrite, verdicts: Sequence[Verdict]) -> UnitResult:
    """The status that the verdicts give a unit.

    What a model wrote is never better than what was compared of it: where nothing was, a person has to look.
    """
    ended = _result(rewrite, verdicts)
    written = rewrite.origin in (Origin.LLM, Origin.HYBRID) and rewrite.text is not None
    if not written or not (ended.status is Status.UNVERIFIABLE or _is_static(rewrite, ended)):
        return ended
    return replace(ended, status=Status.NEEDS_REVIEW, reason=f"unverified: {ended.reason}")


def _is_static(rewrite: UnitRewrite, ended: UnitResult) -> bool:
    """Accepted only because it imports."""
    passed = {v.rung for v in ended.verdicts if v.outcome in (Outcome.PASS, Outcome.GAP)}
    return ended.status is Status.ACCEPTED and rewrite.unit.kind in STATIC_SUFFICES and not passed & BEHAVIOUR


def _result(rewrite: UnitRewrite, verdicts: Sequence[Verdict]) -> UnitResult:
    found = tuple(v for v in verdicts if not _elsewhere(rewrite, v))
    if rewrite.text is None:
        if rewrite.declines:
            reason = "; ".join(dict.fromkeys(reason_of(d) for d in rewrite.declines))
            return UnitResult(rewrite, Status.NEEDS_REVIEW, reason, found)
        return UnitResult(rewrite, Status.UNTOUCHED, "no TensorFlow in it", found)
    outcomes = {v.outcome for v in found}
    for outcome, status in (
        (Outcome.FAIL, Status.NEEDS_REVIEW),
        (Outcome.INFRA, Status.INFRA_ERROR),
        (Outcome.UNVERIFIABLE, Status.UNVERIFIABLE),
    ):
        if outcome in outcomes:
            first = next(v for v in found if v.outcome is outcome)
            return UnitResult(rewrite, status, f"{first.rung}: {first.detail}", found)
    passed = {v.rung for v in found if v.outcome in (Outcome.PASS, Outcome.GAP)}
    if (rewrite.unit.kind in STATIC_SUFFICES or rewrite.only_set_a_mode) and Rung.IMPORTS in passed:
        return UnitResult(rewrite, Status.ACCEPTED, "imports without TensorFlow", found)
    if not passed & BEHAVIOUR:
        return UnitResult(rewrite, Status.UNVERIFIABLE, "nothing that it does was compared", found)
    top = max(passed, key=list(Rung).index)
    mixed = next((f"; {v.detail}" for v in found if v.rung is Rung.DEVICE and v.outcome is Outcome.GAP), "")
    return UnitResult(rewrite, Status.ACCEPTED, f"equal up to {top}{mixed}", found)


def _elsewhere(rewrite: UnitRewrite, verdict: Verdict) -> bool:
    """Whether this tells of a line of another unit that a GPU would refuse: that unit says so itself."""
    of_device = verdict.rung is Rung.DEVICE and verdict.outcome is Outcome.GAP
    return of_device and verdict.diverges not in (rewrite.text or "")
