"""Writing the migrated repository: whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migrator.errors import EnvironmentMissing, UsageError
from migrator.model import SourceFile, SourceRepo
from migrator.source.decode import encode
from migrator.source.place import MANIFEST_PATH, TOOL, check_ours, digests, edited


@dataclass(frozen=True)
class Written:
    """`out`: the folder. `kept`: where an earlier output went that a person had edited, or None."""

    out: Path
    kept: Path | None = None


def write(
    repo: SourceRepo, out: Path, texts: Mapping[str, str], extra: Mapping[str, str | bytes] | None = None
) -> Written:
    """Write `repo` with the files in `texts` (path → whole text, `\\n` line ends) replaced.

    Files in `texts` keep the encoding, BOM, line ends and mode of their original; others are copied
    byte for byte. `extra` are new files, text as UTF-8 (`migration/report.json`). The folder appears by one
    rename, after everything is on disk. An earlier output of ours is replaced; one that was edited
    since is kept beside it. Raises `UsageError` when a new file would hide one of the source, or when
    `out` is a folder of somebody else's.
    """
    check_ours(out)
    extra = dict(extra or {})
    known = {str(f.path) for f in repo.files}
    clash = sorted({*extra, MANIFEST_PATH} & known)
    if clash:
        raise UsageError(f"{repo.root}: already contains {clash[0]}; it looks like an output of migrator")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise _cannot(out, error) from error
    try:
        _fill(stage, repo, texts, extra)
        return Written(out, _swap(stage, out))
    except OSError as error:
        raise _cannot(out, error) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _cannot(out: Path, error: OSError) -> Exception:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return EnvironmentMissing(f"{out}: the disk is full; nothing was changed, free some space and run again")
    return UsageError(f"{out}: cannot be written ({error.strerror or error}); nothing was changed")


def _fill(stage: Path, repo: SourceRepo, texts: Mapping[str, str], extra: Mapping[str, str | bytes]) -> None:
    root = Path(repo.root)
    for file in repo.files:
        source, target = root / file.path, stage / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = texts.get(str(file.path))
        if source.is_symlink():
            target.symlink_to(os.readlink(source))
        elif text is None or text == file.text:
            shutil.copy(source, target)
        else:
            target.write_bytes(_bytes(file, text))
            shutil.copymode(source, target)
    add(stage, extra)
    marker = stage / MANIFEST_PATH
    marker.parent.mkdir(exist_ok=True)
    marker.write_text(json.dumps({"tool": TOOL, "version": 1, "files": dict(digests(stage))}, indent=1) + "\n")
    stage.chmod(0o755)  # mkdtemp's folder is private


def add(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files of our own into a folder, text as UTF-8."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)


def _bytes(file: SourceFile, text: str) -> bytes:
    return encode(text, file.encoding, file.bom, file.newline)


def _swap(stage: Path, out: Path) -> Path | None:
    """Put `stage` in the place of `out`; gives back where an edited `out` went."""
    if not out.exists():
        stage.rename(out)
        return None
    keep = edited(out)
    old = _free(out, "edited" if keep else "old")
    out.rename(old)
    try:
        stage.rename(out)
    except OSError:
        old.rename(out)
        raise
    if keep:
        return old
    shutil.rmtree(old, ignore_errors=True)
    return None


def _free(out: Path, word: str) -> Path:
    number = 1
    while (path := out.with_name(f"{out.name}.{word}-{number}")).exists():
        number += 1
    return path
