"""`variables` and `weights` of models of which every variable learns."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.config import RunSettings
from migrator.model import FileRewrite
from migrator.steps import know, read, rewrite

PROGRAM = """import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.units = 3
        self.first = layers.Dense(4, activation="relu")
        self.second = {layer}

    def call(self, x):
        return self.second(self.first(x))


def show():
    net = Net()
    net(tf.zeros((2, 3)))
    print(net.{name})
"""


def migrated(layer: str, name: str, folder: Path) -> FileRewrite:
    (folder / "net.py").write_text(PROGRAM.format(layer=layer, name=name), encoding="utf-8")
    repo = read(RunSettings(src=folder, out=None))
    return rewrite(repo, know(repo), lambda *_: None).render({})["net.py"]


@pytest.mark.parametrize("name", ["variables", "weights"])
def test_they_are_the_parameters(name: str, tmp_path: Path) -> None:
    made = migrated("layers.LayerNormalization()", name, tmp_path)
    assert [d for unit in made.units for d in unit.declines] == []
    assert "print(list(net.parameters()))" in made.text


@pytest.mark.parametrize(
    "layer", ["layers.BatchNormalization()", "layers.Dropout(0.5)", "layers.Dense(2, trainable=False)"]
)
def test_variables_that_do_not_learn_are_no_parameters(layer: str, tmp_path: Path) -> None:
    made = migrated(layer, "variables", tmp_path)
    reasons = [d.reason for unit in made.units for d in unit.declines]
    assert "`variables` of a model has no counterpart" in reasons


SEQUENTIAL = """import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), {layer}, layers.Dense(2)])
model.compile("sgd", loss="mse")
model.fit(np.ones((8, 4)), np.ones((8, 2)))
print("size:", model.count_params())
"""


@pytest.mark.parametrize("layer", ["layers.Dropout(0.5)", "layers.LayerNormalization()", "layers.ReLU()"])
def test_parameters_are_counted(layer: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(SEQUENTIAL.format(layer=layer), encoding="utf-8")
    repo = read(RunSettings(src=tmp_path, out=None))
    made = rewrite(repo, know(repo), lambda *_: None).render({})["net.py"]
    assert [d for unit in made.units for d in unit.declines] == []
    assert 'print("size:", sum(p.numel() for p in model.parameters()))' in made.text


@pytest.mark.parametrize("layer", ["layers.BatchNormalization()", "layers.Reshape((3, 1)), layers.LSTM(2)"])
def test_statistics_and_second_biases_would_be_counted_otherwise(layer: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(SEQUENTIAL.format(layer=layer), encoding="utf-8")
    repo = read(RunSettings(src=tmp_path, out=None))
    made = rewrite(repo, know(repo), lambda *_: None).render({})["net.py"]
    reasons = [d.reason for unit in made.units for d in unit.declines]
    assert "`count_params` of a model has no counterpart" in reasons
