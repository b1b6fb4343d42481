"""The report on the terminal: the verdict table, and progress while a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from migrator.model import Status
from migrator.report.schema import Report, UnitEntry
from migrator.report.words import OUTCOME, STATUS, decisive, figures, why

ISLANDS_SHOWN = 5


def summary(report: Report, width: int = 100) -> RenderableType:
    """The verdict table for a terminal of `width` columns: one row a unit with TensorFlow, totals below."""
    lines: list[RenderableType] = [*_tables(report, width), _totals(report), *_islands(report), *_model(report)]
    unread = [file for file in report.files if file.uses_tf and file.why]
    lines += [Text(f"  {file.path}: copied as it is, {file.why}", style="yellow") for file in unread]
    return Group(*lines)


def _tables(report: Report, width: int) -> Iterator[RenderableType]:
    """Each file's path with its units below; columns of all files are aligned."""
    shown = [unit for unit in report.units if unit.status != Status.UNTOUCHED]
    room = max(width - 20, 40) // 3  # for each of name, verdict and reason
    name = min(max((len(unit.name) for unit in shown), default=0), room)
    verdict = min(max((len(line) for unit in shown for line in _verdict(unit).split("\n")), default=0), room)
    for file in report.files:
        units = [unit for unit in file.units if unit.status != Status.UNTOUCHED]
        if units:
            yield Text(file.path, style="bold cyan")
            yield _table(units, name, verdict)


def _table(units: Sequence[UnitEntry], name: int, verdict: int) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for width in (name + 2, max(len(words) for words, _ in STATUS.values()), verdict):
        table.add_column(width=width, overflow="fold")
    table.add_column(overflow="fold", min_width=20)
    for unit in units:
        words, style = STATUS[unit.status]
        table.add_row(Text(f"  {unit.name}"), Text(words, style=style), Text(_verdict(unit)), Text(why(unit)))
    return table


def _verdict(unit: UnitEntry) -> str:
    """The decisive rung with its sign, and its first figures below."""
    verdict = decisive(unit)
    return "\n".join([f"{OUTCOME[verdict.outcome]} {verdict.rung}", *figures(verdict)[:2]]) if verdict else ""


def _totals(report: Report) -> Text:
    totals = report.totals
    counts = ", ".join(
        f"[{STATUS[Status(name)][1]}]{number} {STATUS[Status(name)][0]}[/]" for name, number in totals.by_status.items()
    )
    line = f"\n{totals.units} units in {totals.files} Python files: {counts or 'none'}"
    if totals.uses:
        line += f"\n{totals.uses_rewritten} of {totals.uses} uses of TensorFlow rewritten"
    return Text.from_markup(line)


def _islands(report: Report) -> Iterator[RenderableType]:
    """What runs in PyTorch as a whole, and what keeps the rest from it."""
    totals = report.totals
    if not totals.islands:
        return
    yield Text(
        f"{totals.islands_whole} of {totals.islands} islands whole (units that share tensors, variables or models: "
        "they run together or not at all)"
    )
    torn = [island for island in report.islands if island.left and len(island.left) < len(island.units)]
    for island in torn[:ISLANDS_SHOWN]:
        moved = len(island.units) - len(island.left)
        left = ", ".join(_place(unit) for unit in island.left[:4])
        more = f" and {len(island.left) - 4} more" if len(island.left) > 4 else ""
        yield Text(
            f"  {moved} of {len(island.units)} units are PyTorch; to make it run, finish {left}{more}", style="yellow"
        )
    if len(torn) > ISLANDS_SHOWN:
        yield Text(f"  and {len(torn) - ISLANDS_SHOWN} more islands in part (report.html)", style="yellow")


def _place(unit: str) -> str:
    path, _, name = unit.partition("::")
    return f"{name} ({path})"


def _model(report: Report) -> Iterator[RenderableType]:
    """What the language model did and cost, or what naming one would send, and where."""
    model, totals = report.model, report.totals
    if not model.units:
        return
    files = ", ".join(model.files[:6]) + (f" and {len(model.files) - 6} more" if len(model.files) > 6 else "")
    about = f"{model.units} unit{'s' if model.units > 1 else ''}"
    if not model.name:
        yield Text(
            f"\n{about} left by the rules. Naming a model (--model) would send them, with what they use, from {files} "
            f"to {model.address}: about {model.first_tokens:,} tokens. Nothing was sent.",
            style="dim",
        )
        return
    written = sum(totals.by_origin.get(origin, 0) for origin in ("llm", "hybrid"))
    cost = f", ${model.cost:.4f}" + (f" and {model.unpriced} calls without a known price" if model.unpriced else "")
    yield Text(
        f"\n{model.name} at {model.address} was asked about {about}: {model.calls} calls, {model.cached} from the "
        f"ledger, {model.tokens_in:,} tokens in, {model.tokens_out:,} out{cost}; {written} units on disk are its work"
    )
    if model.questions:
        yield Text(f"{len(model.questions)} questions would be sent (--dry-run): they follow", style="yellow")
    elif model.waiting:
        yield Text(f"{model.waiting} questions wait in the batch file", style="yellow")


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
