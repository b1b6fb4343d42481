"""Names that are values: what stands in their place is the same value, or the dtype or error of that name."""

from __future__ import annotations

import ast
import logging
from enum import Enum
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch
from absl import flags

from migrator.rules import rulebook
from migrator.rules.engine.records import Rule
from migrator.rules.engine.registry import all_rules
from migrator.rules.engine.versions import VERSIONS

rulebook()
CONSTANTS = [rule for rule in all_rules() if rule.kind == "constant"]
# Values of TensorFlow's estimators, which it no longer has (tensorflow_estimator/python/estimator/mode_keys.py).
GONE = {"TRAIN": "train", "EVAL": "eval", "PREDICT": "infer", "INFER": "infer"}
# Classes and modules that stand for others.
PAIRS: dict[str, tuple[Any, Any]] = {
    "tf.Tensor": (tf.Tensor, torch.Tensor),
    "tf.DType": (tf.DType, torch.dtype),
    "tf.TensorShape": (tf.TensorShape, torch.Size),
    "tf.string": (type(tf.constant("a").numpy()), bytes),
}


def theirs(api: str) -> Any:
    if ".ModeKeys." in api:
        return GONE[api.rpartition(".")[2]]
    found: Any = tf
    for part in api.split(".")[1:]:
        found = getattr(found, part)
    return found


def ours(rule: Rule) -> Any:
    statement = rule.template.body[0]
    assert isinstance(statement, ast.Return)
    assert statement.value is not None
    scope = {"torch": torch, "logging": logging, "flags": flags, "np": np, "math": __import__("math")}
    return eval(ast.unparse(statement.value), scope)


@pytest.mark.parametrize("rule", CONSTANTS, ids=lambda rule: rule.api)
def test_constant(rule: Rule) -> None:
    have = ours(rule)
    if rule.api in PAIRS:
        assert have is PAIRS[rule.api][1]
        return
    if rule.api in VERSIONS:
        assert have == torch.__version__
        return
    want = theirs(rule.api)
    if isinstance(want, tf.DType):
        assert str(have) == f"torch.{want.name}"
    elif isinstance(want, type) and issubclass(want, tf.errors.OpError):
        assert issubclass(have, Exception)
    elif isinstance(want, Enum):
        assert have == want.value
    elif rule.api == "tf.compat.v1.flags":
        assert set(dir(have)) >= {name for name in dir(want) if name.startswith("DEFINE_")}
    elif rule.api == "tf.compat.v1.flags.FLAGS":
        flags.DEFINE_string("sample_constant", "a", "seen by both")
        have(["program"])
        assert want.sample_constant == have.sample_constant == "a"
    else:
        assert have == want or (have != have and want != want)
