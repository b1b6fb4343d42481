"""From docstrings to rows: read, cut into programs, rewrite, run on both sides, judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from migrator.evals.docs.execution import Ran, execute, execute_alone
from migrator.evals.docs.harvest import harvest
from migrator.evals.docs.judging import Judgement, failure, judge, nothing_told
from migrator.evals.docs.programs import Program, programs
from migrator.evals.docs.rewriting import Rewriting, imports_tensorflow, rewrite_all, uses_tensorflow
from migrator.evals.result import Row, TaskResult

if TYPE_CHECKING:
    from migrator_validators.workers import Workers


def run_docs(workers: Workers, jobs: int = 2, tasks: Sequence[str] = (), every: int = 1) -> tuple[TaskResult, ...]:
    """A task for each API with examples. `tasks`: only APIs of these names; `every`: only each so-many-th example."""
    found = [p for p in programs(harvest(workers)) if not tasks or p.api in tasks][::every]
    judged = judge_all(found, workers, jobs)
    rows: dict[str, list[Row]] = defaultdict(list)
    for program in found:
        rows[program.api].append(_row(program, judged[program.id]))
    return tuple(TaskResult(set="docs", task=api, rows=tuple(found)) for api, found in rows.items())


def judge_all(found: Sequence[Program], workers: Workers, jobs: int) -> dict[str, Judgement]:
    """The ending of every program, by id."""
    judged = {p.id: Judgement("not-applicable", p.why) for p in found if not p.text}
    judged |= {
        p.id: Judgement("not-applicable", "no TensorFlow in it")
        for p in found
        if p.id not in judged and not uses_tensorflow(p.text)
    }
    asked = [p for p in found if p.id not in judged]
    sources = execute("tf", {p.id: p.text for p in asked}, workers, jobs)
    judged |= {name: Judgement("not-applicable", failure(ran)) for name, ran in sources.items() if ran.error}
    judged |= {p.id: Judgement("not-applicable", _NO_VALUES) for p in asked if nothing_told(p, sources[p.id])}
    asked = [p for p in asked if p.id not in judged]
    rewritten = rewrite_all(asked, jobs)
    endings = {p.id: _unexecuted(rewritten[p.id]) for p in asked}
    judged |= {name: ending for name, ending in endings.items() if ending is not None}
    return judged | _compared([p for p in asked if p.id not in judged], rewritten, sources, workers, jobs)


SEEDS = tuple(range(1, 13))  # of two outcomes that are equally likely both are seen
_NO_VALUES = "nothing that can be compared: objects, not values"


def _unexecuted(made: Rewriting) -> Judgement | None:
    if made.text is None:
        return Judgement("declined", made.reason, made.api)
    if imports_tensorflow(made.text):
        return Judgement("wrong", "TensorFlow is left without a reason")
    return None


def _compared(
    asked: Sequence[Program],
    rewritten: Mapping[str, Rewriting],
    sources: Mapping[str, Ran],
    workers: Workers,
    jobs: int,
) -> dict[str, Judgement]:
    """What does not agree is run again alone, and under another seed, before it is called wrong."""
    targets = execute("torch", {p.id: rewritten[p.id].text or "" for p in asked}, workers, jobs)
    judged = {p.id: judge(p, sources[p.id], targets[p.id]) for p in asked}
    doubted = [p for p in asked if judged[p.id].ending == "wrong"]
    source = {p.id: p.text for p in doubted}
    first = execute_alone("tf", source, workers, jobs)
    others = [execute("tf", source, workers, jobs, seed=seed) for seed in SEEDS] if source else []
    target = execute_alone("torch", {p.id: rewritten[p.id].text or "" for p in doubted}, workers, jobs)
    for p in doubted:
        if first[p.id].error is not None:
            judged[p.id] = Judgement("not-applicable", failure(first[p.id]))
        else:
            judged[p.id] = judge(p, first[p.id], target[p.id], [other[p.id] for other in others])
    return judged


def _row(program: Program, judged: Judgement) -> Row:
    return Row(
        kind="migrated",
        id=program.id,
        expected="equal",
        ending=judged.ending,
        rung=judged.how,
        case=judged.api,
        detail=judged.reason,
    )
