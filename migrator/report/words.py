"""How states, rungs and figures are shown to people, on the terminal and on the page alike."""

from __future__ import annotations

from migrator.model import Outcome, Status
from migrator.report.schema import UnitEntry, VerdictEntry

STATUS = {
    Status.ACCEPTED: ("accepted", "green"),
    Status.NEEDS_REVIEW: ("needs review", "yellow"),
    Status.UNVERIFIABLE: ("unverifiable", "magenta"),
    Status.INFRA_ERROR: ("infra error", "red"),
    Status.UNTOUCHED: ("untouched", "dim"),
}

OUTCOME = {
    Outcome.PASS: "✓",
    Outcome.GAP: "≈",
    Outcome.FAIL: "✗",
    Outcome.NOT_APPLICABLE: "–",
    Outcome.UNVERIFIABLE: "?",
    Outcome.INFRA: "!",
}


def figure(value: float | None) -> str:
    """A number as short as it is clear: counts whole, small figures in powers of ten."""
    if value is None:
        return "not finite"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.2e}" if abs(value) < 1e-2 or abs(value) >= 1e4 else f"{value:.4g}"


def figures(verdict: VerdictEntry) -> list[str]:
    """`name 3.1e-07 ≤ 1e-05` for each figure, the tolerance only where there is one."""
    lines = []
    for name, value in verdict.measured.items():
        limit = f" ≤ {figure(verdict.allowed[name])}" if name in verdict.allowed else ""
        sign = limit if _holds(value, verdict.allowed.get(name)) else limit.replace("≤", ">")
        lines.append(f"{name} {figure(value)}{sign}")
    return lines


def _holds(value: float | None, limit: float | None) -> bool:
    return value is not None and (limit is None or value <= limit)


def decisive(unit: UnitEntry) -> VerdictEntry | None:
    """The verdict to show where there is room for one: the first failure, else the highest rung passed."""
    bad = {Outcome.FAIL, Outcome.INFRA, Outcome.UNVERIFIABLE}
    failed = next((v for v in unit.verdicts if v.outcome in bad), None)
    passed = [v for v in unit.verdicts if v.rung == unit.highest and v.outcome in {Outcome.PASS, Outcome.GAP}]
    return failed or (passed[-1] if passed else None)


def first_difference(unit: UnitEntry) -> list[str]:
    """Where the last attempt at the unit first differs from the original, or else what the rules wrote."""
    verdicts = next((t.verdicts for t in reversed(unit.tries) if t.verdicts), unit.verdicts)
    said = next((v.diverges for v in verdicts if v.diverges), "")
    return [f"first difference: {said}"] if said and unit.status != Status.ACCEPTED else []


def why(unit: UnitEntry) -> str:
    """Why a unit stands where it does, and where it first differs from the original."""
    if unit.reason:
        return "\n".join([unit.reason, *first_difference(unit)])
    return unit.declines[0].reason if unit.declines and not unit.migrated else ""
