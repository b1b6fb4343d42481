"""The verifier's side of a run: what is laid out, planned and executed for the files as they would ship."""

from __future__ import annotations

import ast
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from migrator_validators import kept, line_places, recorded_cases, recording
from migrator_validators.cases import Case
from migrator_validators.check import Checked, check_case, check_import
from migrator_validators.constructions import Constructions
from migrator_validators.files import check_public, check_text
from migrator_validators.hints import Modules
from migrator_validators.planning import Plan, plan
from migrator_validators.reach import ReachableCode
from migrator_validators.workers import Side, Tree, Workers, pack_tree

from migrator import repros, source, unrun
from migrator.codemods.beside import new_files
from migrator.codemods.files import FileDraft, Part
from migrator.codemods.repository import RepositoryDraft
from migrator.config import RunSettings
from migrator.journal import Journal
from migrator.model import FileRewrite, InterfaceChange, Outcome, Rung, SourceRepo, UnitRewrite, Verdict
from migrator.outcomes import Outcomes
from migrator.ran import Ran, accepted_by_source, compared, has_failed, is_large, joined, repeated, says_nothing
from migrator.settle import Settled, results, settle
from migrator.shown import parsed
from migrator.source.libraries import foreign_libraries
from migrator.speaking import spoken_for
from migrator.trees import as_run, lay_out
from migrator.values import Facts

Step = Callable[[str, int, int], None]

LARGEST = 16 * 2**20
"""Bytes of stored arrays that go along with the output."""

LEVELS = {"import": Rung.IMPORTS, "forward": Rung.FORWARD, "gradients": Rung.GRADIENTS, "training": Rung.RUNS}
"""The highest rung that each `--check` runs."""


@dataclass
class Checker:
    """Started interpreters, the source as it imports, and what its run recorded.

    `maps`: resolved weight maps by unit, of the last round. `cases`: what was run, by unit.
    `outcomes`: of all rounds; a check whose inputs did not change since is not run again. `entered`: the
    functions of the migrated tree that the checks of the last round went through, of units that did not fail.
    """

    repo: SourceRepo
    settings: RunSettings
    workers: Workers
    folder: Path
    source: Path
    packed: Tree
    recorded: tuple[Case, ...] = ()
    inside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    recording_note: str = ""
    changes: tuple[InterfaceChange, ...] = ()
    maps: dict[str, object] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    outcomes: Outcomes = field(default_factory=Outcomes)
    entered: dict[str, frozenset[str]] = field(default_factory=dict)
    recorded_once: bool = False
    remains: bool = False
    rejected: list[repros.Round] = field(default_factory=list)
    rounds: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def start(
        cls, repo: SourceRepo, settings: RunSettings, stack: ExitStack, work: Path | None = None
    ) -> Checker | None:
        """Interpreters in their sandbox, or None for `--check none`; raises `EnvironmentMissing`.

        `work`: the work area, where a run goes on that was interrupted. Raises `UsageError` where another is at it.
        """
        if settings.check == "none":
            return None
        workers = Workers(settings.sandbox, _python(settings.tf_python), _python(settings.torch_python))
        stack.enter_context(workers)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="migrator-")))
        source = lay_out(repo, as_run(repo), folder / "source")
        packed = pack_tree(source, repo.package, repo.import_roots, foreign=foreign_libraries(repo))
        journal = None if work is None else stack.enter_context(Journal(work, settings.fresh))
        return cls(repo, settings, workers, folder, source, packed, outcomes=Outcomes(journal))

    def versions(self) -> dict[str, str]:
        """Versions of the interpreters that were used."""
        side: Side = "tf2" if self.repo.keras == 2 else "tf"
        found = {f"source {k}": v for k, v in self.workers.versions(side).items()}
        return found | {f"target {k}": v for k, v in self.workers.versions("torch").items()}

    def case_files(self, kept: Mapping[str, FileRewrite]) -> dict[str, str | bytes]:
        """The cases of the last round and of what was rejected, to be run again: path in the output → content.

        `kept`: the files as they go to disk.
        """
        last = repros.Round(0, tuple(self.cases.values()), kept, self.changes, self.remains)
        rounds = [r for r in (last, *self.rejected) if r.cases]
        names = repros.stored(case for r in rounds for case in r.cases)
        arrays = {name: self.folder / "recorded" / name for name in names}
        content = {f"{repros.FOLDER}/{name}": path.read_bytes() for name, path in arrays.items() if _is_small(path)}
        return {**{r.path: r.text(self.repo, kept) for r in rounds}, **content}

    def settle(self, draft: RepositoryDraft, facts: Facts, step: Step) -> Settled:
        """Check the draft and revert what fails, until nothing does."""
        self._record(step)

        def check(files: Mapping[str, FileRewrite]) -> dict[str, list[Verdict]]:
            return self._noted(files, self.check(draft, files, facts, step))

        return settle(draft, check)

    def _noted(self, files: Mapping[str, FileRewrite], verdicts: dict[str, list[Verdict]]) -> dict[str, list[Verdict]]:
        """The verdicts of a round; what it rejects can be run again though it does not stay on disk."""
        failed = repros.failed(verdicts)
        if not failed:
            return verdicts
        cases = tuple(case for case in self.cases.values() if case.unit in failed)
        made = repros.Round(len(self.rejected) + 1, cases, files, self.changes, self.remains)
        self.rejected.append(made)
        return {u: repros.pointed(found, made.path) if u in failed else found for u, found in verdicts.items()}

    def judge(self, draft: RepositoryDraft, files: Mapping[str, FileRewrite], facts: Facts, step: Step) -> Settled:
        """Check files as they are, reverting nothing."""
        self._record(step)
        verdicts = self.check(draft, files, facts, step)
        return Settled(files, results(files, verdicts, {}))

    def finish(self) -> None:
        """The run's results are on disk: what it would go on with is not needed any more."""
        if self.outcomes.journal is not None:
            self.outcomes.journal.remove()

    def _record(self, step: Step) -> None:
        if self.settings.check == "import" or self.recorded_once:
            return
        step("running the original", 0, 1)
        made = self._recording()
        self.recorded = recorded_cases.cases(made, self.folder / "recorded")
        self.inside = made.inside()
        self.recording_note = made.error
        self.recorded_once = True
        step("running the original", 1, 1)

    def _recording(self) -> recording.Recording:
        """What the original does; of an interrupted run what it had recorded, so that its cases are the same."""
        modules = {str(f.path): f.module for f in self.repo.files if f.module is not None}
        parts = {"recording": modules, "tree": self.code.everything, "keras": self.repo.keras, **self.same}
        key, journal = kept.digest(parts), self.outcomes.journal
        if journal is not None and journal.get(key) is not None:
            return recording.Recording.load(journal.folder / key)
        made = recording.record(
            self.source,
            self.workers,
            modules=modules,
            keras=self.repo.keras,
            package=self.repo.package,
            roots=self.repo.import_roots,
            foreign=self.foreign,
        )
        if journal is not None:
            made.save(journal.folder / key)
            journal.put(key, {"recorded": len(made.calls)})
        return made

    @cached_property
    def code(self) -> ReachableCode:
        """The source's files, to see what a case reaches of them."""
        return ReachableCode(self.packed)

    @cached_property
    def same(self) -> dict[str, object]:
        """What an outcome of this run depends on besides the files."""
        source: Side = "tf2" if self.repo.keras == 2 else "tf"
        sides: tuple[Side, ...] = ("torch",) if self.settings.check == "import" else (source, "torch")
        return {"interpreters": [self.workers.interpreter(side) for side in sides], "verifier": kept.verifier()}

    # --- one round -----------------------------------------------------------------------------------

    def check(
        self, draft: RepositoryDraft, files: Mapping[str, FileRewrite], facts: Facts, step: Step
    ) -> dict[str, list[Verdict]]:
        """The verdicts on every migrated unit of the files, by unit id."""
        texts = {path: file.text for path, file in files.items()}
        target = lay_out(self.repo, texts, self.folder / f"target{next(self.rounds)}")
        source.add(target, new_files(files.values()))
        remains = self.remains = any(u.text is None and u.declines for file in files.values() for u in file.units)
        tree = pack_tree(target, self.repo.package, self.repo.import_roots, remains, self.foreign)
        code = ReachableCode(tree)
        verdicts: dict[str, list[Verdict]] = {}
        for file in files.values():
            static = self._static(file, tree, code)
            for part, rewrite in zip(draft.files[file.path].parts, file.units, strict=True):
                if rewrite.text is not None:
                    verdicts[rewrite.unit.id] = [*static, *self._public(part, draft.files[file.path], file)]
        if self.settings.check == "import":
            return verdicts
        plans = self.plans(draft, files, facts)
        unfailed = {u: p for u, p in plans.items() if not any(v.outcome is Outcome.FAIL for v in verdicts[u])}
        sound = dict(sorted(unfailed.items(), key=lambda item: item[1].effort))
        reached: dict[str, frozenset[str]] = {}
        rewrites = {unit.unit.id: unit for file in files.values() for unit in file.units}
        for number, (unit, (found, entered)) in enumerate(self._run_all(sound, code)):
            step(f"checking {unit}", number + 1, len(sound))
            verdicts[unit] += found
            reached[unit] = entered
        trees = parsed(texts)
        for unit, planned in sound.items():
            verdicts[unit] = spoken_for(rewrites[unit], verdicts, planned.callers, reached, trees)
        self.entered = {u: e for u, e in reached.items() if compared(verdicts[u])}
        for unit in sound:
            if compared(verdicts[unit]):
                verdicts[unit] += self._lines(rewrites[unit], files[rewrites[unit].unit.path].text)
        return verdicts

    def _lines(self, rewrite: UnitRewrite, migrated: str) -> list[Verdict]:
        """Whether all that is rewritten of a unit ran in some check."""
        original = next(f.text or "" for f in self.repo.files if str(f.path) == rewrite.unit.path)
        ran = unrun.of_path(self.entered.values(), rewrite.unit.path)
        found = unrun.lines_verdict(rewrite, original, migrated, ran)
        return [] if found is None else [found]

    def _static(self, file: FileRewrite, target: Tree, code: ReachableCode) -> list[Verdict]:
        original = next(f for f in self.repo.files if str(f.path) == file.path)
        remains = any(unit.text is None and unit.declines for unit in file.units)
        text = kept.digest({"text": file.text, "path": file.path, "remains": remains, **self.same})
        found = list(
            self.outcomes.verdicts(text, lambda: check_text(file.path, file.text, self.workers, tf_remains=remains))
        )
        if original.module is None or any(v.outcome is Outcome.FAIL for v in found):
            return found
        module = original.module
        key = kept.digest({"import": module, "tree": code.everything, "remains": remains, **self.same})

        def imported() -> list[Verdict]:
            return [check_import(module, target, self.workers, tf_remains=remains, foreign=self.foreign)]

        return [*found, *self.outcomes.verdicts(key, imported)]

    @cached_property
    def foreign(self) -> frozenset[str]:
        """Other libraries that the original imports."""
        return foreign_libraries(self.repo)

    def _public(self, part: Part, draft: FileDraft, file: FileRewrite) -> list[Verdict]:
        """Whether the names that the unit bound are still there, and take what they took."""
        original = "".join(draft.tree.code_for_node(statement) for statement in part.segment.statements)
        changes = [change for unit in file.units for change in unit.changes]
        try:
            return [check_public(original, file.text, draft.module, changes)]
        except SyntaxError:
            return []  # the file does not parse, which its own rung says

    def plans(self, draft: RepositoryDraft, files: Mapping[str, FileRewrite], facts: Facts) -> dict[str, Plan]:
        """What would be run for every migrated unit of the files."""
        rewrites = [unit for file in files.values() for unit in file.units]
        modules = {str(f.path): f.module or "" for f in self.repo.files}
        kinds = {unit.unit.id: draft.kind(unit.unit.id) for unit in rewrites}
        self.changes = tuple(change for unit in rewrites for change in unit.changes)
        texts = {path: file.text for path, file in files.items()}
        reachable = draft.reachable
        return plan(rewrites, kinds, modules, self.recorded, facts, reachable, self.inside, self.original, texts)

    @cached_property
    def original(self) -> Modules:
        """The source's modules, parsed."""
        trees = {}
        for file in self.repo.files:
            with suppress(SyntaxError, ValueError):
                if file.module is not None and file.text is not None:
                    trees[file.module] = ast.parse(file.text)
        return Modules(trees)

    def _run_all(self, plans: Mapping[str, Plan], target: ReachableCode) -> Iterator[tuple[str, Ran]]:
        with ThreadPoolExecutor(self.settings.jobs) as pool:
            found = pool.map(lambda item: self._run(item[0], item[1], target), plans.items())
            yield from zip(plans, found, strict=True)

    def _run(self, unit: str, planned: Plan, target: ReachableCode) -> Ran:
        if planned.reason:
            note = f"; the original's own run: {self.recording_note}" if self.recording_note else ""
            return [Verdict(Rung.FORWARD, Outcome.UNVERIFIABLE, planned.reason + note)], frozenset()
        if planned.cases:
            ran: list[Ran] = []
            for case in planned.cases:
                ran.append(self._case(unit, case, target, explain=not any(map(has_failed, ran))))
            ran = repeated(ran)
            return joined([*ran, *self._varied(unit, planned.varied.get(planned.cases[0].id), ran, target)])
        found: Ran = ([], frozenset())
        quiet: Ran | None = None
        for case in planned.alternatives:
            found = self._case(unit, case, target)
            if accepted_by_source(found) and not says_nothing(found):
                return joined([found, *self._varied(unit, planned.varied.get(case.id), [found], target)])
            quiet = found if quiet is None and accepted_by_source(found) else quiet
        return quiet or found

    def _varied(
        self, unit: str, varied: Constructions | None, ran: Sequence[Ran], target: ReachableCode
    ) -> Iterator[Ran]:
        """Other constructions, as far as the source accepts them; of a large model one."""
        if varied is None or any(map(has_failed, ran)):
            return
        together = None if varied.together is None else self._case(unit, varied.together, target)
        if together is not None and accepted_by_source(together):
            yield together
        others = [] if together is not None and accepted_by_source(together) else [*varied.singles]
        others = others[:1] if is_large(ran) else [*others, *varied.turned]
        for case in others:
            found = self._case(unit, case, target)
            if accepted_by_source(found):
                yield found

    def _case(self, unit: str, case: Case, target: ReachableCode, explain: bool = True) -> Ran:
        """Run a case, or know what came of it; `explain`: search for the first difference where it fails."""
        self.cases[case.id] = case
        key = kept.case_key(case, self.code, target, self._setting())
        checked = self.outcomes.of(key, lambda: self._checked(case, target, explain))
        for label, pairs in checked.weights:
            if label == "self":
                self.maps[unit] = [pair.model_dump() for pair in pairs]
        reached = line_places.absolute(checked.reached, target.files)
        return list(checked.verdicts), frozenset(map(self._inside_package, reached))

    def _inside_package(self, name: str) -> str:
        """What was reached, its file named from the repository's top: a package's own folder stands above that."""
        start, above = ("source " if name.startswith("source ") else ""), f"{self.repo.package}/"
        rest = name[len(start) :]
        return start + rest.removeprefix(above) if self.repo.package else name

    def _setting(self) -> kept.Setting:
        folder, up_to = self.folder / "recorded", LEVELS[self.settings.check]
        return kept.Setting(folder, self.same, self.repo.keras, up_to, self.changes)

    def _checked(self, case: Case, target: ReachableCode, explain: bool) -> Checked:
        checked = check_case(
            case,
            self.packed,
            target.tree,
            self.workers,
            keras=self.repo.keras,
            folder=self.folder / "recorded",
            changes=self.changes,
            up_to=LEVELS[self.settings.check],
            repro=repros.repro(case.id),
            explain=explain,
        )
        return replace(checked, reached=line_places.relative(checked.reached, target.files))


def _is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= LARGEST


def _python(path: str | None) -> Path | None:
    return None if path is None else Path(path)
