"""Factories of blocks, parts with names, options in a dict: what is declined, and the small pieces."""

from __future__ import annotations

import pytest

from migrator.codemods.models.wrapping import WIDTH, wrapped
from tests.codemods.functional_sources import CURRIED, HEAD, HEADS, NAMED, STACKS
from tests.codemods.model_programs import migrate


def test_a_factory_that_returns_a_function_is_one_module() -> None:
    text = migrate(CURRIED).text
    assert "class ConvBN(nn.Module):" in text
    assert "self.conv_bn1 = ConvBN(in_channels, filters, 1, strides=strides)" in text
    assert "# the bias is in the normalisation" in text
    assert "def block" not in text


def test_one_of_two_models_is_a_condition_in_forward() -> None:
    text = migrate(NAMED.replace("TRAINING", "True")).text
    assert "        if self.training_value:\n            return [output_0, output_1]\n" in text
    assert "inputs" not in text.partition("class Head(")[2].partition("class Output(")[0]


def test_options_are_written_out_and_their_dict_is_gone() -> None:
    text = migrate(HEADS).text
    assert "options" not in text
    assert 'features, kernel_size=3, padding="same")' in text


def test_loops_in_loops_take_their_modules_in_the_order_of_creation() -> None:
    text = migrate(STACKS).text
    assert text.count("y = next(res_net_layers)(") == 2
    assert "                channels = num_filters\n            num_filters *= 2\n" in text


CALLED_TWICE = (
    HEAD
    + """

def dense(units):
    def block(x):
        return layers.Dense(units)(x)
    return block


def build():
    inputs = layers.Input((4,))
    block = dense(4)
    return Model(inputs, block(block(inputs)))
"""
)
OF_ANOTHER = (
    HEAD
    + """

def head(x_in, units):
    x = layers.Dense(units)(x_in)
    inputs = layers.Input((4,))
    y = layers.Dense(units)(inputs)
    return Model(inputs, y)(x)


def build():
    inputs = layers.Input((4,))
    return Model(inputs, head(inputs, 4))
"""
)
CHANGED = (
    HEAD
    + """

def build(bias):
    options = {"use_bias": False}
    options["use_bias"] = bias
    inputs = layers.Input((4,))
    return Model(inputs, layers.Dense(3, **options)(inputs))
"""
)
IN_A_BRANCH = (
    HEAD
    + """

def build(small):
    if small:
        options = {"use_bias": False}
    inputs = layers.Input((4,))
    return Model(inputs, layers.Dense(3, **options)(inputs))
"""
)


@pytest.mark.parametrize("source", [CALLED_TWICE, OF_ANOTHER, CHANGED, IN_A_BRANCH])
def test_what_could_mean_something_else_is_declined(source: str) -> None:
    assert migrate(source).declines


def test_two_functions_that_share_a_name_are_no_factory() -> None:
    source = CURRIED.replace("expanded = filters * 4", "x = expanded = filters * 4")
    assert "class Bottleneck" not in migrate(source).text


def test_long_lines_are_broken_at_the_arguments() -> None:
    long = "self.convs.append(Block(" + ", ".join(f"argument_{i}=value_{i}" for i in range(8)) + "))"
    lines = wrapped(long, 4)
    assert lines[:2] == ["self.convs.append(", "    Block("]
    assert all(len(line) + 4 <= WIDTH for line in lines)
    assert wrapped("self.conv = nn.Conv2d(3, 4)", 4) == ["self.conv = nn.Conv2d(3, 4)"]
    text = 'self.note = say("' + "a (b, " * 30 + '")'
    assert wrapped(text) == ["self.note = say(", f"    {text[16:-1]}", ")"] or wrapped(text) == [text]


def test_what_is_made_in_an_argument_is_there_first() -> None:
    text = migrate("""
import tensorflow as tf
from tensorflow.keras import layers


def build():
    x = tf.keras.Input((5,))
    a = layers.Dense(4)
    return tf.keras.Model(x, layers.Dense(3)(a(tf.keras.activations.relu(layers.Dense(6)(x)))))
""").text
    assert "self.a = nn.Linear(6, 4)\n        self.fc1 = nn.Linear(5, 6)\n        self.fc2 = nn.Linear(4, 3)\n" in text
