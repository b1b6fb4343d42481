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
