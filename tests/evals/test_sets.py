"""The sets themselves, executed: long, so behind the marker."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.evals import EvalResult, run
from migrator.evals.programs import not_run
from migrator.evals.sets import task_folders
from migrator.evals.table import as_expected
from migrator.evals.task import load_task

BASES = [folder.name for folder in task_folders("mutants")]
PROGRAMS = [folder.name for folder in task_folders("programs")]


def surprises(result: EvalResult) -> dict[str, str]:
    """Rows that did not end as they should: id → how they ended."""
    rows = (row for task in result.tasks for row in task.rows if not as_expected(row))
    return {row.id: f"{row.kind}: {row.ending} at {row.rung} of {row.case}: {row.detail}" for row in rows}


def check(result: EvalResult, name: str, task: str) -> None:
    """Nothing surprises but what the task says is known, and all of that still does."""
    known = set(load_task(folders(name)[task]).known)
    found = surprises(result)
    assert not {row: how for row, how in found.items() if row not in known}
    assert not known - set(found), "no longer true: take it off the list"


def folders(name: str) -> dict[str, Path]:
    return {folder.name: folder for folder in task_folders(name)}


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("base", BASES)
def test_mutants_are_refused_and_variants_accepted(base: str) -> None:
    check(run(["mutants"], tasks=[base], jobs=1), "mutants", base)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("program", PROGRAMS)
def test_references_are_equal_and_wrong_ones_refused(program: str) -> None:
    check(run(["programs"], tasks=[program], jobs=1, migrate=not_run), "programs", program)
