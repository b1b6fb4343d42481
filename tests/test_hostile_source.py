"""Originals that misbehave when they are run: contained, reported, and never accepted for it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.command import Done, command
from tests.source.tree import contents, plant

GOOD = "import tensorflow as tf\n\n\ndef total(x):\n    return tf.reduce_sum(x, axis=1)\n"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # what hangs is waited for

UNIT = "import tensorflow as tf\n\n\ndef wave(x):\n    return tf.sin(x)\n\n\n"


def hostile(marker: Path) -> dict[str, str]:
    """One file for each way to misbehave; `marker` is a path that none of them may bring into being."""
    return {
        "crash.py": UNIT + "raise RuntimeError('no')\n",
        "leave.py": UNIT + "import os\nos._exit(0)\n",
        "fork.py": UNIT + "import os\nwhile True:\n    os.fork()\n",
        "hang.py": UNIT + "while True:\n    pass\n",
        "kill.py": UNIT + "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(-1, signal.SIGKILL)\n",
        "write.py": UNIT
        + f"try:\n    open({str(marker)!r}, 'w').write('x')\nexcept OSError:\n    pass\nopen('m', 'w').write('x')\n",
        "print.py": UNIT + "print('x' * 50_000_000)\n",
        "good.py": GOOD,
    }


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes], Done, float]:
    root = tmp_path_factory.mktemp("hostile")
    src = plant(root / "src", hostile(root / "escaped"))
    before = contents(src)
    start = time.monotonic()
    done = command("run", str(src), "--json")
    return root, before, done, time.monotonic() - start


def statuses(done: Done) -> dict[str, str]:
    report = json.loads(done.out)
    return {unit["id"]: unit["status"] for file in report["files"] for unit in file["units"]}


def test_the_run_ends_and_says_what_is_left(migrated: tuple[Path, dict[str, bytes], Done, float]) -> None:
    _, _, done, seconds = migrated
    assert done.code == 1, done.err
    assert seconds < 1000


def test_nothing_outside_changes(migrated: tuple[Path, dict[str, bytes], Done, float]) -> None:
    root, before, _, _ = migrated
    assert contents(root / "src") == before
    assert sorted(path.name for path in root.iterdir()) == ["src", "src_torch"]


def test_neighbours_do_not_suffer(migrated: tuple[Path, dict[str, bytes], Done, float]) -> None:
    assert statuses(migrated[2])["good.py::total"] == "accepted"


@pytest.mark.parametrize("name", ["crash", "leave", "fork", "hang", "kill"])
def test_what_could_not_be_run_is_not_accepted(migrated: tuple[Path, dict[str, bytes], Done, float], name: str) -> None:
    assert statuses(migrated[2])[f"{name}.py::wave"] != "accepted"
