"""Groups of statements are compared name by name."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Call, Case
from migrator_validators.check import check_case
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome

SOURCE = """
import tensorflow as tf

MEAN, SIZES = tf.constant([0.1, 0.2]), {"a": (1, 2), "b": "text"}
NOISE = tf.random.normal((3,))
LOSS = tf.keras.losses.MeanSquaredError()
"""
TARGET = """
import torch
from torch import nn

MEAN, SIZES = torch.tensor([0.1, 0.2]), {"a": (1, 2), "b": "text"}
NOISE = torch.randn(3)
LOSS = nn.MSELoss()
"""


def outcome(names: tuple[str, ...], workers: Workers, *change: str) -> tuple[Outcome, str]:
    case = Case(id="values", kind="constant", call=Call(source="program"), names=names)
    target = TARGET.replace(*change) if change else TARGET
    verdicts = check_case(case, pack_tree({"program.py": SOURCE}), pack_tree({"program.py": target}), workers).verdicts
    return verdicts[-1].outcome, verdicts[-1].detail


def test_all_names_have_to_be_compared(workers: Workers) -> None:
    assert outcome(("MEAN", "SIZES"), workers) == (Outcome.PASS, "equal: MEAN, SIZES")
    detail = "LOSS, NOISE cannot be compared by value; equal: MEAN"
    assert outcome(("LOSS", "MEAN", "NOISE"), workers) == (Outcome.UNVERIFIABLE, detail)


@pytest.mark.parametrize("change", [("0.2]", "0.3]"), ('"text"', '"test"'), ("(1, 2)", "[1, 2, 3]")])
def test_another_value_is_a_failure(change: tuple[str, str], workers: Workers) -> None:
    assert outcome(("LOSS", "MEAN", "NOISE", "SIZES"), workers, *change)[0] is Outcome.FAIL
