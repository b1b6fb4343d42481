"""What the rules write for the evaluation programs, whole, as it was read and judged (docs/results.md)."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from migrator import source, steps
from migrator.evals.sets import task_folders


@pytest.mark.parametrize("folder", task_folders("programs"), ids=lambda folder: folder.name)
def test_generated_files_are_those_that_were_read(folder: Path, snapshot: SnapshotAssertion) -> None:
    repo = source.read(folder / "source", (), ())
    files = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})
    for path, file in sorted(files.items()):
        assert file.text == snapshot(name=path)
