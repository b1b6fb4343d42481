"""What git tracks: a file added in spite of `.gitignore` belongs to the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def tracked(root: Path) -> frozenset[Path]:
    """Tracked files below `root` and the folders that hold them; empty without git or a work tree.

    The repository is foreign: its configuration must not make git start a program (fsmonitor).
    """
    git = shutil.which("git")
    if git is None or not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return frozenset()
    command = [git, "-c", "core.fsmonitor=false", "-C", str(root), "ls-files", "-z", "--cached"]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    files = {root / os.fsdecode(name) for name in done.stdout.split(b"\0") if name}
    return frozenset(files | {folder for file in files for folder in file.parents})
