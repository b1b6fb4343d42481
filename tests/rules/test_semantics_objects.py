"""Differences of optimizers, schedules and normalisation in training: the obvious spelling is wrong, ours right.

Each test is named after its entry in the list of measured differences between TensorFlow and PyTorch.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from migrator.model import Decline, LayerCode, OptimizerCode
from migrator.rules import rulebook
from migrator.rules.measures.functions import each_function
from migrator.rules.objects import Objects
from migrator.rules.objects.schedules import schedule_of
from migrator.values import Instance, Literal, Tensor

# (entry, optimizer, arguments, what the rule writes, the obvious text)
OPTIMIZERS = (
    ("6.1 Adam", "Adam", {"epsilon": 1e-2}, "eps=0.01", "eps=1e-8"),
    ("6.2 RMSprop", "RMSprop", {}, "RMSprop(", "torch.optim.RMSprop("),
    ("6.6 Nadam", "Nadam", {}, ", momentum_decay=1.0", ""),
    ("6.7 decoupled decay", "Adam", {"weight_decay": 0.1}, "AdamW(", "torch.optim.Adam("),
    ("6.8 decay of AdamW", "AdamW", {"learning_rate": 0.1}, "weight_decay=0.004", "weight_decay=0.01"),
    ("6.4 velocity under a changing rate", "SGD", {"momentum": 0.9}, "SGD(", "torch.optim.SGD("),
)


def _difference(name: str, arguments: dict[str, object], code: OptimizerCode, call: str) -> float:
    """The largest difference of the weights after eight steps, the rate cut after four."""
    import keras

    rng = np.random.default_rng(3)
    start = rng.normal(size=5).astype("float32")
    theirs, ours = keras.Variable(start), torch.nn.Parameter(torch.tensor(start))
    optimizer = getattr(keras.optimizers, name)(**arguments)
    scope: dict[str, Any] = {"torch": torch, "model": SimpleNamespace(parameters=lambda: iter([ours]))}
    for helper in code.helpers:
        exec(helper.source, scope)
    mine = eval(call.format(params="model.parameters()"), scope)
    for index in range(8):
        if index == 4:
            optimizer.learning_rate.assign(float(optimizer.learning_rate) * 0.1)
            mine.param_groups[0]["lr"] *= 0.1
        grad = rng.normal(size=5).astype("float32")
        optimizer.apply_gradients([(keras.ops.convert_to_tensor(grad), theirs)])
        ours.grad = torch.tensor(grad)
        mine.step()
    return float(np.abs(theirs.numpy() - ours.detach().numpy()).max())


@pytest.mark.parametrize(("entry", "name", "arguments", "old", "new"), OPTIMIZERS, ids=[o[0] for o in OPTIMIZERS])
def test_optimizers(entry: str, name: str, arguments: dict[str, object], old: str, new: str) -> None:
    texts, values = {k: repr(v) for k, v in arguments.items()}, {k: Literal(v) for k, v in arguments.items()}
    code = Objects(exact=True).optimizer(f"tf.keras.optimizers.{name}", texts, values)
    assert isinstance(code, OptimizerCode)
    assert old in code.call
    assert _difference(name, arguments, code, code.call) < 5e-6
    assert _difference(name, arguments, code, code.call.replace(old, new)) > 1e-5


# (entry, schedule, arguments, what it obviously is: a torch scheduler at the same base rate)
SCHEDULES = (
    (
        "7.2 continuous decay",
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5},
        lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.5),
    ),
    (
        "7.2 stairs",
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5, "staircase": True},
        lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.5 ** (1 / 4)),
    ),
    (
        "7.4 the cosine stays down",
        "CosineDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 5},
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 5),
    ),
)


@pytest.mark.parametrize(("entry", "name", "arguments", "obvious"), SCHEDULES, ids=[s[0] for s in SCHEDULES])
def test_schedules(entry: str, name: str, arguments: dict[str, object], obvious: Any) -> None:
    import keras

    instance = Instance(
        f"tf.keras.optimizers.schedules.{name}", args=tuple((k, Literal(v)) for k, v in arguments.items())
    )
    ours = eval(schedule_of(instance), {"math": math})
    theirs = getattr(keras.optimizers.schedules, name)(**arguments)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = obvious(optimizer)
    expected, rates = [float(theirs(step)) for step in range(9)], []
    for _ in range(9):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose([ours(step) for step in range(9)], expected, rtol=1e-5, atol=1e-9)
    assert np.abs(np.asarray(rates) - expected).max() > 1e-3


def _normalised(x: np.ndarray[Any, Any], code: LayerCode, module: str, frozen: bool = False) -> Any:
    scope: dict[str, Any] = {"torch": torch, "nn": nn, "F": F}
    for helper in code.helpers:
        exec(helper.source, scope)
    layer = eval(module, scope)
    layer.train()
    if frozen:
        layer.requires_grad_(False)
    layer(torch.tensor(x))
    return layer


def test_2_2_momentum_and_2_3_variance() -> None:
    import keras

    x = np.random.default_rng(0).normal(2.0, 3.0, (4, 3)).astype("float32")
    theirs = keras.layers.BatchNormalization(momentum=0.9)
    theirs(x, training=True)
    code = rulebook(exact=True).layer(
        "tf.keras.layers.BatchNormalization",
        {"momentum": "0.9"},
        {"momentum": Literal(0.9)},
        (Tensor((None, 3), "float32"),),
    )
    assert isinstance(code, LayerCode)
    assert code.module is not None
    right = _normalised(x, code, code.module)
    np.testing.assert_allclose(right.running_mean, theirs.moving_mean, rtol=1e-5)
    np.testing.assert_allclose(right.running_var, theirs.moving_variance, rtol=1e-5)
    same_number = _normalised(x, code, code.module.replace("momentum=0.1", "momentum=0.9"))
    assert np.abs(same_number.running_mean.numpy() - theirs.moving_mean).max() > 0.1
    stock = _normalised(x, code, f"nn.{code.module}")
    assert np.abs(stock.running_var.numpy() - theirs.moving_variance).max() > 0.01


def test_2_6_a_frozen_normalisation_keeps_its_statistics() -> None:
    """`trainable = False` stops them in Keras; without gradients alone torch goes on: `.eval()` is written too."""
    import keras

    x = np.random.default_rng(0).normal(2.0, 3.0, (4, 3)).astype("float32")
    theirs = keras.layers.BatchNormalization()
    theirs.build(x.shape)
    theirs.trainable = False
    theirs(x, training=True)
    code = LayerCode("nn.BatchNorm1d(3, eps=1e-3, momentum=0.01)", "", "bn")
    obvious = _normalised(x, code, code.module or "", frozen=True)
    assert np.allclose(theirs.moving_mean, 0.0)
    assert not torch.allclose(obvious.running_mean, torch.zeros(3))
    obvious.running_mean.zero_()
    obvious.eval()(torch.tensor(x))
    assert torch.allclose(obvious.running_mean, torch.zeros(3))


def test_7_9_decay_of_older_optimizers() -> None:
    """`decay` lowers the rate with every step; it is neither a decay of the weights nor one of epochs."""
    import keras

    texts = {"learning_rate": "0.1", "decay": "0.5"}
    code = Objects().optimizer(
        "tf.keras.optimizers.legacy.SGD", texts, {k: Literal(float(v)) for k, v in texts.items()}
    )
    assert isinstance(code, OptimizerCode)
    assert code.schedule is not None
    assert "weight_decay" not in code.call
    rates = [eval(code.schedule)(step) for step in range(6)]
    expected = [float(keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.5)(step)) for step in range(6)]
    np.testing.assert_allclose(rates, expected, rtol=1e-6)
    assert rates[1] < 0.07
    both = Objects().optimizer(
        "tf.keras.optimizers.legacy.SGD",
        {**texts, "learning_rate": "rate"},
        {"learning_rate": Instance("tf.keras.optimizers.schedules.CosineDecay"), "decay": Literal(0.5)},
    )
    assert isinstance(both, Decline)


@pytest.mark.parametrize("name", ["binary_crossentropy", "binary_focal_crossentropy"])
def test_labels_that_are_no_shares_count_as_in_keras(name: str) -> None:
    import keras

    y_true = np.array([[-0.5, 0.0, 1.0], [1.5, 0.25, 1.0]], "float32")
    y_pred = np.array([[0.2, 0.0, 1.0], [0.9, 0.5, 0.1]], "float32")
    helper = each_function(name)
    scope: dict[str, Any] = {}
    every = [*helper.needs, helper]
    exec("\n".join([*(line for h in every for line in h.imports), *(h.source for h in every)]), scope)
    got = scope[name](torch.tensor(y_true), torch.tensor(y_pred))
    np.testing.assert_allclose(got, getattr(keras.losses, name)(y_true, y_pred), rtol=1e-5)
