from __future__ import annotations

import ast

import pytest

from migrator.source.scan import Broken, imports, imports_tf, parse, spread


@pytest.mark.parametrize(
    "text",
    [
        "import tensorflow as tf",
        "import tensorflow.keras.layers",
        "from tensorflow import keras",
        "from keras.layers import Dense",
        "import tf_keras",
        "import tf_slim as slim",
        "import tensorflow_datasets as tfds",
        "def f():\n    from tensorflow.python.ops import math_ops",
        "import importlib\ntf = importlib.import_module('tensorflow')",
        "tf = __import__('tensorflow')",
        "try:\n    import keras\nexcept ImportError:\n    keras = None",
    ],
)
def test_tensorflow_is_found(text: str) -> None:
    assert imports_tf(imports(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np  # not tensorflow",
        "NAME = 'tensorflow'",
        "from .keras import x",
        "from mylib.tensorflow import y",
        "import tensorflowlike",
        "import tfxs",
        "import kerastuner_free",
    ],
)
def test_a_mention_is_no_use(text: str) -> None:
    assert not imports_tf(imports(ast.parse(text)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("print 'x'\n", "Python 2 (line 1"),
        ("try:\n    pass\nexcept A, e:\n    pass\n", "Python 2 (line 3"),
        ("x = 0777\n", "Python 2 (line 1"),
        ("def f(:\n", "syntax error (line 1"),
        ("x = " + "(" * 300 + ")" * 300, "too many nested parentheses"),
        ("x = " + "-" * 100_000 + "1", "nested too deeply"),
    ],
)
def test_what_does_not_parse_says_why(text: str, why: str) -> None:
    tree = parse(text)
    assert isinstance(tree, Broken)
    assert why in tree.why


def test_importers_of_importers_are_reached_and_others_are_not() -> None:
    uses = {
        "train.py": {"model.py", "config.py"},
        "model.py": {"layers.py"},
        "plot.py": {"config.py"},
        "cycle.py": {"train.py", "cycle.py"},
    }
    assert spread(["layers.py"], uses) == {"layers.py", "model.py", "train.py", "cycle.py"}
