"""Functions that return blocks of layers, and networks of lists of such blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tests.codemods.model_programs import migrate

HEAD = """
import tensorflow as tf
from tensorflow.keras import layers


def down(filters, size, norm=True):
    start = tf.random_normal_initializer(0.0, 0.02)
    block = tf.keras.Sequential()
    block.add(layers.Conv2D(filters, size, strides=2, padding="same", kernel_initializer=start, use_bias=False))
    if norm:
        block.add(layers.BatchNormalization())
    block.add(layers.LeakyReLU())
    return block


def up(filters, size, stride=2):
    block = tf.keras.Sequential()
    block.add(layers.Conv2DTranspose(filters, size, strides=stride, padding="same"))
    block.add(layers.ReLU())
    return block


def pooled(filters, size):
    return tf.keras.Sequential([layers.Conv2D(filters, 1), layers.MaxPooling2D(size, 2, padding="same")])

"""

UNET = (
    HEAD
    + """
def build():
    inputs = layers.Input((None, None, 3))
    downs = [down(8, 4, norm=False), down(16, 3), down(24, 5)]
    ups = [up(16, 4), up(8, 3)]
    last = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")
    x = inputs
    skips = []
    for block in downs:
        x = block(x)
        skips.append(x)
    skips = reversed(skips[:-1])
    for block, skip in zip(ups, skips):
        x = block(x)
        x = layers.Concatenate()([x, skip])
    return tf.keras.Model(inputs, last(x))
"""
)


def test_a_factory_takes_the_channels_of_what_it_is_called_with() -> None:
    text = migrate(UNET).text
    assert "def down(in_channels, filters, size, norm=True):" in text
    assert "nn.Sequential(Conv2dSame(in_channels, filters, kernel_size=size, stride=2, bias=False))" in text
    assert "Lazy" not in text
    assert "initializer" not in text  # the initialiser is written out where the weight is


def test_a_network_of_lists_of_blocks_goes_through_them() -> None:
    text = migrate(UNET).text
    assert "down(3, 8, 4, norm=False), down(8, 16, 3), down(16, 24, 5)" in text
    assert "up(24, 16, 4), up(32, 8, 3)" in text  # what the loop before has concatenated
    assert "        x = x.permute(0, 3, 1, 2)  # NHWC -> NCHW\n        for block in self.downs:" in text
    assert "skips = reversed(skips[:-1])" in text
    assert "x = torch.cat([x, skip], dim=1)" in text
    assert text.count("permute") == 2


@pytest.mark.parametrize("loop", ["reversed(skips[:-1])", "list(reversed(skips))[1:]", "skips[-2::-1]"])
def test_slices_of_a_list_of_tensors_keep_their_layout(loop: str) -> None:
    inline = UNET.replace("    skips = reversed(skips[:-1])\n", "").replace("zip(ups, skips)", f"zip(ups, {loop})")
    for text in (migrate(UNET.replace("reversed(skips[:-1])", loop)).text, migrate(inline).text):
        assert text.count("permute") == 2


def test_layers_with_weights_in_a_loop_over_tensors_are_declined() -> None:
    made = migrate(UNET.replace("layers.Concatenate()([x, skip])", "layers.Concatenate()([x, layers.Dense(3)(skip)])"))
    assert "layers made in a loop over tensors" in made.declines


def test_a_list_of_different_layers_is_declined() -> None:
    made = migrate(UNET.replace("ups = [up(16, 4),", "ups = [layers.Dense(24),"))
    assert any("called in different ways" in reason for reason in made.declines)


CALLS = (
    HEAD
    + """
def net(filters, size):
    inputs = layers.Input((None, None, 3))
    return tf.keras.Model(inputs, {0}(inputs))
"""
)


@pytest.mark.parametrize("height", [7, 8, 9])
@pytest.mark.parametrize(
    ("call", "size"), [("down(4, {0}, False)", 3), ("down(4, {0}, False)", 4), ("pooled(4, {0})", 3)]
)
def test_same_padding_in_a_chain_is_that_of_keras(call: str, size: int, height: int) -> None:
    both_sides_agree(call.format("size"), size, height)


@pytest.mark.parametrize("height", [5, 6])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_transposed_convolutions_of_any_size_are_those_of_keras(size: int, stride: int, height: int) -> None:
    both_sides_agree(f"up(4, size, {stride})", size, height)


def both_sides_agree(call: str, size: int, height: int) -> None:
    import tensorflow as tf

    source = CALLS.replace("{0}", call)
    scope: dict[str, Any] = {}
    exec(source, scope)
    model = scope["net"](4, size)
    x = np.random.default_rng(0).normal(size=(2, height, height + 1, 3)).astype("float32")
    wanted = model(tf.constant(x)).numpy()
    made: dict[str, Any] = {}
    exec(migrate(source).text, made)
    module = made["net"](4, size).eval()
    state = model.get_weights()
    names = [name for name, _ in module.named_parameters()]
    assert len(names) == len(state)
    with torch.no_grad():
        for parameter, weight in zip(module.parameters(), state, strict=True):
            parameter.copy_(torch.as_tensor(weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight))
        found = module(torch.as_tensor(x)).numpy()
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=1e-5)


STACK = """
from tensorflow.keras import layers
import tensorflow as tf


def build(n, units=(16, 8, 4)):
    x = inputs = layers.Input((n,))
    for i in range(len(units) - 1):
        x = layers.Dense(units[INDEX], activation="relu")(x)
    return tf.keras.Model(inputs, layers.Dense(1)(x))
"""


@pytest.mark.parametrize("index", ["i", "i + 1"])
def test_sizes_that_a_loop_takes_from_a_list_by_number(index: str) -> None:
    text = migrate(STACK.replace("INDEX", index)).text
    assert f"nn.Linear(channels, units[{index}])" in text
    assert f"channels = units[{index}]" in text
    assert "self.fc = nn.Linear(channels, 1)" in text
    made: dict[str, Any] = {}
    exec(text, made)
    assert made["build"](5)(torch.ones(2, 5)).shape == (2, 1)


HANDED = """
from tensorflow.keras import layers
import tensorflow as tf


def block(x, filters, activation=None, norm=False):
    x = layers.Conv2D(filters, 3, padding="same")(x)
    if norm:
        x = layers.BatchNormalization()(x)
    if activation:
        x = activation(x)
    return x


def build():
    inputs = layers.Input((8, 8, 3))
    x = block(inputs, 8, layers.LeakyReLU(0.2), norm=True)
    x = block(x, 8, activation=layers.Activation("tanh"))
    return tf.keras.Model(inputs, block(x, 4))
"""


def test_activation_layers_are_handed_to_blocks_as_modules() -> None:
    made = migrate(HANDED)
    assert made.declines == []
    assert "Block(3, 8, nn.LeakyReLU(0.2), norm=True)" in made.text
    assert "Block(8, 8, activation=nn.Tanh())" in made.text
    assert "x = self.activation(x)" in made.text
    assert made.text.count("permute") == 2  # the block works on the layout of its convolution throughout
    scope: dict[str, Any] = {}
    exec(made.text, scope)
    assert scope["build"]()(torch.ones(2, 8, 8, 3)).shape == (2, 8, 8, 4)


@pytest.mark.parametrize(
    "layer", ["layers.Dense(8)", "layers.BatchNormalization()", "layers.Dropout(0.5)", "layers.PReLU()"]
)
def test_other_layers_that_are_handed_to_blocks_are_declined(layer: str) -> None:
    made = migrate(HANDED.replace("layers.LeakyReLU(0.2)", layer))
    assert "a layer that is handed to a factory" in made.declines


def test_a_softmax_that_is_handed_works_on_the_last_axis() -> None:
    made = migrate(HANDED.replace('"tanh"', '"softmax"'))
    assert made.declines == []
    scope: dict[str, Any] = {}
    exec(made.text, scope)
    module, seen = scope["build"](), []
    module.block2.register_forward_hook(lambda _, given, result: seen.append(result))
    module(torch.randn(2, 8, 8, 3))
    sums = seen[0].sum(-1)
    assert torch.allclose(sums, torch.ones_like(sums), atol=1e-5)
