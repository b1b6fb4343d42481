"""The first steps of every job: read, know, rewrite. Nothing of the repository is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from migrator import facts as facts_room
from migrator import source
from migrator.codemods.repository import RepositoryDraft, migrate
from migrator.config import Fidelity, RunSettings
from migrator.model import SourceRepo
from migrator.rules import rulebook
from migrator.rules.objects import Objects
from migrator.trees import is_package
from migrator.values import Facts

Step = Callable[[str, int, int], None]
"""Told what is being done: (text, how many are done, of how many)."""


def read(settings: RunSettings) -> SourceRepo:
    """The repository as it is, with the Keras that it means."""
    repo = source.read(settings.src, settings.include, settings.exclude)
    if settings.keras == "auto":
        return repo
    return replace(repo, keras=int(settings.keras), keras_reason="told by --keras")


def know(repo: SourceRepo) -> Facts:
    """What every expression of it is, as far as that can be seen without running it."""
    texts = {f.module: f.text for f in repo.files if f.module is not None and f.text is not None}
    packages = [f.module for f in repo.files if f.module is not None and is_package(f)]
    return facts_room.analyse(texts, packages)


def rewrite(repo: SourceRepo, facts: Facts, step: Step, fidelity: Fidelity = "idiomatic") -> RepositoryDraft:
    """What the rules and codemods make of it; `fidelity` as `RunSettings` has it."""
    packages = [f.module for f in repo.files if f.module is not None and is_package(f)]
    count = sum(f.uses_tf and f.text is not None for f in repo.files)
    done = iter(range(count + 1))
    return migrate(
        repo.files,
        packages,
        facts,
        rulebook(repo.keras, fidelity == "exact"),
        Objects(fidelity == "exact"),
        repo.keras,
        fidelity,
        progress=lambda path: step(f"rewriting {path}", next(done, count), count),
    )
