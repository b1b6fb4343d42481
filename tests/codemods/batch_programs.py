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
IMAGES = """def main(data, model):
    x, y, x_val, y_val = data
    x, x_val = x.reshape(-1, 1, 2, 3), x_val.reshape(-1, 1, 2, 3)
    images = keras.preprocessing.image.ImageDataGenerator(rescale=0.5)
    model.compile(optimizer="sgd", loss="mse")
    val = images.flow(x_val, y_val, batch_size=4, shuffle=False)
    batches = images.flow(x, y, batch_size=8, shuffle=False)
    history = model.fit(batches, epochs=3, validation_data=val, shuffle=False, verbose=0)
    again = model.fit(batches, steps_per_epoch=2, epochs=2, validation_data=val, shuffle=False, verbose=0)
    return history.history, again.history, model.evaluate(val, verbose=0), model.predict(val, verbose=0)
"""
IMAGES_SOURCE = (
    REGRESSOR_SOURCE.replace("shape=(6,)", "shape=(1, 2, 3)")
    .replace("(inputs)\n", "(flat)\n")
    .replace("    x = layers", "    flat = layers.Flatten()(inputs)\n    x = layers")
)
IMAGES_MODEL = REGRESSOR_MODEL.replace("self.fc1(x)", "self.fc1(x.flatten(1))")
BATCHES = (
    Program("sequence of batches", HEAD + REGRESSOR_SOURCE + SEQUENCE, REGRESSOR_MODEL),
    Program("generators and steps", HEAD + REGRESSOR_SOURCE + GENERATOR, REGRESSOR_MODEL),
    Program("batches of images", HEAD + IMAGES_SOURCE + IMAGES, IMAGES_MODEL),
    Program("split of expressions", HEAD + REGRESSOR_SOURCE + SPLIT, REGRESSOR_MODEL),
)
