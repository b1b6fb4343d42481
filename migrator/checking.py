"""The verifier's side of a run: what is laid out, planned and executed for the files as they would ship."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from migrator.codemods.repository import RepositoryDraft
from migrator.config import RunSettings
from migrator.model import FileRewrite, Outcome, Rung, SourceRepo, UnitKind, UnitRewrite, Verdict
from migrator.settle import Settled, results, settle
from migrator.trees import lay_out
from migrator.values import Facts
from migrator_validators import recording
from migrator_validators.cases import Case, CaseFile
from migrator_validators.check import check_case, check_import
from migrator_validators.files import check_public, check_text
from migrator_validators.planning import Plan, plan
from migrator_validators.workers import Workers

Step = Callable[[str, int, int], None]

LEVELS = {"import": Rung.IMPORTS, "forward": Rung.FORWARD, "gradients": Rung.GRADIENTS, "training": Rung.RUNS}
"""The highest rung that each `--check` runs."""


@dataclass
class Checker:
    """Started interpreters, the source as it imports, and what its run recorded.

    `maps`: resolved weight maps by unit, of the last round. `cases`: what was run, by unit.
    """

    repo: SourceRepo
    settings: RunSettings
    workers: Workers
    folder: Path
    source: Path
    recorded: tuple[Case, ...] = ()
    recording_note: str = ""
    maps: dict[str, object] = field(default_factory=dict)
    cases: dict[str, tuple[Case, ...]] = field(default_factory=dict)
    rounds: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def start(cls, repo: SourceRepo, settings: RunSettings, stack: ExitStack) -> Checker | None:
        """Interpreters in their sandbox, or None for `--check none`; raises `EnvironmentMissing`."""
        if settings.check == "none":
            return None
        workers = Workers(settings.sandbox, _python(settings.tf_python), _python(settings.torch_python))
        stack.enter_context(workers)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="migrator-")))
        return cls(repo, settings, workers, folder, lay_out(repo, {}, folder / "source"))

    def versions(self) -> dict[str, str]:
        """Versions of the interpreters that were used."""
        side = "tf2" if self.repo.keras == 2 else "tf"
        found = {f"source {k}": v for k, v in self.workers.versions(side).items()}
        return found | {f"target {k}": v for k, v in self.workers.versions("torch").items()}

    def settle(self, draft: RepositoryDraft, facts: Facts, step: Step) -> Settled:
        """Check the draft and revert what fails, until nothing does."""
        self._record(step)
        return settle(draft, lambda files: self.check(draft, files, facts, step))

    def judge(
        self, draft: RepositoryDraft, files: Mapping[str, FileRewrite], facts: Facts, step: Step
    ) -> Settled:
        """Check files as they are, reverting nothing."""
        self._record(step)
        verdicts = self.check(draft, files, facts, step)
        return Settled(files, results(files, verdicts, {}))

    def _record(self, step: Step) -> None:
        if self.settings.check == "import":
            return
        step("running the original", 0, 1)
        made = recording.record(self.source, self.workers, keras=self.repo.keras)
        self.recorded = recording.cases(made, self.folder / "recorded")
        self.recording_note = made.error
        step("running the original", 1, 1)

    # --- one round -----------------------------------------------------------------------------------

    def check(
        self, draft: RepositoryDraft, files: Mapping[str, FileRewrite], facts: Facts, step: Step
    ) -> dict[str, list[Verdict]]:
        """The verdicts on every migrated unit of the files, by unit id."""
        texts = {path: file.text for path, file in files.items()}
        target = lay_out(self.repo, texts, self.folder / f"target{next(self.rounds)}")
        verdicts: dict[str, list[Verdict]] = {}
        for file in files.values():
            static = self._static(file, target)
            for unit in file.units:
                if unit.text is not None:
                    verdicts[unit.unit.id] = list(static)
        if self.settings.check == "import":
            return verdicts
        plans = self._plans(draft, files, facts)
        sound = {u: p for u, p in plans.items() if not any(v.outcome is Outcome.FAIL for v in verdicts[u])}
        for number, (unit, found) in enumerate(self._run_all(sound, target)):
            step(f"checking {unit}", number + 1, len(sound))
            verdicts[unit] += found
        return verdicts

    def _static(self, file: FileRewrite, target: Path) -> list[Verdict]:
        original = next(f for f in self.repo.files if str(f.path) == file.path)
        remains = any(unit.text is None and unit.declines for unit in file.units)
        found = list(check_text(file.path, file.text, self.workers, tf_remains=remains))
        if any(v.outcome is Outcome.FAIL for v in found):
            return found
        changes = [change for unit in file.units for change in unit.changes]
        if original.module is not None and original.text is not None:
            found.append(check_public(original.text, file.text, original.module, changes))
            found.append(check_import(original.module, target, self.workers, tf_remains=remains))
        return found

    def _plans(self, draft: RepositoryDraft, files: Mapping[str, FileRewrite], facts: Facts) -> dict[str, Plan]:
        rewrites = [unit for file in files.values() for unit in file.units]
        modules = {str(f.path): f.module or "" for f in self.repo.files}
        kinds = {unit.unit.id: draft.kind(unit.unit.id) for unit in rewrites}
        return plan(rewrites, kinds, modules, self.recorded, facts, draft.reachable)

    def _run_all(self, plans: Mapping[str, Plan], target: Path) -> Iterator[tuple[str, list[Verdict]]]:
        with ThreadPoolExecutor(self.settings.jobs) as pool:
            found = pool.map(lambda item: self._run(item[1], target), plans.items())
            yield from zip(plans, found, strict=True)

    def _run(self, planned: Plan, target: Path) -> list[Verdict]:
        if planned.reason:
            return [Verdict(Rung.FORWARD, Outcome.UNVERIFIABLE, planned.reason)]
        if planned.cases:
            return [v for case in planned.cases for v in self._case(case, target)]
        found: list[Verdict] = []
        for case in planned.alternatives:
            found = self._case(case, target)
            if not any(v.rung is Rung.SOURCE_RUNS and v.outcome is not Outcome.PASS for v in found):
                break
        return found

    def _case(self, case: Case, target: Path) -> list[Verdict]:
        checked = check_case(case, self.source, target, self.workers, up_to=LEVELS[self.settings.check])
        return list(checked)


def _python(path: str | None) -> Path | None:
    return None if path is None else Path(path)
