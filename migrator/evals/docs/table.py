"""The set `docs` as tables: examples and APIs by ending, and what stands in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from migrator.evals.result import Ending, Row, TaskResult

ENDINGS: tuple[Ending, ...] = ("equal", "declined", "wrong", "not-applicable")
_WORST: tuple[Ending, ...] = ("wrong", "declined", "equal", "not-applicable")
MOST = 25


def render_docs(tasks: Sequence[TaskResult]) -> list[Table | Text]:
    """Counts, the wrong examples, and the reasons of the rest, most frequent first."""
    rows = [row for task in tasks for row in task.rows]
    parts: list[Table | Text] = [_counts(tasks, rows)]
    wrong = [row for row in rows if row.ending == "wrong"]
    if wrong:
        parts.append(_wrong(wrong))
    parts.append(_reasons("Declined, by API and reason", [_declined(row) for row in rows if row.ending == "declined"]))
    parts.append(_reasons("Not applicable", [row.detail for row in rows if row.ending == "not-applicable"]))
    return parts


def api_ending(task: TaskResult) -> Ending:
    """The ending of an API: its worst example decides, and those that are not applicable say nothing."""
    return next(ending for ending in _WORST if any(row.ending == ending for row in task.rows))


def _counts(tasks: Sequence[TaskResult], rows: Sequence[Row]) -> Table:
    table = Table("docs", *ENDINGS, "all")
    for name, endings in (
        ("examples", [row.ending for row in rows]),
        ("APIs", [api_ending(task) for task in tasks]),
    ):
        table.add_row(name, *(str(endings.count(ending)) for ending in ENDINGS), str(len(endings)))
    return table


def _wrong(rows: Sequence[Row]) -> Table:
    table = Table("example", "how it differs", title="Wrong")
    for row in rows:
        table.add_row(row.id, Text(row.detail))
    return table


def _declined(row: Row) -> str:
    return f"{row.case}: {row.detail}" if row.case and row.case not in row.detail else row.detail


def _reasons(title: str, reasons: Sequence[str]) -> Table:
    table = Table("examples", "reason", title=title)
    for reason, count in Counter(reasons).most_common(MOST):
        table.add_row(str(count), Text(reason))
    return table
