"""The report as one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from migrator.model import Outcome, Status
from migrator.report.diff import Row, side_by_side
from migrator.report.schema import FileEntry, Report, UnitEntry
from migrator.report.words import OUTCOME, STATUS, decisive, figure, figures, why

PAGE_PATH = "migration/report.html"


@dataclass(frozen=True)
class FileView:
    """A file on the page: `rows` is empty where nothing changed; `anchor` is its place in the page."""

    entry: FileEntry
    anchor: str
    rows: tuple[Row, ...]
    units: tuple[UnitEntry, ...]

    def unit(self, unit_id: str) -> UnitEntry:
        """The unit of that id."""
        return next(unit for unit in self.units if unit.id == unit_id)


def page(report: Report, texts: Mapping[str, tuple[str, str]]) -> str:
    """The HTML of a report.

    `texts`: path → (text before, text now on disk), for the files that can be shown. Everything that
    stems from the repository is escaped; the page loads nothing from outside.
    """
    files = [_view(n, file, texts.get(file.path)) for n, file in enumerate(report.files)]
    shown = [view for view in files if view.units or view.rows or (view.entry.why and view.entry.uses_tf)]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(report=report, files=shown, untouched=len(files) - len(shown))
    )


def _view(number: int, file: FileEntry, texts: tuple[str, str] | None) -> FileView:
    units = tuple(unit for unit in file.units if unit.status != Status.UNTOUCHED)
    rows: list[Row] = []
    if texts is not None and (units or texts[0] != texts[1]):
        rows = side_by_side(*texts, {unit.start: unit.id for unit in units})
    return FileView(file, f"f{number}", tuple(rows), units)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("migrator.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "status_name": lambda status: STATUS[Status(status)][0],
        "outcome_sign": lambda outcome: OUTCOME[Outcome(outcome)],
        "figure": figure,
        "figures": figures,
        "decisive": decisive,
        "why": why,
    }
    return environment
