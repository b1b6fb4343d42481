"""Models of sizes that only the data say: their classes take them, the script gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrator.config import RunSettings
from migrator.model import FileRewrite
from migrator.steps import know, read, rewrite

torch = pytest.importorskip("torch")
numpy = pytest.importorskip("numpy")

HEAD = """import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

x = np.load("x.npy")
y = np.load("y.npy")
"""


def migrated(script: str, folder: Path) -> FileRewrite:
    (folder / "main.py").write_text(HEAD + script, encoding="utf-8")
    repo = read(RunSettings(src=folder, out=None))
    return rewrite(repo, know(repo), lambda *_: None).render({})["main.py"]


def declines(made: FileRewrite) -> list[str]:
    return [d.reason for unit in made.units for d in unit.declines]


def ran(made: FileRewrite, folder: Path, monkeypatch: pytest.MonkeyPatch, features: int = 5) -> dict[str, Any]:
    """The variables of the migrated script, run on random data."""
    assert declines(made) == []
    draws = numpy.random.default_rng(0)
    numpy.save(folder / "x.npy", draws.normal(size=(12, features)))
    numpy.save(folder / "y.npy", draws.normal(size=(12,)))
    monkeypatch.chdir(folder)
    scope: dict[str, Any] = {}
    exec(made.text, scope)
    return scope


def test_the_width_of_the_data_is_a_parameter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = migrated(
        """x = x - x.mean(axis=0)
model = keras.Sequential([
    layers.Dense(6, activation="relu", input_shape=x.shape[1:]),
    layers.Dense(1),
])
model.compile("sgd", "mse")
model.fit(x, y, epochs=1, verbose=0)
print(model.predict(x).shape)
""",
        tmp_path,
    )
    assert "def __init__(self, in_features):" in made.text
    assert "self.fc1 = nn.Linear(in_features, 6)" in made.text
    assert "model = Model(x.shape[-1]).to(device)" in made.text
    assert ran(made, tmp_path, monkeypatch)["model"].fc1.in_features == 5


def test_targets_get_the_axis_that_keras_adds(tmp_path: Path) -> None:
    made = migrated(
        """model = keras.Sequential([layers.Dense(1, input_shape=x.shape[1:])])
model.compile("sgd", "mse")
model.fit(x, y, epochs=1, verbose=0)
""",
        tmp_path,
    )
    assert "y = y.reshape(pred.shape)\n" in made.text


def test_a_fit_tells_the_size_that_the_model_leaves_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = migrated(
        """coder = keras.Sequential([layers.Dense(2), layers.Dense(x.shape[1])])
coder.compile("sgd", "mse")
coder.fit(x, x, epochs=1, verbose=0)
""",
        tmp_path,
    )
    assert "coder = Coder(x.shape[-1], x.shape[1]).to(device)" in made.text
    assert ran(made, tmp_path, monkeypatch, 7)["coder"](torch.zeros(2, 7)).shape == (2, 7)


def test_lengths_have_names_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = migrated(
        """kinds = sorted(set(y))
inputs = keras.Input(shape=(x.shape[1],))
model = keras.Model(inputs, layers.Dense(len(kinds), activation="softmax")(inputs))
model.compile("sgd", "sparse_categorical_crossentropy")
""",
        tmp_path,
    )
    assert "def __init__(self, in_features, num_kinds):" in made.text
    assert "Model(x.shape[1], len(kinds))" in made.text
    assert ran(made, tmp_path, monkeypatch)["model"](torch.zeros(2, 5)).shape == (2, 12)


def test_a_function_gives_the_sizes_of_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = migrated(
        """def train(data, target):
    net = keras.Sequential()
    net.add(layers.Dense(4, input_shape=(data.shape[1],)))
    net.add(layers.Dense(1))
    net.compile("sgd", "mse")
    net.fit(data, target, epochs=1, verbose=0)
    return net.predict(data)

scores = train(x, y)
""",
        tmp_path,
    )
    assert "net = Net(data.shape[1]).to(device)" in made.text
    assert ran(made, tmp_path, monkeypatch)["scores"].shape == (12, 1)


def test_names_that_are_sizes_already_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = migrated(
        """n_inputs = x.shape[1]
model = keras.Sequential([layers.Dense(4, input_dim=n_inputs)])
model.compile("sgd", "mse")
""",
        tmp_path,
    )
    assert "nn.Linear(n_inputs, 4)" in made.text
    assert ran(made, tmp_path, monkeypatch)["model"].fc.in_features == 5


def test_names_that_are_bound_again_are_given_to_the_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = migrated(
        """n = x.shape[1]
inputs = keras.Input(shape=(n,))
hidden = layers.Dense(2 * n)(inputs)
first = keras.Model(inputs, layers.Reshape((n, 2))(hidden))
n = 3
x = x[:, :2]
second = keras.Sequential([layers.Dense(n, input_dim=x.shape[1])])
first.compile("sgd", "mse")
second.compile("sgd", "mse")
""",
        tmp_path,
    )
    assert "first = First(n).to(device)" in made.text
    scope = ran(made, tmp_path, monkeypatch)
    assert scope["first"](torch.zeros(4, 5)).shape == (4, 5, 2)
    assert scope["second"](torch.zeros(4, 2)).shape == (4, 3)


def test_data_that_come_behind_the_model_leave_it_open(tmp_path: Path) -> None:
    made = migrated(
        """model = keras.Sequential([layers.Dense(1)])
model.compile("sgd", "mse")
z = np.load("z.npy")
model.fit(z, y, epochs=1)
""",
        tmp_path,
    )
    assert "z.shape" not in made.text
