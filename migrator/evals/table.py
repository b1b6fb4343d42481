"""An evaluation as a table for people."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from migrator.evals.docs.table import render_docs
from migrator.evals.result import EvalResult, Row, TaskResult, Totals
from migrator.evals.score import ACCEPTED


def render(result: EvalResult) -> Group:
    """The tasks, what did not go as expected, and the totals."""
    docs = [task for task in result.tasks if task.set == "docs"]
    bundled = [task for task in result.tasks if task.set != "docs"]
    parts: list[Table | Text] = [_tasks(bundled)] if bundled else []
    parts += render_docs(docs) if docs else []
    surprises = [(task, row) for task in bundled for row in task.rows if not as_expected(row)]
    if surprises:
        parts.append(_surprises(surprises))
    parts.append(Text(summary(result.totals, result.seconds)))
    return Group(*parts)


def as_expected(row: Row) -> bool:
    """Whether a wrong migration was refused and a right one accepted; what was not run is no surprise."""
    if row.ending in ("not-run", "not-applicable"):
        return True
    return row.ending == "wrong" if row.expected == "refused" else row.ending in ACCEPTED


def summary(totals: Totals, seconds: float) -> str:
    """The totals in a few lines."""
    lines = []
    if totals.references or totals.not_run or totals.rates:
        lines.append(
            f"migrations: {totals.equal} equal, {totals.equal_with_gap} equal with a documented gap, "
            f"{totals.declined} declined, {totals.wrong} wrong, {totals.unverifiable} unverifiable, "
            f"{totals.not_run} not run, {totals.not_applicable} not applicable"
        )
    if totals.references:
        lines.append(f"references: {totals.references_equal} of {totals.references} equal")
    if totals.kill_rate is not None:
        lines.append(
            f"wrong migrations refused: {totals.killed} of {totals.wrong_migrations} ({totals.kill_rate:.1%}), "
            f"{totals.killed_where_expected} at the rung expected"
        )
    if totals.false_reject_rate is not None:
        lines.append(
            f"right migrations called wrong: {totals.rejected} of {totals.right_migrations} "
            f"({totals.false_reject_rate:.1%}), {totals.undecided} undecided"
        )
    return "\n".join([*lines, f"{totals.tasks} tasks in {seconds:.0f} s"])


def _tasks(tasks: list[TaskResult]) -> Table:
    table = Table("set", "task", "by hand", "migrated", "wrong refused", "right accepted", "seconds")
    for task in tasks:
        table.add_row(task.set, task.task, *_columns(task), f"{sum(row.seconds for row in task.rows):.0f}")
    return table


def _columns(task: TaskResult) -> tuple[str, str, str, str]:
    by_hand = next((_ending(row) for row in task.rows if row.kind in ("reference", "right")), "")
    migrated = next((_ending(row) for row in task.rows if row.kind == "migrated"), "")
    wrong = [row for row in task.rows if row.expected == "refused"]
    variants = [row for row in task.rows if row.kind == "variant"]
    return by_hand, migrated, _share(wrong), _share(variants)


def _ending(row: Row) -> str:
    return f"{row.ending} ({row.rung})" if row.rung else row.ending


def _share(rows: list[Row]) -> str:
    return f"{sum(as_expected(row) for row in rows)}/{len(rows)}" if rows else ""


def _surprises(rows: list[tuple[TaskResult, Row]]) -> Table:
    table = Table("task", "migration", "expected", "ended", "case", "detail", title="Not as expected")
    for task, row in rows:
        expected = f"refused ({row.expected_rung})" if row.expected == "refused" else "equal"
        table.add_row(task.task, f"{row.kind} {row.id}", expected, _ending(row), row.case, Text(row.detail))
    return table
