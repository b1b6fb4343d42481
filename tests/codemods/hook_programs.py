"""Programs with callbacks that run within an epoch; what each returns must be equal on both sides."""

from __future__ import annotations

from tests.codemods.training_programs import REGRESSOR_MODEL, REGRESSOR_SOURCE, SOFTMAX_MODEL, SOFTMAX_SOURCE, Program
from tests.codemods.training_support import HEAD

HOOKS = (
    Program(
        "hooks around batches",
        HEAD
        + SOFTMAX_SOURCE
        + """class Batches(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append([batch, sorted(logs)])

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append([batch, logs["loss"], logs["accuracy"], self.params["steps"], self.params["epochs"]])


class Older(keras.callbacks.Callback):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.rates = []

    def on_batch_end(self, batch, logs):
        rate = float(self.model.optimizer.learning_rate)
        self.rates.append(rate)
        self.model.optimizer.learning_rate = rate * self.factor


class Until(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2 and self.model.optimizer.learning_rate > 0.12:
            self.model.stop_training = True


def train(model, x, y, x_val, y_val):
    model.compile(keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    batches, older, numbers = Batches(), Older(1.05), []
    each = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: numbers.append(logs["loss"]))
    out = model.fit(
        x, y, epochs=3, batch_size=8, shuffle=False, verbose=0,
        validation_data=(x_val, y_val), callbacks=[batches, older, each, Until()],
    )
    return out.history, out.epoch, batches.seen, older.rates, numbers


def main(data, model):
    x, y, x_val, y_val = data
    return train(model, x, y % 3, x_val, y_val % 3)
""",
        SOFTMAX_MODEL,
    ),
    Program(
        "one pass for two rates",
        HEAD
        + REGRESSOR_SOURCE
        + """class Losses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.losses = []

    def on_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])


def main(data, model):
    x, y, _, _ = data
    y = y.astype("float32")[:, None]
    first, second = Losses(), Losses()
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
    model.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0, callbacks=[first])
    model.compile(optimizer=keras.optimizers.SGD(0.001), loss="mse")
    out = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=[second])
    return first.losses, second.losses, out.epoch
""",
        REGRESSOR_MODEL,
    ),
)
