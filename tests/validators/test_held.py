"""Functions that use models of their module: both sides have the same weights in these."""

from __future__ import annotations

import ast

import pytest
from migrator_validators.cases import Array, Call, Case, Lit, RecordedMap, WeightMap
from migrator_validators.check import check_case
from migrator_validators.held import finds
from migrator_validators.hints import Modules
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Rung

SOURCE = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

SCALE = 2.0
model = keras.Sequential([keras.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(2)])
other = layers.Dense(7)


def score(x):
    return tf.reduce_sum(model(x) * SCALE, axis=-1)


def saliency(x, label):
    with tf.GradientTape() as tape:
        tape.watch(x)
        wanted = model(x)[:, label]
    return tf.abs(tape.gradient(wanted, x))


def both(x):
    return score(x) + tf.reduce_sum(saliency(x, 0), axis=-1)
"""
TARGET = """
import torch
from torch import nn

SCALE = 2.0
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(3, 4)
        self.fc2 = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


model = Model().to(device)


def score(x):
    return torch.sum(model(x) * SCALE, dim=-1)


def saliency(x, label):
    x = x.detach().requires_grad_()
    wanted = model(x)[:, label]
    return torch.autograd.grad(wanted.sum(), x)[0].abs()


def both(x):
    return score(x) + saliency(x, 0).sum(dim=-1)
"""
DENSE = (("kernel", "weight", "T"), ("bias", "bias", ""))
RECORDS = tuple(
    RecordedMap(owner="m:Model", path=p, keras="tf.keras.layers.Dense", params=DENSE) for p in ("fc1", "fc2")
)
X = Array(shape=("N", 3))


def case(name: str, *more: int) -> Case:
    call = Call(source=f"m:{name}", args=(X, *(Lit(value=n) for n in more)))
    made = Case(id=name, kind="function", call=call, weights=WeightMap(records=RECORDS))
    held, differentiates = finds(made, Modules({"m": ast.parse(SOURCE)}))
    return made.model_copy(update={"held": held, "grad": not differentiates})


def test_what_a_function_and_those_that_it_calls_find_is_known() -> None:
    assert case("score").held == ("m:SCALE", "m:model")
    assert case("both").held == ("m:SCALE", "m:model")
    assert [case(name).grad for name in ("score", "saliency", "both")] == [True, False, False]


def outcomes(made: Case, workers: Workers, *change: str) -> dict[Rung, Outcome]:
    target = TARGET.replace(*change) if change else TARGET
    found = check_case(made, pack_tree({"m.py": SOURCE}), pack_tree({"m.py": target}), workers)
    return {v.rung: v.outcome for v in found.verdicts}


@pytest.mark.parametrize(("name", "more"), [("score", ()), ("saliency", (1,)), ("both", ())])
def test_a_right_function_of_such_a_model_is_equal(name: str, more: tuple[int, ...], workers: Workers) -> None:
    found = outcomes(case(name, *more), workers)
    assert set(found.values()) <= {Outcome.PASS, Outcome.NOT_APPLICABLE}, found
    assert found[Rung.WEIGHTS] is found[Rung.FORWARD] is Outcome.PASS


@pytest.mark.parametrize(
    ("name", "more", "change"),
    [
        ("score", (), ("torch.tanh(", "torch.relu(")),
        ("score", (), ("model(x) * SCALE", "model(x).detach() * SCALE")),
        ("saliency", (1,), ("[:, label]", "[:, 0]")),
        ("saliency", (1,), ("[0].abs()", "[0]")),
    ],
)
def test_a_wrong_one_is_refused(name: str, more: tuple[int, ...], change: tuple[str, str], workers: Workers) -> None:
    assert Outcome.FAIL in outcomes(case(name, *more), workers, *change).values()
