"""A function whose result the original draws is neither equal nor different."""

from __future__ import annotations

from migrator_validators.cases import Array, Call, Case, Made
from migrator_validators.check import check_case
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Rung, Verdict

SOURCE = """
from tensorflow import keras


def untrained(x):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    return model(x)


def doubled(x):
    return keras.ops.multiply(x, 2.0)


def build():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])


def scored(model, x):
    return model(x)
"""
TARGET = """
from torch import nn


def untrained(x):
    return nn.Linear(3, 4)(x)


def doubled(x):
    return x * 3.0


def build():
    return nn.Linear(3, 4)


def scored(model, x):
    return model(x) + 1.0
"""


X = Array(shape=("N", 3))


def forward(name: str, workers: Workers, *objects: Made) -> Verdict:
    call = Call(source=f"program:{name}", args=(*objects, X))
    case = Case(id=name, kind="function", call=call, sizes={"N": (4, 5)})
    trees = pack_tree({"program.py": SOURCE}), pack_tree({"program.py": TARGET})
    return next(v for v in check_case(case, *trees, workers).verdicts if v.rung is Rung.FORWARD)


def test_first_weights_that_a_function_draws_make_it_unverifiable(workers: Workers) -> None:
    verdict = forward("untrained", workers)
    assert verdict.outcome is Outcome.UNVERIFIABLE
    assert "chance" in verdict.detail


def test_what_draws_nothing_is_refused(workers: Workers) -> None:
    assert forward("doubled", workers).outcome is Outcome.FAIL


def test_first_weights_of_a_model_that_it_is_given_are_no_chance(workers: Workers) -> None:
    model = Made(label="model", call=Call(source="program:build"))
    assert forward("scored", workers, model).outcome is Outcome.FAIL
