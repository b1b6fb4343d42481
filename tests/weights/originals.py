"""Makes trained weights of the program beside it, in every format that its Keras writes: `python originals.py OUT`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROGRAM = """\
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers


def build_model(classes=5):
    inputs = tf.keras.Input((8, 6, 3))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.3)(x)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(6, activation="tanh")(x)
    x = layers.Dense(6, activation="tanh")(x)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return tf.keras.Model(inputs, outputs)


class Tagger(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = layers.Embedding(20, 8)
        self.rnn = layers.Bidirectional(layers.LSTM(6, return_sequences=True))
        self.out = layers.Dense(4)

    def call(self, x):
        return self.out(self.rnn(self.embed(x)))


def main():
    model = build_model()
    tagger = Tagger()
    return model(np.ones((2, 8, 6, 3), "float32")).shape, tagger(np.zeros((2, 7), "int32")).shape


if __name__ == "__main__":
    print(main())
"""


def make(out: Path) -> None:
    """Train a little and save."""
    import numpy as np
    import tensorflow as tf

    names: dict[str, object] = {"__name__": "net"}
    exec(compile(PROGRAM, "net.py", "exec"), names)
    build, tagger_class = names["build_model"], names["Tagger"]
    tf.keras.utils.set_random_seed(3)
    model = build()  # type: ignore[operator]
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).random((20, 8, 6, 3), dtype="float32")
    model.fit(x, np.arange(20) % 5, epochs=2, verbose=0)
    tagger = tagger_class()  # type: ignore[operator]
    tagger(np.zeros((2, 7), "int32"))
    model.save(str(out / "m.keras"))
    model.save(str(out / "m.h5"))
    model.save_weights(str(out / "m.weights.h5"))
    tagger.save_weights(str(out / "t.weights.h5"))
    tf.train.Checkpoint(model=model).write(str(out / "m_checkpoint"))
    tf.train.Checkpoint(tagger).write(str(out / "t_checkpoint"))
    tf.saved_model.save(model, str(out / "m_saved"))
    build(7).save_weights(str(out / "other.weights.h5"))  # type: ignore[operator]
    if os.environ.get("TF_USE_LEGACY_KERAS") == "1":
        model.save_weights(str(out / "m_weights"))
        model.save(str(out / "m_keras_saved"))
        model.save_weights(str(out / "w.h5"))
    else:
        model.export(str(out / "m_export"))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
