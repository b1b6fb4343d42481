"""The talk about one fragment: question, reply, what came of it, and the next question, a few times at most."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from migrator.llm import feedback, rendering
from migrator.llm.calls import Completion, Message, Prompt
from migrator.llm.candidate import Candidate, candidate
from migrator.llm.fragment import Fragment
from migrator.llm.gate import problems
from migrator.llm.gate_interface import bound
from migrator.llm.rendering import Finding
from migrator.llm.replies import (
    Answer,
    Empty,
    Failed,
    Malformed,
    Pending,
    Refused,
    Reply,
    Spent,
    Truncated,
    Withheld,
)
from migrator.model import Attempt, Verdict

ENDED = frozenset({"accepted", "unverified"})
RAN = frozenset({feedback.FAILED, feedback.TOO_SLOW, feedback.TOO_LARGE})
"""Headings of a candidate that came as far as being run."""


@dataclass(frozen=True)
class Judged:
    """What the verifier said of a candidate. `ending`: accepted, unverified, rejected or infra-error."""

    ending: str
    detail: str = ""
    verdicts: tuple[Verdict, ...] = ()


Judge = Callable[[Candidate], Judged]


@dataclass(frozen=True)
class _Told:
    """What the next question says of a reply; `reply` is "" where there is none to show."""

    heading: str
    findings: tuple[Finding, ...] = ()
    reply: str = ""


@dataclass
class Conversation:
    """A fragment and what was said of it so far. `most`: questions in all.

    `won` is the candidate that was accepted or, where nothing could be compared, is left for review.
    `values`: single values of results on recorded inputs may be told.
    """

    fragment: Fragment
    most: int = 3
    values: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    won: Candidate | None = None
    number: int = 1
    _seen: set[str] = field(default_factory=set)
    _last: _Told | None = None  # what the next question is about
    _earlier: list[str] = field(default_factory=list)
    _closed: bool = False

    @property
    def open(self) -> bool:
        """Whether there is another question to ask."""
        return self.won is None and not self._closed and self.number <= self.most

    @property
    def lost(self) -> bool:
        """Whether it ended without a candidate that may stay."""
        return self.won is None and not self.open and not self.waiting

    @property
    def waiting(self) -> bool:
        """Whether its question is in a batch file."""
        return bool(self.attempts) and self.attempts[-1].ending == "pending"

    def question(self) -> Prompt:
        """What is asked now: the fragment, and after the first time the last reply with its findings."""
        messages = [Message("user", rendering.fragment(self.fragment))]
        if self._last is not None:
            last = self._last
            text = rendering.repair(last.heading, last.findings, self._earlier, self.number == self.most)
            if last.reply:
                messages += [Message("assistant", last.reply), Message("user", text)]
            else:
                messages = [_joined(messages[0], text)]
        sources = (self.fragment.path, *(n.path for n in (*self.fragment.uses, *self.fragment.used_by)))
        version = rendering.version()
        return Prompt(
            rendering.system_of(self.fragment),
            tuple(messages),
            self.fragment.id,
            version,
            tuple(dict.fromkeys(sources)),
        )

    def hear(self, completions: Sequence[Completion], judge: Judge) -> list[Attempt]:
        """Take the draws of the current question, in order, until one is accepted; gives the new attempts."""
        new: list[Attempt] = []
        failures: list[_Told] = []
        for sample, completion in enumerate(completions):
            attempt, said = self._one(completion, sample, judge)
            new.append(attempt)
            if attempt.ending in ENDED:
                break
            if said is not None:
                failures.append(said)
        self.attempts += new
        self._go_on(failures)
        return new

    def _go_on(self, failures: Sequence[_Told]) -> None:
        """Choose what the next question is about: of several draws one that came as far as being run."""
        if self._last is not None:
            self._earlier.append(_short(self._last))
        self.number += 1
        if failures:
            self._last = max(failures, key=lambda told: told.heading in RAN)
        else:
            self._closed = True  # nothing new was said, or nothing at all: asking again would bring the same

    def _one(self, completion: Completion, sample: int, judge: Judge) -> tuple[Attempt, _Told | None]:
        outcome = completion.outcome
        if not isinstance(outcome, Answer):
            ending, detail, repair = _unanswered(outcome)
            said = _Told(repair, (Finding("what came", detail),) if detail else ()) if repair else None
            return self._attempt(completion, sample, Judged(ending, detail)), said
        reply = outcome.reply
        found, missing = self._proposed(reply)
        if _content(found) in self._seen:
            judged = Judged("same", "the same reply as before")
            return self._attempt(completion, sample, judged), None
        self._seen.add(_content(found))
        refused = missing or problems(found, self.fragment.contract)
        if refused:
            judged = Judged("gate", "; ".join(refused))
            return self._attempt(completion, sample, judged), _Told(
                feedback.REFUSED, feedback.of_gate(refused), reply.model_dump_json()
            )
        judged = judge(found)
        if judged.ending in ENDED:
            self.won = found
            return self._attempt(completion, sample, judged), None
        findings = feedback.of_verdicts(judged.verdicts, self.values) or (Finding(judged.detail),)
        if judged.ending == "infra-error":
            return self._attempt(completion, sample, judged), None
        heading = feedback.heading(judged.verdicts)
        return self._attempt(completion, sample, judged), _Told(heading, findings, reply.model_dump_json())

    def _proposed(self, reply: Reply) -> tuple[Candidate, tuple[str, ...]]:
        """The candidate of a reply, whole or with the frame's holes filled, and what is missing of it."""
        frame = self.fragment.frame
        single = frame is not None and len(frame.holes) == 1 and not reply.holes and not self._defines(reply.code)
        fills = {1: reply.code} if single else reply.fills
        framed = frame is not None and (single or not reply.code.strip())
        code, imports, missing = reply.code, reply.imports, tuple[str, ...]()
        if frame is not None and framed:
            left = [n for n in range(1, len(frame.holes) + 1) if not fills.get(n, "").strip()]
            missing = tuple(f"hole {n} is not filled" for n in left)
            code = frame.filled({**dict.fromkeys(left, "pass"), **fills})
            imports = [*frame.imports, *imports]
        elif not code.strip():
            missing = ('the unit has no holes: "code" must hold all of it',)
        found = candidate(code, imports, reply.helpers, reply.assumptions, reply.not_kept)
        return replace(found, framed=framed), missing

    def _defines(self, code: str) -> bool:
        """Whether code is the unit rather than what goes into its only hole."""
        try:
            made = {name for node in ast.parse(code).body for name in bound(node)}
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return any(f" {d.name}" in code for d in self.fragment.contract.definitions)
        return any(d.name in made for d in self.fragment.contract.definitions)

    def _attempt(self, completion: Completion, sample: int, judged: Judged) -> Attempt:
        return Attempt(
            number=self.number,
            ending=judged.ending,
            detail=judged.detail,
            sample=sample,
            verdicts=judged.verdicts,
            tokens_in=completion.tokens_in,
            tokens_out=completion.tokens_out,
            cost=completion.cost_usd,
            cached=completion.cached,
            call=completion.call_id,
            prompt=rendering.version(),
        )


def _unanswered(outcome: object) -> tuple[str, str, str]:
    """(ending, detail, what the next question says) of an outcome that is no answer."""
    match outcome:
        case Refused(text):
            return "refused", text, Refused.repair
        case Truncated():
            return "truncated", "cut off at its length limit", Truncated.repair
        case Empty():
            return "empty", "", Empty.repair
        case Malformed(why):
            return "malformed", why, Malformed.repair
        case Spent(why):
            return "spent", why, ""
        case Withheld(why):
            return "withheld", why, ""
        case Pending(key):
            return "pending", key, ""
        case Failed(why):
            return "failed", why, ""
    raise TypeError(f"{outcome!r} is no outcome of a question")


def _content(found: Candidate) -> str:
    """The candidate without layout and comments, so that the same code in another dress is the same."""
    try:
        return ast.dump(ast.parse(found.text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return found.text


def _short(told: _Told) -> str:
    """The finding that counts, in one line."""
    failed = [f for f in told.findings if f.text.startswith("failed")] or list(told.findings)[:1]
    if not failed:
        return told.heading
    return " ".join(f"{failed[0].text}: {failed[0].verbatim}".split())[:200].rstrip(": ")


def _joined(message: Message, text: str) -> Message:
    """A question and what is to be said after a reply that cannot be shown, in one message."""
    return Message("user", f"{message.text}\n---\n\n{text}")
