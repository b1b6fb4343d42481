"""Residual network of gated layers."""
import tensorflow as tf
from tensorflow import keras


class Gate(keras.layers.Layer):
    """x + sigmoid(x W + b) * x V, where the gate itself is not trained through its input."""

    def __init__(self, slope=0.5, **kwargs):
        super().__init__(**kwargs)
        self.slope = slope

    def build(self, input_shape):
        dim = int(input_shape[-1])
        self.kernel = self.add_weight(name="kernel", shape=(dim, dim), initializer="glorot_uniform")
        self.value = self.add_weight(name="value", shape=(dim, dim), initializer="orthogonal")
        self.bias = self.add_weight(name="bias", shape=(dim,), initializer=keras.initializers.Constant(self.slope))
        self.seen = self.add_weight(name="seen", shape=(), initializer="zeros", trainable=False)

    def call(self, inputs, training=False):
        gate = tf.sigmoid(tf.matmul(tf.stop_gradient(inputs), self.kernel) + self.bias)
        if training:
            self.seen.assign_add(tf.cast(tf.shape(inputs)[0], tf.float32))
        return inputs + gate * tf.matmul(inputs, self.value)


class GatedNet(keras.Model):
    def __init__(self, dim=6, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.norm = keras.layers.LayerNormalization()
        self.gates = [Gate(0.5 * (i + 1)) for i in range(depth)]
        self.head = keras.layers.Dense(2, activation="tanh")
        self.build((None, dim))

    def call(self, inputs, training=False):
        x = self.norm(inputs)
        for gate in self.gates:
            x = gate(x, training=training)
        return x, self.head(x)
