"""`torch.nn.functional` in files and units that have an `F` of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import migrator
from migrator.codemods.functional_calls import FUNCTIONS
from tests.codemods.test_bad_input import migrated as rewrite

AT_TOP = """import numpy as np
import tensorflow as tf

N, F = 12, 6


def activated(x):
    return tf.nn.relu(x) + F
"""
LOCAL = """import tensorflow as tf


def weighted(F, y):
    F = tf.nn.softmax(F) * tf.reduce_mean(F)
    return tf.nn.relu(F) + F.shape[0]


def plain(x):
    return tf.nn.relu(x)
"""


def migrated(source: str) -> str:
    made = rewrite(source)
    assert [decline for unit in made.units for decline in unit.declines] == []
    return made.text


def test_an_f_at_the_top_level_stays_what_it_is() -> None:
    text = migrated(AT_TOP)
    assert "    return nn.functional.relu(x) + F\n" in text
    assert "from torch import nn\n" in text
    assert "as F" not in text


def test_an_f_inside_of_a_unit_concerns_that_unit_alone() -> None:
    text = migrated(LOCAL)
    assert "    F = nn.functional.softmax(F, dim=-1) * torch.mean(F)\n" in text
    assert "    return nn.functional.relu(F) + F.shape[0]\n" in text
    assert "    return F.relu(x)\n" in text
    assert "import torch.nn.functional as F\n" in text


def test_what_generated_code_calls_is_known() -> None:
    root = Path(migrator.__file__).parent
    texts = [path.read_text() for path in root.rglob("*.py")]
    called = {name for text in texts for name in re.findall(r"\bF\.([a-z]\w+)\(", text)}
    assert called - FUNCTIONS == set()


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_are_there(name: str) -> None:
    assert callable(getattr(F, name))
    # as methods of a tensor these take no tensor, and no rule writes them so
    assert not hasattr(torch.Tensor, name) or name in {"hardshrink", "log_softmax", "relu", "softmax", "unfold"}
