"""Parts of expressions that ran: the values of a condition, what `or` goes on with, bodies of lambdas."""

from __future__ import annotations

import ast

import pytest
from migrator_validators.cases import Array, Call, Case, Lit
from migrator_validators.check import check_case
from migrator_validators.probes.branches import name, of_code, parts
from migrator_validators.workers import Workers, pack_tree

SOURCE = """
import tensorflow as tf


def scaled(x, twice=False):
    y = tf.square(x) if twice else tf.abs(x)
    half = lambda v: v * 0.5
    whole = (
        tf.exp(y)
        if twice
        else tf.sin(y)
    )
    rows = [row + 1.0 for row in tf.unstack(whole)]
    return tf.stack(rows) if twice or tf.reduce_sum(x) > 0 else half(whole)
"""
TARGET = """
import torch


def scaled(x, twice=False):
    y = torch.square(x) if twice else torch.abs(x)
    half = lambda v: v * 0.5
    whole = (
        torch.exp(y)
        if twice
        else torch.sin(y)
    )
    rows = [row + 1.0 for row in whole.unbind()]
    return torch.stack(rows) if twice or torch.sum(x) > 0 else half(whole)
"""
PARTS = {name(part): ast.unparse(part) for node in ast.walk(ast.parse(TARGET)) for part in parts(node)}


def test_parts_have_names_of_their_own() -> None:
    assert set(PARTS.values()) == {
        "torch.square(x)",
        "torch.abs(x)",
        "v * 0.5",
        "torch.exp(y)",
        "torch.sin(y)",
        "row + 1.0",
        "torch.stack(rows)",
        "torch.sum(x) > 0",
        "half(whole)",
    }


def test_code_without_a_file_has_none() -> None:
    assert of_code(compile("x = 1 if y else 2", "<made up>", "exec")) == {}


@pytest.mark.parametrize(
    ("twice", "missed"),
    [
        (False, {"torch.square(x)", "torch.exp(y)", "v * 0.5", "half(whole)"}),
        (True, {"torch.abs(x)", "torch.sin(y)", "v * 0.5", "half(whole)", "torch.sum(x) > 0"}),
    ],
)
def test_what_a_check_did_not_run_is_known(twice: bool, missed: set[str], workers: Workers) -> None:
    x = Array(shape=(2, 3), dist="uniform", low=0.5, high=1.0)
    case = Case(id="s", kind="function", call=Call(source="m:scaled", args=(x,), kwargs={"twice": Lit(value=twice)}))
    reached = check_case(case, pack_tree({"m.py": SOURCE}), pack_tree({"m.py": TARGET}), workers).reached
    ran = {n.partition("#")[2] for n in reached if n.startswith("m.py#")}
    assert {text for called, text in PARTS.items() if called not in ran} == missed
