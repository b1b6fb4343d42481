"""The report on the terminal: the verdict table, and progress while a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from migrator.model import Status
from migrator.report.schema import Report, UnitEntry
from migrator.report.words import OUTCOME, STATUS, decisive, figures, why


def summary(report: Report) -> RenderableType:
    """The verdict table: one row a unit with TensorFlow in it, totals below."""
    lines: list[RenderableType] = [_table(report), _totals(report)]
    unread = [file for file in report.files if file.uses_tf and file.why]
    lines += [Text(f"  {file.path}: copied as it is, {file.why}", style="yellow") for file in unread]
    return Group(*lines)


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    table.add_column("Unit", overflow="fold", ratio=3, min_width=18)
    for title in ("Kind", "Status", "Highest rung"):
        table.add_column(title, no_wrap=True)
    table.add_column("Measured", overflow="fold", ratio=2, min_width=12)
    table.add_column("Why", overflow="fold", ratio=4, min_width=16)
    path = ""
    for file in report.files:
        for unit in file.units:
            if unit.status == Status.UNTOUCHED:
                continue
            if file.path != path:
                path = file.path
                table.add_row(Text(path, style="bold cyan"))
            table.add_row(*_row(unit))
    return table


def _row(unit: UnitEntry) -> tuple[RenderableType, ...]:
    name, style = STATUS[unit.status]
    verdict = decisive(unit)
    measured = "\n".join(figures(verdict)[:2]) if verdict else ""
    rung = f"{OUTCOME[verdict.outcome]} {verdict.rung}" if verdict else ""
    return (
        Text(f"  {unit.name}"),
        Text(unit.kind),
        Text(name, style=style),
        Text(rung),
        Text(measured),
        Text(why(unit)),
    )


def _totals(report: Report) -> Text:
    totals = report.totals
    counts = ", ".join(
        f"[{STATUS[Status(name)][1]}]{number} {STATUS[Status(name)][0]}[/]" for name, number in totals.by_status.items()
    )
    line = f"\n{totals.units} units in {totals.files} Python files: {counts or 'none'}"
    if totals.uses:
        line += f"\n{totals.uses_rewritten} of {totals.uses} uses of TensorFlow rewritten"
    if totals.islands:
        line += f"\n{totals.islands_whole} of {totals.islands} islands whole"
    return Text.from_markup(line)


def where(report: Report, page: str) -> str:
    """The closing line of a run, as rich markup: where output and page are."""
    return f"Output: {escape(report.run.out)}\nReport: {escape(page)}"


@contextmanager
def progress(console: Console, enabled: bool = True) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar; the value is `step(what, done, total)`, which shows what is being done now.

    Nothing is drawn when not `enabled` or not on a terminal.
    """
    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not (enabled and console.is_terminal),
    )
    with bar:
        task = bar.add_task("reading", total=None)

        def step(what: str, done: int, total: int) -> None:
            bar.update(task, description=escape(what), completed=done, total=total)

        yield step
