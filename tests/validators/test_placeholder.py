"""TensorFlow's stand-in in trees where some units are still TensorFlow."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Array, Call, Case
from migrator_validators.check import check_case, check_import
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Verdict

X = Array(shape=(3,), values=[0.5, -1.0, 2.0])
CELLS = """
from tensorflow.keras.layers import *

SIZES = [1, 2]


class Cell(Layer):
    kind = Dense

    def call(self, x):
        size = 3
        return Dense(size)(x)


class Wide(Cell):
    def call(self, x):
        return range(2)
"""
SOURCE = (
    CELLS
    + """

def scaled(x):
    return x * 2.0
"""
)
LEANING = (
    CELLS
    + """

def scaled(x):
    return Scale(x * 2.0)
"""
)
HANDED_ON = (
    CELLS
    + """

def scaled(x):
    return Scale
"""
)


def verdicts(target: str, workers: Workers) -> tuple[Verdict, ...]:
    trees = [pack_tree({"program.py": SOURCE}), pack_tree({"program.py": target}, tf_remains=True)]
    case = Case(id="scaled", kind="function", call=Call(source="program:scaled", args=(X,)))
    return check_case(case, *trees, workers).verdicts


def test_a_star_import_binds_what_the_file_reads(workers: Workers) -> None:
    packed = pack_tree({"program.py": SOURCE}, tf_remains=True)
    assert check_import("program", packed, workers).outcome is Outcome.PASS
    assert verdicts(SOURCE, workers)[-1].outcome is Outcome.PASS


@pytest.mark.parametrize("target", [LEANING, HANDED_ON])
def test_a_unit_may_not_lean_on_what_it_binds(target: str, workers: Workers) -> None:
    assert verdicts(target, workers)[-1].outcome is not Outcome.PASS
