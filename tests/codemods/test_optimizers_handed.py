"""Optimizers that a function makes or is given, and parameters that do not decay."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from migrator.codemods.training.decay import DECAY_GROUPS
from migrator.codemods.training.objectives import ALIGNED
from tests.codemods.test_steps import reasons, rendered

SOURCE = """
from tensorflow import keras
from tensorflow.keras import layers


def build_model():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.LayerNormalization()])


def make_optimizer(rate=0.1):
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.02)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def train(model, optimizer, x, y):
    model.compile(optimizer=optimizer, loss="mse")
    model.fit(x, y, verbose=0)


def main(x, y):
    model = build_model()
    model.compile(optimizer=make_optimizer(0.2), loss="mse")
    return model.fit(x, y, verbose=0).history
"""


def test_a_function_that_makes_an_optimizer_is_given_the_model(tmp_path: Path) -> None:
    made = rendered(tmp_path, SOURCE)
    assert "tensorflow" not in made.text
    assert (
        "def make_optimizer(model, rate=0.1):\n    optimizer = torch.optim.AdamW(decay_groups(model), lr=rate"
        in made.text
    )
    assert "optimizer = make_optimizer(model, 0.2)\n" in made.text
    assert [c.kind for u in made.units for c in u.changes if c.qualname == "net:make_optimizer"] == ["takes-model"]


def test_an_optimizer_that_is_given_is_used_as_it_is(tmp_path: Path) -> None:
    text = rendered(tmp_path, SOURCE).text
    assert "def train(model, optimizer, x, y):\n    loader = make_loader" in text


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"gamma", "beta"', '"gamma"', "no rule for method `exclude_from_weight_decay`"),
        ("make_optimizer(0.2), loss", "build(make_optimizer), loss", "which parameters it trains is not known"),
        ("return optimizer\n", "return [optimizer]\n", "which parameters it trains is not known"),
        ("make_optimizer(rate=0.1)", "make_optimizer(model=None, rate=0.1)", "which parameters it trains is not known"),
    ],
)
def test_what_is_declined(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert old in SOURCE
    assert reason in reasons(tmp_path, SOURCE.replace(old, new))


def test_biases_and_normalisations_do_not_decay() -> None:
    scope: dict[str, object] = {"nn": nn}
    exec(DECAY_GROUPS.source, scope)
    model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.GRU(3, 2))
    decaying, others = scope["decay_groups"](model)  # type: ignore[operator]
    assert "weight_decay" not in decaying
    assert others["weight_decay"] == 0.0
    kept = {id(p) for p in decaying["params"]}
    assert {n for n, p in model.named_parameters() if id(p) in kept} == {"0.weight", "2.weight_ih_l0", "2.weight_hh_l0"}


@pytest.mark.parametrize(
    ("y", "pred"),
    [((4,), (4, 1)), ((4, 1), (4,)), ((4, 3), (4, 3, 1)), ((4, 3, 1), (4, 3)), ((4, 3), (4, 3)), ((4,), (4, 3))],
)
def test_labels_and_predictions_line_up_as_in_keras(y: tuple[int, ...], pred: tuple[int, ...]) -> None:
    keras = pytest.importorskip("keras")
    scope: dict[str, object] = {}
    exec(ALIGNED.source, scope)
    ours = scope["aligned"](torch.zeros(y), torch.zeros(pred))  # type: ignore[operator]
    wrapped = keras.src.losses.losses.squeeze_or_expand_to_same_rank(torch.zeros(y).numpy(), torch.zeros(pred).numpy())
    assert [tuple(t.shape) for t in ours] == [tuple(t.shape) for t in wrapped]


NESTED = """
import tensorflow as tf
from tensorflow import keras


def train(x, y, steps):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(0.1)

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x) - y))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    return [step(x, y) for _ in range(steps)]
"""


def test_a_function_inside_uses_the_optimizer_of_the_one_around(tmp_path: Path) -> None:
    made = rendered(tmp_path, NESTED)
    assert "tensorflow" not in made.text
    assert "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)" in made.text


def test_a_function_inside_with_an_optimizer_of_that_name_is_another(tmp_path: Path) -> None:
    text = NESTED.replace("def step(x, y)", "def step(x, y, optimizer=None)")
    assert "which parameters it trains is not known" in reasons(tmp_path, text)
