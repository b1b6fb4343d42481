"""Programs that train on batches of their own: sequences, generators, numbers of steps."""

from __future__ import annotations

from tests.codemods.training_programs import REGRESSOR_MODEL, REGRESSOR_SOURCE, Program
from tests.codemods.training_support import HEAD

SEQUENCE = """class Batches(keras.utils.Sequence):
    \"\"\"Batches of rows.\"\"\"

    def __init__(self, x, y, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size
        self.first = 0

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, index):
        # the last batch may be smaller
        rows = slice(self.first + index * self.batch_size, (index + 1) * self.batch_size)
        return self.x[rows], self.y[rows]


class Later(Batches):
    \"\"\"Every epoch begins one row later than the one before.\"\"\"

    def on_epoch_end(self):
        self.first += 1


def main(data, model):
    x, y, x_val, y_val = data
    y, y_val = y.astype("float32")[:, None], y_val.astype("float32")[:, None]
    batches = Later(x, y, 8)
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    history = model.fit(batches, epochs=3, validation_data=Batches(x_val, y_val, 4), shuffle=False, verbose=0)
    return history.history, model.evaluate(Batches(x_val, y_val, 4), verbose=0)
"""
GENERATOR = """def endless(x, y, batch_size):
    while True:
        for i in range(0, len(x), batch_size):
            yield x[i : i + batch_size], y[i : i + batch_size]


def main(data, model):
    x, y, x_val, y_val = data
    y, y_val = y.astype("float64")[:, None], y_val.astype("float64")[:, None]
    model.compile(optimizer="sgd", loss="mse")
    val = tf.data.Dataset.from_tensor_slices((x_val, y_val)).batch(4)
    history = model.fit(
        endless(x, y, 8), steps_per_epoch=3, epochs=3, validation_data=val, validation_steps=2, verbose=0
    )
    again = model.fit(x, y, batch_size=8, steps_per_epoch=3, epochs=3, shuffle=False, verbose=0)
    score = model.evaluate(endless(x, y, 8), steps=2, verbose=0)
    return history.history, again.history, score
"""
SPLIT = """def main(data, model):
    x, y, _, _ = data
    model.compile(optimizer="sgd", loss="mse")
    split = 2 * x
    out = model.fit(x + 1.0, y.astype("float32")[:, None], validation_split=0.3, epochs=2, shuffle=False, verbose=0)
    return out.history, split
"""
BATCHES = (
    Program("sequence of batches", HEAD + REGRESSOR_SOURCE + SEQUENCE, REGRESSOR_MODEL),
    Program("generators and steps", HEAD + REGRESSOR_SOURCE + GENERATOR, REGRESSOR_MODEL),
    Program("split of expressions", HEAD + REGRESSOR_SOURCE + SPLIT, REGRESSOR_MODEL),
)
