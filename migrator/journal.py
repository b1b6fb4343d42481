"""What a run has already found out, on disk as it is found: a killed run goes on where it was."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

from migrator.errors import UsageError

FILE = "journal.jsonl"


def work_area(out: Path) -> Path:
    """Where an unfinished run for `out` keeps its work: a hidden folder beside it, gone when the run has ended."""
    return out.with_name(f".{out.name}.migrator")


class Journal:
    """Values by key, one JSON line each, appended and flushed to the disk before `put` returns.

    A line that a crash cut short is dropped when the file is opened again. `folder` is for larger
    things that values refer to. One process at a time: a second one raises `UsageError`.
    """

    def __init__(self, folder: Path, fresh: bool = False) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / FILE).open("a+b")
        except OSError as error:
            raise UsageError(f"{folder}: cannot be written ({error.strerror or error})") from error
        self._lock = threading.Lock()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise UsageError(f"{folder}: another run is at work there") from error
        if fresh:
            self._clear()
        self._values = self._read()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._values or self._file.closed:
            self._file.close()
        else:
            self.remove()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> Any | None:
        """The value of a key, or None."""
        return self._values.get(key)

    def put(self, key: str, value: Any) -> None:
        """Keep a value that JSON can hold; it is on disk when this returns."""
        line = json.dumps({"key": key, "value": value}).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._values[key] = value

    def remove(self) -> None:
        """The run has ended: nothing of it is needed any more."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._file.close()

    def _clear(self) -> None:
        self._file.truncate(0)
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)

    def _read(self) -> dict[str, Any]:
        self._file.seek(0)
        content = self._file.read()
        whole = content.rpartition(b"\n")[0]
        if len(content) > len(whole) + 1:
            self._file.truncate(len(whole) + 1 if whole else 0)
        found: dict[str, Any] = {}
        for line in whole.splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                found[str(entry["key"])] = entry["value"]
        return found
