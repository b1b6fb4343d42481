"""A run that was killed goes on; a round checks again only what changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from migrator import steps
from migrator.checking import Checker
from migrator.config import load
from migrator.journal import FILE, work_area
from migrator.model import FileRewrite
from tests.source.tree import plant

UNITS = {
    "ops.py": (
        "import tensorflow as tf\n\nSCALE = 2.0\n\n\n"
        "def double(x):\n    return tf.reduce_sum(x) * SCALE\n\n\n"
        "def twice(x):\n    return double(x) + double(tf.square(x))\n\n\n"
        "def alone(x):\n    return tf.exp(x)\n"
    ),
    "main.py": (
        "import tensorflow as tf\nfrom ops import alone, double, twice\n\n\n"
        "def main():\n    x = tf.constant([[0.5, -1.0], [2.0, 0.25]])\n    return twice(x), alone(x), double(x)\n\n\n"
        "if __name__ == '__main__':\n    main()\n"
    ),
}


def quiet(text: str, done: int, of: int) -> None:
    """No progress bar."""


def lines(file: Path | int) -> list[str]:
    """The keys of a journal; of an open descriptor too, when the file itself is gone."""
    content = os.pread(file, 1 << 24, 0) if isinstance(file, int) else file.read_bytes() if file.exists() else b""
    return [json.loads(line)["key"] for line in content.splitlines(keepends=True) if line.endswith(b"\n")]


def start(source: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "migrator", "run", str(source), "--json"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def test_a_killed_run_repeats_no_finished_check(tmp_path: Path) -> None:
    source = plant(tmp_path / "src", UNITS)
    journal = work_area(tmp_path / "src_torch") / FILE
    first = start(source)
    while len(lines(journal)) < 5:
        assert first.poll() is None, first.communicate()[1].decode()
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    before = lines(journal)
    assert not (tmp_path / "src_torch").exists()
    with journal.open("rb") as kept:
        second = start(source)
        error = second.communicate(timeout=300)[1].decode()
        after = lines(kept.fileno())
    assert second.returncode == 0, error
    assert after[: len(before)] == before
    assert len(set(after)) == len(after) > len(before)  # nothing was checked twice, and what was left was checked
    assert not journal.parent.exists()
    report = json.loads((tmp_path / "src_torch/migration/report.json").read_text())
    statuses = {unit["status"] for file in report["files"] for unit in file["units"]}
    assert statuses == {"accepted", "untouched"}  # `main.py` but for its imports


def changed(files: dict[str, FileRewrite], path: str, old: str, new: str) -> dict[str, FileRewrite]:
    assert old in files[path].text
    return {**files, path: replace(files[path], text=files[path].text.replace(old, new))}


def test_a_round_checks_what_changed_and_what_runs_it(tmp_path: Path) -> None:
    source = plant(tmp_path / "src", UNITS)
    settings = load(source, out=tmp_path / "out")
    repo = steps.read(settings)
    facts = steps.know(repo)
    draft = steps.rewrite(repo, facts, quiet)
    with ExitStack() as stack:
        checker = Checker.start(repo, settings, stack)
        assert checker is not None
        checker.settle(draft, facts, quiet)
        files = draft.render({})
        assert "ops.py::double" in {unit.unit.id for unit in files["ops.py"].units}

        def again(files: dict[str, FileRewrite]) -> set[str]:
            """The cases that a round runs which were not run before."""
            ran = checker.outcomes.ran
            done = set(checker.outcomes.known)
            verdicts = checker.check(draft, files, facts, quiet)
            assert len(set(checker.outcomes.known) - done) == checker.outcomes.ran - ran
            assert all(verdicts.values())
            new = [checker.outcomes.known[key].case for key in set(checker.outcomes.known) - done]
            return {case.rpartition("-")[0] for case in new if case}

        assert again(files) == set()
        assert again(changed(files, "ops.py", "torch.exp(x)", "torch.exp(x) * 1")) == {"ops.alone", "main.main"}
        assert again(changed(files, "ops.py", "torch.square(x)", "x * x")) == {"ops.twice", "main.main"}
        everything = {"ops.alone", "ops.double", "ops.twice", "main.main"}
        assert again(changed(files, "ops.py", "SCALE = 2.0", "SCALE = 4.0 / 2.0")) == everything
        assert again(changed(files, "ops.py", "def double(x):", "def double(x, y=1):")) == everything - {"ops.alone"}
