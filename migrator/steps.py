"""The first steps of every job: read, know, rewrite. Nothing of the repository is run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace

from migrator import facts as facts_room
from migrator import source
from migrator.codemods import graphs
from migrator.codemods.repository import RepositoryDraft, migrate
from migrator.config import Fidelity, RunSettings
from migrator.model import SourceFile, SourceRepo
from migrator.rules import rulebook
from migrator.rules.objects import Objects
from migrator.source.scan import parse
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
    texts = {f.module: _meant(f, repo) for f in repo.files if f.module is not None and f.text is not None}
    packages = [f.module for f in repo.files if f.module is not None and is_package(f)]
    return facts_room.analyse(texts, packages)


def _meant(file: SourceFile, repo: SourceRepo) -> str:
    """The text with names that mean what the author meant: those of TensorFlow 1 where it is written for that."""
    return source.for_tf2(file.text or "", graphs=False) if str(file.path) in repo.tf1 else file.text or ""


def rewrite(repo: SourceRepo, facts: Facts, step: Step, fidelity: Fidelity = "idiomatic") -> RepositoryDraft:
    """What the rules and codemods make of it; `fidelity` as `RunSettings` has it.

    Graphs of TensorFlow 1 are put in other words first, which are analysed and rewritten as any other code.
    """
    modern = _modern(repo, facts)
    if not modern:
        return _rewrite(repo, facts, step, fidelity, {})
    files = tuple(replace(f, text=modern[str(f.path)].text) if str(f.path) in modern else f for f in repo.files)
    now = replace(repo, files=files)
    cuts = {
        str(f.path): graphs.cuts(f.text or "", str(f.path), modern[str(f.path)], facts, f.module or "")
        for f in repo.files
        if str(f.path) in modern
    }
    draft = _rewrite(now, know(now), step, fidelity, cuts)
    return graphs.folded(draft, repo.files, modern, facts, _packages(repo))


def _modern(repo: SourceRepo, facts: Facts) -> dict[str, graphs.Modern]:
    """Files with graphs of TensorFlow 1, in other words, by path."""
    known = [f for f in repo.files if f.uses_tf and f.text is not None and f.module is not None]
    texts = [f.text for f in repo.files if f.text is not None]
    files = {str(f.path): (f.text or "", facts.modules[f.module or ""]) for f in known}
    made = graphs.modern_files(files, texts)
    return made if all(isinstance(parse(one.text), ast.Module) for one in made.values()) else {}


def _packages(repo: SourceRepo) -> list[str]:
    return [f.module for f in repo.files if f.module is not None and is_package(f)]


def _rewrite(
    repo: SourceRepo, facts: Facts, step: Step, fidelity: Fidelity, cuts: Mapping[str, frozenset[int]]
) -> RepositoryDraft:
    count = sum(f.uses_tf and f.text is not None for f in repo.files)
    done = iter(range(count + 1))
    return migrate(
        repo.files,
        _packages(repo),
        facts,
        rulebook(repo.keras, fidelity == "exact"),
        Objects(fidelity == "exact", repo.keras),
        repo.keras,
        fidelity,
        progress=lambda path: step(f"rewriting {path}", next(done, count), count),
        cuts=cuts,
    )
