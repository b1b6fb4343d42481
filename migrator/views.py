"""What `doctor`, `rules` and `explain` print."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from migrator_validators.doctor import Check
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from migrator.catalog import Entry
from migrator.report import Plan


def doctor_json(checks: Sequence[Check]) -> str:
    """The checks as a JSON list."""
    return json.dumps([asdict(check) for check in checks], indent=1)


def doctor_table(checks: Sequence[Check]) -> Table:
    """One row a check: whether it is here, and how to get it where it is not."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        sign = Text("✓", style="green") if check.ok else Text("✗", style="red" if check.needed else "yellow")
        detail = check.detail if check.ok or not check.hint else f"{check.detail}\n→ {check.hint}"
        table.add_row(sign, Text(check.name), Text(detail, overflow="fold"))
    return table


def rules_json(entries: Sequence[Entry], uses: Mapping[str, int] | None = None) -> str:
    """A JSON list of `{api, aliases, kind, tested, gaps, keras}`; with `uses`, of `{api, uses, covered}`."""
    if uses is None:
        keys = ("api", "aliases", "kind", "tested", "gaps", "keras")
        return json.dumps([{key: asdict(entry)[key] for key in keys} for entry in entries], indent=1)
    known = {entry.api for entry in entries if entry.torch}
    return json.dumps([{"api": api, "uses": count, "covered": api in known} for api, count in uses.items()], indent=1)


def rules_table(entries: Sequence[Entry]) -> RenderableType:
    """Every entry, one a row."""
    table = _table("API", "Kind", "Tested", "Known differences")
    for entry in entries:
        name = f"{entry.api} (Keras {entry.keras})" if entry.keras else entry.api
        table.add_row(Text(name), entry.kind, "yes" if entry.tested else "no", Text("; ".join(entry.gaps)))
    return Group(
        table, Text(f"\n{len(entries)} APIs, {sum(entry.tested for entry in entries)} tested against TensorFlow")
    )


def coverage_table(entries: Sequence[Entry], plan: Plan) -> RenderableType:
    """What a repository uses, the unknown first and the most used of them on top; then totals for uses and files."""
    kinds = {entry.api: entry.kind for entry in entries if entry.torch}
    table = _table("API", "Uses", "Known by")
    for row in sorted(plan.apis, key=lambda row: row.covered):
        known = Text(kinds[row.api], style="green") if row.covered else Text("nothing yet", style="yellow")
        table.add_row(Text(row.api), str(row.uses), known)
    using = [file for file in plan.files if file.uses]
    whole = sum(file.uses == file.uses_covered for file in using)
    totals = (
        f"\n{plan.uses_covered} of {plan.uses} uses are of a known API; a use may still be declined"
        f"\n{whole} of {len(using)} files that use TensorFlow use known APIs only"
    )
    return Group(table, Text(totals))


def explain_json(entries: Sequence[Entry]) -> str:
    """All that is known of the entries."""
    return json.dumps([asdict(entry) for entry in entries], indent=1)


def explain_view(entry: Entry) -> RenderableType:
    """One entry for people."""
    lines: list[RenderableType] = [Text(entry.api + entry.signature, style="bold")]
    if entry.keras:
        lines.append(Text(f"as Keras {entry.keras} means it"))
    if entry.aliases:
        lines.append(Text(f"also {', '.join(entry.aliases)}", style="dim"))
    lines += [Text(f"  → {line}", style="cyan") for line in entry.torch]
    lines += [Text(f"  left alone: {reason}", style="yellow") for reason in entry.declines]
    lines += [Text(f"  differs: {gap}", style="yellow") for gap in entry.gaps]
    lines.append(Text("tested against TensorFlow" if entry.tested else "not tested against TensorFlow", style="dim"))
    return Group(*lines)


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
