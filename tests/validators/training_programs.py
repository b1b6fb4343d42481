"""A training program in Keras, its PyTorch counterpart, and wrong variants of the latter."""

from __future__ import annotations

from migrator_validators.cases import Array, Call, Case, Lit, Made, WeightMap, WeightPair

SOURCE = """
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def build_model(dropout=0.5):
    return keras.Sequential([
        keras.Input((6,)),
        layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.l2(1e-2)),
        layers.BatchNormalization(),
        layers.Dropout(dropout),
        layers.Dense(3, activation="softmax"),
    ])


def train(model, x, y, epochs=2):
    model.compile(keras.optimizers.OPTIMIZER, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(x, y, batch_size=8, epochs=epochs, validation_split=0.25, verbose=0)
"""

TARGET = """
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Model(nn.Module):
    def __init__(self, dropout=0.5):
        super().__init__()
        self.fc1 = nn.Linear(6, 8)
        self.bn = nn.BatchNorm1d(8, eps=1e-3, momentum=0.01)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(8, 3)

    def logits(self, x):
        return self.fc2(self.dropout(self.bn(F.relu(self.fc1(x)))))

    def forward(self, x):
        return F.softmax(self.logits(x), dim=1)


def build_model(dropout=0.5):
    return Model(dropout)


def loss_fn(model, logits, y):
    return F.cross_entropy(logits, y) + 1e-2 * model.fc1.weight.square().sum()


def train(model, x, y, epochs=2):
    optimizer = torch.optim.OPTIMIZER
    split = int(len(x) * 0.75)
    dataset = TensorDataset(torch.as_tensor(x), torch.as_tensor(y).long())
    loader = DataLoader(torch.utils.data.Subset(dataset, range(split)), batch_size=8, shuffle=True)
    val_loader = DataLoader(torch.utils.data.Subset(dataset, range(split, len(x))), batch_size=8)
    history = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        model.train()
        total, correct = 0.0, 0
        for xb, yb in loader:
            logits = model.logits(xb)
            loss = loss_fn(model, logits, yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
            correct += (logits.argmax(dim=1) == yb).sum().item()
        history["loss"].append(total / split)
        history["accuracy"].append(correct / split)
        model.eval()
        total, correct = 0.0, 0
        with torch.no_grad():
            for xb, yb in val_loader:
                logits = model.logits(xb)
                total += loss_fn(model, logits, yb).item() * len(xb)
                correct += (logits.argmax(dim=1) == yb).sum().item()
        history["val_loss"].append(total / (len(x) - split))
        history["val_accuracy"].append(correct / (len(x) - split))
    return history
"""

OPTIMIZERS = {
    "sgd": ("SGD(0.05, momentum=0.9)", "SGD(model.parameters(), lr=0.05, momentum=0.9)"),
    "adam": ("Adam(1e-2)", "Adam(model.parameters(), lr=1e-2, eps=1e-7)"),
}

# what is replaced in TARGET, by what, and the rung at which it must fail (with SGD)
MUTANTS = {
    "missing zero_grad": ("            optimizer.zero_grad()\n", "", "steps"),
    "wrong rate": ("lr=0.05", "lr=0.06", "steps"),
    "wrong momentum": ("momentum=0.9", "momentum=0.8", "steps"),
    "nesterov": ("momentum=0.9", "momentum=0.9, nesterov=True", "steps"),
    "weight decay": ("momentum=0.9", "momentum=0.9, weight_decay=1e-2", "steps"),
    "sum instead of mean": ("F.cross_entropy(logits, y)", "F.cross_entropy(logits, y, reduction='sum')", "gradients"),
    "missing regulariser": (" + 1e-2 * model.fc1.weight.square().sum()", "", "gradients"),
    "missing eval": ("        model.eval()\n", "", "steps"),
    "wrong dropout": ("nn.Dropout(dropout)", "nn.Dropout(dropout / 2)", "gradients"),
    "no dropout": ("self.dropout(self.bn(F.relu(self.fc1(x))))", "self.bn(F.relu(self.fc1(x)))", "gradients"),
    "batch average": ("loss.item() * len(xb)", "loss.item() * 8", "training"),
    "shuffled validation": ("len(x))), batch_size=8)", "len(x))), batch_size=8, shuffle=True)", "training"),
    "not shuffled": (", shuffle=True)", ")", "training"),
    "batch size": ("range(split)), batch_size=8", "range(split)), batch_size=6", "gradients"),
    "one epoch fewer": ("range(epochs)", "range(epochs - 1)", "steps"),
    "last batch dropped": ("shuffle=True)", "shuffle=True, drop_last=True)", "steps"),
    "bn momentum": ("momentum=0.01", "momentum=0.1", "training"),
    "bn epsilon": ("eps=1e-3, ", "", "gradients"),
    "split from the front": ("range(split)), batch", "range(len(x) - split, len(x))), batch", "gradients"),
    "renamed metric": ('"val_accuracy"', '"val_acc"', "training"),
    "frozen layer": ("model.parameters()", "list(model.parameters())[2:]", "gradients"),
    "wrong output": ("F.softmax(self.logits(x), dim=1)", "torch.sigmoid(self.logits(x))", "training"),
    "output without its activation": ("F.softmax(self.logits(x), dim=1)", "self.logits(x)", "training"),
    "output along another axis": ("F.softmax(self.logits(x), dim=1)", "F.softmax(self.logits(x), dim=0)", "training"),
    "double softmax": ("model.logits(xb)\n            loss", "model(xb)\n            loss", "gradients"),
}  # fmt: skip

MAP = WeightMap(
    pairs=(
        WeightPair(source="layers[0].kernel", target="fc1.weight", transform="T"),
        WeightPair(source="layers[0].bias", target="fc1.bias"),
        WeightPair(source="layers[1].gamma", target="bn.weight"),
        WeightPair(source="layers[1].beta", target="bn.bias"),
        WeightPair(source="layers[1].moving_mean", target="bn.running_mean"),
        WeightPair(source="layers[1].moving_variance", target="bn.running_var"),
        WeightPair(source="layers[3].kernel", target="fc2.weight", transform="T"),
        WeightPair(source="layers[3].bias", target="fc2.bias"),
    )
)


def source(optimizer: str) -> str:
    return SOURCE.replace("OPTIMIZER", OPTIMIZERS[optimizer][0])


def target(optimizer: str) -> str:
    return TARGET.replace("OPTIMIZER", OPTIMIZERS[optimizer][1])


def case(gaps: tuple[str, ...] = ("batchnorm-variance",), weights: WeightMap = MAP) -> Case:
    """Twenty-eight rows: the training part of 21 ends in a batch of 5."""
    model = Made(label="model", call=Call(source="program:build_model", args=(Lit(value=0.4),)))
    x = Array(**{"as": "numpy"}, shape=(28, 6), seed=1)
    y = Array(**{"as": "numpy"}, shape=(28,), dtype="int64", dist="integers", high=3, seed=2)
    call = Call(source="program:train", args=(model, x, y), source_result="history")
    return Case(id="train", kind="training", call=call, weights=weights, gaps=gaps)
