"""What an evaluation found: one row for each migration that was checked, and the totals."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

RESULT_VERSION = 1

Expected = Literal["equal", "refused"]
Kind = Literal["reference", "wrong", "migrated", "right", "mutant", "variant"]
Ending = Literal[
    "equal", "equal-with-gap", "wrong", "declined", "unverifiable", "infra-error", "not-run", "not-applicable"
]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(_Frozen):
    """One migration of a task.

    `kind`: "reference" (by hand), "wrong" (a reference made wrong), "migrated" (our own output),
    "right" (the base of mutants), "mutant", "variant" (right, in another style). `rung`: the
    highest that passed, or where it failed; `expected_rung`: where a wrong one was to fail.
    `case`: the case that decided. `cases`: ending by case, where all were run. Of the set `docs`:
    `rung` is "values" or "shapes" (what is random cannot be compared closer), `case` the API that was declined.
    """

    kind: Kind
    id: str
    expected: Expected
    ending: Ending
    rung: str = ""
    expected_rung: str = ""
    case: str = ""
    detail: str = ""
    cases: dict[str, str] = {}
    seconds: float = 0.0


class TaskResult(_Frozen):
    """All rows of one task."""

    set: str
    task: str
    rows: tuple[Row, ...]
    unchecked: tuple[str, ...] = ()


class Totals(_Frozen):
    """Counts and rates over all tasks.

    `equal` … `not_applicable` count our own migrations, `rates` are their shares; `equal_by_shape` of the equal ones
    could be compared by shape and dtype only. `killed`/`wrong_migrations` give `kill_rate`;
    `rejected`/`right_migrations` give `false_reject_rate`: a right migration counts as rejected when it is
    called wrong, and as `undecided` when nothing could be said of it. A failure of ours kills nothing.
    """

    tasks: int = 0
    equal: int = 0
    equal_with_gap: int = 0
    declined: int = 0
    wrong: int = 0
    unverifiable: int = 0
    infra_error: int = 0
    not_run: int = 0
    not_applicable: int = 0
    equal_by_shape: int = 0
    rates: dict[str, float] = {}
    references: int = 0
    references_equal: int = 0
    wrong_migrations: int = 0
    killed: int = 0
    killed_where_expected: int = 0
    right_migrations: int = 0
    rejected: int = 0
    undecided: int = 0
    kill_rate: float | None = None
    false_reject_rate: float | None = None


class EvalResult(_Frozen):
    """The result of `migrator eval`."""

    version: int = RESULT_VERSION
    sets: tuple[str, ...]
    totals: Totals
    tasks: tuple[TaskResult, ...]
    seconds: float = 0.0
