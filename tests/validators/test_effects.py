"""What a function prints and writes is compared, beside what it returns."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Array, Call, Case, Lit
from migrator_validators.check import check_case
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Rung, Verdict

SOURCE = """
import json

import numpy as np
import tensorflow as tf


def show(scores):
    for i, best in enumerate(tf.argmax(scores, axis=-1).numpy()):
        print("row", i, "best", best)


def told(scores):
    tf.print("mean", tf.reduce_mean(scores))
    return tf.reduce_sum(scores)


def described(scores):
    print(f"scores {scores}")
    return tf.reduce_sum(scores)


def write(path, scores):
    means = tf.reduce_mean(scores, axis=0).numpy()
    with open(path, "w") as file:
        json.dump([round(float(m), 4) for m in means], file)


def save(path, scores):
    np.save(path, tf.reduce_mean(scores, axis=0).numpy())
"""
TARGET = """
import json

import numpy as np
import torch


def show(scores):
    for i, best in enumerate(torch.argmax(scores, dim=-1).numpy()):
        print("row", i, "best", best)


def told(scores):
    print("mean", scores.mean())
    return scores.sum()


def described(scores):
    print(f"scores {scores}")
    return scores.sum()


def write(path, scores):
    means = scores.mean(dim=0).detach().numpy()
    with open(path, "w") as file:
        json.dump([round(float(m), 4) for m in means], file)


def save(path, scores):
    np.save(path, scores.mean(dim=0).detach().numpy())
"""
SCORES = Array(shape=(5, 5))
ARGS = {"write": (Lit(value="means.json"), SCORES), "save": (Lit(value="means.npy"), SCORES)}


def forward(name: str, workers: Workers, *change: str) -> Verdict:
    """The verdict on results of a function, after a change of its migration."""
    target = TARGET.replace(*change) if change else TARGET
    assert not change or target != TARGET
    case = Case(id=name, kind="function", call=Call(source=f"program:{name}", args=ARGS.get(name, (SCORES,))))
    trees = pack_tree({"program.py": SOURCE}), pack_tree({"program.py": target})
    return next(v for v in check_case(case, *trees, workers).verdicts if v.rung is Rung.FORWARD)


@pytest.mark.parametrize("name", ["show", "told", "described", "write", "save"])
def test_equal_functions_pass(name: str, workers: Workers) -> None:
    assert forward(name, workers).outcome is Outcome.PASS


def test_what_only_a_library_writes_so_is_a_footnote(workers: Workers) -> None:
    assert forward("told", workers, 'print("mean", scores.mean())', "print(scores.mean())").outcome is Outcome.PASS
    assert forward("described", workers).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("show", ("torch.argmax", "torch.argmin"), "line 10 of the original prints"),
        ("show", ("dim=-1", "dim=0"), "line 10 of the original prints"),
        ("show", ('print("row", i, "best", best)', "pass"), "is not printed"),
        ("told", ("scores.mean())", "scores.sum())"), "line 14 of the original prints"),
        ("write", ("mean(dim=0)", "mean(dim=1)"), "the file means.json"),
        ("write", ("round(float(m), 4)", "round(float(m), 2)"), "the file means.json"),
        ("write", ("for m in means", "for m in means[:-1]"), "the file means.json: another text"),
        ("write", ('open(path, "w")', 'open(path + ".pt", "w")'), "the file means.json is not written"),
        ("write", ('open(path, "w")', 'open("other.json", "w")'), "the file means.json is not written"),
        ("save", ("np.save(path, scores.mean(dim=0)", "np.save(path, scores.mean(dim=1)"), "the file means.npy"),
    ],
)
def test_other_effects_are_refused(name: str, change: tuple[str, str], said: str, workers: Workers) -> None:
    verdict = forward(name, workers, *change)
    assert verdict.outcome is Outcome.FAIL
    assert said in verdict.detail


CLOCK = """
import time


def timed(scores):
    begun = time.time()
    total = LIBRARY(scores)
    print(f"took {time.time() - begun:.6f} s")
    return total
"""


def test_clocks_go_on_by_fixed_steps(workers: Workers) -> None:
    source = CLOCK.replace("LIBRARY", "__import__('tensorflow').reduce_sum")
    target = CLOCK.replace("LIBRARY", "__import__('torch').sum")
    case = Case(id="timed", kind="function", call=Call(source="program:timed", args=(SCORES,)))
    trees = pack_tree({"program.py": source}), pack_tree({"program.py": target})
    verdicts = check_case(case, *trees, workers).verdicts
    assert [v.outcome for v in verdicts if v.rung is Rung.FORWARD] == [Outcome.PASS]
