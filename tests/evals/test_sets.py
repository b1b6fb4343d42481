"""The sets themselves, executed: long, so behind the marker."""

from __future__ import annotations

import pytest

from migrator.evals import EvalResult, run
from migrator.evals.programs import not_run
from migrator.evals.sets import task_folders
from migrator.evals.table import as_expected

BASES = [folder.name for folder in task_folders("mutants")]
PROGRAMS = [folder.name for folder in task_folders("programs")]


def surprises(result: EvalResult) -> list[str]:
    rows = (row for task in result.tasks for row in task.rows if not as_expected(row))
    return [f"{row.kind} {row.id}: {row.ending} at {row.rung} of {row.case}: {row.detail}" for row in rows]


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("base", BASES)
def test_mutants_are_refused_and_variants_accepted(base: str) -> None:
    assert not surprises(run(["mutants"], tasks=[base], jobs=1))


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("program", PROGRAMS)
def test_references_are_equal_and_wrong_ones_refused(program: str) -> None:
    assert not surprises(run(["programs"], tasks=[program], jobs=1, migrate=not_run))
