"""Case files beside the output: every check can be run again, those of code that was not kept too."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from migrator_validators.cases import Case, CaseFile, Change
from migrator_validators.inputs import arrays_of

from migrator.model import FileRewrite, InterfaceChange, Outcome, SourceRepo, Verdict
from migrator.source.libraries import foreign_libraries

FOLDER = "migration/cases"
CASES_PATH = f"{FOLDER}/cases.json"


@dataclass(frozen=True)
class Round:
    """What was run in a round: cases of the files as they stood. `number` 0: of the files that were kept."""

    number: int
    cases: tuple[Case, ...]
    files: Mapping[str, FileRewrite]
    changes: tuple[InterfaceChange, ...] = ()
    remains: bool = False

    @property
    def path(self) -> str:
        """Where its case file lies in the output."""
        return f"{FOLDER}/rejected{self.number}.json" if self.number else CASES_PATH

    def text(self, repo: SourceRepo, kept: Mapping[str, FileRewrite]) -> str:
        """The case file; texts that were not kept stand in it."""
        texts = {path: file.text for path, file in self.files.items()}
        gone = {path: text for path, text in texts.items() if path not in kept or kept[path].text != text}
        names = ("qualname", "kind", "detail", "added", "removed")
        made = CaseFile(
            source=repo.root,
            target="../..",
            keras=repo.keras,  # type: ignore[arg-type]
            package=repo.package,
            roots=tuple(dict.fromkeys(("", *repo.import_roots))),
            tf_remains=self.remains,
            foreign=tuple(sorted(foreign_libraries(repo))),
            changes=tuple(Change(**{name: getattr(change, name) for name in names}) for change in self.changes),
            replaced=gone,
            cases=self.cases,
        )
        return made.model_dump_json(by_alias=True, indent=1) + "\n"


def repro(case: str) -> str:
    """The command line that runs a case of the kept files again, in the output's folder."""
    return f"python -m migrator_validators {CASES_PATH} --case {shlex.quote(case)}"


def failed(verdicts: Mapping[str, Sequence[Verdict]]) -> frozenset[str]:
    """Units that a round rejects."""
    return frozenset(u for u, found in verdicts.items() if any(v.outcome is Outcome.FAIL for v in found))


def pointed(verdicts: Iterable[Verdict], path: str) -> list[Verdict]:
    """Verdicts whose command lines use another case file."""
    return [replace(v, repro=v.repro.replace(CASES_PATH, path)) for v in verdicts]


def stored(cases: Iterable[Case]) -> frozenset[str]:
    """Names of the files with arrays that cases refer to."""
    return frozenset(a.npz.partition("#")[0] for case in cases for a in arrays_of(case) if a.npz is not None)
