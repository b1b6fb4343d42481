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


SLICES_OF = "tf.data.Dataset.from_tensor_slices"


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


def test_13_3_batches_cross_the_end_of_an_epoch() -> None:
    """`repeat` before `batch` fills the batches across epochs; a loader read once for each epoch does not."""
    expected, found = both(PIPELINES["repeat before batches"])
    assert found == expected
    per_epoch = [4, 4, 2] * 6
    assert [batch[0][1][0] for batch in found] != per_epoch
    expected, found = both(PIPELINES["repeat batches"].replace("repeat(2)", "repeat(3)"))
    assert found == expected
    assert [batch[0][1][0] for batch in found] == per_epoch


def test_13_5_what_a_map_draws_is_drawn_at_every_reading() -> None:
    body = f"return {SLICES_OF}(x).map(lambda row: row + tf.random.uniform([2])).batch(10)"
    for batches in both(body):
        first, second = (np.array(batch[2]) for batch in batches)
        assert not np.array_equal(first, second)
        assert len(np.unique(first - np.arange(20).reshape(10, 2))) > 10


@pytest.mark.parametrize(
    "body",
    [
        f"return {SLICES_OF}(x).map(lambda row: row + np.random.rand()).batch(4)",
        f"def noisy(row):\n    return row * float(np.random.uniform())\n\nreturn {SLICES_OF}(x).map(noisy)",
    ],
)
def test_13_5_what_numpy_draws_while_a_map_is_traced_is_declined(body: str) -> None:
    """TensorFlow adds the same number to every row, a function that torch calls would draw one for each."""
    made = draft(f"{HEAD}\ndef make(x, y):\n{textwrap.indent(body, '    ')}\n")
    assert "drawn once in TensorFlow" in made.declines[0].reason


@pytest.mark.parametrize("decorator", ["@tf.function", "@tf.function(jit_compile=False)", ""])
def test_10_33_what_numpy_draws_in_a_traced_function_is_declined(decorator: str) -> None:
    made = draft(f"{HEAD}\n{decorator}\ndef noisy(x):\n    return tf.abs(x) * np.random.rand()\n")
    assert any("drawn once" in decline.reason for decline in made.declines) == bool(decorator)


def test_10_33_a_function_of_numpy_is_called_for_each_row() -> None:
    body = (
        f"return {SLICES_OF}(x).map(lambda row: tf.numpy_function(lambda r: r + np.random.rand(), [row], tf.float32))"
    )
    made = draft(f"{HEAD}\ndef make(x, y):\n    {body}\n")
    assert not any("drawn once" in decline.reason for decline in made.declines)
