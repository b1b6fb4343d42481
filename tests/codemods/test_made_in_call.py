"""Layers without weights that `call` makes where it applies them, and lists of such layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tests.codemods.model_programs import migrate

HEAD = "import tensorflow as tf\nfrom tensorflow.keras import layers\n\n"

NET = (
    HEAD
    + """
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv1 = layers.Conv2D(4, 3, padding="same")
        self.conv2 = layers.Conv2D(4, 3, padding="same")
        self.pools = []
        for _ in range(2):
            self.pools.append(layers.MaxPooling2D())
        self.out = layers.Dense(3)

    def call(self, x):
        x = layers.Activation("relu")(self.conv1(x))
        y = self.conv2(layers.LeakyReLU(0.1)(x))
        x = layers.Concatenate()([layers.Add()([x, y]), y])
        for i in range(2):
            x = self.pools[i](x)
        return self.out(layers.Flatten()(layers.ZeroPadding2D(1)(x)))


def build():
    net = Net()
    return net(tf.ones((1, 8, 8, 3)))
"""
)


def test_layers_without_weights_are_functions_where_they_are_called() -> None:
    text = migrate(NET).text
    assert "x = F.relu(self.conv1(x))" in text
    assert "F.max_pool2d(x, 2)" in text
    assert "pools" not in text


def test_they_compute_what_keras_does() -> None:
    scope: dict[str, Any] = {}
    exec(NET, scope)
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    model = scope["Net"]()
    wanted = model(x).numpy()
    made: dict[str, Any] = {}
    exec(migrate(NET).text, made)
    net = made["Net"](3)
    conv1, bias1, conv2, bias2, kernel, bias = model.get_weights()
    rows = kernel.reshape(4, 4, 8, 3).transpose(2, 0, 1, 3).reshape(128, 3)  # channels come first where it is flattened
    state = [conv1.transpose(3, 2, 0, 1), bias1, conv2.transpose(3, 2, 0, 1), bias2, rows.T, bias]
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), state, strict=True):
            parameter.copy_(torch.as_tensor(np.ascontiguousarray(value)))
        found = net(torch.as_tensor(x)).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("layer", ["layers.Dense(4)", "layers.Dropout(0.5)", "layers.BatchNormalization()"])
def test_a_layer_with_a_state_that_is_made_in_call_is_declined(layer: str) -> None:
    assert migrate(NET.replace('layers.Activation("relu")', layer)).declines


def test_a_list_of_functions_that_something_else_reads_is_declined() -> None:
    assert migrate(
        NET.replace(
            "range(2):\n            x = self.pools[i]", "range(len(self.pools)):\n            x = self.pools[i]"
        )
    ).declines


def test_lists_of_different_functions_are_declined() -> None:
    assert migrate(NET.replace("self.pools = []", "self.pools = [layers.MaxPooling2D(3)]")).declines


TEXT = (
    HEAD
    + """
class TextCNN(tf.keras.Model):
    def __init__(self, width, sizes=(3, 4), classes=1):
        super().__init__()
        self.sizes = sizes
        self.convs = [layers.Conv1D(16, size) for size in sizes]
        self.out = layers.Dense(classes, activation="sigmoid")
        self.embedding = layers.Embedding(20, width)

    def call(self, x):
        x = self.embedding(x)
        found = []
        for i in range(len(self.sizes)):
            found.append(layers.GlobalMaxPooling1D()(self.convs[i](x)))
        return self.out(layers.Concatenate()(found))
"""
)


def test_a_list_of_open_length_is_joined() -> None:
    made = migrate(TEXT)
    assert made.declines == []
    assert "torch.cat(found, dim=-1)" in made.text
