"""Layers of Keras that are made and called outside of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from migrator import source, steps
from tests.codemods.training_support import HEAD

X = "x = tf.reshape(tf.range(12, dtype=tf.float32), [4, 3])\n"
IMAGES = "images = tf.reshape(tf.range(96, dtype=tf.float32), [2, 4, 4, 3]) / 9.0\n"


def rewritten(text: str, folder: Path, **others: str) -> tuple[str, list[str]]:
    """The migrated file, and why what stays does so."""
    for name, code in {"m": text, **others}.items():
        (folder / f"{name}.py").write_text(HEAD + code, encoding="utf-8")
    repo = source.read(folder, (), ())
    made = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]
    return made.text, [d.reason for unit in made.units for d in unit.declines]


def migrated(text: str, folder: Path) -> str:
    code, reasons = rewritten(text, folder)
    assert reasons == []
    assert "tensorflow" not in code
    return code


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("layers.Dense(2)(x)", ["fc = nn.Linear(3, 2)", "nn.init.xavier_uniform_(fc.weight)", "y = fc(x)"]),
        ("layers.Dense(2, activation='relu')(x) + 1", ["y = F.relu(fc(x)) + 1"]),
        ("layers.Flatten()(x)", ["y = torch.flatten(x, 1)"]),
        ("layers.Add()([x, x]) * 2", ["y = (x + x) * 2"]),
        ("layers.Concatenate(axis=1)([x, x])", ["y = torch.cat([x, x], dim=1)"]),
        ("layers.Dropout(0.5)(x, training=True)", ["dropout.train()\ny = dropout(x)"]),
        ("layers.Reshape((-1, 1))(x + 1.0)", ["inputs = x + 1.0\ny = inputs.reshape(inputs.shape[0], -1, 1)"]),
        ("layers.Dropout(0.5)(x)", ["dropout.eval()\ny = dropout(x)"]),
        ("layers.Dense(2)(np.ones((4, 5)))", ["nn.Linear(5, 2)", "fc(torch.as_tensor(np.ones((4, 5)), dtype="]),
        ("layers.Dense(2)(tf.constant([[1, 2]]))", ["nn.Linear(2, 2)", "fc(torch.tensor([[1, 2]]).float())"]),
    ],
)
def test_a_layer_that_is_called_as_it_is_made(made: str, expected: list[str], tmp_path: Path) -> None:
    text = migrated(f"{X}y = {made}\n", tmp_path)
    for part in expected:
        assert part in text, text


def test_a_named_layer_is_a_module_that_functions_call(tmp_path: Path) -> None:
    text = migrated(
        f"{IMAGES}conv = layers.Conv2D(2, 3, activation='relu')\n\n\n@tf.function\ndef features(pictures):\n"
        "    return conv(pictures)\n\n\nprint(features(images).shape, conv.kernel.shape)\n",
        tmp_path,
    )
    assert "conv = nn.Conv2d(3, 2, kernel_size=3)\nnn.init.xavier_uniform_(conv.weight)" in text
    assert "return F.relu(conv(pictures.permute(0, 3, 1, 2))).permute(0, 2, 3, 1)" in text
    assert "conv.weight.permute(2, 3, 1, 0).shape" in text


def test_its_variables_are_learnt(tmp_path: Path) -> None:
    text = migrated(
        f"{X}layer = layers.Dense(1)\nwith tf.GradientTape() as tape:\n    loss = tf.reduce_mean(layer(x) ** 2)\n"
        "grads = tape.gradient(loss, layer.trainable_variables)\n",
        tmp_path,
    )
    assert "grads = torch.autograd.grad(loss, list(layer.parameters()))" in text


@pytest.mark.parametrize(
    "line", ["layers.Dense(7)", "unused = layers.Dense(7, kernel_initializer=keras.initializers.HeNormal())"]
)
def test_a_layer_that_nothing_calls_is_gone(line: str, tmp_path: Path) -> None:
    text = migrated(f"{line}\n{X}print(x)\n", tmp_path)
    assert "7" not in text
    assert "unused" not in text


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("for _ in range(2):\n    x = layers.Dense(2)(x)\n", "input size unknown"),
        ("layer = layers.Dense(2)\nkept = [layer]\ny = layer(x)\n", "Dense outside of a model: `layer`"),
        ("layer = layers.Dense(2)\ny = layer(x)\nlayer.kernel.assign(y)\n", "Dense outside of a model: `layer.kernel`"),
        ("layer = layers.Dense(2, kernel_regularizer='l2')\ny = layer(x)\n", "a regulariser or constraint"),
        ("layer = layers.Dense(2, name=print('made'))\n", "called with nothing known"),
        ("y = layers.MaxPooling1D()(tf.ones([2, 4, 3], tf.int32))\n", "integers go into it"),
        ("y = [layers.Dense(2)(x) for _ in range(3)]\n", "may not be evaluated"),
        (
            "import sys\nif sys.argv:\n    layer = layers.Dense(2)\nelse:\n    layer = layers.Dense(3)\ny = layer(x)\n",
            "Dense outside of a model: `layer(x)`",
        ),
        ("y = [layers.Reshape((-1, 1))(x + i) for i in range(2)]\n", "an input that is needed twice"),
        ("layer = layers.Dropout(0.5)\ny = [layer(x) for _ in range(3)]\n", "has two modes"),
        ("layer = layers.Embedding(5, 2, mask_zero=True)\ny = layer(tf.constant([1, 0]))\n", "more than a tensor"),
        (
            "layer = layers.Dense(2)\n\n\nclass Net(keras.Model):\n    def call(self, x):\n        return layer(x)\n"
            "\n\ny = layer(x)\nprint(Net()(x))\n",
            "a class, or a function that makes layers, uses it",
        ),
    ],
)
def test_what_is_not_certain_stays(code: str, reason: str, tmp_path: Path) -> None:
    text, reasons = rewritten(X + code, tmp_path)
    assert any(reason in each for each in reasons), reasons
    assert "tensorflow" in text


def test_a_layer_that_another_file_uses_stays(tmp_path: Path) -> None:
    code = f"{X}layer = layers.Dense(2, activation='relu')\nprint(layer(x))\n"
    _, reasons = rewritten(code, tmp_path, other="from m import layer, x\n\nprint(layer(x))\n")
    assert "Dense outside of a model: another file uses it" in reasons


NUMERIC = f"""{X}{IMAGES}results = []
hidden = layers.Dense(3, activation="softmax", kernel_initializer="ones", bias_initializer="ones")
results.append(hidden(x * tf.constant([1.0, -1.0, 0.5])).numpy())
results.append(hidden(np.arange(12).reshape(4, 3)).numpy())
results.append(hidden.kernel.numpy())
conv = layers.Conv2D(2, 3, padding="same", strides=2, activation="relu", kernel_initializer="ones")
results.append(conv(images).numpy())
results.append(layers.GlobalMaxPooling2D()(images).numpy())
results.append(layers.Flatten()(layers.MaxPooling2D()(images)).numpy())
norm = layers.BatchNormalization()
results.append(norm(x).numpy())
results.append(norm(x, training=True).numpy())
results.append(layers.LayerNormalization()(images).numpy())
results.append(layers.Dropout(0.9)(x).numpy())
results.append((layers.Embedding(4, 2, embeddings_initializer="ones")(tf.constant([1, 3])) * 2).numpy())
results.append(layers.Average()([x, x + 1.0])[0].numpy())
results.append(layers.Rescaling(0.5, offset=1.0)(images).numpy())
results.append(layers.Dense(2, kernel_initializer="ones")(images).numpy())
"""


def test_both_sides_compute_the_same(tmp_path: Path) -> None:
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    exec(compile(HEAD + NUMERIC, "source", "exec"), ours)
    exec(compile(migrated(NUMERIC, tmp_path), "target", "exec"), theirs)
    assert len(ours["results"]) == len(theirs["results"]) == 14
    for number, (one, other) in enumerate(zip(ours["results"], theirs["results"], strict=True)):
        assert one.dtype == other.dtype, number
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5, err_msg=str(number))


def test_its_weights_are_shown(tmp_path: Path) -> None:
    text = migrated(f"{X}layer = layers.Dense(2)\nlayer(x)\nlayer.variables\nlayer.kernel, layer.bias\n", tmp_path)
    assert "list(layer.parameters())" in text
    assert "layer.weight.T, layer.bias" in text


def test_statistics_are_no_parameters(tmp_path: Path) -> None:
    text, reasons = rewritten(f"{X}norm = layers.BatchNormalization()\nnorm(x)\nnorm.variables\n", tmp_path)
    assert "BatchNormalization outside of a model: `norm.variables`" in reasons
    assert "norm.variables" in text


@pytest.mark.parametrize(
    "code",
    [
        "layer = layers.Normalization()\nlayer.adapt(np.ones((2, 2), 'float32'))\ny = layer(x[:, :2])\n",
        "layer = layers.StringLookup(vocabulary=['a', 'b'])\ny = layer(tf.constant(['a', 'c']))\n",
        "layer = layers.TextVectorization()\nlayer.adapt(['a b', 'b c'])\ny = layer(['a c'])\n",
        "y = layers.Discretization(bin_boundaries=[0.0, 1.0])(x)\n",
    ],
)
def test_layers_that_prepare_data_have_rules_of_their_own(code: str, tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec(compile(migrated(X + code, tmp_path), "target", "exec"), names)
    assert "y" in names


ADAPTED = """data = np.arange(60.0).reshape(20, 3).astype("float32") ** 1.5
normalizer = layers.Normalization(axis=-1)
normalizer.adapt(data)
"""


@pytest.mark.parametrize(
    "model",
    [
        "model = keras.Sequential([normalizer, layers.Dense(1)])\n",
        "inputs = keras.Input((3,))\nmodel = keras.Model(inputs, layers.Dense(1)(normalizer(inputs)))\n",
    ],
)
def test_a_model_has_the_very_layer_that_was_adapted(model: str, tmp_path: Path) -> None:
    text = migrated(f"{ADAPTED}{model}model(data)\n", tmp_path)
    assert "normalizer = Normalization()\nnormalizer.adapt(data)\n" in text
    assert "self.normalizer = normalizer\n" in text
    assert text.count("Normalization(") == 2  # its class and the one object


@pytest.mark.parametrize("layer", ["own", "layers.Normalization()"])
def test_a_model_that_would_have_a_copy_of_it_stays(layer: str, tmp_path: Path) -> None:
    _, reasons = rewritten(
        "def build(data):\n    own = layers.Normalization()\n    own.adapt(data)\n"
        f"    return keras.Sequential([keras.Input((3,)), {layer}])\n\n\nbuild(np.ones((4, 3)))\n",
        tmp_path,
    )
    assert "a layer that may be adapted where it is made" in reasons
