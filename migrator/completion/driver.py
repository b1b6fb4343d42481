"""What the rules left goes to a model, leaf first; what it answers is checked like everything else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from migrator.checking import Checker, Step
from migrator.codemods.repository import RepositoryDraft
from migrator.completion import circles
from migrator.completion.drafts import as_draft
from migrator.completion.examples import foreign, own
from migrator.completion.fragments import Surroundings, fragment
from migrator.completion.judging import Judging, guarded
from migrator.llm import feedback
from migrator.llm.calls import Completion, Prompt
from migrator.llm.candidate import Candidate
from migrator.llm.conversation import Conversation, Judged
from migrator.llm.fragment import Example, Fragment
from migrator.llm.gate_interface import bound
from migrator.llm.packing import BUDGET, pack
from migrator.model import Attempt, FileRewrite, Outcome, Status, UnitKind, UnitResult
from migrator.settle import Settled
from migrator.values import Facts


class Model(Protocol):
    """What is asked: a client, a replies file, or a collector that sends nothing."""

    def complete_all(self, questions: Sequence[tuple[Prompt, int]]) -> list[Completion]:
        """The completions of (prompt, sample) pairs, in order."""


class Diary(Protocol):
    """Where it is written down what came of calls and what a prompt left out (the ledger)."""

    def verdict(self, call: int, text: str, accepted: bool) -> None: ...

    def note(self, unit: str, text: str) -> None: ...


@dataclass(frozen=True)
class Options:
    """`attempts`: questions a unit in all. `samples`: draws a question. `budget`: tokens of a prompt.
    `values`: recorded text and single results may be told, not only shapes, dtypes and figures."""

    attempts: int = 3
    samples: int = 1
    budget: int = BUDGET
    values: bool = False


@dataclass(frozen=True)
class Completed:
    """The end of it: the draft with what was accepted, and the settled files."""

    draft: RepositoryDraft
    settled: Settled


@dataclass
class _Work:
    """Where the completion of a repository stands.

    `left`: unit → why it stays as it was although the rules wrote something. `talks`: those under way and those
    ended. `circles`: the unit that a talk about several is kept under → what is known of each; `led_by`: each
    of these → that unit. `helpers`: names of what was written beside a unit.
    """

    draft: RepositoryDraft
    checker: Checker
    facts: Facts
    step: Step
    left: dict[str, str]
    results: tuple[UnitResult, ...]
    talks: dict[str, Conversation] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    not_asked: dict[str, str] = field(default_factory=dict)
    circles: dict[str, tuple[Fragment, ...]] = field(default_factory=dict)
    led_by: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Accepted pairs to choose from: the run's own, and bundled ones of other programs."""
        return (*own(self.draft, self.results), *foreign(self.draft))

    def talk(self, unit: str) -> Conversation | None:
        """The talk about a unit, also where it is about several."""
        return self.talks.get(self.led_by.get(unit, unit))


def complete(
    draft: RepositoryDraft,
    settled: Settled,
    checker: Checker,
    facts: Facts,
    model: Model,
    diary: Diary,
    options: Options,
    step: Step,
) -> Completed:
    """Ask about every unit that is left, as long as something can come of it, and settle the whole again.

    A candidate counts only by the verdicts of `checker`: first alone on top of what is accepted so far,
    in the end with everything, on the files as they would ship.
    """
    work = _begin(draft, settled, checker, facts, step)
    if not work.pending:
        return Completed(draft, settled)
    files = settled.files
    while ready := _ready(work, files, options):
        _round(work, ready, files, model, diary, options)
        files = work.draft.render(work.left)
    end = checker.settle(work.draft, facts, step)
    results = tuple(_ended(result, end.files[result.rewrite.unit.path].text, work) for result in end.results)
    return Completed(work.draft, Settled(end.files, results))


def left_over(settled: Settled, draft: RepositoryDraft) -> list[str]:
    """The units that would be asked about, leaf first."""
    return list(_leaf_first(draft, settled))


def foreseen(
    draft: RepositoryDraft, settled: Settled, checker: Checker, facts: Facts, options: Options, step: Step
) -> list[Fragment]:
    """What would be asked first of every unit that is left; nothing is sent."""
    work = _begin(draft, settled, checker, facts, step)
    asked = []
    while work.pending:
        unit = work.pending[0]
        circle = _circle(unit, work) & set(work.pending) - {unit}
        if circle:
            asked += _at_once(unit, circle, work, settled.files, options)
        else:
            asked.append(work.pending.pop(0))
    return [_packed(unit, work, settled.files, options) for unit in asked]


def _begin(draft: RepositoryDraft, settled: Settled, checker: Checker, facts: Facts, step: Step) -> _Work:
    left = {r.rewrite.unit.id: feedback.summary(r.verdicts) for r in settled.results if _rejected(r)}
    work = _Work(draft, checker, facts, step, left, settled.results)
    work.pending = list(_leaf_first(draft, settled))
    return work


def _rejected(result: UnitResult) -> bool:
    return result.rewrite.text is None and any(v.outcome is Outcome.FAIL for v in result.verdicts)


def _can_be_written(result: UnitResult) -> bool:
    """Imports are written for what the file needs: nobody is asked for them."""
    return result.rewrite.unit.kind is not UnitKind.IMPORTS


def _leaf_first(draft: RepositoryDraft, settled: Settled) -> Iterator[str]:
    """Units that were declined or rejected themselves; what they use comes before them."""
    wanted = {r.rewrite.unit.id for r in settled.results if _rejected(r) and _can_be_written(r)}
    for file in draft.files.values():
        for part in file.parts:
            if part.draft is not None and part.draft.declines and part.segment.unit.kind is not UnitKind.IMPORTS:
                wanted.add(part.segment.unit.id)
    seen: set[str] = set()

    def visit(unit: str) -> Iterator[str]:
        if unit in seen:
            return
        seen.add(unit)
        for other in sorted(draft.edges.get(unit, ())):
            yield from visit(other)
        if unit in wanted:
            yield unit

    for unit in sorted(wanted):
        yield from visit(unit)


def _ready(work: _Work, files: Mapping[str, FileRewrite], options: Options) -> list[str]:
    """Units about which can be asked now; those that can never be are put aside with the reason."""
    going = [unit for unit, talk in work.talks.items() if talk.open and not talk.waiting]
    before = set(work.pending)
    for unit in list(work.pending):
        if unit not in work.pending:
            continue
        needs = work.draft.reachable(unit) - {unit}
        talks = {u: talk for u in needs if (talk := work.talk(u)) is not None}
        lost = sorted(u for u in needs if u in work.not_asked or (u in talks and talks[u].lost))
        waits = {u for u in needs if u in before or (u in talks and talks[u].won is None)}
        if lost:
            work.not_asked[unit] = f"not asked about: it uses {lost[0].rpartition('::')[2]}, which stays TensorFlow"
        elif not waits:
            going.append(unit)
        elif waits == (circle := waits & _circle(unit, work)):
            going += _at_once(unit, circle, work, files, options)
            continue
        else:
            continue
        work.pending.remove(unit)
    return going


def _at_once(unit: str, circle: set[str], work: _Work, files: Mapping[str, FileRewrite], options: Options) -> list[str]:
    """The first of units that refer to each other, under which all are asked about; none where they cannot be."""
    ids = [unit, *circle] if circle <= set(work.pending) else [unit]
    members = sorted((_fragment(u, work, files, options, whole=True) for u in ids), key=lambda m: _start(m.id, work))
    why = circles.problem(members) if len(members) > 1 else "one of them was asked about before"
    work.pending = [u for u in work.pending if u not in ids]
    if why:
        for u in ids:
            names = ", ".join(other.rpartition("::")[2] for other in sorted({unit, *circle} - {u}))
            work.not_asked[u] = f"not asked about: it and {names} refer to each other, and {why}"
        return []
    first = members[0].id
    work.circles[first] = tuple(members)
    work.led_by |= dict.fromkeys(ids, first)
    return [first]


def _start(unit: str, work: _Work) -> int:
    return work.draft.part(unit)[1].segment.unit.start


def _circle(unit: str, work: _Work) -> set[str]:
    """Units that refer to each other: none of them could be run before the others are written."""
    return {other for other in work.draft.reachable(unit) if unit in work.draft.reachable(other)}


# --- a round -----------------------------------------------------------------------------------------------


def _round(
    work: _Work,
    ready: Sequence[str],
    files: Mapping[str, FileRewrite],
    model: Model,
    diary: Diary,
    options: Options,
) -> None:
    """Ask about all that is ready at once, then judge the replies one by one."""
    for unit in ready:
        if unit not in work.talks:
            work.talks[unit] = _talk(unit, work, files, diary, options)
    questions = [(work.talks[unit].question(), n) for unit in ready for n in range(options.samples)]
    work.step(f"asking about {len(ready)} units", 0, len(questions))
    completions = model.complete_all(questions)
    for index, unit in enumerate(ready):
        draws = completions[index * options.samples : (index + 1) * options.samples]
        talk = work.talks[unit]
        new = talk.hear(draws, _judge(unit, work))
        for attempt in new:
            if attempt.call is not None:
                said = f"{attempt.ending}: {attempt.detail}".rstrip(": ")
                diary.verdict(attempt.call, said, attempt.ending == "accepted")


def _talk(unit: str, work: _Work, files: Mapping[str, FileRewrite], diary: Diary, options: Options) -> Conversation:
    packed = _packed(unit, work, files, options)
    if packed.left_out:
        diary.note(unit, f"left out of the prompt: {'; '.join(packed.left_out)}")
    return Conversation(packed, options.attempts, options.values)


def _packed(unit: str, work: _Work, files: Mapping[str, FileRewrite], options: Options) -> Fragment:
    members = work.circles.get(unit)
    found = circles.together(members) if members is not None else _fragment(unit, work, files, options)
    return pack(found, options.budget)


def _fragment(
    unit: str, work: _Work, files: Mapping[str, FileRewrite], options: Options, whole: bool = False
) -> Fragment:
    plans = work.checker.plans(*_asked(unit, work), work.facts)
    around = Surroundings(work.draft, files, work.facts, plans, work.examples, options.values)
    return fragment(unit, around, work.left.get(unit, ""), whole)


def _asked(unit: str, work: _Work) -> tuple[RepositoryDraft, Mapping[str, FileRewrite]]:
    """The files as if the unit were written already: what the verifier will plan for it."""
    _, part = work.draft.part(unit)
    assert part.draft is not None
    trial = work.draft.with_draft(unit, replace(part.draft, declines=()))
    return trial, trial.render({u: why for u, why in work.left.items() if u != unit})


def _judge(unit: str, work: _Work) -> Callable[[Candidate], Judged]:
    """Judges a candidate for a unit, and keeps it in the work when it may stay."""

    def judge(found: Candidate) -> Judged:
        trial, units = work.draft, []
        helpers = dict(work.helpers)
        for asked, piece in _pieces(unit, found, work):
            made = [node for text in piece.helpers for node in ast.parse(text).body]
            helpers[asked.id] = tuple(name for node in made for name in bound(node))
            trial = trial.with_draft(asked.id, as_draft(piece, asked, *work.draft.part(asked.id)))
            units.append(asked.id)
        others = {u: why for u, why in work.left.items() if u not in units}
        judging = Judging(work.checker, trial, work.facts, others, work.step, helpers)
        judged = judging.of_all(units)
        if judged.ending in ("accepted", "unverified"):
            work.draft, work.helpers = trial, helpers
            work.left = {**others, **judging.failed_users}
            work.pending += [u for u in judging.failed_users if work.talk(u) is None and u not in work.pending]
        return judged

    return judge


def _pieces(unit: str, found: Candidate, work: _Work) -> list[tuple[Fragment, Candidate]]:
    """The units that a candidate is for, and what it is for each."""
    members = work.circles.get(unit)
    if members is None:
        return [(work.talks[unit].fragment, found)]
    return list(zip(members, circles.apart(found, members), strict=True))


# --- the end -----------------------------------------------------------------------------------------------


def _ended(result: UnitResult, text: str, work: _Work) -> UnitResult:
    """The result of a unit with what was tried; what a model wrote counts only as far as it was run."""
    unit = result.rewrite.unit.id
    talk = work.talk(unit)
    attempts = tuple(talk.attempts) if talk is not None else ()
    if work.led_by.get(unit, unit) != unit:  # told and paid once
        attempts = tuple(replace(a, tokens_in=0, tokens_out=0, cost=0.0, call=None) for a in attempts)
    result = replace(guarded(result, text, work.helpers.get(unit, ()), work.checker.entered), attempts=attempts)
    if result.status is Status.NEEDS_REVIEW and result.rewrite.text is None:
        said = _said(attempts) or work.not_asked.get(unit, "")
        return replace(result, reason=f"{result.reason}; {said}" if said else result.reason)
    return result


def _said(attempts: Sequence[Attempt]) -> str:
    """What came of the questions, in a clause."""
    if not attempts:
        return ""
    last = attempts[-1]
    if last.ending == "pending":
        return "a question about it waits in the batch file"
    count = max(a.number for a in attempts)
    tries = f"{count} attempts" if count > 1 else "1 attempt"
    return f"a model's {tries} did not do ({last.ending}{': ' + last.detail if last.detail else ''})"
