"""TensorFlow 1 graphs: the steps, draws and rates of a session are seen, and wrong counterparts fail."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Array as ArrayArg
from migrator_validators.cases import Call, Case, RecordedMap, WeightMap, WeightPair
from migrator_validators.training import check_training
from migrator_validators.workers import Reply, Workers

from migrator.model import Outcome, Rung

SOURCE = """
import numpy as np
import tensorflow.compat.v1 as tf


def run(x, y, ids):
    with tf.Graph().as_default():
        features = tf.placeholder(tf.float32, [None, 3])
        target = tf.placeholder(tf.float32, [None, 1])
        words = tf.placeholder(tf.int32, [None])
        rate = tf.placeholder_with_default(0.0, [])
        table = tf.get_variable("table", [5, 3])
        kernel = tf.get_variable("kernel", [3, 1])
        h = tf.nn.dropout(features + tf.nn.embedding_lookup(table, words), rate=rate)
        h = h + 0.1 * tf.random_normal(tf.shape(h))
        loss = tf.reduce_mean(tf.square(tf.matmul(h, kernel) - target))
        first = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, var_list=[kernel])
        second = tf.train.GradientDescentOptimizer(0.5).minimize(loss, var_list=[table])
        losses = []
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            for step in range(5):
                op = first if step % 2 == 0 else tf.group(second)
                _, value = sess.run([op, loss], {features: x, target: y, words: ids, rate: 0.5})
                losses.append(value)
            return losses, sess.run(table)
"""

TARGET = """
import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.empty(5, 3))
        self.kernel = nn.Parameter(torch.empty(3, 1))

    def loss(self, x, y, ids, rate):
        h = F.dropout(x + self.table[ids], rate)
        h = h + 0.1 * torch.randn(h.shape)
        return (h @ self.kernel - y).square().mean()


def run(x, y, ids):
    model = Model()
    x, y, ids = torch.as_tensor(x), torch.as_tensor(y), torch.as_tensor(ids).long()
    everything = torch.optim.SGD(model.parameters(), lr=0.0)
    first = torch.optim.SGD([model.kernel], lr=0.1, momentum=0.9)
    second = torch.optim.SGD([model.table], lr=0.5)
    losses = []
    for step in range(5):
        loss = model.loss(x, y, ids, 0.5)
        model.zero_grad()
        loss.backward()
        (first if step % 2 == 0 else second).step()
        losses.append(loss.item())
    return losses, model.table.detach().numpy()
"""

WRONG = {
    "rate of dropout": ("ids, 0.5)", "ids, 0.4)"),
    "rate of learning": ("lr=0.5", "lr=0.4"),
    "noise": ("0.1 * torch.randn", "0.2 * torch.randn"),
    "momentum": ("momentum=0.9", "momentum=0.8"),
    "order": ("step % 2 == 0", "step % 2 == 1"),
    "result": ("model.table.detach().numpy()", "model.kernel.detach().numpy()"),
}
REPLIES: dict[str, Reply] = {}


def case() -> Case:
    pairs = tuple(WeightPair(source=f"variable({name})", target=name) for name in ("table", "kernel"))
    x = ArrayArg(**{"as": "numpy"}, shape=(7, 3), seed=1)
    y = ArrayArg(**{"as": "numpy"}, shape=(7, 1), seed=2)
    ids = ArrayArg(**{"as": "numpy"}, shape=(7,), dtype="int32", dist="integers", low=0, high=5, seed=3)
    call = Call(source="program:run", args=(x, y, ids))
    return Case(id="session", kind="training", call=call, weights=WeightMap(pairs=pairs))


@pytest.mark.parametrize("name", ["", *WRONG])
def test_a_session_is_compared_step_by_step(workers: Workers, name: str) -> None:
    target = TARGET
    if name:
        old, new = WRONG[name]
        assert old in target
        target = target.replace(old, new)
    verdicts = check_training(case(), {"program.py": SOURCE}, {"program.py": target}, workers, sources=REPLIES)
    assert any(v.outcome is Outcome.FAIL for v in verdicts) == bool(name), verdicts
    if not name:
        assert all(v.outcome is Outcome.PASS for v in verdicts), verdicts
        assert {v.rung for v in verdicts} >= {Rung.GRADIENTS, Rung.STEPS, Rung.TRAINING}


def test_the_rate_of_a_session_is_changed_on_both_sides(workers: Workers) -> None:
    """After three steps the harness feeds another rate, so that a target that ignores its own is found out."""
    changed = case().model_copy(update={"training": case().training.model_copy(update={"lr_change": 2})})
    replies: dict[str, Reply] = {}
    verdicts = check_training(changed, {"program.py": SOURCE}, {"program.py": TARGET}, workers, sources=replies)
    assert all(v.outcome is Outcome.PASS for v in verdicts), verdicts
    rates = [optimizer["rates"] for optimizer in replies["float32"].result["optimizers"]]
    assert [len(set(r)) for r in rates] == [2, 1]


PARTS = TARGET.replace(
    "class Model",
    """class Part(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.value = nn.Parameter(torch.empty(*shape))


class Model""",
)


def test_a_session_is_one_model_whose_parts_are_trained_alone(workers: Workers) -> None:
    target = "\n".join(line for line in PARTS.splitlines() if "everything" not in line)
    for name, shape in (("table", "5, 3"), ("kernel", "3, 1")):
        target = target.replace(f"nn.Parameter(torch.empty({shape}))", f"Part({shape})")
        target = target.replace(f"[model.{name}]", f"model.{name}.parameters()")
    target = target.replace("self.table[", "self.table.value[").replace("@ self.kernel", "@ self.kernel.value")
    target = target.replace("table.detach", "table.value.detach")
    pairs = tuple(WeightPair(source=f"variable({n})", target=f"{n}.value") for n in ("table", "kernel"))
    parts = case().model_copy(update={"weights": WeightMap(pairs=pairs)})
    verdicts = check_training(parts, {"program.py": SOURCE}, {"program.py": target}, workers, sources=REPLIES)
    assert all(v.outcome is Outcome.PASS for v in verdicts), verdicts


TWO = """
import numpy as np
import tensorflow.compat.v1 as tf


def run(x, y):
    with tf.Graph().as_default():
        features = tf.placeholder(tf.float32, [None, 3])
        target = tf.placeholder(tf.float32, [None, 1])
        actor = tf.get_variable("actor", [3, 1])
        gain = tf.reduce_mean(tf.tanh(tf.matmul(features, actor)) * target)
        climb = tf.train.GradientDescentOptimizer(0.1).minimize(-gain)
        critic = tf.get_variable("critic", [3, 1])
        loss = tf.reduce_mean(tf.square(tf.matmul(features, critic) - target))
        learn = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            for step in range(5):
                _, error = sess.run([learn, loss], {features: x, target: y})
                sess.run(climb, {features: x, target: y * error})
            return error
"""
TWO_TARGET = """
import torch
from torch import nn


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Parameter(torch.empty(3, 1))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Parameter(torch.empty(3, 1))


def run(x, y):
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    actor = Actor()
    climb = torch.optim.SGD(actor.parameters(), lr=0.1)
    critic = Critic()
    learn = torch.optim.SGD(critic.parameters(), lr=0.1, momentum=0.9)
    for step in range(5):
        loss = (x @ critic.critic - y).square().mean()
        learn.zero_grad()
        loss.backward()
        learn.step()
        error = loss.detach()
        gain = (torch.tanh(x @ actor.actor) * (y * error)).mean()
        climb.zero_grad()
        (-gain).backward()
        climb.step()
    return error.numpy()
"""


@pytest.mark.parametrize("change", [(), ("(-gain)", "gain"), ("momentum=0.9", "momentum=0.8"), ("y * error", "y")])
def test_a_session_of_unrelated_models_is_compared_model_by_model(workers: Workers, change: tuple[str, ...]) -> None:
    records = tuple(
        RecordedMap(owner=f"program:{name.title()}", path="", keras="tf.Graph", params=(("trained", name, ""),))
        for name in ("actor", "critic")
    )
    x = ArrayArg(**{"as": "numpy"}, shape=(7, 3), seed=1)
    y = ArrayArg(**{"as": "numpy"}, shape=(7, 1), seed=2)
    call = Call(source="program:run", args=(x, y))
    both = Case(id="two", kind="training", call=call, weights=WeightMap(records=records))
    target = TWO_TARGET.replace(*change) if change else TWO_TARGET
    verdicts = check_training(both, {"program.py": TWO}, {"program.py": target}, workers)
    assert any(v.outcome is Outcome.FAIL for v in verdicts) == bool(change), verdicts
    if not change:
        assert {v.rung for v in verdicts} >= {Rung.GRADIENTS, Rung.STEPS, Rung.TRAINING}
