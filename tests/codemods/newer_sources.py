"""Programs with layers that came with Keras 3, and with a layer around another."""

EINSUMS = """
import tensorflow as tf
from tensorflow.keras import layers


def make():
    inputs = layers.Input((12, 10, 3))
    x = layers.SpectralNormalization(layers.Conv2D(8, 3, padding="same", activation="relu"))(inputs)
    x = layers.AdaptiveAveragePooling2D((4, 3))(x)
    x = layers.Reshape((12, 8))(x)
    x = layers.EinsumDense("abc,cde->abde", (None, 2, 4), bias_axes="de", activation="relu")(x)
    x = layers.EinsumDense("abcd,cde->abe", (None, 6), bias_axes="e")(x)
    x = layers.EinsumDense("...x,xy->...y", output_shape=5, bias_axes="y")(x)
    x = layers.AdaptiveMaxPooling1D(3)(x)
    return tf.keras.Model(inputs, layers.SpectralNormalization(layers.Dense(4))(layers.Flatten()(x)))
"""

CRITIC = """
import tensorflow as tf
from tensorflow.keras import layers


class Critic(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.SpectralNormalization(layers.Conv2D(4, 3, strides=2, padding="same"))
        self.frames = layers.TimeDistributed(layers.Conv1D(4, 3, strides=2, padding="same"))
        self.pool = layers.AdaptiveAveragePooling2D(2)
        self.flatten = layers.Flatten()
        self.score = layers.Dense(1)

    def call(self, x):
        x = self.frames(tf.nn.relu(self.conv(x)))
        return self.score(self.flatten(self.pool(x)))


def make():
    critic = Critic()
    critic(tf.zeros((1, 12, 10, 3)))
    return critic
"""

TIED = """
import tensorflow as tf
from tensorflow.keras import layers


def make():
    ids = layers.Input((6,), dtype="int32")
    embedding = layers.ReversibleEmbedding(9, 5)
    x = layers.Dense(5, activation="tanh")(embedding(ids))
    return tf.keras.Model(ids, embedding(x, reverse=True))
"""

ADAPTED = """
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers


class Scaled(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.normalizer = layers.Normalization(axis=-1)
        self.fc = layers.Dense(2)

    def adapt(self, data):
        self.normalizer.adapt(data)

    def call(self, x):
        return self.fc(self.normalizer(x))


def make():
    model = Scaled()
    model.adapt(np.arange(30.0).reshape(10, 3).astype("float32") ** 1.5)
    model(tf.zeros((1, 3)))
    return model
"""

NEWER = {
    "adapted": (ADAPTED, [("normal", 4, 3)]),
    "einsums": (EINSUMS, [("normal", 2, 12, 10, 3)]),
    "sizes that vary": (CRITIC, [("normal", 2, 13, 11, 3)]),
    "tied": (TIED, [("ids", 4, 6)]),
}
