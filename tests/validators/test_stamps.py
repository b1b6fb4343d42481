"""Layers are paired in the order in which a reader would say that they are made."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Array, Call, Case, RecordedMap, WeightMap
from migrator_validators.check import check_case
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Rung

SOURCE = """
from tensorflow import keras
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.fc = layers.Dense(units)

    def call(self, x):
        return self.fc(x) * 2.0


def build():
    x = keras.Input((3,))
    a = layers.Dense(3)
    b = layers.Dense(3)
    return keras.Model(x, {model})
"""

TARGET = """
from torch import nn


class Block(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.fc = nn.Linear(units, units)

    def forward(self, x):
        return self.fc(x) * 2.0


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        {layers}

    def forward(self, x):
        return {forward}


def build():
    return Model()
"""
DENSE = "tf.keras.layers.Dense"
PARAMS = (("kernel", "weight", "T"), ("bias", "bias", ""))


@pytest.mark.parametrize(
    ("model", "names", "forward"),
    [
        ("layers.Dense(3)(layers.Dense(3)(x))", "fc1 fc2", "self.fc2(self.fc1(x))"),
        ("layers.Dense(3)(\n        layers.Dense(3)(x))", "fc1 fc2", "self.fc2(self.fc1(x))"),
        ("b(a(x))", "a b", "self.b(self.a(x))"),
        ("a(b(x))", "a b", "self.a(self.b(x))"),
        ("layers.Dense(3)(a(Block(3)(b(x))))", "a b block fc", "self.fc(self.a(self.block(self.b(x))))"),
        ("Block(3)(layers.Dense(3)(x))", "fc block", "self.block(self.fc(x))"),
    ],
)
def test_a_layer_that_is_called_where_it_is_made_counts_as_made_then(
    model: str, names: str, forward: str, workers: Workers
) -> None:
    made = [f"self.{n} = Block(3)" if n == "block" else f"self.{n} = nn.Linear(3, 3)" for n in names.split()]
    target = TARGET.format(layers="\n        ".join(made), forward=forward)
    owners = [("program:Block", "fc"), *(("program:Model", n) for n in names.split() if n != "block")]
    records = tuple(RecordedMap(owner=owner, path=path, keras=DENSE, params=PARAMS) for owner, path in owners)
    case = Case(
        id="m",
        kind="model",
        call=Call(source="program:build"),
        inputs=(Array(shape=("N", 3)),),
        weights=WeightMap(records=records),
        init=False,
    )
    trees = pack_tree({"program.py": SOURCE.format(model=model)}), pack_tree({"program.py": target})
    verdicts = check_case(case, *trees, workers, up_to=Rung.FORWARD).verdicts
    assert (verdicts[-1].rung, verdicts[-1].outcome) == (Rung.FORWARD, Outcome.PASS), verdicts[-1].detail
