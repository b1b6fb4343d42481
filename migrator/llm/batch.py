"""Questions as an input file of OpenAI's Batch API, and its output file back: half the price, or any model offline."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from migrator.errors import EnvironmentMissing, UsageError
from migrator.llm.budget import estimate
from migrator.llm.calls import Prompt
from migrator.llm.dialect import first
from migrator.llm.endpoint import Endpoint
from migrator.llm.ledger import Asked, Ledger, Received
from migrator.llm.pace import Pace
from migrator.llm.prices import Price
from migrator.llm.transport import Patience, Transport, Trouble
from migrator.llm.wire import WireReply

URL = "/v1/chat/completions"
_ENDED = {"completed", "failed", "expired", "cancelled"}


class _Response(BaseModel):
    status_code: int = 200
    body: Any = None


class _Line(BaseModel):
    """A line of an output file. Its `custom_id` is the key of the question in the ledger."""

    custom_id: str
    response: _Response | None = None
    error: Any = None


@dataclass(frozen=True)
class Taken:
    """What an output file brought: replies, and lines without one with their reasons."""

    replies: int
    failed: tuple[str, ...] = ()


def write(path: Path, waiting: Mapping[str, tuple[Prompt, int]], endpoint: Endpoint, max_output: int) -> int:
    """Write one request a line, for `waiting` by key; gives their number.

    The shape of the reply is asked for as strictly as OpenAI's own models can be asked; another
    program may ignore that, since replies are read in every form.
    """
    dialect = first(endpoint.is_openai)
    lines = [
        {
            "custom_id": key,
            "method": "POST",
            "url": URL,
            "body": dialect.body(endpoint.model, prompt, sample, max_output),
        }
        for key, (prompt, sample) in waiting.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return len(lines)


def take(path: Path, ledger: Ledger, endpoint: Endpoint, run: str, price: Price | None) -> Taken:
    """Put the replies of an output file into the ledger, where the run finds them instead of asking.

    A reply that is known already stays as it was and is not paid again. Raises `UsageError` for a
    file that is none.
    """
    replies, failed = 0, []
    for line in _lines(path):
        found = _received(line, price)
        if isinstance(found, str):
            failed.append(f"{line.custom_id[:12]}: {found}")
            continue
        replies += 1
        if ledger.reply(line.custom_id) is None:
            ledger.receive(_call(ledger, line.custom_id, endpoint, run), found)
    return Taken(replies, tuple(failed))


def _call(ledger: Ledger, key: str, endpoint: Endpoint, run: str) -> int:
    """The question that waits under `key`; one that another ledger wrote is known by its key alone."""
    call_id = ledger.waiting(key)
    if call_id is None:
        call_id = ledger.begin(Asked(key, run, endpoint.model, endpoint.address, Prompt("", (), "", "")))
    ledger.attempt(call_id)  # it has left the machine
    return call_id


def _lines(path: Path) -> Iterator[_Line]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield _Line.model_validate_json(line)
        except ValidationError as error:
            raise UsageError(f"{path}:{number}: no line of a batch output file ({error.errors()[0]['msg']})") from error


def _received(line: _Line, price: Price | None) -> Received | str:
    """The reply in a line, or why there is none."""
    if line.response is None or line.response.status_code != 200:
        return " ".join(json.dumps(line.error or (line.response and line.response.body)).split())[:200]
    try:
        reply = WireReply.model_validate(line.response.body)
    except ValidationError:
        return "the answer is no chat completion"
    choice, text = reply.choices[0], reply.choices[0].message.content or ""
    tokens_in = reply.usage.prompt_tokens if reply.usage else 0
    tokens_out = reply.usage.completion_tokens if reply.usage else estimate(text)
    cost = price.of(tokens_in, tokens_out) if price else None
    return Received(text, choice.finish_reason, choice.message.refusal, tokens_in, tokens_out, cost)


def hand_in(
    path: Path,
    out: Path,
    endpoint: Endpoint,
    ledger: Ledger,
    run: str,
    tell: Callable[[str], None],
    poll_s: float = 30.0,
) -> Taken:
    """Upload an input file, wait until the endpoint has worked it off, and download the replies to `out`.

    A batch that was handed in before from the same file is waited for, not paid again. `tell` gets
    its state at each look. Raises `UsageError` where the questions were written for another endpoint,
    `EnvironmentMissing` where this one fails.
    """
    _check_place(path, ledger, endpoint)
    try:
        asyncio.run(_handed_in(path, out, endpoint, ledger, run, tell, poll_s))
    except Trouble as trouble:
        raise EnvironmentMissing(f"batch: {trouble.why}") from trouble
    found = {line.custom_id: _received(line, None) for line in _lines(out)}
    failed = tuple(f"{key[:12]}: {reason}" for key, reason in found.items() if isinstance(reason, str))
    return Taken(len(found) - len(failed), failed)


def _check_place(path: Path, ledger: Ledger, endpoint: Endpoint) -> None:
    """What may be sent to one place may not be sent to another."""
    for line in _lines(path):
        meant = ledger.endpoint_of(line.custom_id)
        if meant is not None and meant != endpoint.address:
            raise UsageError(f"{path} was written for {meant}, not for {endpoint.address}: give its --base-url")


async def _handed_in(
    path: Path,
    out: Path,
    endpoint: Endpoint,
    ledger: Ledger,
    run: str,
    tell: Callable[[str], None],
    poll_s: float,
) -> None:
    transport = Transport(endpoint, Patience(), Pace())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        name = ledger.batch(endpoint.address, digest)
        if name is None:
            name = await transport.create_batch(path, URL)
            ledger.begin_batch(name, endpoint.address, run, digest)
        while (batch := await transport.batch(name)).status not in _ENDED:
            tell(f"batch {name}: {batch.status}")
            await asyncio.sleep(poll_s)
        tell(f"batch {name}: {batch.status}")
        files = [file for file in (batch.output_file_id, batch.error_file_id) if file]
        texts = [await transport.file(file) for file in files]
        if not texts:
            ledger.forget_batch(name)
            raise Trouble(f"{name} {batch.status} without a reply")
        out.write_text("".join(text if text.endswith("\n") else text + "\n" for text in texts), encoding="utf-8")
    finally:
        await transport.close()
