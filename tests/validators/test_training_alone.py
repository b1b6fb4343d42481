"""Variables that belong to no model: trained by an optimizer, or by a function that is compared alone."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Array, Call, Case
from migrator_validators.check import check_case
from migrator_validators.training import check_training
from migrator_validators.workers import Reply, Workers, pack_tree

from migrator.model import Outcome, Rung

SOURCE = """import tensorflow as tf


def fit(x, y):
    w = tf.Variable(tf.random.uniform((3,)))
    b = tf.Variable(0.5)
    unused = tf.Variable(1.0)
    optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
    for _ in range(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((tf.linalg.matvec(x, w) + b - y) ** 2)
        grads = tape.gradient(loss, [w, b, unused])
        optimizer.apply_gradients((g, v) for g, v in zip(grads, [w, b, unused]) if g is not None)
    return w.numpy(), b.numpy()
"""

TARGET = """import torch


def fit(x, y):
    w = torch.rand(3, requires_grad=True)
    b = torch.tensor(0.5, requires_grad=True)
    unused = torch.tensor(1.0, requires_grad=True)
    optimizer = torch.optim.SGD([w, b, unused], lr=0.1, momentum=0.9)
    for _ in range(4):
        loss = ((x @ w + b - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return w.detach().numpy(), b.detach().numpy()
"""

SOURCES: dict[str, Reply] = {}


@pytest.mark.parametrize(
    ("old", "new", "rung", "said"),
    [
        ("", "", None, ""),
        ("torch.tensor(0.5", "torch.tensor(0.4", Rung.GRADIENTS, "a variable begins as 0.4"),
        ("torch.rand(3", "torch.randn(3", Rung.GRADIENTS, "a variable begins as"),
        ("** 2).mean()", "** 2).sum()", Rung.GRADIENTS, "gradient of variable 0"),
        ("[w, b, unused]", "[w]", Rung.GRADIENTS, "trains 1 variables outside of models, the source 2"),
        ("momentum=0.9", "momentum=0.8", Rung.STEPS, "update of variable 0"),
        ("return w.", "return 2 * w.", Rung.TRAINING, "result[0]"),
    ],
)
def test_variables_that_an_optimizer_trains(workers: Workers, old: str, new: str, rung: Rung | None, said: str) -> None:
    target = TARGET.replace(old, new) if old else TARGET
    arguments = (Array(shape=(8, 3), seed=1), Array(shape=(8,), seed=2))
    case = Case(id="fit", kind="training", call=Call(source="program:fit", args=arguments))
    verdicts = check_training(case, {"program.py": SOURCE}, {"program.py": target}, workers, sources=SOURCES)
    failed = [v for v in verdicts if v.outcome is not Outcome.PASS]
    assert [v.rung for v in failed[:1]] == ([] if rung is None else [rung]), verdicts
    assert said in "".join(v.detail for v in failed[:1])


GLOBALS = """import numpy as np
import tensorflow as tf

w = tf.Variable(tf.random.normal((3,)))
SCALE = np.random.rand()


def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((SCALE * tf.linalg.matvec(x, w)) ** 2)
    w.assign_sub(0.1 * tape.gradient(loss, w))
    return loss
"""

MIGRATED = """import numpy as np
import torch

w = torch.randn(3, requires_grad=True)
SCALE = np.random.rand()


def step(x):
    loss = ((SCALE * (x @ w)) ** 2).sum()
    (grad,) = torch.autograd.grad(loss, w)
    with torch.no_grad():
        w.sub_(0.1 * grad)
    return loss.detach()
"""


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        ("", "", Outcome.PASS),
        ("torch.randn(3", "torch.rand(3", Outcome.FAIL),
        ("0.1 * grad", "0.2 * grad", Outcome.FAIL),  # which later batches show
        ("np.random.rand()", "np.random.randn()", Outcome.FAIL),
    ],
)
def test_functions_that_train_what_their_module_holds(workers: Workers, old: str, new: str, outcome: Outcome) -> None:
    target = MIGRATED.replace(old, new) if old else MIGRATED
    case = Case(
        id="step",
        kind="function",
        call=Call(source="program:step", args=(Array(shape=(4, 3)),)),
        random=True,
        grad=False,
    )
    trees = (pack_tree({"program.py": GLOBALS}), pack_tree({"program.py": target}))
    verdicts = check_case(case, *trees, workers).verdicts
    assert (verdicts[-1].rung, verdicts[-1].outcome) == (Rung.FORWARD, outcome), verdicts
