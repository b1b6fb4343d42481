"""Programs whose layers hand each other masks, states and several tensors."""

from tests.codemods.cell_sources import NAMED_CELLS, OWN_CELL, STATES
from tests.codemods.newer_sources import NEWER

BILSTM = """
import tensorflow as tf
from tensorflow.keras import layers


def build(vocab, units=6):
    inputs = layers.Input(shape=(None,), dtype="int32")
    x = layers.Embedding(vocab, 5, mask_zero=True)(inputs)
    x = layers.SpatialDropout1D(0.2)(x)
    x = layers.Bidirectional(layers.LSTM(units, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(units // 2))(x)
    return tf.keras.Model(inputs, layers.Dense(2)(x))


def make():
    return build(9)
"""

MASKED_MEAN = """
import tensorflow as tf
from tensorflow.keras import layers


def make():
    return tf.keras.Sequential([
        layers.Input((None, 3)),
        layers.Masking(mask_value=0.0),
        layers.GRU(4, return_sequences=True),
        layers.Dense(5, activation="relu"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(2),
    ])
"""

SEQ2SEQ = """
import tensorflow as tf
from tensorflow.keras import layers


def make(units=4):
    source = layers.Input((None, 3))
    target = layers.Input((None, 2))
    _, h, c = layers.LSTM(units, return_state=True)(source)
    decoder = layers.LSTM(units, return_sequences=True, return_state=True)
    outputs, _, _ = decoder(target, initial_state=[h, c])
    context = layers.GRU(units)(target, initial_state=h)
    outputs = layers.TimeDistributed(layers.Dense(3, activation="softmax"))(outputs)
    return tf.keras.Model([source, target], [outputs, context])
"""

STATEFUL_CLASS = """
import tensorflow as tf
from tensorflow.keras import layers


class Encoder(tf.keras.Model):
    def __init__(self, vocab, units):
        super().__init__()
        self.embedding = layers.Embedding(vocab, 3, mask_zero=True)
        self.gru = layers.GRU(units, return_sequences=True, return_state=True)
        self.lstm = layers.LSTM(units, activation="relu", return_state=True)
        self.cell = layers.GRUCell(units)
        self.pair = layers.LSTMCell(units)

    def call(self, tokens):
        x = tf.identity(self.embedding(tokens))
        outputs, state = self.gru(x)
        last, h, c = self.lstm(outputs, initial_state=[state, state])
        step, state = self.cell(last, state)
        step, [h, c] = self.pair(step, [h, c])
        return outputs, step + h + c + state


def make():
    return Encoder(9, 4)
"""

FRAMES = """
import tensorflow as tf
from tensorflow.keras import layers


def make():
    inputs = layers.Input((3, 8, 10, 2))
    x = layers.TimeDistributed(layers.Conv2D(4, 3, activation="relu"))(inputs)
    x = layers.TimeDistributed(layers.MaxPooling2D())(x)
    x = layers.TimeDistributed(layers.Flatten())(x)
    x = layers.RNN(layers.LSTMCell(5), return_sequences=True)(x)
    x = layers.RNN([layers.GRUCell(4), layers.GRUCell(3)])(x)
    return tf.keras.Model(inputs, layers.Dense(2)(x))
"""

ATTENTION = """
import tensorflow as tf
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, dim, heads, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.att = layers.MultiHeadAttention(num_heads=heads, key_dim=dim // heads, dropout=rate)
        self.cross = layers.MultiHeadAttention(heads, key_dim=3, value_dim=5)
        self.norm = layers.LayerNormalization(epsilon=1e-6)

    def call(self, inputs, memory, training=False):
        keep = tf.reduce_sum(inputs, axis=-1) > -1.0
        x = self.norm(inputs + self.att(inputs, inputs, attention_mask=keep[:, tf.newaxis, :], training=training))
        seen, scores = self.cross(x, memory, return_attention_scores=True)
        causal = self.att(query=x, value=x, use_causal_mask=True)
        return x + seen + causal, scores


class Net(tf.keras.Model):
    def __init__(self, dim, heads):
        super().__init__()
        self.embed = layers.Dense(dim)
        self.block = Block(dim, heads)

    def call(self, inputs):
        x, memory = inputs
        x, scores = self.block(self.embed(x), memory)
        return x, scores


def make():
    model = Net(8, 2)
    model([tf.zeros((1, 4, 3)), tf.zeros((1, 5, 6))])
    return model
"""

DOT_ATTENTION = """
import tensorflow as tf
from tensorflow.keras import layers


def make():
    query = layers.Input((4, 3))
    value = layers.Input((5, 3))
    one = layers.Attention(use_scale=True)([query, value])
    two = layers.AdditiveAttention()([query, value])
    x = layers.concatenate([one, two])
    scores = layers.dot([query, value], axes=2)
    return tf.keras.Model([query, value], [x, scores])
"""

LAMBDAS = """
import tensorflow as tf
from tensorflow.keras import layers


def halve(x, by=2.0):
    return x / by


def make(scale=3.0):
    a = layers.Input((4, 5))
    b = layers.Input((4, 5))
    x = layers.Lambda(lambda x: x * scale + tf.reduce_mean(x, axis=1, keepdims=True))(a)
    x = layers.Lambda(lambda t: t[0] - t[1])([x, b])
    x = layers.Lambda(halve, arguments={"by": 4.0})(x)
    x = layers.Lambda(tf.nn.relu)(layers.Dense(3)(x))
    x = layers.Lambda(lambda z, n: z ** n, output_shape=(4, 3), arguments={"n": 2})(x)
    x = layers.Lambda(lambda y: y[:, -1, :])(x)
    return tf.keras.Model([a, b], x)
"""

LAMBDA_CHAIN = """
import tensorflow as tf
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, units, factor):
        super().__init__()
        self.dense = layers.Dense(units)
        self.grow = layers.Lambda(lambda x: x * factor)
        self.square = layers.Lambda(tf.square)

    def call(self, x):
        return self.square(self.grow(self.dense(x)))


def make():
    model = tf.keras.Sequential()
    model.add(layers.Lambda(lambda x: tf.expand_dims(x, axis=-1), input_shape=(8,)))
    model.add(layers.Conv1D(4, 3, activation="relu", padding="causal"))
    model.add(layers.LSTM(5))
    model.add(Block(3, 2.0))
    model.add(layers.Dense(2))
    model.add(layers.Lambda(lambda x: x * 100.0))
    return model
"""

INITIALISERS = """
import tensorflow as tf
from tensorflow.keras import layers
from tensorflow.keras.initializers import Zeros, glorot_normal


class Linear(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(4, kernel_initializer=tf.zeros_initializer(), bias_initializer=tf.zeros_initializer())
        self.d2 = layers.Dense(
            4, kernel_initializer=tf.random_normal_initializer(stddev=0.1), bias_initializer=tf.ones_initializer
        )
        self.d3 = layers.Dense(
            4, kernel_initializer=tf.initializers.GlorotUniform(), bias_initializer=tf.constant_initializer(0.1)
        )
        self.d4 = layers.Dense(4, kernel_initializer=glorot_normal(seed=3), bias_initializer=Zeros())
        truncated = tf.keras.initializers.TruncatedNormal(stddev=0.02)
        self.free = layers.Dense(4, use_bias=False, kernel_initializer=truncated)

    def build(self, input_shape):
        self.w = self.add_weight(name='w', shape=[input_shape[-1], self.units], initializer=tf.zeros_initializer())
        self.b = self.add_weight(name='b', shape=[self.units], initializer=tf.zeros_initializer())
        self.c = self.add_weight(shape=(self.units,), name="c")
        self.cube = self.add_weight(shape=(2, 3, 4), name="cube")

    def call(self, inputs):
        x = self.d4(self.d3(self.d2(self.dense(tf.matmul(inputs, self.w) + self.b * self.c))))
        return x + self.free(inputs) + tf.einsum('bi,tij->bj', inputs, self.cube)


def make():
    return tf.keras.Sequential([layers.Input((3,)), Linear(5)])
"""

LAZY = """
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = tf.keras.layers.Conv2D(3, 3, activation="relu")
        self.bn = tf.keras.layers.BatchNormalization()
        self.flatten = tf.keras.layers.Flatten()
        self.dense = tf.keras.layers.Dense(6, use_bias=False)
        self.out = tf.keras.layers.Dense(2)

    def call(self, inputs):
        return self.out(self.dense(self.flatten(self.bn(self.conv(inputs)))))


NET = Net()


def make():
    return NET
"""

PROGRAMS = {
    "bilstm": (BILSTM, [("ids", 4, 7)]),
    "masked mean": (MASKED_MEAN, [("steps", 4, 6, 3)]),
    "seq2seq": (SEQ2SEQ, [("normal", 3, 5, 3), ("normal", 3, 4, 2)]),
    "states": (STATEFUL_CLASS, [("ids", 4, 6)]),
    "frames": (FRAMES, [("normal", 2, 3, 8, 10, 2)]),
    "attention": (ATTENTION, [("normal", 3, 4, 3), ("normal", 3, 5, 6)]),
    "dot attention": (DOT_ATTENTION, [("normal", 3, 4, 3), ("normal", 3, 5, 3)]),
    "lambdas": (LAMBDAS, [("normal", 3, 4, 5), ("normal", 3, 4, 5)]),
    "lambda chain": (LAMBDA_CHAIN, [("normal", 3, 8)]),
    "initialisers": (INITIALISERS, [("normal", 3, 3)]),
    "own cell": (OWN_CELL, [("normal", 3, 5, 3)]),
    "own cell's states": (STATES, [("normal", 3, 5, 2)]),
    "named cells": (NAMED_CELLS, [("normal", 3, 5, 3)]),
    "lazy": (LAZY, [("normal", 3, 7, 8, 2)]),
    **NEWER,
}
