"""Every call to a model, kept in SQLite: the record of what was sent, and the cache that pays once."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from migrator.errors import UsageError
from migrator.llm.calls import Prompt
from migrator.llm.migrations import migrate


def default_path() -> Path:
    """One ledger a user, so that the same question of another run is not paid again."""
    return user_state_path("migrator") / "ledger.sqlite"


@dataclass(frozen=True)
class Asked:
    """Who asks what: the identity of a call in the ledger. `prompt` is the text as it is sent."""

    key: str
    run: str
    model: str
    endpoint: str
    prompt: Prompt
    sample: int = 0


@dataclass(frozen=True)
class Received:
    """A reply as it came, and what it cost."""

    text: str
    finish_reason: str | None
    refusal: str | None
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    latency_s: float = 0.0


@dataclass(frozen=True)
class Paid:
    """What was paid for: `usd` counts the calls with a known price."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    unpriced: int = 0
    cached: int = 0


class Ledger:
    """The calls in one SQLite file. Safe to use from several threads and processes.

    A call is written before it is sent and its reply as soon as it is there, each in a transaction
    that is on disk before the next step: a killed process loses no reply that it had received.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file (readable by its owner only); raises `UsageError` where that fails."""
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            migrate(self._db)
        except (OSError, sqlite3.Error) as error:
            raise UsageError(f"{path}: cannot be used as a ledger ({error})") from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    # --- calls ------------------------------------------------------------------------------------

    def reply(self, key: str) -> tuple[int, Received] | None:
        """The call that asked the same before, and its reply; None where there is no reply."""
        rows = self._rows("SELECT * FROM calls WHERE key = ? AND state = 'replied'", key)
        return (rows[0]["id"], _received(rows[0])) if rows else None

    def begin(self, asked: Asked, state: str = "sent") -> int:
        """Note that this is about to be sent (or, `state` "waiting", to wait in a batch file); gives the call's id."""
        row = {
            "key": asked.key,
            "run": asked.run,
            "unit": _storable(asked.prompt.name),
            "prompt_version": asked.prompt.version,
            "sample": asked.sample,
            "model": asked.model,
            "endpoint": asked.endpoint,
            "prompt": json.dumps(turns(asked.prompt), ensure_ascii=False),
            "state": state,
            "created": _now(),
        }
        columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
        with self._writing() as db:
            db.execute(
                f"INSERT INTO calls ({columns}) VALUES ({places}) ON CONFLICT (key) DO UPDATE SET "
                "run = excluded.run, unit = excluded.unit, prompt = excluded.prompt, state = excluded.state, "
                "error = NULL WHERE state != 'replied'",
                row,
            )
            return int(db.execute("SELECT id FROM calls WHERE key = ?", (asked.key,)).fetchone()[0])

    def attempt(self, call_id: int) -> None:
        """Note that the request leaves the machine, once more."""
        with self._writing() as db:
            db.execute("UPDATE calls SET attempts = attempts + 1 WHERE id = ?", (call_id,))

    def receive(self, call_id: int, received: Received) -> None:
        """Keep the reply, paid for by the run that asked; from here on the same question is not sent."""
        with self._writing() as db:
            db.execute(
                "UPDATE calls SET state = 'replied', reply = ?, finish_reason = ?, refusal = ?, tokens_in = ?, "
                "tokens_out = ?, cost_usd = ?, latency_s = ?, error = NULL WHERE id = ?",
                (*_values(received), call_id),
            )
            db.execute("INSERT OR REPLACE INTO uses SELECT run, id, 1 FROM calls WHERE id = ?", (call_id,))

    def fail(self, call_id: int, error: str) -> None:
        """Note why no reply came; asked again, the question is sent again."""
        with self._writing() as db:
            db.execute("UPDATE calls SET state = 'failed', error = ? WHERE id = ?", (_storable(error), call_id))

    def use(self, run: str, call_id: int) -> None:
        """Note that `run` used a reply without paying for it; one that it had paid for stays paid."""
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO uses VALUES (?, ?, 0)", (run, call_id))

    def waiting(self, key: str) -> int | None:
        """The call that waits in a batch file for its reply."""
        rows = self._rows("SELECT id FROM calls WHERE key = ? AND state = 'waiting'", key)
        return int(rows[0]["id"]) if rows else None

    def endpoint_of(self, key: str) -> str | None:
        """Where the question with this key was meant to be asked."""
        rows = self._rows("SELECT endpoint FROM calls WHERE key = ?", key)
        return str(rows[0]["endpoint"]) if rows else None

    # --- what came of them --------------------------------------------------------------------------

    def record_verdict(self, call_id: int, verdict: str, accepted: bool = False) -> None:
        """Note what the gate or the validators said of the reply; several for a reply that was tried several times."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO verdicts (call_id, created, accepted, verdict) VALUES (?, ?, ?, ?)",
                (call_id, _now(), accepted, _storable(verdict)),
            )

    def note(self, run: str, unit: str, text: str) -> None:
        """Keep a remark on a unit's prompt, such as what was left out of it."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO notes (run, unit, created, note) VALUES (?, ?, ?, ?)",
                (run, unit, _now(), _storable(text)),
            )

    def paid(self, run: str) -> Paid:
        """What `run` has paid for, in all; `cached` counts the replies that it used without paying."""
        return Paid(*map(sum, zip(*(astuple(paid) for paid in self.paid_by_unit(run).values()), strict=True)))

    def paid_by_unit(self, run: str) -> dict[str, Paid]:
        """The same for each unit."""
        rows = self._rows(
            "SELECT unit, SUM(paid) AS calls, SUM(NOT paid) AS cached, SUM(paid * tokens_in) AS tokens_in, "
            "SUM(paid * tokens_out) AS tokens_out, SUM(paid * cost_usd) AS usd, "
            "SUM(paid AND cost_usd IS NULL) AS unpriced "
            "FROM uses JOIN calls ON calls.id = uses.call_id WHERE uses.run = ? GROUP BY unit",
            run,
        )
        names = [found.name for found in fields(Paid)]
        return {row["unit"]: Paid(**{name: row[name] or 0 for name in names}) for row in rows}

    def sent(self, run: str | None = None) -> Iterator[dict[str, Any]]:
        """Everything that left the machine, oldest first, with what came back and what was thought of it."""
        rows = self._rows(
            "SELECT * FROM calls WHERE attempts > 0 AND (? IS NULL OR id IN (SELECT call_id FROM uses WHERE run = ?) "
            "OR run = ?) ORDER BY id",
            run,
            run,
            run,
        )
        for row in rows:
            verdicts = self._rows("SELECT created, accepted, verdict FROM verdicts WHERE call_id = ?", row["id"])
            yield dict(row) | {
                "prompt": json.loads(row["prompt"]),
                "verdicts": [dict(verdict) | {"accepted": bool(verdict["accepted"])} for verdict in verdicts],
            }

    def export(self, path: Path, run: str | None = None) -> int:
        """Write `sent` as JSON lines; gives their number."""
        lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in self.sent(run)]
        path.write_text("".join(lines), encoding="utf-8")
        return len(lines)

    # --- endpoints ------------------------------------------------------------------------------------

    def dialect(self, endpoint: str, model: str) -> str | None:
        """What was found out of how the endpoint is spoken to."""
        rows = self._rows("SELECT dialect FROM dialects WHERE endpoint = ? AND model = ?", endpoint, model)
        return str(rows[0]["dialect"]) if rows else None

    def batch(self, endpoint: str, digest: str) -> str | None:
        """The batch that was handed in from an input file with this SHA-256."""
        rows = self._rows("SELECT id FROM batches WHERE endpoint = ? AND digest = ?", endpoint, digest)
        return str(rows[0]["id"]) if rows else None

    def begin_batch(self, name: str, endpoint: str, run: str, digest: str) -> None:
        with self._writing() as db:
            values = (name, endpoint, run, _now(), digest)
            db.execute("INSERT INTO batches (id, endpoint, run, created, digest) VALUES (?, ?, ?, ?, ?)", values)

    def forget_batch(self, name: str) -> None:
        """A batch that brought nothing may be handed in again."""
        with self._writing() as db:
            db.execute("DELETE FROM batches WHERE id = ?", (name,))

    def learn_dialect(self, endpoint: str, model: str, dialect: str) -> None:
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO dialects VALUES (?, ?, ?)", (endpoint, model, dialect))


def turns(prompt: Prompt) -> list[dict[str, str]]:
    """The prompt as the messages of a chat completion."""
    return [
        {"role": "system", "content": prompt.system},
        *({"role": message.role, "content": message.text} for message in prompt.messages),
    ]


def _received(row: sqlite3.Row) -> Received:
    return Received(
        row["reply"],
        row["finish_reason"],
        row["refusal"],
        row["tokens_in"],
        row["tokens_out"],
        row["cost_usd"],
        row["latency_s"] or 0.0,
    )


def _values(received: Received) -> tuple[object, ...]:
    return (
        _storable(received.text),
        received.finish_reason,
        _storable(received.refusal) if received.refusal is not None else None,
        received.tokens_in,
        received.tokens_out,
        received.cost_usd,
        received.latency_s,
    )


def _storable(text: str) -> str:
    """SQLite takes no half surrogate pairs."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
