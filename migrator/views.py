"""What `doctor`, `rules` and `explain` print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from migrator_validators.doctor import Check


def doctor_json(checks: Sequence[Check]) -> str:
    """The checks as a JSON list."""
    return json.dumps([asdict(check) for check in checks], indent=1)


def doctor_table(checks: Sequence[Check]) -> Table:
    """One row a check: whether it is here, and how to get it where it is not."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        sign = Text("✓", style="green") if check.ok else Text("✗", style="red" if check.needed else "yellow")
        detail = check.detail if check.ok or not check.hint else f"{check.detail}\n→ {check.hint}"
        table.add_row(sign, Text(check.name), Text(detail))
    return table
