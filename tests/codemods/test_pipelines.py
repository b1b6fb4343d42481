"""Pipelines in both frameworks: the same batches, twice over."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.codemods.pipelines import PIPELINES, SHUFFLED
from tests.codemods.training_support import HEAD, draft, torch_module

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


def both(body: str) -> tuple[list[Any], list[Any]]:
    """What the pipeline yields in TensorFlow and in torch, read twice."""
    tf = pytest.importorskip("tensorflow")
    source = f"{HEAD}\ndef make(x, y):\n{textwrap.indent(body, '    ')}\n"
    made = draft(source)
    assert made.declines == (), made.text
    theirs: dict[str, Any] = {"tf": tf}
    exec(source, theirs)
    ours = torch_module(made, "")
    x, y = np.arange(20, dtype="float32").reshape(10, 2), np.arange(10)
    results = []
    for make in (theirs["make"], ours["make"]):
        dataset = make(x, y)
        results.append([plain(batch) for _ in range(2) for batch in dataset])
    return results[0], results[1]


def plain(value: Any) -> Any:
    """A batch as nested tuples of (dtype, values)."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(plain(item) for item in value)
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    kind = {"i": "int", "O": "text", "S": "text"}.get(array.dtype.kind, str(array.dtype))
    return kind, array.shape, array.tolist()


@pytest.mark.parametrize("name", PIPELINES)
def test_the_same_batches(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected, found = both(PIPELINES[name])
    assert expected
    assert found == expected


@pytest.mark.parametrize("name", SHUFFLED)
def test_the_same_rows_in_some_order(name: str) -> None:
    expected, found = both(SHUFFLED[name])
    assert len(expected) == len(found) == 2
    for want, have in zip(expected, found, strict=True):
        assert rows(have) == rows(want)


def rows(batch: Any) -> list[Any]:
    """Rows sorted; the numbers that `enumerate` put before them stay in front."""
    parts = [batch] if isinstance(batch[0], str) else list(batch)
    columns = [part[2] for part in parts]
    if len(columns) == 2 and columns[0] == list(range(len(columns[0]))) and not isinstance(columns[1][0], list):
        columns[1] = sorted(columns[1])
        return columns
    return sorted(zip(*columns, strict=True))
