"""Case files: what was checked, written down so that anyone can run it again."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from migrator.errors import UsageError
from migrator.model import InterfaceChange, Outcome, Rung, Verdict
from migrator_validators.cases import Case, CaseFile
from migrator_validators.check import Checked, check_case
from migrator_validators.files import check_text
from migrator_validators.workers import Workers, pack_tree, tree_files


def read_case_file(path: Path) -> CaseFile:
    """A case file, JSON or TOML (of a TOML file with more in it, the case file's own keys). Raises UsageError."""
    try:
        data = tomllib.loads(path.read_text()) if path.suffix == ".toml" else json.loads(path.read_text())
        return CaseFile.model_validate({name: data[name] for name in CaseFile.model_fields if name in data})
    except (OSError, ValueError, ValidationError) as error:
        raise UsageError(f"{path} is no case file: {str(error).splitlines()[0]}") from error


def write_case_file(path: Path, cases: Iterable[Case], source: Path, target: Path, keras: int = 3) -> None:
    """Write cases with the places of both trees, relative to the file."""
    places = [os.path.relpath(tree, path.parent) for tree in (source, target)]
    made = CaseFile(source=places[0], target=places[1], keras=2 if keras == 2 else 3, cases=tuple(cases))
    path.parent.mkdir(parents=True, exist_ok=True)
    text = made.model_dump_json(by_alias=True, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def repro(path: Path, case: Case) -> str:
    """The command line that runs a case of a file again."""
    return f"python -m migrator_validators {path} --case {case.id}"


def check_file(
    path: Path,
    workers: Workers,
    *,
    only: Sequence[str] = (),
    changes: Sequence[InterfaceChange] = (),
    up_to: Rung = Rung.RUNS,
) -> Iterator[Checked]:
    """Run the cases of a file, one after the other; `only` names some of them. The migrated modules are read
    first. A file that names no trees has them beside it as `source/` and `reference/`.

    Raises UsageError for a file that is none, a tree that is missing or a case that is not in it.
    """
    made = read_case_file(path)
    folder = path.parent
    source, target = folder / (made.source or "source"), folder / (made.target or "reference")
    for tree in (source, target):
        if not tree.exists():
            raise UsageError(f"{path}: there is no {tree}")
    unknown = set(only) - {case.id for case in made.cases}
    if unknown:
        raise UsageError(f"{path} has no case {', '.join(sorted(unknown))}")
    texts = {**dict(tree_files(target)), **{path: text.encode() for path, text in made.replaced.items()}}
    packed = (
        pack_tree(source, made.package, made.roots, foreign=made.foreign),
        pack_tree(texts, made.package, made.roots, made.tf_remains, made.foreign),
    )
    permitted = [*changes, *(InterfaceChange(**change.model_dump()) for change in made.changes)]
    for case in made.cases:
        if not only or case.id in only:
            static = static_verdicts(case, texts, workers, tf_remains=made.tf_remains)
            if any(v.outcome is Outcome.FAIL for v in static):
                yield Checked(case.id, static)
                continue
            found = check_case(
                case,
                *packed,
                workers,
                keras=made.keras,
                folder=folder,
                changes=permitted,
                up_to=up_to,
                repro=repro(path, case),
            )
            yield Checked(case.id, static + found.verdicts, found.weights)


def static_verdicts(
    case: Case, texts: Mapping[str, bytes], workers: Workers, *, tf_remains: bool = False
) -> tuple[Verdict, ...]:
    """Verdicts "parses" and "names" on the module that a case calls; none where it is not a file of the tree."""
    module = (case.call.target or case.call.source).partition(":")[0]
    base = module.replace(".", "/")
    for place in (f"{base}.py", f"{base}/__init__.py"):
        if case.call.on is None and place in texts:
            return check_text(place, texts[place].decode("utf-8"), workers, tf_remains=tf_remains)
    return ()
