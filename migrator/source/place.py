"""Where the output may go, and how an output folder of ours is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from migrator.errors import UsageError

MANIFEST_PATH = "migration/files.json"
"""What was written, with the SHA-256 of each file: marks the folder as ours and shows later edits."""

TOOL = "tf2torch-migrator"


def default_out(src: str | Path) -> Path:
    """`SRC_torch` beside the source; `model.py` gives the folder `model_torch`."""
    path = Path(src).resolve()
    return path.parent / f"{path.stem if path.is_file() else path.name}_torch"


def check_place(src: str | Path, out: str | Path, fresh: bool = False) -> Path:
    """The absolute output folder; raises `UsageError` where writing there could harm something.

    An earlier output that was edited since is refused unless `fresh`; `write` then keeps it beside.
    """
    source, target = Path(src).resolve(), Path(out).resolve()
    folder = source.parent if source.is_file() else source
    if target == source:
        raise UsageError(f"{out}: the output is the source itself; the source is never changed")
    if source.is_dir() and target.is_relative_to(folder):
        raise UsageError(f"{out}: the output lies inside the source {src}; name a folder outside it with -o")
    if source.is_relative_to(target):
        raise UsageError(f"{out}: the source {src} lies inside the output; name another folder with -o")
    check_ours(target)
    if not fresh and edited(target):
        raise UsageError(
            f"{out}: was edited since it was written; --fresh starts again and keeps the edited one beside it"
        )
    return target


def check_ours(out: Path) -> None:
    """Raise `UsageError` when `out` exists, is not empty and was not written by us."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: exists and is not a folder")
    if out.is_dir() and any(out.iterdir()) and manifest(out) is None:
        raise UsageError(f"{out}: exists and was not written by migrator; name another folder with -o or move it away")


def edited(out: Path) -> bool:
    """Whether a file was changed, added or removed since we wrote `out` (the report's own folder aside)."""
    wrote = manifest(out)
    if wrote is None:
        return False
    now = dict(digests(out))
    paths = {path for path in {*wrote, *now} if not path.startswith("migration/")}
    return any(wrote.get(path) != now.get(path) for path in paths)


def digests(folder: Path) -> Iterator[tuple[str, str]]:
    """(path, SHA-256) of every regular file, compiled Python aside."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
            with path.open("rb") as stream:
                yield path.relative_to(folder).as_posix(), hashlib.file_digest(stream, "sha256").hexdigest()


def manifest(out: Path) -> dict[str, str] | None:
    """Path → SHA-256 of the files that we wrote into `out`; None when it is not ours."""
    try:
        data = json.loads((out / MANIFEST_PATH).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(data, dict) or data.get("tool") != TOOL or not isinstance(data.get("files"), dict):
        return None
    return {str(path): str(digest) for path, digest in data["files"].items()}
