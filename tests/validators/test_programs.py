"""Programs are run to their end, and the numbers that they print are compared."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Call, Case
from migrator_validators.check import check_case
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Rung, Verdict

SOURCE = """
import time
import numpy as np
import tensorflow as tf


def main():
    x = tf.constant([[1.0, -2.0], [3.0, 0.5]])
    noise = tf.random.normal((2, 2))
    tf.random.set_seed(3)
    {lines}


if __name__ == "__main__":
    main()
"""

TARGET = """
import time
import numpy as np
import torch


def main():
    x = torch.tensor([[1.0, -2.0], [3.0, 0.5]])
    noise = torch.randn((2, 2))
    {lines}


if __name__ == "__main__":
    main()
"""


def verdicts(source: str, target: str, workers: Workers) -> tuple[Verdict, ...]:
    case = Case(id="p", kind="script", call=Call(source="program:__main__"))
    trees = [
        pack_tree({"program.py": text.format(lines=lines)}) for text, lines in ((SOURCE, source), (TARGET, target))
    ]
    return check_case(case, *trees, workers).verdicts


def forward(source: str, target: str, workers: Workers) -> Verdict | None:
    return next((v for v in verdicts(source, target, workers) if v.rung is Rung.FORWARD), None)


RIGHT = [
    ("print('sum', tf.reduce_sum(x), x.shape)", "print('sum', x.sum(), x.shape)", "3 values"),
    ("print(f'{float(tf.reduce_sum(x)):.2f} of 3')", "print(f'{x.sum().item():.2f} of 3')", "2 values"),
    ("global y; y = tf.square(x)[0]", "global y; y = x.square()[0]", "1 values"),
    ("tf.print('noise', noise + x)", "print('noise', noise + x)", "1 values"),
]


@pytest.mark.parametrize(("source", "target", "said"), RIGHT)
def test_what_is_printed_alike_is_evidence(source: str, target: str, said: str, workers: Workers) -> None:
    found = forward(source, target, workers)
    assert found is not None
    assert (found.outcome, found.detail) == (Outcome.PASS, f"{said} that it prints or has at its end")


WRONG = [
    ("print('sum', tf.reduce_sum(x))", "print('sum', x.mean())"),
    ("print(f'{float(tf.reduce_sum(x)):.2f} of 3')", "print(f'{x.sum().item():.2f} of 4')"),
    ("print(f'{float(tf.reduce_sum(x)):.2f}')", "print(f'{x.abs().sum().item():.2f}')"),
    ("print(noise)", "print(2 * noise)"),
    ("global y; y = tf.square(x)", "global y; y = x.abs()"),
]


@pytest.mark.parametrize(("source", "target"), WRONG)
def test_other_numbers_are_wrong(source: str, target: str, workers: Workers) -> None:
    found = forward(source, target, workers)
    assert found is not None
    assert found.outcome is Outcome.FAIL
    assert "line 11 of the original prints: " in found.detail or found.detail.startswith("y: ")


UNCLEAR = [
    ("print(tf.reduce_sum(x)); print(tf.zeros_initializer)", "print(x.sum()); print(torch.nn.init.zeros_)"),
    ("print(tf.reduce_sum(x)); print(f'{time.time():.3f}')", "print(x.sum()); print(f'{time.time():.3f}')"),
    (
        "print(x[0, 0]); print(tf.keras.layers.Dense(2)(x).shape)",
        "print(x[0, 0]); print(torch.nn.Linear(2, 2)(x).shape)",
    ),
    ("print(tf.keras.layers.Dense(2)(x))", "print(torch.nn.Linear(2, 2)(x))"),
    ("print(f'{x}')", "print(f'{x}')"),
    ("print('shape', tf.reduce_sum(x, axis=0).shape)", "print('shape', x.sum(0, keepdim=True).shape)"),
    ("print(1.0); print(2.0)", "print(1.0)"),
]


@pytest.mark.parametrize(("source", "target"), UNCLEAR)
def test_what_cannot_be_compared_is_neither(source: str, target: str, workers: Workers) -> None:
    found = forward(source, target, workers)
    assert found is not None
    assert found.outcome is Outcome.UNVERIFIABLE


def test_a_program_that_breaks_is_wrong(workers: Workers) -> None:
    found = verdicts("print(1.0)", "print(undefined)", workers)
    assert (found[-1].rung, found[-1].outcome) == (Rung.RUNS, Outcome.FAIL)


def test_the_end_alone_is_no_evidence(workers: Workers) -> None:
    found = verdicts("print('done')", "print('done')", workers)
    assert [v.rung for v in found] == [Rung.SOURCE_RUNS, Rung.DEVICE, Rung.RUNS]


def test_versions_are_no_numbers(workers: Workers) -> None:
    assert forward("print(tf.__version__)", "print(torch.__version__)", workers) is None
