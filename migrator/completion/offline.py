"""Fragments of a repository with nothing executed: for documents, estimates and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from migrator_validators.planning import plan

from migrator import report, steps
from migrator.codemods.repository import RepositoryDraft
from migrator.completion.driver import left_over
from migrator.completion.examples import foreign
from migrator.completion.fragments import Surroundings, fragment
from migrator.config import load
from migrator.llm import rendering
from migrator.llm.fragment import Fragment
from migrator.llm.packing import BUDGET, pack, tokens
from migrator.model import SourceRepo
from migrator.settle import unchecked
from migrator.values import Facts


def fragments(src: Path, budget: int = BUDGET) -> Iterator[Fragment]:
    """What a model would first be asked about the units that the rules decline, leaf first."""
    repo = steps.read(load(src))
    facts = steps.know(repo)
    yield from of_draft(repo, facts, steps.rewrite(repo, facts, lambda *_: None), budget)


def of_draft(repo: SourceRepo, facts: Facts, draft: RepositoryDraft, budget: int = BUDGET) -> Iterator[Fragment]:
    """The same of a repository that was read and rewritten already."""
    modules = {str(f.path): f.module or "" for f in repo.files}
    settled = unchecked(draft)
    examples = foreign(draft)
    for unit in left_over(settled, draft):
        trial = written(draft, unit)
        rewrites = [u for f in trial.render({}).values() for u in f.units]
        kinds = {u.unit.id: trial.kind(u.unit.id) for u in rewrites}
        plans = plan(rewrites, kinds, modules, (), facts, trial.reachable)
        yield pack(fragment(unit, Surroundings(draft, settled.files, facts, plans, examples)), budget)


def questions(asked: Iterable[Fragment]) -> report.Questions:
    """How much the first questions about fragments would send."""
    found = list(asked)
    paths = {path for f in found for path in (f.path, *(n.path for n in (*f.uses, *f.used_by)))}
    total = sum(tokens(rendering.system_of(f) + rendering.fragment(f)) for f in found)
    return report.Questions(units=len(found), tokens=total, files=tuple(sorted(paths)))


def written(draft: RepositoryDraft, unit: str) -> RepositoryDraft:
    """The draft as if the unit, and all that it uses, were written: what is planned for it then."""
    for other in draft.reachable(unit):
        _, part = draft.part(other)
        if part.draft is not None and part.draft.declines:
            draft = draft.with_draft(other, replace(part.draft, declines=()))
    return draft
