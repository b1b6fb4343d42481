"""The differences that a prompt names are those of the APIs in the fragment."""

from __future__ import annotations

import json
import re
from importlib import resources

import pytest

from migrator.llm.semantics import Difference, about, differences


def test_every_line_is_read() -> None:
    numbers = [line.number for line in differences()]
    assert len(numbers) > 200
    assert len(numbers) == len(set(numbers))
    assert all(line.text and line.patterns for line in differences())


@pytest.mark.parametrize(
    ("api", "said", "unsaid"),
    [
        ("tf.keras.layers.BatchNormalization", "eps 1e-3", "forget slice"),
        ("tf.keras.layers.GRU", "z,r,h", "BatchNorm"),
        ("tf.pad", "paddings", "pad_sequences"),
        ("tf.image.resize", "bilinear", "decode_jpeg"),
        ("tf.data.Dataset.shuffle", "sliding window", "remainder"),
        ("tf.unique", "first-seen", "bincount"),
        ("tf.keras.Model.fit", "shuffle=True", "predict` returns"),
    ],
)
def test_lines_about_an_api(api: str, said: str, unsaid: str) -> None:
    text = "\n".join(about([api], "training fit numpy Variable int"))
    assert said in text
    assert unsaid not in text


def test_silent_ones_come_first() -> None:
    found = ["(silent" in text for text in about(["tf.keras.layers.BatchNormalization"], "")]
    assert found == sorted(found, reverse=True)
    assert about([], "") == ()


def test_lines_about_arguments_need_the_argument() -> None:
    gru = "tf.keras.layers.GRU"
    assert not any("stateful" in line for line in about([gru], "layers.GRU(4)"))
    assert any("stateful" in line for line in about([gru], "layers.GRU(4, stateful=True)"))
    assert any("gates" in line for line in about([gru], "layers.GRU(4)"))


def _matches(line: Difference, pattern: str, known: list[str]) -> bool:
    return any(Difference("", (pattern,), "").concerns(api) for api in known)


def test_patterns_are_of_real_names() -> None:
    """A misspelt pattern would never be found again."""
    old = re.compile(r"contrib|estimator|rnn_cell|Estimator|Convolution|compat\.v1|legacy|Session\.run")
    table = json.loads(resources.files("migrator.facts").joinpath("_names.json").read_text(encoding="utf-8"))
    known = sorted(table["signatures"])
    lost = {
        pattern
        for line in differences()
        for pattern in line.patterns
        if not old.search(pattern) and not pattern.startswith("*.") and not _matches(line, pattern, known)
    }
    assert not lost
