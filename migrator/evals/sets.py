"""Runs whole evaluation sets."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from migrator import resources
from migrator.errors import UsageError
from migrator.evals.migrated import migrate as migrate_by_rules
from migrator.evals.mutants import run_base
from migrator.evals.programs import Migrate, run_program
from migrator.evals.result import EvalResult, TaskResult
from migrator.evals.score import total
from migrator.evals.verifier import Executed, Verifier

if TYPE_CHECKING:
    from migrator_validators.workers import Workers

BUNDLED = ("programs", "mutants")
"""Sets that are folders below `eval_sets/`."""
SETS = (*BUNDLED, "docs")
"""All sets; `docs` is read off the installed TensorFlow."""


def run(
    sets: Sequence[str] = (),
    *,
    tasks: Sequence[str] = (),
    jobs: int = 2,
    migrate: Migrate = migrate_by_rules,
    workers: Workers | None = None,
    progress: Callable[[TaskResult], None] = lambda task: None,
) -> EvalResult:
    """Scores on `sets` (all of them when empty), with `jobs` tasks at a time.

    `tasks`: only those of these names. `migrate`: makes and checks our own migration of a program.
    `workers`: started interpreters, else a pool is started and closed again. Raises UsageError for an
    unknown set or task, EnvironmentMissing where nothing can be executed.
    """
    chosen = tuple(sets) or SETS
    folders = [(name, folder) for name in chosen if name != "docs" for folder in task_folders(name, tasks)]
    if not folders and "docs" not in chosen:
        raise UsageError(f"no task of that name: {', '.join(tasks)}")
    if workers is None:
        from migrator.evals.remembered import Remembering

        with Remembering() as started:
            return run(chosen, tasks=tasks, jobs=jobs, migrate=migrate, workers=started, progress=progress)
    began = time.perf_counter()
    results = _run(folders, Executed(workers), jobs, migrate, progress)
    if "docs" in chosen:
        from migrator.evals.docs import run_docs

        results += run_docs(workers, jobs, tasks)
    seconds = round(time.perf_counter() - began, 1)
    return EvalResult(sets=chosen, totals=total(results), tasks=results, seconds=seconds)


def task_folders(name: str, tasks: Sequence[str] = ()) -> list[Path]:
    """The folders of one set, in order; only those named by `tasks` unless it is empty."""
    if name not in BUNDLED:
        raise UsageError(f"unknown evaluation set {name!r}: there are {', '.join(SETS)}")
    root = resources.folder("eval_sets") / name
    return [path.parent for path in sorted(root.glob("*/task.toml")) if not tasks or path.parent.name in tasks]


def _run(
    folders: Sequence[tuple[str, Path]],
    verifier: Verifier,
    jobs: int,
    migrate: Migrate,
    progress: Callable[[TaskResult], None],
) -> tuple[TaskResult, ...]:
    with tempfile.TemporaryDirectory(prefix="migrator-eval-") as scratch, ThreadPoolExecutor(max(jobs, 1)) as pool:
        one = partial(_task, verifier=verifier, scratch=Path(scratch), migrate=migrate, progress=progress)
        return tuple(pool.map(lambda item: one(*item), folders))


def _task(
    name: str,
    folder: Path,
    *,
    verifier: Verifier,
    scratch: Path,
    migrate: Migrate,
    progress: Callable[[TaskResult], None],
) -> TaskResult:
    if name == "mutants":
        result = run_base(folder, verifier, scratch)
    else:
        result = run_program(folder, verifier, scratch, migrate)
    progress(result)
    return result
