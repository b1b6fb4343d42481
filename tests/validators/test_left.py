"""What a call leaves behind: attributes of its object, lists of its caller, and what it is when it goes on."""

from __future__ import annotations

import ast

import pytest
from migrator_validators.cases import Array, Batches, Call, Case, Items, Made, WeightMap, WeightPair
from migrator_validators.cases import Mapping as MappingArg
from migrator_validators.check import check_case
from migrator_validators.hints import Modules, hinted
from migrator_validators.trainings import other_owners, trainings
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Rung

SOURCE = """
import tensorflow as tf
from tensorflow import keras


def build():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


class Trainer:
    def __init__(self):
        self.model = build()
        self.optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
        self.losses, self.epsilon, self.state = [], 1.0, "new"

    def step(self, x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.model(x) - y) ** 2)
        grads = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.model.trainable_variables))
        self.losses.append(float(loss))
        self.epsilon *= 0.9
        self.state = "trained"


class Meter:
    def __init__(self):
        self.total, self.rows = 0.0, []

    def add(self, x):
        self.total += float(tf.reduce_sum(x))
        self.rows.append([len(x), float(x[0, 0])])


class Tally:
    def add(self, x):
        if not hasattr(self, "count"):
            self.count, self.sums = 0, [0.0, 0.0, 0.0]
        self.sums[self.count % 3] = float(tf.reduce_sum(x))
        self.count += 1


def collect(x, found):
    found["mean"] = float(tf.reduce_mean(x))


def score(data):
    total = 0.0
    count = 0
    for x in data:
        total += float(tf.reduce_sum(x))
        count += len(x)
    return total / count


def fit(model, x, y, log, epochs=20):
    optimizer = keras.optimizers.SGD(0.1)
    for epoch in range(epochs):
        optimizer.learning_rate.assign(0.1 if epoch < 10 else 0.01)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x) - y) ** 2)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        log.append(float(loss))
    return {"last": float(loss)}
"""

TARGET = """
import torch
from torch import nn

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def build():
    return nn.Sequential(nn.Linear(3, 1)).to(device)


class Trainer:
    def __init__(self):
        self.model = build()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.losses, self.epsilon, self.state = [], 1.0, "new"

    def step(self, x, y):
        loss = ((self.model(x) - y) ** 2).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.losses.append(float(loss))
        self.epsilon *= 0.9
        self.state = "trained"


class Meter:
    def __init__(self):
        self.total, self.rows = 0.0, []

    def add(self, x):
        self.total += float(x.sum())
        self.rows.append([len(x), float(x[0, 0])])


class Tally:
    def add(self, x):
        if not hasattr(self, "count"):
            self.count, self.sums = 0, [0.0, 0.0, 0.0]
        self.sums[self.count % 3] = float(x.sum())
        self.count += 1


def collect(x, found):
    found["mean"] = float(x.mean())


def score(data):
    total = 0.0
    count = 0
    for x in data:
        total += float(x.sum())
        count += len(x)
    return total / count


def fit(model, x, y, log, epochs=20):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = 0.1 if epoch < 10 else 0.01
        loss = ((model(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        log.append(float(loss))
    return {"last": float(loss)}
"""

X, Y = Array(shape=(12, 3), scale=0.1), Array(shape=(12, 1), scale=0.1)
MAP = WeightMap(
    pairs=(
        WeightPair(source="layers[0].kernel", target="0.weight", transform="T"),
        WeightPair(source="layers[0].bias", target="0.bias"),
    )
)
INSIDE = WeightMap(
    pairs=(
        WeightPair(source="model.layers[0].kernel", target="model.0.weight", transform="T"),
        WeightPair(source="model.layers[0].bias", target="model.0.bias"),
    )
)
OWNER = Made(label="trainer", call=Call(source="program:Trainer"), map=INSIDE)
MODEL = Made(label="model", call=Call(source="program:build"), map=MAP)
STEP = Case(id="step", kind="training", call=Call(source="step", on=OWNER, args=(X, Y)))
FIT = Case(id="fit", kind="training", call=Call(source="program:fit", args=(MODEL, X, Y, Items())))
ORIGINAL = Modules({"program": ast.parse(SOURCE)})
OTHERS = {case.id: case for case in (*other_owners([STEP], ORIGINAL), *trainings(FIT, ORIGINAL))}
METER = Made(label="meter", call=Call(source="program:Meter"), weights=False)
ADD = hinted(Case(id="add", kind="function", call=Call(source="add", on=METER, args=(X,))), ORIGINAL)
TALLY = Made(label="tally", call=Call(source="program:Tally"), weights=False)
TALLIED = hinted(Case(id="tally", kind="function", call=Call(source="add", on=TALLY, args=(X,))), ORIGINAL)
COLLECT = hinted(
    Case(id="collect", kind="function", call=Call(source="program:collect", args=(X, MappingArg()))), ORIGINAL
)
DATA = Batches(element=Array(shape=(8, 3)), sizes=(8, 8))
SCORE = hinted(Case(id="score", kind="function", call=Call(source="program:score", args=(DATA,))), ORIGINAL)
CASES = {"step": STEP, "fit": FIT, "add": ADD, "tally": TALLIED, "collect": COLLECT, "score": SCORE, **OTHERS}


def failed(case: str, workers: Workers, *change: str) -> str:
    """What the verifier says against the changed target, "" for nothing."""
    target = TARGET.replace(*change) if change else TARGET
    assert not change or target != TARGET
    trees = pack_tree({"program.py": SOURCE}), pack_tree({"program.py": target})
    verdicts = check_case(CASES[case], *trees, workers).verdicts
    fine = Outcome.PASS, Outcome.NOT_APPLICABLE
    found = [v for v in verdicts if v.outcome not in fine]
    assert any(v.outcome is Outcome.PASS for v in verdicts if v.rung in (Rung.FORWARD, Rung.TRAINING)) or found
    return found[0].detail if found else ""


@pytest.mark.parametrize("case", ["step", "step-again", "fit", "fit-later", "add", "tally", "collect", "score"])
def test_right_programs_pass(case: str, workers: Workers) -> None:
    assert failed(case, workers) == ""


@pytest.mark.parametrize(
    ("case", "change", "said"),
    [
        ("step", ("        self.epsilon *= 0.9\n", ""), "attribute epsilon afterwards"),
        ("step", ("self.losses.append(float(loss))", "self.losses.append(2 * float(loss))"), "attribute losses[0]"),
        ("step", ("        self.losses.append(float(loss))\n", ""), "attribute losses afterwards: list of 0"),
        ("step", ('self.state = "trained"', 'self.state = "done"'), "attribute state afterwards: 'done'"),
        ("step-again", ("        self.optimizer.zero_grad()\n", ""), "at step 2"),
        ("step-again", ("        loss.backward()", "        self.__init__()\n        loss.backward()"), ""),
        ("fit", ("        log.append(float(loss))\n", ""), "container 0 afterwards: list of 0"),
        ("fit", ('{"last": float(loss)}', '{"last": loss}'), "is a tensor"),
        ("add", ("self.total += float", "self.total = float"), "attribute total afterwards"),
        ("add", ("self.total += float(x.sum())", "self.total += float(x.sum()) if len(x) == 12 else 0.0"), "total"),
        ("add", ("self.rows.append([len(x), float(x[0, 0])])", "pass"), "attribute rows afterwards: list of 0"),
        ("tally", ("self.sums[self.count % 3]", "self.sums[(self.count + 1) % 3]"), "attribute sums"),
        ("collect", ('found["mean"]', 'found["average"]'), "container 0 afterwards"),
        ("score", ("return total / count", "return total / len(data) / len(x)"), "one more batch"),
        ("fit-later", ("epoch < 10", "epoch < 11"), "learning rate at step 11"),
    ],
)
def test_what_is_left_otherwise_is_found(case: str, change: tuple[str, str], said: str, workers: Workers) -> None:
    found = failed(case, workers, *change)
    assert found
    assert said in found
