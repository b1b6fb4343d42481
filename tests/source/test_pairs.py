from __future__ import annotations

from pathlib import Path

from migrator.source import pairs
from tests.source.tree import plant


def test_only_what_both_sides_have_is_paired(tmp_path: Path) -> None:
    old = plant(tmp_path / "old", {"a.py": b"x = 1\r\n", "gone.py": "", "bad.py": b"\xff"})
    new = plant(tmp_path / "new", {"a.py": "x = 2\n", "bad.py": "x = 1\n"})
    assert pairs(old, new, ["a.py", "gone.py", "bad.py"]) == {"a.py": ("x = 1\n", "x = 2\n")}
