"""Differences in how models are called that change numbers without a sound, each named after its entry in the list.

Whole files are migrated; the obvious spelling is the migrated text with one thing left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from migrator import source, steps

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
MODEL = """
import tensorflow as tf
from tensorflow.keras import layers


def build():
    inputs = tf.keras.Input((6,))
    x = layers.Dense(8)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.5)(x)
    return tf.keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


def score(x):
    model = build()
    return model(x)
"""
PLUMBED = """
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.out = layers.Dense(2)

    def call(self, x, training=None):
        if training:
            x = x + 1.0
        return self.out(x)


def build():
    inputs = tf.keras.Input((6,))
    return tf.keras.Model(inputs, Net()(inputs))
"""
X = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")


def migrated(text: str, folder: Path) -> str:
    """The file after the migration, with what is declined written above it."""
    (folder / "program.py").write_text(text)
    repo = source.read(folder, (), ())
    draft = steps.rewrite(repo, steps.know(repo), lambda *_: None)
    return draft.render({})["program.py"].text


def scope(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(text, found)
    return found


def pair(text: str, folder: Path) -> tuple[Any, Any, dict[str, Any]]:
    """Both models with the same dense layers, the migrated one in evaluation mode, and the migrated names."""
    theirs, names = scope(text)["build"](), scope(migrated(text, folder))
    ours = names["build"]().cpu().eval()
    weights = [w.numpy() for w in theirs.trainable_weights]
    with torch.no_grad():
        for parameter, weight in zip(ours.parameters(), weights, strict=True):
            parameter.copy_(torch.tensor(weight.T.copy()))
    return theirs, ours, names


def test_5_2_a_model_still_returns_probabilities(tmp_path: Path) -> None:
    """Where the loss takes scores, those are apart: who calls the model gets what Keras gives."""
    theirs, ours, _ = pair(MODEL, tmp_path)
    expected = theirs(X).numpy()
    np.testing.assert_allclose(ours(torch.tensor(X)).detach(), expected, atol=1e-6)
    assert np.abs(ours.logits(torch.tensor(X)).detach().numpy() - expected).max() > 0.05


def test_8_4_a_model_that_is_only_called_does_not_train(tmp_path: Path) -> None:
    """Keras calls a model for its predictions unless told otherwise; torch's are made to train."""
    text = migrated(MODEL, tmp_path)
    _, ours, names = pair(MODEL, tmp_path)
    assert "model.eval()" in text
    expected = ours(torch.tensor(X)).detach()
    names["build"] = lambda: ours.train()
    assert torch.allclose(names["score"](torch.tensor(X)).detach(), expected)
    naive = scope(text.replace("model.eval()", "pass"))
    naive["build"] = lambda: ours.train()
    assert not torch.allclose(naive["score"](torch.tensor(X)).detach(), expected, atol=1e-3)


def test_8_5_the_flag_of_call_is_the_mode_of_the_module(tmp_path: Path) -> None:
    theirs, ours, _ = pair(PLUMBED, tmp_path)
    for training in (False, True):
        found = ours.train(training)(torch.tensor(X)).detach()
        np.testing.assert_allclose(found, theirs(X, training=training).numpy(), atol=1e-6)
    assert not np.allclose(found, theirs(X).numpy(), atol=1e-3)  # a module is made to train, a Keras model is not


def test_8_5_a_layer_that_always_trains_is_declined(tmp_path: Path) -> None:
    always = PLUMBED.replace("self.out = ", "self.drop = layers.Dropout(0.5)\n        self.out = ")
    always = always.replace("return self.out(x)", "return self.out(self.drop(x, training=True))")
    assert "a layer is told whether to train" in migrated(always, tmp_path)


def test_12_9_images_of_folders_through_a_generator_are_of_256_and_one_hot(tmp_path: Path) -> None:
    """Labels are one-hot, images resized to 256 x 256 by the nearest pixel, rows shuffled."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    for name in ("b", "a"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(4):
            image = rng.integers(0, 256, (40, 30, 3)).astype("uint8")
            tf.io.write_file(str(tmp_path / "images" / name / f"{number}.png"), tf.io.encode_png(image))
    text = """
from tensorflow.keras.preprocessing.image import ImageDataGenerator


def read(path):
    return next(ImageDataGenerator(rescale=1 / 255).flow_from_directory(path, seed=3))
"""
    theirs: dict[str, Any] = {}
    exec(text, theirs)
    ours: dict[str, Any] = {}
    exec(migrated(text, tmp_path), ours)
    found = []
    for scope in (theirs, ours):
        np.random.seed(0)
        found.append([np.asarray(part) for part in scope["read"](str(tmp_path / "images"))])
    (images, labels), (own_images, own_labels) = found
    assert own_images.shape == images.shape == (8, 256, 256, 3)
    assert own_labels.shape == labels.shape == (8, 2)
    assert labels[:4].tolist() != [[1, 0]] * 4  # the order of the folders
    np.testing.assert_array_equal(own_labels, labels)
    np.testing.assert_allclose(own_images, images, atol=1e-6)


def test_12_8_images_of_folders_are_of_256_and_not_divided(tmp_path: Path) -> None:
    """Pixels stay those of bytes, resized to 256 x 256 by lines without smoothing, classes in the order of names."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    for name in ("b", "a"):
        (tmp_path / "images" / name).mkdir(parents=True)
        image = rng.integers(0, 256, (40, 30, 3)).astype("uint8")
        tf.io.write_file(str(tmp_path / "images" / name / "one.png"), tf.io.encode_png(image))
    text = """
import tensorflow as tf


def read(path):
    return tf.keras.utils.image_dataset_from_directory(path, shuffle=False)
"""
    (tmp_path / "code").mkdir()
    images, labels = next(iter(scope(migrated(text, tmp_path / "code"))["read"](tmp_path / "images")))
    want, classes = next(iter(scope(text)["read"](tmp_path / "images")))
    np.testing.assert_allclose(images, want.numpy(), atol=1e-2)
    np.testing.assert_array_equal(labels, classes.numpy())
    assert tuple(images.shape[1:3]) == (256, 256)
    assert images.max() > 2.0
