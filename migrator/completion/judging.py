"""One candidate before the verifier: on trial, on top of what is accepted so far."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from migrator import unrun
from migrator.checking import Checker, Step
from migrator.codemods.repository import RepositoryDraft
from migrator.llm import feedback
from migrator.llm.conversation import Judged
from migrator.model import Origin, Outcome, Rung, Status, UnitResult, UnitRewrite, Verdict
from migrator.settle import BEHAVIOUR, result
from migrator.values import Facts

Function = ast.FunctionDef | ast.AsyncFunctionDef


WORST_FIRST = ("rejected", "infra-error", "unverified", "accepted")


@dataclass
class Judging:
    """`left`: units that stay as they were, with the reason. `helpers`: what a model wrote beside a unit, by
    unit: its names. `failed_users`: units that the rules wrote and
    that fail now that they can run, through no fault of the candidate: it was compared by itself."""

    checker: Checker
    draft: RepositoryDraft
    facts: Facts
    left: Mapping[str, str]
    step: Step
    helpers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    failed_users: dict[str, str] = field(default_factory=dict)

    def of_all(self, units: Sequence[str]) -> Judged:
        """What it says of units that were written at once: the worst of it, with all verdicts."""
        found, failed = [], dict[str, str]()
        for unit in units:
            found.append(self.of(unit))
            failed |= self.failed_users
        self.failed_users = {unit: why for unit, why in failed.items() if unit not in units}
        worst = min(found, key=lambda judged: WORST_FIRST.index(judged.ending))
        verdicts = dict.fromkeys(v for judged in found for v in judged.verdicts)
        return replace(worst, verdicts=tuple(verdicts))

    def of(self, unit: str) -> Judged:
        """What the verifier says of the unit as drafted; never better than what was compared."""
        files = self.draft.render(self.left)
        verdicts = self.checker.check(self.draft, files, self.facts, self.step)
        rewrite = next(u for f in files.values() for u in f.units if u.unit.id == unit)
        if rewrite.text is None:
            reason = "; ".join(d.reason for d in rewrite.declines)
            return Judged("infra-error", f"it could not be put in its place: {reason}")
        own = verdicts[unit]
        users = {
            other: found
            for other, found in verdicts.items()
            if other != unit and unit in self.draft.reachable(other) and _failed(found)
        }
        if not _failed(own) and users and not _compared(own):
            other, found = next(iter(users.items()))
            detail = f"{other.rpartition('::')[2]}, which uses it, differs: {feedback.summary(found)}"
            return Judged("rejected", detail, tuple(found))
        ended = result(rewrite, own)
        if _failed(own):
            return Judged("rejected", feedback.summary(own), tuple(own))
        if ended.status is Status.INFRA_ERROR:
            return Judged("infra-error", ended.reason, tuple(own))
        self.failed_users = {other: feedback.summary(found) for other, found in users.items()}
        if ended.status is not Status.ACCEPTED:
            return Judged("unverified", ended.reason, tuple(own))
        text = files[rewrite.unit.path].text
        missing = never_run(rewrite, text, self.helpers.get(unit, ()), self.checker.entered)
        if missing:
            return Judged("unverified", missing, tuple(own))
        return Judged("accepted", ended.reason, tuple(own))


def _failed(verdicts: list[Verdict]) -> bool:
    """Also a limit of the verifier that the original kept: then the candidate is too slow or too large."""
    return any(feedback.bad(v) for v in verdicts)


def _compared(verdicts: list[Verdict]) -> bool:
    return any(v.rung in BEHAVIOUR | {Rung.RUNS} and v.outcome in (Outcome.PASS, Outcome.GAP) for v in verdicts)


def never_run(rewrite: UnitRewrite, text: str, helpers: Sequence[str], entered: Mapping[str, frozenset[str]]) -> str:
    """Functions and methods of a unit, and lines of its helpers, that no check went through: compared by nothing.

    `text`: the migrated file. `helpers`: names of what a model wrote beside the unit. `entered`: unit → what its
    checks reached of the migrated tree, "file:qualified name" and "file#line". "" where all of it ran.
    """
    ran = frozenset().union(*entered.values()) if entered else frozenset()
    path = rewrite.unit.path
    missing = [name for name in functions(rewrite.text or "") if f"{path}:{name}" not in ran]
    if missing:
        return f"{', '.join(missing)} was never run"
    beside = replace(rewrite, unit=replace(rewrite.unit, name=""), defines=tuple(helpers))
    found = unrun.lines_verdict(beside, "", text, unrun.of_path(entered.values(), path))
    return found.detail if found is not None and found.outcome is Outcome.UNVERIFIABLE else ""


def guarded(ended: UnitResult, text: str, helpers: Sequence[str], entered: Mapping[str, frozenset[str]]) -> UnitResult:
    """The result of a unit; what a model wrote is accepted only where all of it was run."""
    written = ended.rewrite.origin in (Origin.LLM, Origin.HYBRID)
    missing = never_run(ended.rewrite, text, helpers, entered) if written and ended.status is Status.ACCEPTED else ""
    return replace(ended, status=Status.NEEDS_REVIEW, reason=f"unverified: {missing}") if missing else ended


def functions(text: str) -> Iterator[str]:
    """Qualified names of the functions and methods in a text; functions inside functions are theirs."""
    yield from _functions(ast.parse(text), "")


def _functions(tree: ast.AST, prefix: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield f"{prefix}{node.name}"
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try):
            yield from _functions(node, prefix)
