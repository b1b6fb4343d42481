"""Metrics as Keras 2 has them, means over elements: figures over batches and resets, beside tf_keras."""

from __future__ import annotations

from typing import Any

import libcst as cst
import numpy as np
import pytest
from fake_facts import parsed
from test_preprocessing_keras_2 import keras_2

from migrator.facts import analyse
from migrator.model import Rewritten
from migrator.rules import rulebook
from migrator.rules.engine.rewriter import rewrite

torch = pytest.importorskip("torch")
rulebook()
DATA = """rng = np.random.default_rng(0)
numbers = [rng.normal(size=(4, 3)).astype("float32") for _ in range(3)]
shares = [rng.uniform(0.1, 1.0, size=(4, 3)).astype("float32") for _ in range(3)]
marks = [rng.integers(0, 2, size=(4, 3)).astype("float32") for _ in range(3)]
ids = [rng.integers(0, 3, size=(4,)).astype("float32") for _ in range(3)]
"""
USED = """
found = []
for labels, predictions in zip({labels}, {predictions}):
    m.update_state(labels, predictions)
    found.append(m.result())
m.reset_state()
found += [m.result(), m({labels}[2], {predictions}[0])]
"""
FAR = """def far(y_true, y_pred):
    return tf.reduce_mean(tf.cast(tf.abs(y_true - y_pred) > 0.5, tf.float32), axis=-1)

"""
METRICS = (
    ("MeanSquaredError()", "numbers", "numbers[::-1]"),
    ("MeanAbsoluteError()", "numbers", "shares"),
    ("RootMeanSquaredError()", "numbers", "shares"),
    ("MeanAbsolutePercentageError()", "shares", "shares[::-1]"),
    ("MeanSquaredLogarithmicError()", "shares", "shares[::-1]"),
    ("LogCoshError()", "numbers", "shares"),
    ("CosineSimilarity()", "numbers", "shares"),
    ("KLDivergence()", "shares", "shares[::-1]"),
    ("Poisson()", "shares", "shares[::-1]"),
    ("Hinge()", "marks", "numbers"),
    ("SquaredHinge()", "marks", "numbers"),
    ("CategoricalHinge()", "marks", "numbers"),
    ("Accuracy()", "marks", "marks[::-1]"),
    ("BinaryAccuracy(threshold=0.4)", "marks", "shares"),
    ("BinaryCrossentropy(from_logits=True)", "marks", "numbers"),
    ("CategoricalAccuracy()", "shares", "numbers"),
    ("CategoricalCrossentropy()", "shares", "shares[::-1]"),
    ("SparseCategoricalAccuracy()", "ids", "numbers"),
    ("SparseCategoricalCrossentropy()", "ids", "shares"),
    ("TopKCategoricalAccuracy(k=2)", "shares", "numbers"),
    ("SparseTopKCategoricalAccuracy(k=2)", "ids", "numbers"),
    ("MeanRelativeError([1.0, 0.0, 3.0])", "numbers", "shares"),
    ("MeanRelativeError(normalizer=np.full((4, 3), 2.0), name='share')", "numbers", "shares"),
    ("MeanMetricWrapper(far)", "numbers", "shares"),
    ("MeanMetricWrapper(far, name='far')", "numbers", "shares"),
)
TENSORS = """
m.update_state(numbers[0])
first = m.result()
m.update_state(numbers[1].tolist())
second, third = m.result(), m(shares[0])
m.reset_state()
found = [first, second, third, m.result(), m(numbers[2])]
"""


def rewritten(source: str) -> Rewritten:
    tree, spans = parsed(source)
    return rewrite(tree, analyse({"sample": source}).modules["sample"], spans, keras=2)


def compare(program: str) -> None:
    """Runs a program that leaves `m` and `found` with tf_keras and as it is rewritten."""
    import tensorflow as tf

    theirs: dict[str, Any] = {"np": np, "tf": tf, "keras_2": keras_2}
    exec(program.replace("tf.keras", "keras_2"), theirs)
    result = rewritten(f"import numpy as np\nimport tensorflow as tf\n\n{program}")
    assert result.declines == ()
    assert isinstance(result.node, cst.Module)
    ours: dict[str, Any] = {}
    exec("import torch\nimport torch.nn.functional as F\n", ours)
    for helper in result.helpers:
        exec("\n".join([*helper.imports, helper.source]), ours)
    exec(result.node.code.replace("import tensorflow as tf\n", ""), ours)
    for one, other in zip(theirs["found"], ours["found"], strict=True):
        np.testing.assert_allclose(other.numpy(), one.numpy(), rtol=1e-5, atol=1e-6)
    assert ours["m"].name == theirs["m"].name.partition("_1")[0]


@pytest.mark.parametrize(("made", "labels", "predictions"), METRICS, ids=lambda text: text)
def test_means_over_elements(made: str, labels: str, predictions: str) -> None:
    keras_2.backend.clear_session()
    far = FAR * made.startswith("MeanMetricWrapper")
    compare(f"{DATA}{far}\nm = tf.keras.metrics.{made}{USED.format(labels=labels, predictions=predictions)}")


@pytest.mark.parametrize("made", ["MeanTensor()", "MeanTensor(name='t', shape=(4, 3))"])
def test_means_of_every_element(made: str) -> None:
    compare(f"{DATA}m = tf.keras.metrics.{made}{TENSORS}")


@pytest.mark.parametrize(
    "call", ["m.update_state([1.0], sample_weight=[2.0])", "tf.keras.metrics.MeanTensor(dtype='float64')"]
)
def test_declined(call: str) -> None:
    result = rewritten(f"import tensorflow as tf\n\nm = tf.keras.metrics.MeanTensor()\n{call}\n")
    assert result.declines != ()
