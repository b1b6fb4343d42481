"""The set `mutants`: is a wrong migration refused, and a right one in another style accepted?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from migrator.evals.change import Change, Mutants, apply_patches, changed_maps
from migrator.evals.result import Kind, TaskResult
from migrator.evals.runner import Candidate, check_all
from migrator.evals.task import Task, load_task, read_toml, reference_cases, reference_changes
from migrator.evals.verifier import Pair, Verifier


def run_base(folder: Path, verifier: Verifier, scratch: Path) -> TaskResult:
    """Checks the right migration of one base, its mutants and its variants.

    `scratch`: a folder for the patched trees.
    """
    rows = check_all(candidates(folder, scratch), verifier)
    return TaskResult(set="mutants", task=folder.name, rows=rows)


def candidates(folder: Path, scratch: Path) -> Iterator[Candidate]:
    """The right migration, then every mutant and variant, patched into `scratch` as it is asked for."""
    task = load_task(folder)
    yield Candidate("right", "right", "equal", reference_cases(task), _pair(folder, task, folder / "right"))
    for mutant in read_toml(folder / "mutants.toml", Mutants).mutant:
        yield _patched(folder, task, mutant, "mutant", scratch)
    for path in sorted((folder / "variants").glob("*.toml")):
        variant = read_toml(path, Change).model_copy(update={"id": path.stem})
        yield _patched(folder, task, variant, "variant", scratch)


def _patched(folder: Path, task: Task, change: Change, kind: Kind, scratch: Path) -> Candidate:
    target = scratch / f"{folder.name}-{kind}-{change.id}"
    apply_patches(folder / "right", change, task.module, target)
    return Candidate(
        kind=kind,
        id=change.id,
        expected="refused" if kind == "mutant" else "equal",
        cases=reference_cases(task, changed_maps(task, change)),
        pair=_pair(folder, task, target),
        expected_rung=change.rung,
        first=change.case,
    )


def _pair(folder: Path, task: Task, target: Path) -> Pair:
    return Pair(folder / "source", target, task.module, task.keras, reference_changes(task))
