"""Recurrent models over word ids."""
import tensorflow as tf
from tensorflow.keras import layers


class Reader(tf.keras.Model):
    """A GRU over the words, an LSTM over its outputs, one probability at the end."""

    def __init__(self, vocab_size=20, embed_dim=6, units=5, rate=0.2):
        super().__init__()
        self.embedding = layers.Embedding(vocab_size, embed_dim)
        self.dropout = layers.Dropout(rate)
        self.gru = layers.GRU(units, return_sequences=True)
        self.lstm = layers.LSTM(units)
        self.out = layers.Dense(1, activation="sigmoid")

    def call(self, ids, training=False):
        x = self.dropout(self.embedding(ids), training=training)
        x = self.lstm(self.gru(x))
        return self.out(x)


class OldCell(tf.keras.Model):
    """The older GRU, which resets the state before it is multiplied."""

    def __init__(self, units=5):
        super().__init__()
        self.gru = layers.GRU(units, reset_after=False)

    def call(self, x):
        return self.gru(x)


def train(model, dataset, epochs=2):
    model.compile(optimizer=tf.keras.optimizers.Adam(5e-3), loss="binary_crossentropy", metrics=["accuracy"])
    return model.fit(dataset, epochs=epochs, verbose=0).history
