"""`migrator run` on two models that learn in turn, one of them as a frozen part of a third."""

from __future__ import annotations

from pathlib import Path

from tests.command import command
from tests.test_verify import statuses

GAN = """import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def build_generator():
    model = keras.Sequential([layers.Dense(8, activation="relu", input_shape=(4,)), layers.Dense(6)])
    noise = layers.Input(shape=(4,))
    return keras.Model(noise, model(noise))


def build_gan(generator, discriminator):
    discriminator.trainable = False
    noise = keras.Input(shape=(4,))
    gan = keras.Model(noise, discriminator(generator(noise)))
    gan.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(0.1))
    return gan


def train(generator, discriminator, gan, images, steps):
    for _ in range(steps):
        noise = np.random.normal(0, 1, (8, 4))
        discriminator.train_on_batch(images, np.ones((8, 1)))
        discriminator.train_on_batch(generator.predict(noise), np.zeros((8, 1)))
        print(gan.train_on_batch(noise, np.ones((8, 1))))


discriminator = keras.Sequential([layers.Dense(8, activation="relu", input_shape=(6,)), layers.Dense(1, "sigmoid")])
discriminator.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(0.1))
generator = build_generator()
gan = build_gan(generator, discriminator)
train(generator, discriminator, gan, np.random.RandomState(0).rand(8, 6).astype("float32"), 3)
"""


def test_only_what_learns_in_each_of_them_is_trained(tmp_path: Path) -> None:
    source, out = tmp_path / "gan", tmp_path / "gan_torch"
    source.mkdir()
    (source / "gan.py").write_text(GAN)
    found = statuses(command("run", str(source), "-o", str(out), "--json").out)
    assert set(found.values()) == {"accepted"}
    text = (out / "gan.py").read_text()
    assert "gan.optimizer = torch.optim.SGD(generator.parameters(), lr=0.1)" in text

    (out / "gan.py").write_text(text.replace("SGD(generator.parameters()", "SGD(gan.parameters()"))
    found = statuses(command("verify", str(out), "--against", str(source), "--json").out)
    assert "needs-review" in {status.replace("_", "-") for status in found.values()}
