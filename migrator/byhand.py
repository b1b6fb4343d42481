"""Units that stayed TensorFlow and that a person has finished since: they are what stands on disk now."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from migrator.codemods.repository import RepositoryDraft
from migrator.completion.drafts import as_written
from migrator.model import Origin, Status, UnitKind
from migrator.report import Report

NOTE = "finished by hand: what stands in the file was checked"


def with_finished(draft: RepositoryDraft, earlier: Report, out: Path) -> tuple[RepositoryDraft, frozenset[str]]:
    """The draft with these units as the files have them, and their ids.

    They are trusted no more than what a model wrote: no weight records, and every function must have run.
    """
    done = frozenset(_finished(draft, earlier, out))
    for unit in sorted(done):
        text = (out / unit.partition("::")[0]).read_text(encoding="utf-8")
        old = draft.part(unit)[1].draft
        draft = as_written(draft, unit, text, Origin.HYBRID, old.gaps if old is not None else ())
    known = {unit.id for unit in earlier.units if unit.migrated and NOTE in unit.notes}
    for unit in sorted(done | known):
        made = draft.part(unit)[1].draft
        if made is not None:
            draft = draft.with_draft(unit, replace(made, notes=tuple(dict.fromkeys((*made.notes, NOTE)))))
    return draft, done


def _finished(draft: RepositoryDraft, earlier: Report, out: Path) -> Iterator[str]:
    for entry in earlier.units:
        path = out / entry.id.partition("::")[0]
        stayed = not entry.migrated and entry.status is not Status.UNTOUCHED and entry.kind is not UnitKind.IMPORTS
        if stayed and path.is_file():
            with suppress(SyntaxError, KeyError, ValueError):  # its own rung says that the file does not parse
                if not _has_original(draft, entry.id, path.read_text(encoding="utf-8")):
                    yield entry.id


def _has_original(draft: RepositoryDraft, unit: str, text: str) -> bool:
    """Whether every statement of the original unit still stands in a file; comments and layout do not count."""
    file, part = draft.part(unit)
    if part.draft is None:
        return True
    original = "".join(file.tree.code_for_node(statement) for statement in part.segment.statements)
    here = {ast.dump(statement) for statement in ast.parse(text).body}
    return all(ast.dump(statement) in here for statement in ast.parse(original).body)
