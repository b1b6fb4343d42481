"""Where the output may go, and how an output folder of ours is known."""

from __future__ import annotations

import json
from pathlib import Path

from migrator.errors import UsageError

MANIFEST_PATH = "migration/files.json"
"""What was written, with the SHA-256 of each file: marks the folder as ours and shows later edits."""

TOOL = "tf2torch-migrator"


def default_out(src: str | Path) -> Path:
    """`SRC_torch` beside the source; `model.py` gives the folder `model_torch`."""
    path = Path(src).resolve()
    return path.parent / f"{path.stem if path.is_file() else path.name}_torch"


def check_place(src: str | Path, out: str | Path) -> Path:
    """The absolute output folder; raises `UsageError` where writing there could harm something."""
    source, target = Path(src).resolve(), Path(out).resolve()
    folder = source.parent if source.is_file() else source
    if target == source:
        raise UsageError(f"{out}: the output is the source itself; the source is never changed")
    if source.is_dir() and target.is_relative_to(folder):
        raise UsageError(f"{out}: the output lies inside the source {src}; name a folder outside it with -o")
    if source.is_relative_to(target):
        raise UsageError(f"{out}: the source {src} lies inside the output; name another folder with -o")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{out}: exists and is not a folder")
    if target.is_dir() and any(target.iterdir()) and manifest(target) is None:
        raise UsageError(f"{out}: exists and was not written by migrator; name another folder with -o or move it away")
    return target


def manifest(out: Path) -> dict[str, str] | None:
    """Path → SHA-256 of the files that we wrote into `out`; None when it is not ours."""
    try:
        data = json.loads((out / MANIFEST_PATH).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(data, dict) or data.get("tool") != TOOL or not isinstance(data.get("files"), dict):
        return None
    return {str(path): str(digest) for path, digest in data["files"].items()}
