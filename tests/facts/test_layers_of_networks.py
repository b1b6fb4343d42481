"""Layers that networks of Keras are asked for, what they give, and the models that give that."""

from __future__ import annotations

import ast
import textwrap

from migrator.values import LayerOf, LayerOutput, ModelValue, Value
from tests.facts.programs import facts_of, span

HEAD = """
from tensorflow import keras
from tensorflow.keras import layers

base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(50, 33, 3))
"""
FEATURES = "tf.keras.applications.Features"


def last(source: str) -> Value:
    """What the last line of a program assigns."""
    text = HEAD + textwrap.dedent(source)
    line = ast.parse(text).body[-1]
    assert isinstance(line, ast.Assign)
    return facts_of(text).modules["m"].at(span(line.value))


def output(source: str) -> tuple[object, str]:
    """The shape of a layer's output, and the layer's name."""
    found = last(f"x = {source}")
    assert isinstance(found, LayerOutput)
    return found.shape, found.layer


def test_outputs_of_layers() -> None:
    """Each pooling halves the image and rounds down."""
    assert output('base.get_layer("block1_conv2").output') == ((None, 50, 33, 64), "block1_conv2")
    assert output('base.get_layer(name="block3_pool").output') == ((None, 6, 4, 256), "block3_pool")
    assert output("base.layers[-1].output") == ((None, 1, 1, 512), "block5_pool")
    assert output("base.layers[4].output") == ((None, 25, 16, 128), "block2_conv1")


def test_names_that_only_the_run_tells() -> None:
    found = last("names = input().split()\nx = [base.get_layer(name).output for name in names]")
    element = getattr(found, "element", None)
    assert isinstance(element, LayerOutput)
    assert (element.shape, element.layer) == (None, "")


def test_what_is_not_known() -> None:
    assert not isinstance(last('x = base.get_layer("block3_conv4").output'), LayerOutput)  # VGG19 has it
    assert not isinstance(last("x = base.layers[0].output"), LayerOutput)
    top = "top = keras.applications.VGG16(weights=None)\nx = top.{}"
    assert not isinstance(last("top = keras.applications.ResNet50(weights=None)\nx = top.layers[-2]"), LayerOf)
    assert last(top.format("layers[-2].output")) == last(top.format('get_layer("fc2").output'))
    assert isinstance(last(top.format('get_layer("block1_pool").output')), LayerOutput)
    assert not isinstance(last(top.format('get_layer("predictions").output')), LayerOutput)
    assert not isinstance(last("x = base.get_layer('fc2').output"), LayerOutput)


def test_models_of_layers() -> None:
    tap = 'base.get_layer("block1_pool").output'
    for outputs in (tap, f"[{tap}, base.layers[1].output]"):
        found = last(f"model = keras.Model(base.input, {outputs})")
        assert isinstance(found, ModelValue)
        assert found.api == FEATURES
    for made in (
        f"keras.Model(base.input, layers.Dropout(0.5)({tap}))",
        f"keras.Model(base.input, [{tap}, base.output])",
        f"keras.Model(keras.Input((50, 33, 3)), layers.Activation('linear')({tap}))",
    ):
        found = last(f"model = {made}")
        assert isinstance(found, ModelValue)
        assert found.api == "tf.keras.Model"
