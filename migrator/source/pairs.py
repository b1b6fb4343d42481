"""Files of the source beside what stands in the output now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from migrator.source.decode import Undecodable, decode


def pairs(source: str | Path, out: str | Path, paths: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Path → (text in `source`, text in `out`), for the Python files that can be read on both sides."""
    return {path: (old, new) for path, old, new in _pairs(Path(source), Path(out), paths)}


def _pairs(source: Path, out: Path, paths: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for path in paths:
        old, new = _text(source / path), _text(out / path)
        if old is not None and new is not None:
            yield path, old, new


def _text(path: Path) -> str | None:
    try:
        return decode(path.read_bytes()).text
    except (OSError, Undecodable):
        return None
