"""The rules' answer to every program, by the path that real files take."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

from migrator.evals.docs.programs import Program
from migrator.model import Decline, FileRewrite, SourceFile, SourceRepo, UnitKind

CHUNK = 80


@dataclass(frozen=True)
class Rewriting:
    """What became of one program. `text` is None when it was declined: `reason` and `api` say why."""

    text: str | None
    reason: str = ""
    api: str = ""


def rewrite_all(programs: Sequence[Program], jobs: int) -> dict[str, Rewriting]:
    """The rewriting of each program, by id."""
    chunks = [tuple(programs[i : i + CHUNK]) for i in range(0, len(programs), CHUNK)]
    if jobs < 2 or len(chunks) < 2:
        return {name: made for chunk in chunks for name, made in rewrite(chunk).items()}
    with ProcessPoolExecutor(jobs) as pool:
        return {name: made for part in pool.map(rewrite, chunks) for name, made in part.items()}


def rewrite(programs: Sequence[Program]) -> dict[str, Rewriting]:
    """One repository with a file for each program, migrated as any other."""
    from migrator import steps

    files = {f"example_{number}.py": program for number, program in enumerate(programs)}
    repo = SourceRepo(
        root="/",
        files=tuple(
            SourceFile(PurePosixPath(path), path.removesuffix(".py"), program.text, uses_tf=True)
            for path, program in files.items()
        ),
    )
    draft = steps.rewrite(repo, steps.know(repo), lambda *_: None)
    rendered = draft.render({})
    return {program.id: _of(rendered[path]) for path, program in files.items()}


def _of(file: FileRewrite) -> Rewriting:
    declines = [d for unit in file.units if unit.unit.kind is not UnitKind.IMPORTS for d in unit.declines]
    first = next((d for d in declines if d.api), declines[0] if declines else None)
    if first is not None:
        return Rewriting(None, *_words(first))
    return Rewriting(file.text)


def _words(decline: Decline) -> tuple[str, str]:
    return decline.reason, decline.api


def uses_tensorflow(text: str) -> bool:
    """Whether a program imports TensorFlow or Keras and uses what it imports."""
    tree = ast.parse(text)
    bound = {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if _module(node, alias).split(".")[0] in ("tensorflow", "keras", "tf_keras")
    }
    return any(isinstance(node, ast.Name) and node.id in bound for node in ast.walk(tree))


def imports_tensorflow(text: str) -> bool:
    """Whether an import of TensorFlow or Keras is left in a text."""
    return any(
        _module(node, alias).split(".")[0] in ("tensorflow", "keras", "tf_keras")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )


def _module(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    return (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
