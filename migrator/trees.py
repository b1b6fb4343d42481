"""Trees to run: the repository with some of its files replaced."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from migrator.model import SourceFile, SourceRepo
from migrator.source import for_tf2

LARGEST = 16 * 2**20
"""Bytes of a data file that goes along; programs under test get no larger ones."""


def is_package(file: SourceFile) -> bool:
    """Whether a module is a package's `__init__`."""
    return file.path.name == "__init__.py"


def as_run(repo: SourceRepo) -> dict[str, str]:
    """The files that the installed TensorFlow runs in other words than they have: path → text."""
    files = (f for f in repo.files if str(f.path) in repo.tf1 and f.text is not None)
    return {str(f.path): for_tf2(f.text or "", graphs=True) for f in files}


def lay_out(repo: SourceRepo, texts: Mapping[str, str], folder: Path) -> Path:
    """Write the repository to `folder` with some files replaced (path → text, UTF-8).

    Symbolic links, unreadable and large files are left out.
    """
    root = Path(repo.root)
    for file in repo.files:
        source = root / file.path
        if source.is_symlink() or not source.is_file() or source.stat().st_size > LARGEST:
            continue
        text = texts.get(str(file.path))
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            target.write_text(text, encoding="utf-8", newline="\n")
        elif os.access(source, os.R_OK):
            shutil.copyfile(source, target)
    return folder
