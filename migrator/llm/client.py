"""Asks a model, several questions at once; pays for each once. Outcomes are values: nothing here raises for a fault."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from anyio.from_thread import BlockingPortal, start_blocking_portal

from migrator.llm.budget import Budget, Reservation, estimate
from migrator.llm.calls import Completion, Message, Prompt, content_key
from migrator.llm.consent import Consent
from migrator.llm.dialect import Dialect, remembered
from migrator.llm.endpoint import Endpoint
from migrator.llm.ledger import Asked, Ledger, Received
from migrator.llm.pace import Pace
from migrator.llm.redact import Redacted, redact
from migrator.llm.replies import Failed, Pending, Spent, Withheld, parse
from migrator.llm.transport import Patience, Transport, Trouble
from migrator.llm.wire import WireReply

__all__ = ["Client", "Completion", "Message", "Prompt", "Setup", "connect"]

FORMAT = "1"
"""Of what is asked for: another one makes every question a new one."""

_DIALECTS = 10
"""Ways of asking that are tried on an endpoint before its refusal is believed."""


@dataclass(frozen=True)
class Setup:
    """What a client works with. `run` names the run in the ledger. `batch`: ask nothing, collect for a batch file.
    `max_output`: tokens that a reply may have."""

    endpoint: Endpoint
    consent: Consent
    run: str
    patience: Patience = field(default_factory=Patience)
    at_once: int = 4
    tokens_a_minute: int | None = None
    max_output: int = 8192
    batch: bool = False


@contextmanager
def connect(setup: Setup, ledger: Ledger, budget: Budget) -> Iterator[Client]:
    """A client for the length of a run; its requests are made on a thread of its own."""
    for unit, paid in ledger.paid_by_unit(setup.run).items():
        budget.spend(unit, paid.tokens_in + paid.tokens_out, paid.usd)
    with start_blocking_portal("asyncio") as portal:
        client = Client(setup, ledger, budget, portal)
        try:
            yield client
        finally:
            portal.call(client.close)


class Client:
    """Questions to one model. `complete` and `complete_all` may be called from any thread."""

    def __init__(self, setup: Setup, ledger: Ledger, budget: Budget, portal: BlockingPortal) -> None:
        self._setup = setup
        self._ledger = ledger
        self._budget = budget
        self._portal = portal
        self._transport = Transport(setup.endpoint, setup.patience, Pace(setup.at_once, setup.tokens_a_minute))
        known = ledger.dialect(setup.endpoint.address, setup.endpoint.model)
        self._dialect = remembered(known, setup.endpoint.is_openai)
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._finding_out = asyncio.Lock()
        self._settled = asyncio.Condition()
        self._down: Failed | None = None
        self._waiting: dict[str, tuple[Prompt, int]] = {}

    # --- from any thread --------------------------------------------------------------------------------

    def complete(self, prompt: Prompt, sample: int = 0) -> Completion:
        """Ask; `sample` tells draws of the same question apart. The same question of an earlier run is not sent."""
        return self._portal.call(self.ask, prompt, sample)

    def complete_all(self, questions: Sequence[tuple[Prompt, int]]) -> list[Completion]:
        """Ask several (prompt, sample) at once; the completions in the same order."""
        return self._portal.call(self._all, questions)

    @property
    def waiting(self) -> dict[str, tuple[Prompt, int]]:
        """Questions for the next batch file by their key; the prompts as they may be sent."""
        return dict(self._waiting)

    # --- on the client's own thread ------------------------------------------------------------------------

    async def _all(self, questions: Sequence[tuple[Prompt, int]]) -> list[Completion]:
        return await asyncio.gather(*(self.ask(prompt, sample) for prompt, sample in questions))

    async def close(self) -> None:
        await self._transport.close()

    async def ask(self, prompt: Prompt, sample: int = 0) -> Completion:
        """As `complete`."""
        reason = self._setup.consent.refuses(prompt)
        if reason is not None:
            return Completion(Withheld(reason))
        redacted = redact(prompt)
        asked = self._asked(redacted.prompt, sample)
        async with self._asking[asked.key]:
            known = self._ledger.reply(asked.key)
            if known is not None:
                self._ledger.use(asked.run, known[0])
                return _completion(*known, redacted, cached=True)
            return self._wait(asked) if self._setup.batch else await self._paid(asked, redacted)

    def _wait(self, asked: Asked) -> Completion:
        """Put the question into the batch of this round; what it may cost stays set aside, since it will be paid."""
        reserved = self._budget.reserve(asked.prompt.name, _tokens(asked.prompt), self._setup.max_output)
        if isinstance(reserved, str):
            return Completion(Spent(reserved))
        self._ledger.begin(asked, "waiting")
        self._waiting[asked.key] = (asked.prompt, asked.sample)
        return Completion(Pending(asked.key))

    def _asked(self, prompt: Prompt, sample: int) -> Asked:
        place = self._setup.endpoint
        key = content_key(place.model, place.address, prompt, sample, f"{FORMAT}:{self._setup.max_output}")
        return Asked(key, self._setup.run, place.model, place.address, prompt, sample)

    async def _paid(self, asked: Asked, redacted: Redacted) -> Completion:
        if self._down is not None:
            return Completion(self._down)
        tokens_in = _tokens(asked.prompt)
        reserved = await self._reserve(asked.prompt.name, tokens_in)
        if isinstance(reserved, str):
            return Completion(Spent(reserved))
        call_id = self._ledger.begin(asked)
        cost: tuple[int, float | None] = (0, 0.0)
        try:
            received = await self._received(asked, call_id, tokens_in)
            self._ledger.receive(call_id, received)
            cost = (received.tokens_in + received.tokens_out, received.cost_usd)
        except Trouble as trouble:
            self._ledger.fail(call_id, trouble.why)
            if trouble.charged:  # the server may have read the prompt, and nobody knows what it wrote
                cost = (tokens_in, self._cost(tokens_in, 0))
            failed = Failed(trouble.why, trouble.final)
            self._down = failed if trouble.final else self._down
            return Completion(failed, call_id=call_id)
        finally:
            await self._settle(reserved, cost)
        return _completion(call_id, received, redacted)

    async def _reserve(self, unit: str, tokens_in: int) -> Reservation | str:
        """Set aside what a call may cost; before giving up, wait for calls under way: they may turn out cheaper."""
        async with self._settled:
            while True:
                reserved = self._budget.reserve(unit, tokens_in, self._setup.max_output)
                if isinstance(reserved, Reservation) or not self._budget.outstanding:
                    return reserved
                await self._settled.wait()

    async def _settle(self, reserved: Reservation, cost: tuple[int, float | None]) -> None:
        async with self._settled:
            self._budget.settle(reserved, *cost)
            self._settled.notify_all()

    async def _received(self, asked: Asked, call_id: int, tokens_in: int) -> Received:
        start = time.monotonic()
        reply = await self._in_dialect(asked, call_id, tokens_in)
        choice = reply.choices[0]
        text = choice.message.content or ""
        counted = reply.usage
        spent_in = counted.prompt_tokens if counted else tokens_in
        spent_out = counted.completion_tokens if counted else estimate(text)
        return Received(
            text=text,
            finish_reason=choice.finish_reason,
            refusal=choice.message.refusal,
            tokens_in=spent_in,
            tokens_out=spent_out,
            cost_usd=self._cost(spent_in, spent_out),
            latency_s=time.monotonic() - start,
        )

    def _cost(self, tokens_in: int, tokens_out: int) -> float | None:
        return self._budget.price.of(tokens_in, tokens_out) if self._budget.price else None

    async def _in_dialect(self, asked: Asked, call_id: int, tokens: int) -> WireReply:
        """The reply in the best form that the server has; the first question finds out which, others wait for it."""
        if self._dialect.proven:
            return await self._try(self._dialect, asked, call_id, tokens)
        async with self._finding_out:
            return await self._try(self._dialect, asked, call_id, tokens)

    async def _try(self, dialect: Dialect, asked: Asked, call_id: int, tokens: int) -> WireReply:
        for _ in range(_DIALECTS):
            body = dialect.body(asked.model, asked.prompt, asked.sample, self._setup.max_output)
            try:
                reply = await self._transport.ask(body, tokens, lambda: self._ledger.attempt(call_id))
            except Trouble as trouble:
                following = dialect.after(trouble.why, self._setup.max_output) if trouble.status in (400, 422) else None
                if following is None:
                    raise
                dialect = following
            else:
                self._learn(dialect, asked)
                return reply
        raise Trouble("the endpoint refuses every form in which a reply can be asked for", final=True)

    def _learn(self, dialect: Dialect, asked: Asked) -> None:
        learnt = dialect.model_copy(update={"proven": True, "most": None})  # how much fits is each prompt's own affair
        if learnt == self._dialect:
            return
        self._dialect = learnt
        self._ledger.learn_dialect(asked.endpoint, asked.model, self._dialect.model_dump_json())


def _tokens(prompt: Prompt) -> int:
    return sum(map(estimate, (prompt.system, *(message.text for message in prompt.messages))))


def _completion(call_id: int, received: Received, redacted: Redacted, cached: bool = False) -> Completion:
    outcome = redacted.restore(parse(received.text, received.finish_reason, received.refusal))
    return Completion(outcome, received.tokens_in, received.tokens_out, received.cost_usd, cached, call_id)
