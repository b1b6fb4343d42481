"""The ledger's tables, as numbered steps that are applied in order and never edited."""

from __future__ import annotations

import sqlite3

MIGRATIONS: tuple[str, ...] = (
    # 1: every call, from before it is sent
    """
    CREATE TABLE calls (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        run TEXT NOT NULL,
        unit TEXT NOT NULL,
        prompt_version TEXT NOT NULL,
        sample INTEGER NOT NULL,
        model TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        prompt TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('sent', 'replied', 'failed', 'waiting')),
        created TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        reply TEXT,
        finish_reason TEXT,
        refusal TEXT,
        tokens_in INTEGER NOT NULL DEFAULT 0,
        tokens_out INTEGER NOT NULL DEFAULT 0,
        cost_usd REAL,
        latency_s REAL,
        error TEXT
    );
    CREATE INDEX calls_run ON calls (run, unit);
    """,
    # 2: what came of the replies, and which runs used them
    """
    CREATE TABLE verdicts (
        id INTEGER PRIMARY KEY,
        call_id INTEGER NOT NULL REFERENCES calls (id),
        created TEXT NOT NULL,
        accepted INTEGER NOT NULL,
        verdict TEXT NOT NULL
    );
    CREATE TABLE uses (
        run TEXT NOT NULL,
        call_id INTEGER NOT NULL REFERENCES calls (id),
        paid INTEGER NOT NULL,
        PRIMARY KEY (run, call_id)
    );
    CREATE TABLE notes (
        id INTEGER PRIMARY KEY,
        run TEXT NOT NULL,
        unit TEXT NOT NULL,
        created TEXT NOT NULL,
        note TEXT NOT NULL
    );
    """,
    # 3: what is known of an endpoint, and batches under way
    """
    CREATE TABLE dialects (
        endpoint TEXT NOT NULL,
        model TEXT NOT NULL,
        dialect TEXT NOT NULL,
        PRIMARY KEY (endpoint, model)
    );
    CREATE TABLE batches (
        id TEXT PRIMARY KEY,
        endpoint TEXT NOT NULL,
        run TEXT NOT NULL,
        created TEXT NOT NULL,
        digest TEXT NOT NULL
    );
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to date; each step is one transaction, so a killed process leaves none half done.

    Raises `sqlite3.DatabaseError` where the file is newer than this program or no ledger.
    """
    while (version := _version(connection)) < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == version:  # another process may have been faster
            for statement in filter(str.strip, MIGRATIONS[version].split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute("COMMIT")
    if version > len(MIGRATIONS):
        raise sqlite3.DatabaseError(f"written by a newer version (schema {version}, this one knows {len(MIGRATIONS)})")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
