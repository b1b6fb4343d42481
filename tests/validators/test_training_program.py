"""A script that trains is compared as a whole: what else it computes and prints, and not its training alone."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Call, Case
from migrator_validators.check import check_case
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Rung

SOURCE = """
import datetime
import time
import numpy as np
import tensorflow as tf

rng = np.random.RandomState(0)
x = rng.randn(12, 3).astype("float32")
y = (x.sum(axis=1, keepdims=True) > 0).astype("float32")
scale = tf.reduce_max(tf.abs(x))
started = time.time()
w = tf.Variable(tf.zeros([3, 1]))
optimizer = tf.keras.optimizers.SGD(0.1)
for step in range(4):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - y))
    optimizer.apply_gradients([(tape.gradient(loss, w), w)])
    print(f"step {step}: loss {float(loss):.4f}")
labels = np.argmax(tf.matmul(x, w).numpy(), axis=1)
print("took", time.time() - started, "until", datetime.datetime.now().isoformat())
print(tf.reduce_sum(w) * scale)
"""

TARGET = """
import datetime
import time
import numpy as np
import torch

rng = np.random.RandomState(0)
x = rng.randn(12, 3).astype("float32")
y = (x.sum(axis=1, keepdims=True) > 0).astype("float32")
scale = torch.as_tensor(x).abs().max()
started = time.time()
w = torch.zeros([3, 1], requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)
for step in range(4):
    loss = (torch.as_tensor(x) @ w - torch.as_tensor(y)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print("and a line of its own")
    print(f"step {step}: loss {loss.item():.4f}")
labels = np.argmax((torch.as_tensor(x) @ w).detach().numpy(), axis=1)
print("took", time.time() - started, "until", datetime.datetime.now().isoformat())
print((w.sum() * scale).detach())
"""


def said(workers: Workers, *change: str) -> tuple[Outcome, str]:
    """The outcome and detail of the rung `training`."""
    target = TARGET.replace(*change) if change else TARGET
    assert not change or target != TARGET
    case = Case(id="p", kind="training", call=Call(source="program:__main__"))
    trees = pack_tree({"program.py": SOURCE}), pack_tree({"program.py": target})
    found = next(v for v in check_case(case, *trees, workers).verdicts if v.rung is Rung.TRAINING)
    return found.outcome, found.detail


def test_what_is_right_passes(workers: Workers) -> None:
    assert said(workers)[0] is Outcome.PASS


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (("scale = torch.as_tensor(x).abs().max()", "scale = torch.as_tensor(x).max()"), "scale: "),
        (("loss {loss.item():.4f}", "loss {2 * loss.item():.4f}"), "line 18 of the original prints: "),
        (("(w.sum() * scale)", "(w.mean() * scale)"), "line 21 of the original prints: "),
    ],
)
def test_what_is_beside_the_training_is_compared(change: tuple[str, str], detail: str, workers: Workers) -> None:
    outcome, found = said(workers, *change)
    assert outcome is Outcome.FAIL
    assert detail in found
