"""What a module does while it is imported: its values are compared, what its functions did there counts for nothing."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Array, Call, Case, Made, WeightMap, WeightPair
from migrator_validators.check import Checked, check_case
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Rung

SOURCE = """
import random
import numpy as np
import tensorflow as tf
from tensorflow import keras


def square(x):
    return tf.square(x)


def shown(x):
    return tf.reduce_sum(x)


class Agent:
    def __init__(self):
        self.rows = []
        self.model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])

    def remember(self, row):
        self.rows.append(row)

    def act(self, row):
        return self.model(row)


rng, dice, source = np.random.RandomState(0), random.Random(1), np.random.default_rng(2)
x = tf.constant(rng.rand(2, 3).astype("float32"))
print(shown(x))
"""
TARGET = (
    SOURCE.replace("import tensorflow as tf\nfrom tensorflow import keras\n", "import torch\nfrom torch import nn\n")
    .replace("tf.square", "torch.square")
    .replace("tf.reduce_sum", "torch.sum")
    .replace("tf.constant", "torch.as_tensor")
    .replace(
        "keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])",
        'nn.LazyLinear(2).to("cuda" if torch.cuda.is_available() else "cpu")',
    )
)


def checked(workers: Workers, case: Case, *change: str) -> Checked:
    target = TARGET.replace(*change) if change else TARGET
    assert not change or target != TARGET
    return check_case(case, pack_tree({"m.py": SOURCE}), pack_tree({"m.py": target}), workers)


def outcomes(found: Checked) -> dict[Rung, Outcome]:
    return {v.rung: v.outcome for v in found.verdicts}


def test_functions_that_ran_at_import_alone_were_not_seen(workers: Workers) -> None:
    case = Case(id="s", kind="function", call=Call(source="m:square", args=(Array(shape=(2, 3)),)))
    reached = checked(workers, case).reached
    line = {name: number for number, text in enumerate(TARGET.splitlines(), 1) for name in [text.strip()]}
    assert {"m.py:square", f"m.py#{line['return torch.square(x)']}", f"m.py#{line['print(shown(x))']}"} <= reached
    assert not {"m.py:shown", f"m.py#{line['return torch.sum(x)']}"} & reached


NAMES = Case(id="n", kind="constant", call=Call(source="m"), names=("dice", "rng", "source", "x"))


def test_generators_are_equal_where_they_will_draw_the_same(workers: Workers) -> None:
    assert outcomes(checked(workers, NAMES))[Rung.FORWARD] is Outcome.PASS


@pytest.mark.parametrize(
    "change",
    [
        ("x = torch.as_tensor(rng", "rng.rand()\nx = torch.as_tensor(np.random.RandomState(0)"),
        ("random.Random(1)", "random.Random(2)"),
        ("default_rng(2)", "default_rng(3)"),
    ],
)
def test_generators_that_will_draw_others_differ(change: tuple[str, str], workers: Workers) -> None:
    assert outcomes(checked(workers, NAMES, *change))[Rung.FORWARD] is Outcome.FAIL


MAP = WeightMap(
    pairs=(
        WeightPair(source="model.layers[0].kernel", target="model.weight", transform="T"),
        WeightPair(source="model.layers[0].bias", target="model.bias"),
    )
)


@pytest.mark.parametrize("method", ["remember", "act"])
def test_a_method_of_an_object_whose_model_has_no_sizes_yet_is_called_once(method: str, workers: Workers) -> None:
    made = Made(label="a", call=Call(source="m:Agent"), map=MAP)
    case = Case(id=method, kind="function", call=Call(source=method, on=made, args=(Array(shape=("N", 3)),)))
    found = outcomes(checked(workers, case))
    assert set(found.values()) <= {Outcome.PASS, Outcome.NOT_APPLICABLE}, found
    assert found[Rung.WEIGHTS] is Outcome.PASS
