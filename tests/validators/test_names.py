"""Static rungs: what is left of TensorFlow, which torch names are used, which public names are gone."""

from __future__ import annotations

import ast

import pytest
from migrator_validators import names
from migrator_validators.files import check_public, check_text
from migrator_validators.workers import Workers

from migrator.model import InterfaceChange, Outcome, Rung


@pytest.mark.parametrize(
    "text",
    [
        "import tensorflow as tf",
        "from tensorflow.keras import layers",
        "import keras.layers",
        "def f():\n    import tensorflow",
        "import importlib\nimportlib.import_module('tensorflow.keras')",
        "__import__('keras')",
        "x = tf.constant(1)",
    ],
)
def test_tensorflow_is_found(text: str) -> None:
    assert names.frameworks_left(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    ["import torch", "tf = 3\nprint(tf)", "from .keras import x", "def f(keras): return keras", "s = 'tensorflow'"],
)
def test_nothing_is_found_where_nothing_is(text: str) -> None:
    assert names.frameworks_left(ast.parse(text)) == ()


def test_torch_names_are_spelled_from_their_import() -> None:
    head = "import torch\nimport torch.nn.functional as F\nfrom torch import nn as n\n"
    text = head + "F.relu(torch.ones(1))\nn.Linear(1, 2)"
    found = {f.name for f in names.torch_names(ast.parse(text))}
    assert {"torch.nn.functional.relu", "torch.ones", "torch.nn.Linear"} <= found


def test_a_rebound_name_is_left_alone() -> None:
    text = "from torch import nn\nfor nn in ():\n    nn.nothing()"
    assert "torch.nn.nothing" not in {f.name for f in names.torch_names(ast.parse(text))}


def test_a_file_that_does_not_parse() -> None:
    (verdict,) = check_text("a.py", "def f(:")
    assert (verdict.rung, verdict.outcome) == (Rung.PARSES, Outcome.FAIL)


def test_torch_names_must_exist(workers: Workers) -> None:
    good = "import torch\nfrom torch.optim.lr_scheduler import LambdaLR\nx: torch.Tensor = torch.zeros(2)"
    assert check_text("a.py", good, workers)[-1].outcome is Outcome.PASS
    wrong = check_text("a.py", "import torch\ntorch.reduce_sum(1)\ntorch.nn.Dense(3)", workers)[-1]
    assert (wrong.rung, wrong.outcome) == (Rung.NAMES, Outcome.FAIL)
    assert wrong.detail == "torch has no torch.reduce_sum (line 2), torch.nn.Dense (line 3)"


def test_a_mixed_file_keeps_its_tensorflow() -> None:
    verdict = check_text("a.py", "import tensorflow", tf_remains=True)[-1]
    assert verdict.outcome is Outcome.NOT_APPLICABLE


def test_public_names_stay() -> None:
    source = "A = 1\n_b = 2\ndef f(): pass\nclass C: pass\nx, y = 1, 2"
    assert check_public(source, source, "m").outcome is Outcome.PASS
    gone = check_public(source, "A = 1\nclass C: pass\nx, y = 1, 2", "m")
    assert (gone.outcome, gone.detail) == (Outcome.FAIL, "public names are gone: f")
    excused = InterfaceChange("m:f", "factory-to-module", "became a class")
    assert check_public(source, "A = 1\nclass C: pass\nx, y = 1, 2", "m", [excused]).outcome is Outcome.PASS
