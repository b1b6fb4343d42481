"""The report as data: `OUT/migration/report.json`, the source of every other report."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from migrator.model import Origin, Outcome, Rung, Status, UnitKind

VERSION = 2
REPORT_PATH = "migration/report.json"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Run(_Strict):
    """How the run was made. `config` holds the settings by name, `environment` versions by name."""

    tool_version: str
    created: str = ""  # ISO 8601, UTC
    source: str = ""
    out: str = ""
    keras: int = 3
    keras_reason: str = ""
    config: dict[str, Any] = {}
    environment: dict[str, str] = {}


class VerdictEntry(_Strict):
    """What one rung said of a unit: figures beside their tolerances, in words, and how to see it again."""

    rung: Rung
    outcome: Outcome
    measured: dict[str, float | None] = {}  # None: not a finite number
    allowed: dict[str, float | None] = {}
    evidence: str = ""
    inputs: str = ""  # recorded, declared or invented
    unchecked: tuple[str, ...] = ()
    repro: str = ""
    diverges: str = ""  # the first layer or statement whose value differs
    limit: str = ""  # time or memory: the original kept to it, the migrated program did not


class DeclineEntry(_Strict):
    """Why something was left as it is; `line` is 1-based in the original."""

    reason: str
    api: str = ""
    line: int | None = None


class ChangeEntry(_Strict):
    """A change of a public interface."""

    qualname: str
    kind: str
    detail: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class AttemptEntry(_Strict):
    """A reply of a language model about a unit, or why there was none.

    `number` counts the questions from 1, `sample` the draws of one. `ending`: accepted, unverified,
    rejected, gate, same, refused, truncated, empty, malformed, failed, infra-error, spent, withheld,
    pending. `cost` in dollars, None where no price is known. `call`: id in the ledger. `prompt`: its version.
    """

    number: int
    ending: str
    detail: str = ""
    sample: int = 0
    verdicts: tuple[VerdictEntry, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None
    cached: bool = False
    call: int | None = None
    prompt: str = ""


class QuestionEntry(_Strict):
    """What would be sent about a unit: messages as (role, text). `files`: whose text is in it."""

    unit: str
    files: tuple[str, ...] = ()
    messages: tuple[tuple[str, str], ...] = ()


class ModelEntry(_Strict):
    """Which language model was asked; without a `name` none was, and the rest says what asking would send.

    `named_by`: flag, environment or configuration. `prompt`: version of the prompts. `run`: the run's name
    in the `ledger`. `calls` were paid for, `cached` were not; `unpriced` of the calls have no known price.
    `units`: asked about; `first_tokens`: an estimate of their first questions; `files`: whose text is in
    these. `waiting`: questions in the batch file. `questions`: what would be sent, of a dry run.
    """

    name: str = ""
    address: str = ""
    named_by: str = ""
    prompt: str = ""
    run: str = ""
    ledger: str = ""
    calls: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    unpriced: int = 0
    units: int = 0
    first_tokens: int = 0
    files: tuple[str, ...] = ()
    waiting: int = 0
    questions: tuple[QuestionEntry, ...] = ()


class UnitEntry(_Strict):
    """The smallest thing accepted or rejected alone. `start` and `end` are lines of the original."""

    id: str
    name: str
    kind: UnitKind
    start: int
    end: int
    status: Status
    reason: str = ""
    origin: Origin
    migrated: bool  # the new text is what stands on disk
    verdicts: tuple[VerdictEntry, ...] = ()
    declines: tuple[DeclineEntry, ...] = ()
    changes: tuple[ChangeEntry, ...] = ()
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()  # canonical TF names, one entry a use
    draft: str | None = None
    group: str = ""
    attempts: int = 0
    tokens: int = 0
    cost: float = 0.0
    tries: tuple[AttemptEntry, ...] = ()

    @property
    def repros(self) -> tuple[str, ...]:
        """The command lines that show its verdicts again, each once."""
        return tuple(dict.fromkeys(v.repro for v in self.verdicts if v.repro))

    @property
    def highest(self) -> Rung | None:
        """The highest rung that it passed, gaps included."""
        order = list(Rung)
        passed = [v.rung for v in self.verdicts if v.outcome in {Outcome.PASS, Outcome.GAP}]
        return max(passed, key=order.index, default=None)


class FileEntry(_Strict):
    """One Python file. `why` says why it could not be read or was left out; other files are only counted."""

    path: str
    uses_tf: bool = False
    why: str = ""
    left_out: bool = False  # by the user's own choice
    units: tuple[UnitEntry, ...] = ()


class Island(_Strict):
    """Units that share tensors, variables or models, and so run together or not at all.

    `whole`: all of them are accepted; `left`: those that are TensorFlow still.
    """

    units: tuple[str, ...]
    whole: bool
    left: tuple[str, ...] = ()


class Totals(_Strict):
    """Counts. `by_rung`: rung → outcome → units."""

    files: int = 0
    files_with_tf: int = 0
    other_files: int = 0
    units: int = 0
    by_status: dict[str, int] = {}
    by_rung: dict[str, dict[str, int]] = {}
    by_origin: dict[str, int] = {}
    uses: int = 0
    uses_rewritten: int = 0
    islands: int = 0
    islands_whole: int = 0
    tokens: int = 0
    cost: float = 0.0


class Report(_Strict):
    """Everything that is known at the end of a run."""

    version: Literal[2] = 2
    run: Run
    model: ModelEntry = ModelEntry()
    files: tuple[FileEntry, ...] = ()
    islands: tuple[Island, ...] = ()
    skipped: dict[str, str] = Field(default={}, description="path → why it was not copied")
    totals: Totals = Totals()

    @property
    def units(self) -> tuple[UnitEntry, ...]:
        return tuple(unit for file in self.files for unit in file.units)

    @property
    def exit_code(self) -> int:
        """0 when every unit is accepted and every file with TensorFlow was read, else 1."""
        settled = {Status.ACCEPTED, Status.UNTOUCHED}
        unread = any(file.uses_tf and file.why and not file.left_out for file in self.files)
        return int(unread or any(unit.status not in settled for unit in self.units))
