"""The report on disk."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import ValidationError

from migrator.errors import UsageError
from migrator.report.schema import REPORT_PATH, VERSION, Report


def dumps(report: Report) -> str:
    """The report as JSON text."""
    return report.model_dump_json(indent=1) + "\n"


def loads(text: str, where: str = REPORT_PATH) -> Report:
    """The report in `text`; raises `UsageError` where it is none of ours or of another version."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{where}: not JSON ({error})") from error
    version = data.get("version") if isinstance(data, dict) else None
    if version != VERSION:
        raise UsageError(f"{where}: report version {version}, this tool reads version {VERSION}")
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{where}: not a report of migrator ({place}: {first['msg']})") from error


def load(out: str | Path) -> Report:
    """The report of the output folder `out`; raises `UsageError` where there is none."""
    path = Path(out) / REPORT_PATH
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{out}: no {REPORT_PATH} in it; is it an output of migrator?") from error
    return loads(text, str(path))


def save(report: Report, out: str | Path) -> Path:
    """Write the report into the output folder `out`, whole or not at all."""
    path = Path(out) / REPORT_PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".json.new")
    fresh.write_text(dumps(report), encoding="utf-8")
    os.replace(fresh, path)
    return path
