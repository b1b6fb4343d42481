"""Programs whose recurrent layers run cells of their own."""

_PAIR = """
import tensorflow as tf
from tensorflow.keras import layers


class PairCell(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.mix = layers.Dense(units, use_bias=False)
        self.gate = layers.Dense(units, activation="sigmoid")

    @property
    def state_size(self):
        return [self.units, self.units + 1]

    def call(self, inputs, states, training=None):
        h, count = states
        z = self.gate(tf.concat([inputs, h], axis=-1))
        new = z * h + (1.0 - z) * tf.tanh(self.mix(inputs))
        count = count + tf.reduce_sum(new, axis=-1, keepdims=True)
        return new + count[:, :1], [new, count]

"""
OWN_CELL = """
import tensorflow as tf
from tensorflow import keras


class PlainCell(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="recurrent")

    def call(self, inputs, states):
        output = tf.matmul(inputs, self.kernel) + tf.matmul(states[0], self.recurrent)
        return output, output


def make():
    cell = PlainCell(5)
    inputs = keras.Input((None, 3))
    layer = keras.layers.RNN(cell, return_sequences=True, go_backwards=True)
    x = layer(inputs)
    x = keras.layers.RNN(PlainCell(4))(x)
    return keras.Model(inputs, keras.layers.Dense(2)(x))
"""
STATES = (
    _PAIR
    + """
class Net(tf.keras.Model):
    def __init__(self, units):
        super().__init__()
        encoding = PairCell(units)
        self.encoder = layers.RNN(encoding, return_state=True)
        self.decoder = layers.RNN(cell=PairCell(units), return_sequences=True, return_state=True)

    def call(self, x):
        last, h, count = self.encoder(x)
        outputs, h, count = self.decoder(x, initial_state=[h, count])
        return [outputs, last, h, count]


def make():
    inputs = tf.keras.Input((5, 2))
    return tf.keras.Model(inputs, Net(4)(inputs))
"""
)
NAMED_CELLS = """
import tensorflow as tf
from tensorflow.keras import layers


class Net(tf.keras.Model):
    def __init__(self, units):
        super().__init__()
        cells = [layers.GRUCell(units), layers.LSTMCell(units + 1)]
        self.rnn = layers.RNN(cells, return_sequences=True)
        cell = layers.LSTMCell(units)
        self.last = layers.RNN(cell)

    def call(self, x):
        return self.last(self.rnn(x))


def make():
    cells = [layers.LSTMCell(6) for _ in range(2)]
    stacked = layers.StackedRNNCells(cells)
    layer = layers.RNN(stacked, return_sequences=True)
    inputs = tf.keras.Input((5, 3))
    return tf.keras.Model(inputs, Net(4)(layer(inputs)))
"""
DECLINED = {
    "first states of its own": (
        _PAIR
        + """
class Started(PairCell):
    def get_initial_state(self, batch_size=None):
        return [tf.ones((batch_size, self.units)), tf.ones((batch_size, self.units + 1))]


def make():
    return tf.keras.Sequential([tf.keras.Input((5, 2)), layers.RNN(Started(3))])
""",
        "a cell",
    ),
    "a mask": (
        _PAIR
        + """
def make():
    inputs = tf.keras.Input((7,))
    x = layers.Embedding(9, 3, mask_zero=True)(inputs)
    return tf.keras.Model(inputs, layers.RNN(PairCell(4))(x))
""",
        "a mask reaches this layer",
    ),
    "two layers of one cell": (
        _PAIR
        + """
def make():
    cell = PairCell(4)
    inputs = tf.keras.Input((7, 3))
    return tf.keras.Model(inputs, layers.RNN(cell)(inputs) + layers.RNN(cell)(inputs))
""",
        "a cell that is not made where it is handed over",
    ),
    "a cell that a loop runs again": (
        _PAIR
        + """
def make():
    cell = PairCell(4)
    inputs = x = tf.keras.Input((7, 4))
    for _ in range(2):
        x = layers.RNN(cell, return_sequences=True)(x)
    return tf.keras.Model(inputs, x)
""",
        "a cell that is not made where it is handed over",
    ),
    "a size that changes before the cell is run": (
        _PAIR
        + """
def make():
    units = 4
    cell = PairCell(units)
    units = 5
    inputs = tf.keras.Input((7, units))
    return tf.keras.Model(inputs, layers.RNN(cell)(inputs))
""",
        "a cell that is not made where it is handed over",
    ),
    "kept states": (
        _PAIR
        + """
def make():
    return tf.keras.Sequential([tf.keras.Input(batch_shape=(2, 5, 2)), layers.RNN(PairCell(3), stateful=True)])
""",
        "`stateful` around a cell of the repository",
    ),
    "an open number of cells": (
        """
import tensorflow as tf
from tensorflow.keras import layers


def build(count):
    inputs = tf.keras.Input((5, 3))
    return tf.keras.Model(inputs, layers.RNN([layers.GRUCell(8) for _ in range(count)])(inputs))
""",
        "how many cells there are is not known",
    ),
    "cells of other widths": (
        """
import tensorflow as tf
from tensorflow.keras import layers


def make():
    inputs = tf.keras.Input((5, 3))
    return tf.keras.Model(inputs, layers.RNN([layers.GRUCell(8 + i) for i in range(2)])(inputs))
""",
        "cells that differ",
    ),
}
