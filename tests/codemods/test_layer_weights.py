"""Layers that a script asks a model for: what is read and set is what Keras has, in Keras's order and layout."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
pytest.importorskip("torch")
keras = pytest.importorskip("keras")

from tests.codemods.training_support import HEAD, draft, migrated, reasons, torch_module  # noqa: E402

LAYERS = """
model = keras.Sequential([
    keras.Input((9, 9, 2)),
    layers.Conv2D(3, (2, 3), activation="relu", name="first"),
    layers.BatchNormalization(),
    layers.SeparableConv2D(4, 3),
    layers.GlobalAveragePooling2D(),
    layers.Dropout(0.5),
    layers.Dense(4),
    layers.LayerNormalization(),
    layers.Dense(2, use_bias=False),
])
"""
PROGRAM = (
    LAYERS
    + """
rng = np.random.default_rng(3)
x = rng.normal(size=(5, 9, 9, 2)).astype("float32")
first = model.get_layer("first")
first.set_weights([rng.normal(size=(2, 3, 2, 3)), rng.normal(size=3)])
model.layers[1].set_weights([rng.normal(size=3), rng.normal(size=3), rng.normal(size=3), rng.uniform(1, 2, size=3)])
separable = [rng.normal(size=(3, 3, 3, 1)), rng.normal(size=(1, 1, 3, 4)), rng.normal(size=4)]
model.layers[2].set_weights(separable)
model.layers[5].set_weights([rng.normal(size=(4, 4)), rng.normal(size=4)])
model.layers[-2].set_weights([rng.normal(size=4), rng.normal(size=4)])
model.layers[-1].set_weights([rng.normal(size=(4, 2))])
kernel, bias = first.get_weights()
statistics = model.layers[1].get_weights()
before = model.layers[5].get_weights()[0]
shape = tuple(model.layers[-1].kernel.shape)
first.bias.assign([1.0, 2.0, 3.0])
found = [
    model.predict(x, verbose=0), kernel, bias, *statistics, *model.layers[2].get_weights(), before,
    model.layers[5].weights[1].numpy(), model.layers[-2].gamma.numpy(), model.layers[-1].get_weights()[0], shape,
]
model.layers[5].set_weights([np.zeros((4, 4)), np.zeros(4)])
"""
)


def test_both_sides_have_the_same_weights() -> None:
    made = draft(HEAD + PROGRAM)
    assert made.declines == ()
    ours = torch_module(made, made.hoisted)
    theirs: dict[str, Any] = {}
    exec(HEAD + PROGRAM, theirs)
    assert len(theirs["found"]) == len(ours["found"]) == 15
    for expected, got in zip(theirs["found"], ours["found"], strict=True):
        np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=2e-5, atol=2e-6)
    assert ours["before"].any()  # a copy: what is set later does not show


SMALL = """
model = keras.Sequential([
    layers.Dense(3, activation="relu", input_shape=(4,)),
    layers.Flatten(),
    layers.Dense(3, name="last"),
])
x, y = np.ones((8, 4)), np.ones((8, 3))
"""


def lines(text: str) -> str:
    made = draft(HEAD + SMALL + text)
    assert made.declines == ()
    return made.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("print(model.layers[0].kernel)", "print(model.fc.weight.T)"),
        ("print(model.layers[-1].bias)", "print(model.last.bias)"),
        ("print(model.get_layer(index=2).weights[0])", "print(model.last.weight.T)"),
        ('last = model.get_layer("last")\nprint(last.kernel)', "last = model.last\nprint(last.weight.T)"),
        (
            "w, b = model.layers[0].get_weights()",
            "w, b = [weight.detach().cpu().numpy().copy() for weight in (model.fc.weight.T, model.fc.bias)]",
        ),
        (
            "both = [np.ones((4, 3)), np.zeros(3)]\nmodel.layers[0].set_weights(both)",
            "with torch.no_grad():\n    model.fc.weight.copy_(torch.as_tensor(both[0]).T)\n"
            "    model.fc.bias.copy_(torch.as_tensor(both[1]))",
        ),
    ],
)
def test_a_layer_is_the_attribute_that_it_became(text: str, expected: str) -> None:
    assert expected in lines(text)


COMPILED = '\nmodel.compile("sgd", loss="mse")\nmodel.fit(x, y)'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model.layers[0].trainable = False", "model.fc.requires_grad_(False)"),
        ("last = model.layers[-1]\nlast.trainable = False", "last = model.last\nlast.requires_grad_(False)"),
        (
            "for layer in model.layers[:]:\n    layer.trainable = False",
            "for layer in (model.fc, model.last):\n    layer.requires_grad_(False)",
        ),
        ("for layer in model.layers[:-1]:\n    layer.trainable = False", "model.fc.requires_grad_(False)"),
        ("for layer in model.layers[1:]:\n    layer.trainable = True", "model.last.requires_grad_(True)"),
    ],
)
def test_some_layers_freeze(text: str, expected: str) -> None:
    assert expected in lines(text + COMPILED)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("print(model.layers[1].kernel)", "has no counterpart"),  # it has no weights
        ("print(model.layers[7])", "has no counterpart"),
        ('print(model.get_layer("first").kernel)', "has no counterpart"),  # Keras numbers it by itself
        ("y = model.layers[0](x)", "more than its weights"),  # its activation is not in the module
        ("layer = model.layers[0]\nprint(layer.name)", "more than its weights"),
        ("layer = model.layers[0]\nfor layer in [layer]:\n    print(layer.kernel)", "more than its weights"),
        ("print(len(model.layers))", "has no counterpart"),
        ("print(model.layers[0].set_weights([x, y]))", "within an expression"),
        ("model.layers[0].set_weights([x, y] + [])", "in this form"),
        ("model.layers[0].trainable = False", "not compiled after it"),
        ("for layer in model.layers[: int(input())]:\n    layer.trainable = False" + COMPILED, "has no counterpart"),
    ],
)
def test_what_is_not_one_to_one_is_declined(text: str, reason: str) -> None:
    assert reason in reasons(SMALL + text)


def test_a_kernel_behind_a_flattened_image_is_in_another_order() -> None:
    model = LAYERS.replace("GlobalAveragePooling2D", "Flatten")
    assert "does not keep as it is" in reasons(model + "print(model.layers[5].kernel)")


def test_a_recurrent_layer_is_not_let_learn_again_as_a_whole() -> None:
    model = "\nmodel = keras.Sequential([keras.Input((3, 2)), layers.LSTM(2), layers.Dense(1)])\n"
    thaw = 'model.layers[0].trainable = True\nmodel.compile("sgd", loss="mse")'
    assert "in this form" in reasons(model + thaw)  # its second bias stays zero


def test_the_weights_of_a_layer_are_no_sources_of_a_gradient() -> None:
    text = """
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(model(x))
grads = tape.gradient(loss, [model.layers[0].kernel])
"""
    assert "the sources of a gradient are not known" in reasons(SMALL + text)


def test_frozen_layers_keep_their_weights() -> None:
    text = migrated(SMALL + "model.layers[0].trainable = False" + COMPILED)
    assert "keep_frozen(model)" in text


GRAPH = """
inputs = keras.Input((4,))
x = layers.Dense(3, activation="relu", name="first")(inputs)
x = layers.Dropout(0.5, name="drop")(x)
outputs = layers.Dense(2)(x)
model = keras.Model(inputs, outputs)
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('model.get_layer("first").trainable = False', "model.first.requires_grad_(False)"),
        ('print(model.get_layer("first").kernel)', "print(model.first.weight.T)"),
        (
            'layer = model.get_layer(name="first")\nlayer.trainable = False\nprint(layer.bias)',
            "layer = model.first\nlayer.requires_grad_(False)\nprint(layer.bias)",
        ),
    ],
)
def test_a_graph_is_asked_by_name(text: str, expected: str) -> None:
    made = draft(HEAD + GRAPH + text + COMPILED)
    assert made.declines == ()
    assert expected in made.text


@pytest.mark.parametrize(
    "text",
    [
        "model.layers[1].trainable = False",  # Keras itself finds the order
        "model.get_layer(index=1).trainable = False",
        'model.get_layer("dense").trainable = False',
        'model.get_layer("drop").trainable = False',
        "model.get_layer(input()).trainable = False",
    ],
)
def test_a_graph_is_not_asked_otherwise(text: str) -> None:
    assert reasons(GRAPH + text + COMPILED)
