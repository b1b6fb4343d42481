"""Layers that Keras does not have."""
import tensorflow as tf
from tensorflow.keras import layers


class ChannelGate(layers.Layer):
    """Scales every channel by a learned function of the channel means.

    Args:
        ratio: how much narrower the hidden layer is than the input.
    """

    def __init__(self, ratio=4, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        channels = input_shape[-1]
        self.squeeze = layers.Dense(channels // self.ratio, activation="relu")
        self.excite = layers.Dense(channels, activation="sigmoid")
        # a learned strength, starting at the plain gate
        self.strength = self.add_weight(name="strength", shape=(channels,), initializer="ones")

    def call(self, inputs):
        summary = tf.reduce_mean(inputs, axis=[1, 2])
        gate = self.excite(self.squeeze(summary)) * self.strength
        return inputs * gate[:, tf.newaxis, tf.newaxis, :]

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio}
