import tensorflow as tf

from ops import squash


class Gate(tf.keras.layers.Layer):
    """A dense layer behind a learned gate."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = tf.keras.layers.Dense(units)

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(self.units,), initializer="ones")
        super().build(input_shape)

    def call(self, x, training=None):
        h = tf.raw_ops.Selu(features=self.dense(x))
        if training:
            h = tf.nn.dropout(h, 0.1)
        return h * self.scale * squash(x[:, :1])


if __name__ == "__main__":
    print(Gate(6)(tf.random.normal([4, 5])).shape)
