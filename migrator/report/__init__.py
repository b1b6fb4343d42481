"""The report: one schema, and what people read of it."""

from migrator.report.build import build, carried, totals, unit_entry
from migrator.report.html import PAGE_PATH, page
from migrator.report.plan import Plan, Questions, plan, plan_view
from migrator.report.schema import (
    REPORT_PATH,
    FileEntry,
    ModelEntry,
    QuestionEntry,
    Report,
    Run,
    Totals,
    UnitEntry,
    VerdictEntry,
)
from migrator.report.store import dumps, load, loads, save
from migrator.report.table import progress, summary

__all__ = [
    "PAGE_PATH",
    "REPORT_PATH",
    "FileEntry",
    "ModelEntry",
    "Plan",
    "QuestionEntry",
    "Questions",
    "Report",
    "Run",
    "Totals",
    "UnitEntry",
    "VerdictEntry",
    "build",
    "carried",
    "dumps",
    "load",
    "loads",
    "page",
    "plan",
    "plan_view",
    "progress",
    "save",
    "summary",
    "totals",
    "unit_entry",
]
