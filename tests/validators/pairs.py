"""Small programs in TensorFlow and their PyTorch counterparts, for the verifier's own tests."""

from __future__ import annotations

from migrator_validators.cases import Array, Call, Case, Lit, Made
from migrator_validators.check import Checked, check_case
from migrator_validators.workers import Workers, pack_tree

SOURCE = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

RATE = 0.1


def distances(a, b, squared=False):
    d = tf.reduce_sum(tf.square(a[:, None] - b[None]), axis=-1)
    return d if squared else tf.sqrt(d)


def constant(x):
    return tf.zeros_like(x)


def broken(x):
    raise ValueError("the original is broken")


def build(classes=3, rate=0.3):
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(rate)(x)
    x = layers.Flatten()(x)
    return keras.Model(image, layers.Dense(classes, activation="softmax")(x))


def small():
    return keras.Sequential([keras.Input((5,)), layers.Dense(4), layers.BatchNormalization()])


def loss(model, x, y):
    return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x, training=True)))


class Cross(keras.layers.Layer):
    def __init__(self, width=2, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.out = layers.Dense(3)

    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], self.width))
        self.calls = self.add_weight(name="calls", shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.calls.assign_add(1)
        return self.out(tf.matmul(x, self.kernel))


class Penalised(keras.layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], 2), regularizer=keras.regularizers.L2(0.05))

    def call(self, x):
        self.add_loss(0.1 * tf.reduce_mean(tf.square(x)))
        return tf.matmul(x, self.kernel)


def memory():
    rnn = layers.SimpleRNN(3, stateful=True, return_sequences=True)
    return keras.Sequential([keras.Input(batch_shape=(2, 4, 5)), rnn])


def shout(words):
    return tf.strings.join([tf.strings.upper(words), "!"])


def data(n=10):
    x = tf.reshape(tf.range(3.0 * n), (n, 3))
    pairs = tf.data.Dataset.from_tensor_slices((x, tf.range(n)))
    return pairs.shuffle(100).map(lambda a, b: (a / 2, b)).batch(4)


if __name__ == "__main__":
    print("done")
"""

TARGET = """
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

RATE = 0.1


def distances(a, b, squared=False):
    d = torch.square(a[:, None] - b[None]).sum(-1)
    return d if squared else torch.sqrt(d)


def constant(x):
    return torch.zeros_like(x)


def broken(x):
    return x


class Net(nn.Module):
    def __init__(self, classes=3, rate=0.3):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding="same")
        self.bn = nn.BatchNorm2d(4, eps=1e-3, momentum=0.01)
        self.dropout = nn.Dropout(rate)
        self.fc = nn.Linear(256, classes)
        self.reset_parameters()

    def reset_parameters(self):
        for layer in (self.conv, self.fc):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)
        x = self.dropout(self.bn(F.relu(self.conv(x))))
        return F.softmax(self.fc(x.permute(0, 2, 3, 1).flatten(1)), dim=-1)


def build(classes=3, rate=0.3):
    return Net(classes, rate)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, 4)
        self.bn = nn.BatchNorm1d(4, eps=1e-3, momentum=0.01)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        return self.bn(self.fc(x))


def small():
    return Small()


def loss(model, x, y):
    model.train()
    return F.nll_loss(torch.log(model(x)), y.long())


class Cross(nn.Module):
    def __init__(self, in_features, width=2):
        super().__init__()
        self.out = nn.Linear(width, 3)
        self.kernel = nn.Parameter(torch.empty(in_features, width))
        self.register_buffer("calls", torch.zeros((), dtype=torch.int32))
        for weight in (self.kernel, self.out.weight):
            nn.init.xavier_uniform_(weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        if self.training:
            self.calls += 1
        return self.out(x @ self.kernel)


class Penalised(nn.Module):
    def __init__(self, in_features):
        super().__init__()
        self.added_loss = 0.0
        self.kernel = nn.Parameter(torch.empty(in_features, 2))
        nn.init.xavier_uniform_(self.kernel)

    def forward(self, x):
        self.added_loss = 0.1 * x.square().mean()
        return x @ self.kernel

    def regularization_loss(self):
        return 0.05 * self.kernel.square().sum()


class Memory(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.state = nn.RNN(5, 3, batch_first=True), None
        nn.init.xavier_uniform_(self.rnn.weight_ih_l0)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)
        nn.init.zeros_(self.rnn.bias_ih_l0)
        nn.init.zeros_(self.rnn.bias_hh_l0.requires_grad_(False))

    def forward(self, x):
        outputs, state = self.rnn(x, self.state)
        self.state = state.detach()
        return outputs


def memory():
    return Memory()


def shout(words):
    return np.array([word.upper() + b"!" for word in words], dtype=object)


def data(n=10):
    x = torch.arange(3.0 * n).reshape(n, 3)
    return DataLoader(TensorDataset(x / 2, torch.arange(n)), batch_size=4, shuffle=True)


if __name__ == "__main__":
    print("done")
"""

IMAGES = Array(shape=("N", 8, 8, 3))
PAIR = (Array(shape=("N", 4)), Array(shape=("M", 4)))

CASES = {
    "rate": Case(id="rate", kind="constant", call=Call(source="program:RATE")),
    "distances": Case(id="distances", kind="function", call=Call(source="program:distances", args=PAIR)),
    "shout": Case(
        id="shout", kind="function", call=Call(source="program:shout", args=(Array(shape=("N",), dtype="object"),))
    ),
    "constant": Case(id="constant", kind="function", call=Call(source="program:constant", args=PAIR[:1])),
    "broken": Case(id="broken", kind="function", call=Call(source="program:broken", args=PAIR[:1])),
    "model": Case(
        id="model", kind="model", call=Call(source="program:build"), inputs=(IMAGES,), gaps=("batchnorm-variance",)
    ),
    "small": Case(
        id="small",
        kind="model",
        call=Call(source="program:small"),
        inputs=(Array(shape=("N", 5)),),
        gaps=("batchnorm-variance",),
    ),
    "loss": Case(
        id="loss",
        kind="function",
        call=Call(
            source="program:loss",
            args=(
                Made(label="model", call=Call(source="program:build")),
                IMAGES,
                Array(shape=("N",), dtype="int64", dist="integers", high=3),
            ),
        ),
        gaps=("batchnorm-variance",),
    ),
    "layer": Case(
        id="layer",
        kind="layer",
        call=Call(source="program:Cross", target_kwargs={"in_features": Lit(value=5)}),
        inputs=(Array(shape=("N", 5)),),
    ),
    "penalised": Case(
        id="penalised",
        kind="layer",
        call=Call(source="program:Penalised", target_kwargs={"in_features": Lit(value=5)}),
        inputs=(Array(shape=("N", 5)),),
    ),
    "memory": Case(id="memory", kind="model", call=Call(source="program:memory"), inputs=(Array(shape=(2, 4, 5)),)),
    "data": Case(id="data", kind="data", call=Call(source="program:data")),
    "script": Case(id="script", kind="script", call=Call(source="program:__main__")),
}


def check(name: str, workers: Workers, *changes: tuple[str, str], **options: object) -> Checked:
    """Check a case on the pair, with texts of the target replaced."""
    target = TARGET
    for old, new in changes:
        assert old in target, f"nothing to replace: {old}"
        target = target.replace(old, new)
    source_tree, target_tree = pack_tree({"program.py": SOURCE}), pack_tree({"program.py": target})
    return check_case(CASES[name], source_tree, target_tree, workers, **options)  # type: ignore[arg-type]
