"""The set `programs`: whole programs with a hand-written migration, wrong ones, and our own output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from migrator.evals.change import Change, apply_patches, changed_maps
from migrator.evals.result import Row, TaskResult
from migrator.evals.runner import Candidate, check_all
from migrator.evals.task import Task, load_task, read_toml, reference_cases, reference_changes
from migrator.evals.verifier import Pair, Verifier

Migrate = Callable[[Path, Task, Path, Verifier], Row]
"""Migrates a source tree into a folder and checks the result by the task's cases."""


def run_program(folder: Path, verifier: Verifier, scratch: Path, migrate: Migrate) -> TaskResult:
    """Checks the hand-written migration of one program, its wrong variants and what `migrate` makes."""
    task = load_task(folder)
    rows = check_all(candidates(folder, task, scratch), verifier)
    rows = (*rows, migrate(folder / "source", task, scratch / f"{folder.name}-migrated", verifier))
    unchecked = tuple(f"{part.what}: {part.reason}" for part in task.unchecked)
    return TaskResult(set="programs", task=folder.name, rows=rows, unchecked=unchecked)


def candidates(folder: Path, task: Task, scratch: Path) -> Iterator[Candidate]:
    """The reference, then every wrong variant, patched into `scratch` as it is asked for."""
    yield Candidate("reference", "reference", "equal", reference_cases(task), _pair(folder, task, folder / "reference"))
    for path in sorted((folder / "wrong").glob("*.toml")):
        wrong = read_toml(path, Change).model_copy(update={"id": path.stem})
        target = scratch / f"{folder.name}-{wrong.id}"
        apply_patches(folder / "reference", wrong, task.module, target)
        cases = reference_cases(task, changed_maps(task, wrong))
        yield Candidate("wrong", wrong.id, "refused", cases, _pair(folder, task, target), wrong.rung, wrong.case)


def _pair(folder: Path, task: Task, target: Path) -> Pair:
    return Pair(folder / "source", target, task.module, task.keras, reference_changes(task))


def not_run(source: Path, task: Task, out: Path, verifier: Verifier) -> Row:
    """Stands in where our own output is not asked for."""
    return Row(kind="migrated", id="migrated", expected="equal", ending="not-run", detail="not asked for")
