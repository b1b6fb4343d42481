"""One question over HTTP: sent, sent again where that may help, and every fault given a name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    wait_exponential,
    wait_random,
)

from migrator.llm.dialect import too_long
from migrator.llm.endpoint import Endpoint
from migrator.llm.pace import Pace
from migrator.llm.redact import own_keys
from migrator.llm.wire import ErrorReply, Models, WireReply

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI
    from openai.types import Batch

Answered = TypeVar("Answered")

_NO_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing|credit", re.I)
_FILTERED = re.compile(r"content_filter|content management policy|content_policy", re.I)
_AGAIN = {408, 409, 425, 429}
_ABSENT = {"ConnectError", "ConnectTimeout", "ProxyError", "UnsupportedProtocol"}
"""Errors of httpx by name: the SDK brings httpx or its successor, and these are the same in both."""

_WORDS = 200
"""Characters of a server's own words that a message quotes."""


@dataclass(frozen=True)
class Patience:
    """How long a question is tried. `attempts`: requests in all. `timeout_s`: of one request, from end to end.
    `longest_wait_s`: between two; a server that asks for a longer one ends the run's questions."""

    attempts: int = 6
    timeout_s: float = 300.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0


class Trouble(Exception):
    """No reply came. `again`: sending it again may help, after `wait_s` where the server said so.
    `final`: no other question would fare better. `status`: of HTTP, 0 where there was no answer.
    `charged`: the server may have worked for it all the same. `slow`: it took longer than allowed, and
    will a second time."""

    def __init__(
        self,
        why: str,
        *,
        again: bool = False,
        wait_s: float | None = None,
        final: bool = False,
        status: int = 0,
        charged: bool = False,
        slow: bool = False,
    ) -> None:
        super().__init__(why)
        self.why = why
        self.again = again
        self.wait_s = wait_s
        self.final = final
        self.status = status
        self.charged = charged
        self.slow = slow


class Transport:
    """Sends requests to one endpoint. Used from one event loop."""

    def __init__(self, endpoint: Endpoint, patience: Patience, pace: Pace) -> None:
        self.endpoint = endpoint
        self._patience = patience
        self._pace = pace
        self._sdk: AsyncOpenAI | None = None

    @property
    def sdk(self) -> AsyncOpenAI:
        """The SDK's client, made when it is first needed: importing it takes a second."""
        if self._sdk is None:
            self._sdk = self.endpoint.connect(self._patience.timeout_s)
        return self._sdk

    async def close(self) -> None:
        if self._sdk is not None:
            await self._sdk.close()

    async def models(self) -> list[str]:
        """Names of the endpoint's models; raises `Trouble` when there is no such list."""
        return await self._patiently(0, lambda: self._faults_named(self._listed()))

    async def _listed(self) -> list[str]:
        raw = await self.sdk.models.with_raw_response.list()
        return [model.id for model in Models.model_validate_json(raw.http_response.content).data]

    async def create_batch(self, path: Path, url: str) -> str:
        """Upload an input file and hand it in; gives the batch's name. Never sent twice: it would be paid twice."""

        async def created() -> str:
            file = await self.sdk.files.create(file=path, purpose="batch")
            endpoint: Any = url
            batch = await self.sdk.batches.create(input_file_id=file.id, endpoint=endpoint, completion_window="24h")
            return batch.id

        return await self._faults_named(created())

    async def batch(self, name: str) -> Batch:
        """The state of a batch."""
        return await self._patiently(0, lambda: self._faults_named(self.sdk.batches.retrieve(name)))

    async def file(self, name: str) -> str:
        """The text of a file at the endpoint."""

        async def content() -> str:
            return (await self.sdk.files.content(name)).text

        return await self._patiently(0, lambda: self._faults_named(content()))

    async def ask(self, body: dict[str, Any], tokens: int, before: Callable[[], None]) -> WireReply:
        """The reply to a chat completion request; `before` is called each time that it leaves the machine.

        Raises `Trouble` when none came.
        """

        async def once() -> WireReply:
            before()
            return await self._faults_named(self._completed(body))

        return await self._patiently(tokens, once)

    async def _patiently(self, tokens: int, once: Callable[[], Awaitable[Answered]]) -> Answered:
        """The answer, asked for again as long as that may help."""
        retrying = AsyncRetrying(
            stop=self._enough,
            wait=self._wait,
            retry=retry_if_exception(lambda error: isinstance(error, Trouble) and error.again),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                async with self._pace.turn(tokens):
                    return await once()
        raise AssertionError("tenacity ends by a reply or by an exception")

    async def _completed(self, body: dict[str, Any]) -> WireReply:
        raw = await self.sdk.chat.completions.with_raw_response.create(**body)
        reply = _completion(raw.http_response.content)
        self._pace.went_well()
        return reply

    async def _faults_named(self, answer: Awaitable[Answered]) -> Answered:
        """The answer; every way in which none comes is a `Trouble`."""
        import openai

        try:
            async with asyncio.timeout(self._patience.timeout_s):
                return await answer
        except (TimeoutError, openai.APITimeoutError) as error:
            why = f"no reply within {self._patience.timeout_s:g} s"
            raise Trouble(why, again=True, charged=True, slow=True) from error
        except openai.APIStatusError as error:
            raise self._refused(error) from error
        except openai.APIConnectionError as error:
            raise self._cut(error.__cause__ or error) from error
        except ValidationError as error:
            raise Trouble("the endpoint's answer is none of this API", again=True, charged=True) from error

    def _cut(self, cause: BaseException) -> Trouble:
        """Nobody there concerns every question; a connection that breaks may be this one's fault."""
        absent = type(cause).__name__ in _ABSENT
        why = f"{self.endpoint.address} cannot be reached" if absent else "the connection broke"
        return Trouble(f"{why}: {_words(cause)}", again=True, final=absent, charged=not absent)

    def _refused(self, error: APIStatusError) -> Trouble:
        """What an HTTP status means for this question and for others."""
        status, words = error.status_code, _words(error)
        if status == 429 and not _NO_QUOTA.search(f"{error.code} {words}"):
            wait = retry_after(error.response.headers)
            self._pace.slow_down(min(wait or 0.0, self._patience.longest_wait_s), _named_limit(error.response.headers))
            if wait is not None and wait > self._patience.longest_wait_s:
                return Trouble(f"the endpoint asks to wait {wait:.0f} s (429)", final=True, status=429)
            return Trouble(f"too many requests (429): {words}", again=True, wait_s=wait, status=429)
        if status in _AGAIN - {429} or status >= 500:
            wait = retry_after(error.response.headers)
            again = wait is None or wait <= self._patience.longest_wait_s
            return Trouble(f"the endpoint failed ({status}): {words}", again=again, wait_s=wait, status=status)
        return _refusal(status, f"{error.code or ''}", words, self.endpoint)

    def _enough(self, state: RetryCallState) -> bool:
        """Whether to give up. A model that is too slow stays so, and each wait is a long one."""
        error = state.outcome.exception() if state.outcome else None
        slow = isinstance(error, Trouble) and error.slow
        return state.attempt_number >= (2 if slow else self._patience.attempts)

    def _wait(self, state: RetryCallState) -> float:
        """Seconds: what the server asked for and a little more, so that not all come back at once."""
        patience = self._patience
        jitter = wait_random(0, patience.first_wait_s)
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait_s if isinstance(error, Trouble) else None
        if asked is None:
            asked = wait_exponential(multiplier=patience.first_wait_s, max=patience.longest_wait_s)(state)
        return float(asked + jitter(state))


def _completion(content: bytes) -> WireReply:
    """The completion in a body; raises `Trouble` for an error that came with the status of a success."""
    try:
        return WireReply.model_validate_json(content)
    except ValidationError:
        try:
            error = ErrorReply.model_validate_json(content)
        except ValidationError:
            raise Trouble("the endpoint's answer is no chat completion", again=True, charged=True) from None
        raise Trouble(f"the endpoint failed (200): {_short(error.words)}", again=True, charged=True) from None


def _refusal(status: int, code: str, words: str, endpoint: Endpoint) -> Trouble:
    """A refusal that sending again does not cure."""
    if too_long(f"{code} {words}") or status == 413:
        return Trouble(f"the prompt does not fit the model ({status}): {words}", status=status)
    if _FILTERED.search(f"{code} {words}"):
        return Trouble(f"the endpoint's content filter refuses the prompt ({status}): {words}")
    reasons = {
        401: f"{endpoint.host} refuses the key (401): {words}",
        403: f"{endpoint.host} forbids this (403): {words}",
        404: f"{endpoint.host} does not know the model or the path (404): {words}",
        402: f"nothing left to pay with at {endpoint.host} (402): {words}",
        429: f"the quota at {endpoint.host} is used up (429): {words}",
    }
    reason = reasons.get(status, f"the endpoint refuses the request ({status}): {words}")
    return Trouble(reason, final=status in reasons, status=status)


def _named_limit(headers: Any) -> int | None:
    """Tokens a minute that the server lets through, where it says so."""
    text = headers.get("x-ratelimit-limit-tokens") or ""
    return int(text) if text.isdecimal() and int(text) > 0 else None


def retry_after(headers: Any, now: datetime | None = None) -> float | None:
    """Seconds that a server asks to wait: `retry-after-ms`, or `Retry-After` as seconds or date; None if neither."""
    try:
        if headers.get("retry-after-ms"):
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        text = headers.get("retry-after")
        if not text:
            return None
        if re.fullmatch(r"\s*\d+(\.\d+)?\s*", text):
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError):
        return None


def _words(error: BaseException) -> str:
    """A server's own words on one short line, without any key that they repeat."""
    body = getattr(error, "body", None)
    text = body.get("message") if isinstance(body, dict) else None
    return _short(str(text or error or type(error).__name__))


def _short(text: str) -> str:
    words = " ".join(text.split())
    for key in own_keys():
        words = words.replace(key, "***")
    words = re.sub(r"\bsk-[\w*-]{4,}", "***", words)
    return words if len(words) <= _WORDS else words[: _WORDS - 1] + "…"
