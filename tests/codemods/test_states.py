"""Recurrent layers that keep their states: what resets them, in all forms; and where nothing is certain."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.codemods.test_common_programs import declines, rendered

MODEL = """
model = keras.Sequential([
    keras.Input(batch_shape=(4, 5, 3)),
    layers.GRU(8, stateful=True, return_sequences=True, name="memory"),
    layers.LSTM(8),
    layers.Dense(1),
])
model.compile(optimizer="adam", loss="mse")
x = np.zeros((8, 5, 3), "float32")
"""


@pytest.mark.parametrize(
    "reset",
    [
        "model.reset_states()",
        "for layer in model.layers:\n    if hasattr(layer, 'reset_states'):\n        layer.reset_states()",
        "for each in model.layers:\n    if getattr(each, 'stateful', False):\n        each.reset_state()",
        "for a in model.layers:\n    if hasattr(a, 'reset_state') and a.stateful:\n        a.reset_state()",
    ],
)
def test_all_layers_of_a_model_start_again(reset: str, tmp_path: Path) -> None:
    file = rendered(tmp_path, MODEL + f"model.fit(x, x[:, 0, :1], batch_size=4)\n{reset}\n")
    assert declines(file) == []
    assert "\nreset_states(model)\n" in file.text
    assert "def reset_states(model):" in file.text
    assert "self.memory = Stateful(nn.GRU(3, 8, batch_first=True))" in file.text
    assert "self.lstm = nn.LSTM(8, 8, batch_first=True)" in file.text


@pytest.mark.parametrize("layer", ["model.layers[0]", "model.get_layer('memory')"])
@pytest.mark.parametrize("method", ["reset_states", "reset_state"])
def test_one_layer_starts_again(layer: str, method: str, tmp_path: Path) -> None:
    file = rendered(tmp_path, MODEL + f"{layer}.{method}()\n")
    assert declines(file) == []
    assert "\nmodel.memory.reset_states()\n" in file.text


@pytest.mark.parametrize(
    "reset",
    [
        "model.layers[1].reset_states()",
        "for layer in model.layers:\n    layer.reset_states()\n    print(layer)",
        "for layer in model.layers:\n    if layer.name == 'memory':\n        layer.reset_states()",
        "for layer in model.layers:\n    if hasattr(layer, 'cell'):\n        layer.reset_states()",
    ],
)
def test_other_resets_are_declined(reset: str, tmp_path: Path) -> None:
    assert declines(rendered(tmp_path, MODEL + reset + "\n"))


SUBCLASSED = """
class Reader(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.rnn = layers.{}
        self.out = layers.Dense(2)

    def call(self, x):
        return self.out(self.rnn(x))

    def restart(self):
        self.rnn.reset_state()


model = Reader(6)
model(np.zeros((2, 5, 3), "float32"))
model.restart()
"""


def test_a_layer_of_a_class_starts_again(tmp_path: Path) -> None:
    file = rendered(tmp_path, SUBCLASSED.format("LSTM(units, stateful=True)"))
    assert declines(file) == []
    assert "    def restart(self):\n        self.rnn.reset_states()\n" in file.text
    both = rendered(tmp_path, SUBCLASSED.format("Bidirectional(layers.LSTM(units, stateful=True))"))
    assert "Stateful(nn.LSTM(" in both.text
    assert "bidirectional=True))" in both.text


def test_a_layer_of_a_class_that_keeps_nothing_is_declined(tmp_path: Path) -> None:
    file = rendered(tmp_path, SUBCLASSED.format("LSTM(units)"))
    assert "a layer of which it is not certain that it keeps states" in declines(file)


def test_a_function_of_the_name_is_left_alone(tmp_path: Path) -> None:
    own = "def reset_states(model):\n    return model\n\n\n"
    file = rendered(tmp_path, own + MODEL + "reset_states(model)\nmodel.reset_states()\n")
    assert "\nreset_states(model)\nreset_states_(model)\n" in file.text
