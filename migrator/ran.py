"""What came of running cases: verdicts, and what was entered on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from migrator_validators.bench import LARGE

from migrator.model import Outcome, Rung, Verdict
from migrator.settle import BEHAVIOUR

Ran = tuple[list[Verdict], frozenset[str]]
"""Verdicts, and the functions of the migrated tree that were entered on the way."""


def joined(ran: Sequence[Ran]) -> Ran:
    """All of them as one."""
    return [v for found, _ in ran for v in found], frozenset().union(*(entered for _, entered in ran))


def compared(verdicts: Sequence[Verdict]) -> bool:
    """Whether something that a unit does was compared, and nothing went wrong on the way."""
    outcomes = {v.outcome for v in verdicts if v.rung in BEHAVIOUR}
    return bool(outcomes & {Outcome.PASS, Outcome.GAP}) and not any(
        v.outcome in (Outcome.FAIL, Outcome.INFRA) for v in verdicts
    )


def is_large(ran: Sequence[Ran]) -> bool:
    """Whether one more run of what was run takes long."""
    figures = (dict(v.measured) for found, _ in ran for v in found)
    return any(measured.get("trainable parameters", 0.0) > LARGE for measured in figures)


def has_failed(ran: Ran) -> bool:
    """Whether the sides differ."""
    return any(v.outcome is Outcome.FAIL for v in ran[0])


def accepted_by_source(ran: Ran) -> bool:
    """Whether the original took the inputs."""
    return not any(v.rung is Rung.SOURCE_RUNS and v.outcome is not Outcome.PASS for v in ran[0])


def repeated(ran: Sequence[Ran]) -> list[Ran]:
    """What came of recorded calls. One that the original itself refuses when it is made alone (it needs what earlier
    calls did to its object) says nothing where another could be made; its lines have to run in other checks."""
    if not any(map(accepted_by_source, ran)):
        return list(ran)
    return [([_aside(v) for v in verdicts], entered) for verdicts, entered in ran]


def _aside(verdict: Verdict) -> Verdict:
    if verdict.rung is not Rung.SOURCE_RUNS or verdict.outcome is not Outcome.UNVERIFIABLE:
        return verdict
    return replace(verdict, outcome=Outcome.NOT_APPLICABLE, detail=f"made alone, {verdict.detail}")


def says_nothing(ran: Ran) -> bool:
    """Whether the source took the inputs and gave the same for all of them: others may tell more."""
    return any(v.rung is Rung.FORWARD and v.outcome is Outcome.UNVERIFIABLE for v in ran[0])
