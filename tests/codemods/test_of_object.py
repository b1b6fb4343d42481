"""Models that a method builds from attributes of its object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrator.config import RunSettings
from migrator.model import FileRewrite
from migrator.steps import know, read, rewrite

torch = pytest.importorskip("torch")

AGENT = """import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


class Agent:
    def __init__(self, size, actions, hidden=8):
        self.state_size = size
        self.actions = actions
        self.hidden = hidden
        self.rate = 0.01
        self.model = self._build()

    def _build(self):
        model = keras.Sequential()
        model.add(layers.Dense(self.hidden, input_dim=self.state_size, activation="relu"))
        model.add(layers.Dense({units}))
        model.compile(loss="mse", optimizer=keras.optimizers.Adam(self.rate))
        return model

    def width(self):
        return self.actions

    def act(self, state):
        return np.argmax(self.model.predict(state)[0])


agent = Agent(4, 3)
"""


def migrated(units: str, folder: Path) -> FileRewrite:
    (folder / "agent.py").write_text(AGENT.format(units=units), encoding="utf-8")
    repo = read(RunSettings(src=folder, out=None))
    return rewrite(repo, know(repo), lambda *_: None).render({})["agent.py"]


def test_they_are_parameters_of_the_class(tmp_path: Path) -> None:
    made = migrated("self.actions", tmp_path)
    assert [d for unit in made.units for d in unit.declines] == []
    assert "def __init__(self, size, actions, hidden=8):\n        super()" not in made.text
    assert "lr=self.rate" in made.text
    scope: dict[str, Any] = {}
    exec(made.text, scope)
    layers = list(scope["agent"].model.children())
    assert [(layer.in_features, layer.out_features) for layer in layers] == [(4, 8), (8, 3)]
    other = scope["Agent"](5, 2, hidden=6).model
    assert other(torch.zeros(1, 5)).shape == (1, 2)


def test_a_method_that_is_called_there_is_declined(tmp_path: Path) -> None:
    made = migrated("self.width()", tmp_path)
    assert any(unit.declines for unit in made.units if unit.unit.name == "Agent")
    assert "class Agent:" in made.text
    assert "keras.Sequential()" in made.text
