"""Programs that train models over sequences with padding, of which Keras leaves the loss and the metrics out."""

from __future__ import annotations

from tests.codemods.training_programs import Program
from tests.codemods.training_support import HEAD

TAGS_SOURCE = """
def build_model():
    return keras.Sequential([
        keras.Input(shape=(3, 2)),
        layers.Masking(),
        layers.Dense(8, activation="tanh", kernel_regularizer="l2"),
        layers.Dense(4, activation="softmax"),
    ])


"""
TAGS_MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 8)
        self.fc2 = nn.Linear(8, 4)

    def logits(self, x):
        return self.fc2(torch.tanh(self.fc1(x * self.mask(x).unsqueeze(-1))))

    def forward(self, x):
        return F.softmax(self.logits(x), dim=-1)

    def mask(self, x):
        return (x != 0).any(dim=-1)

    def regularization_loss(self):
        return 0.01 * self.fc1.weight.square().sum()


def build_model():
    return Model().to(device)
"""
LEVELS_SOURCE = """
def build_model():
    steps = keras.Input((None, 2))
    x = layers.Masking(mask_value=-1.0)(steps)
    x = layers.TimeDistributed(layers.Dense(5, activation="relu"))(x)
    return keras.Model(steps, layers.Dense(1)(x))


"""
LEVELS_MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 5)
        self.fc2 = nn.Linear(5, 1)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x * self.mask(x).unsqueeze(-1))))

    def mask(self, x):
        return (x != -1.0).any(dim=-1)


def build_model():
    return Model().to(device)
"""
TAGS = """def main(data, model):
    x, _, x_val, _ = data
    x, x_val = x.reshape(-1, 3, 2), x_val.reshape(-1, 3, 2)
    x[::2, 1:] = 0.0
    x[3, :] = 0.0
    x_val[1:4, 2] = 0.0
    y, y_val = np.arange(90).reshape(30, 3) % 4, np.arange(33).reshape(11, 3) % 4
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, validation_data=(x_val, y_val), verbose=0)
    return history.history, model.evaluate(x_val, y_val, verbose=0), model.predict(x_val, verbose=0)
"""
LEVELS = """def main(data, model):
    x, _, x_val, _ = data
    x, x_val = x.reshape(-1, 3, 2), x_val.reshape(-1, 3, 2)
    x[::3, 1:] = -1.0
    x_val[1:4, 2] = -1.0
    y, y_val = x.sum(axis=-1, keepdims=True), x_val.sum(axis=-1, keepdims=True)
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    history = model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    batches = tf.data.Dataset.from_tensor_slices((x_val, y_val)).batch(4)
    return history.history, model.evaluate(batches, verbose=0), model.evaluate(x_val, y_val, verbose=0)
"""

MASKED = (
    Program("tags of sequences with padding", HEAD + TAGS_SOURCE + TAGS, TAGS_MODEL),
    Program("levels of sequences with padding", HEAD + LEVELS_SOURCE + LEVELS, LEVELS_MODEL),
)
