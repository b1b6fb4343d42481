"""Programs that train models with several inputs or outputs."""

from __future__ import annotations

from tests.codemods.training_programs import Program
from tests.codemods.training_support import HEAD

SOURCE = """
def build_model():
    left = keras.Input((6,), name="left")
    right = keras.Input((3,), name="right")
    x = layers.Concatenate()([left, right])
    x = layers.Dense(8, activation="tanh")(x)
    score = layers.Dense(1, activation="sigmoid", name="score")(x)
    kind = layers.Dense(4, activation="softmax", name="kind-of")(x)
    return keras.Model([left, right], [score, kind])


"""
MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(9, 8)
        self.score = nn.Linear(8, 1)
        self.kind = nn.Linear(8, 4)

    def logits(self, inputs):
        x = torch.tanh(self.fc1(torch.cat(inputs, dim=-1)))
        return [self.score(x), self.kind(x)]

    def forward(self, inputs):
        score, kind = self.logits(inputs)
        return [torch.sigmoid(score), F.softmax(kind, dim=-1)]


def build_model():
    return Model().to(device)
"""
FORKED_SOURCE = """
def build_model():
    x = keras.Input((6,))
    return keras.Model(x, [layers.Dense(2, name="mean")(x), layers.Dense(1, name="spread")(x)])


"""
FORKED_MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean = nn.Linear(6, 2)
        self.spread = nn.Linear(6, 1)

    def forward(self, x):
        return [self.mean(x), self.spread(x)]


def build_model():
    return Model().to(device)
"""
JOINED_SOURCE = SOURCE.replace("[left, right], [score, kind]", "[left, right], score")
JOINED_SOURCE = JOINED_SOURCE.replace('    kind = layers.Dense(4, activation="softmax", name="kind-of")(x)\n', "")
JOINED_MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(9, 8)
        self.score = nn.Linear(8, 1)

    def logits(self, inputs):
        return self.score(torch.tanh(self.fc1(torch.cat(inputs, dim=-1))))

    def forward(self, inputs):
        return torch.sigmoid(self.logits(inputs))


def build_model():
    return Model().to(device)
"""

NAMED = """def main(data, model):
    x, y, x_val, y_val = data
    inputs = {"right": x[:, :3], "left": x}
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss={"kind-of": "sparse_categorical_crossentropy", "score": keras.losses.BinaryCrossentropy()},
        loss_weights={"score": 0.5, "kind-of": 2},
        metrics={"kind-of": ["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(k=2, name="top")], "score": "mae"},
    )
    history = model.fit(
        inputs, {"score": (y > 1).astype("float64"), "kind-of": y}, batch_size=8, epochs=3, shuffle=False,
        validation_split=0.2, verbose=0,
    )
    held_out = {"left": x_val, "right": x_val[:, :3]}
    score = model.evaluate(held_out, {"kind-of": y_val, "score": y_val > 1}, verbose=0)
    return history.history, score, model.predict(held_out, batch_size=4, verbose=0)
"""
LISTED = """def main(data, model):
    x, y, x_val, y_val = data
    model.compile("sgd", loss=["mse", keras.losses.SparseCategoricalCrossentropy()], loss_weights=[1.0, 0.25],
                  metrics=[["mae", "mse"], "accuracy"])
    history = model.fit([x, x[:, 3:]], (y / 4, y), epochs=2, shuffle=False, verbose=0,
                        validation_data=([x_val, x_val[:, 3:]], [y_val / 4, y_val]))
    figures = model.evaluate(x=[x, x[:, :3]], y=[y / 4, y], batch_size=4, return_dict=True, verbose=0)
    first, second = model.predict([x_val, x_val[:, 3:]], verbose=0)
    return history.history["val_kind-of_accuracy"], history.history, figures, first, second
"""
DATASET = """def make_dataset(x, y):
    dataset = tf.data.Dataset.from_tensor_slices(({"left": x, "right": x[:, :3]}, {"score": y > 1, "kind-of": y}))
    return dataset.batch(8)


def main(data, model):
    x, y, x_val, y_val = data
    model.compile("sgd", loss={"score": "binary_crossentropy", "kind-of": "sparse_categorical_crossentropy"})
    history = model.fit(make_dataset(x, y), epochs=2, validation_data=make_dataset(x_val, y_val), verbose=0)
    return history.history, model.evaluate(make_dataset(x_val, y_val), verbose=0)
"""
BRANCHED_SOURCE = """
def branch(x, units, label):
    x = layers.Dense(units)(x)
    return layers.Activation("sigmoid", name=label)(x)


def build_model():
    x = keras.Input((6,))
    score = branch(x, 1, "score")
    kind = branch(x, label="kind-of", units=4)
    return keras.Model(x, outputs=[score, kind])


LOSSES = {"kind-of": "mse", "score": "binary_crossentropy"}
"""
BRANCHED_MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.score = nn.Linear(6, 1)
        self.kind = nn.Linear(6, 4)

    def forward(self, x):
        return [torch.sigmoid(self.score(x)), torch.sigmoid(self.kind(x))]


def build_model():
    return Model().to(device)
"""
BRANCHED = """
def main(data, model):
    x, y, x_val, y_val = data
    weights = {"score": 0.5, "kind-of": 1.5}
    model.compile("sgd", loss=LOSSES, loss_weights=weights)
    history = model.fit(x, {"score": y > 1, "kind-of": x[:, 2:]}, epochs=2, shuffle=False, verbose=0)
    return history.history, model.predict(x_val, verbose=0)
"""
FORKED = """class Batches(keras.utils.Sequence):
    \"\"\"Batches with two targets.\"\"\"

    def __init__(self, x, **kwargs):
        super().__init__(**kwargs)
        self.x = x

    def __len__(self):
        return len(self.x) // 5

    def __getitem__(self, index):
        x = self.x[index * 5 : index * 5 + 5]
        return x, (x[:, :2], x.std(axis=1))


def main(data, model):
    x, _, x_val, _ = data
    model.compile("sgd", loss="mse", metrics={"mean": ["mae"]})
    history = model.fit(Batches(x), epochs=2, shuffle=False, validation_data=Batches(x_val), verbose=0)
    again = model.fit(x, [x[:, 1:3], x.std(axis=1)], shuffle=False, verbose=0)
    return history.history, again.history, model.predict(x_val, verbose=0)
"""
WEIGHED = """def main(data, model):
    x, y, x_val, y_val = data
    y = (y > 1).astype("int64")
    model.compile("sgd", loss=["binary_crossentropy"], metrics=["accuracy"], weighted_metrics=["mae"])
    class_weight = {0: 1.0, 1: 2.5}
    weight = 3.0
    history = model.fit([x, x[:, :3]], y, shuffle=False, class_weight=class_weight, verbose=0)
    again = model.fit((x, x[:, :3]), [y], shuffle=False, epochs=2, sample_weight=np.linspace(0.0, weight, len(y)),
                      verbose=0)
    return history.history, again.history, model.predict([x_val, x_val[:, :3]], verbose=0)
"""

SEVERAL = (
    Program("by name", HEAD + SOURCE + NAMED, MODEL),
    Program("in lists", HEAD + SOURCE + LISTED, MODEL),
    Program("as a dataset", HEAD + SOURCE + DATASET, MODEL),
    Program("one input, two outputs", HEAD + FORKED_SOURCE + FORKED, FORKED_MODEL),
    Program("outputs of functions", HEAD + BRANCHED_SOURCE + BRANCHED, BRANCHED_MODEL),
    Program("two inputs, one output", HEAD + JOINED_SOURCE + WEIGHED, JOINED_MODEL),
)
