"""What the README shows first: the example migrates whole, every unit accepted."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command import command

EXAMPLE = Path(__file__).parent.parent / "examples" / "digits"


def test_the_example_migrates_whole(tmp_path: Path) -> None:
    done = command("run", str(EXAMPLE), "-o", str(tmp_path / "torch"), "--json")
    report = json.loads(done.out)
    left = [u for f in report["files"] for u in f["units"] if u["status"] not in ("accepted", "untouched")]
    assert not left, [(unit["id"], unit["status"], unit["reason"]) for unit in left]
    assert report["totals"]["uses"] == report["totals"]["uses_rewritten"] > 0
    assert done.code == 0
