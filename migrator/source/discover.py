"""Which files of a folder belong to the repository, and which are left out with a reason."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from migrator.source.ignore import Ignore, above
from migrator.source.tracked import tracked

MAX_COPY_BYTES = 100 * 2**20
"""Larger files are data or weights: copying them doubles the disk a run needs for no gain."""

NEVER = {
    ".git": "version control",
    ".hg": "version control",
    ".svn": "version control",
    "__pycache__": "compiled Python",
    ".venv": "virtual environment",
    "venv": "virtual environment",
    ".tox": "virtual environment",
    ".ipynb_checkpoints": "notebook checkpoints",
    ".mypy_cache": "cache",
    ".pytest_cache": "cache",
    ".ruff_cache": "cache",
}


@dataclass(frozen=True)
class Found:
    """A path below the root. With `reason` it stays behind; with `link` it is a symbolic link to keep."""

    path: Path
    reason: str = ""
    link: bool = False


def discover(root: Path) -> Iterator[Found]:
    """Every file below `root` in name order, folders not entered included once with their reason.

    Symbolic links are never followed, so a loop of them ends at its first link.
    """
    yield from _folder(root, root, above(root), tracked(root))


def _folder(folder: Path, root: Path, outer: Ignore, kept: Collection[Path]) -> Iterator[Found]:
    ignore = outer.below(folder)
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as error:
        yield Found(folder, f"cannot be listed: {error.strerror}")
        return
    for entry in entries:
        path = Path(entry.path)
        is_dir = entry.is_dir(follow_symlinks=False)
        reason = _never(path) if is_dir else ""
        if not reason and path not in kept and ignore.ignores(path, is_dir):
            reason = "ignored by .gitignore"
        if reason:
            yield Found(path, reason)
        elif entry.is_symlink():
            yield _link(path, root)
        elif is_dir:
            yield from _folder(path, root, ignore, kept)
        else:
            yield _file(path)


def _never(folder: Path) -> str:
    if folder.name == "venv" and not (folder / "pyvenv.cfg").exists():
        return ""
    return NEVER.get(folder.name, "")


def _link(path: Path, root: Path) -> Found:
    if os.path.isabs(os.readlink(path)):
        return Found(path, "symbolic link with an absolute target")
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
        return Found(path, "broken symbolic link")
    if not target.is_relative_to(root):
        return Found(path, "symbolic link out of the folder")
    return Found(path, link=True)


def _file(path: Path) -> Found:
    try:
        status = path.stat()
    except OSError as error:
        return Found(path, f"cannot be read: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        return Found(path, "not a regular file")
    if status.st_size > MAX_COPY_BYTES:
        return Found(
            path, f"larger than {MAX_COPY_BYTES // 2**20} MB ({status.st_size / 2**20:.0f} MB); copy it yourself"
        )
    return Found(path)
