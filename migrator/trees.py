"""Trees to import from: the repository as its own import statements see it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from migrator.model import SourceFile, SourceRepo

LARGEST = 16 * 2**20
"""Bytes of a data file that goes along; programs under test get no larger ones."""


def import_path(file: SourceFile, package: bool) -> PurePosixPath:
    """Where a file stands when its import root is the top of the tree."""
    if file.module is None:
        return file.path
    parts = PurePosixPath(*file.module.split("."))
    return parts / "__init__.py" if package else parts.with_suffix(".py")


def is_package(file: SourceFile) -> bool:
    """Whether a module is a package's `__init__`."""
    return file.path.name == "__init__.py"


def lay_out(repo: SourceRepo, texts: Mapping[str, str], folder: Path) -> Path:
    """Write the repository to `folder` with some files replaced (path → text), importable from its top.

    Every file keeps its path; one whose import root is deeper stands at the path of its import name
    as well. Symbolic links, unreadable and large files are left out.
    """
    root = Path(repo.root)
    for file in repo.files:
        source = root / file.path
        if source.is_symlink() or not source.is_file() or source.stat().st_size > LARGEST:
            continue
        text = texts.get(str(file.path))
        for path in {file.path, import_path(file, is_package(file))}:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                target.write_text(text, encoding="utf-8", newline="\n")
            elif os.access(source, os.R_OK):
                shutil.copyfile(source, target)
    return folder
