"""Running metrics of hand-written loops: the figures that Keras's have, batch after batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

from tests.codemods.training_support import HEAD, draft, torch_module  # noqa: E402

RNG = np.random.default_rng(3)
CASES = (
    ("Mean()", "values"),
    ("Sum()", "values"),
    ("Accuracy()", "classes"),
    ("SparseCategoricalAccuracy()", "sparse"),
    ("CategoricalAccuracy()", "one-hot"),
    ("BinaryAccuracy(threshold=0.3)", "binary"),
    ("SparseTopKCategoricalAccuracy(k=2)", "sparse"),
    ("TopKCategoricalAccuracy(k=2)", "one-hot"),
    ("MeanAbsoluteError()", "real"),
    ("MeanSquaredError()", "real"),
    ("RootMeanSquaredError()", "real"),
    ("MeanAbsolutePercentageError()", "real"),
    ("MeanSquaredLogarithmicError()", "one-hot"),
    ("BinaryCrossentropy()", "binary"),
    ("CategoricalCrossentropy()", "one-hot"),
    ("SparseCategoricalCrossentropy()", "sparse"),
    ("KLDivergence()", "one-hot"),
    ("CosineSimilarity()", "real"),
    ("AUC()", "binary"),
    ("Precision(thresholds=0.4)", "binary"),
    ("Recall()", "binary"),
    ("FalsePositives()", "binary"),
    ("AUC(curve='PR')", "binary"),
    ("MeanIoU(num_classes=4)", "classes"),
    ("BinaryCrossentropy(from_logits=True)", "binary"),
    ("Precision(top_k=2)", "one-hot"),
    ("F1Score(average='macro')", "one-hot"),
    ("R2Score()", "real"),
)


def batch(kind: str, rows: int) -> tuple[Any, ...]:
    if kind == "values":
        return (RNG.normal(size=(rows, 2)).astype("float32"),)
    scores = RNG.uniform(0.05, 1.0, (rows, 4)).astype("float32")
    shares = scores / scores.sum(axis=-1, keepdims=True)
    ids = RNG.integers(0, 4, rows)
    return {
        "classes": (ids, RNG.integers(0, 4, rows)),
        "sparse": (ids, shares),
        "one-hot": (np.eye(4, dtype="float32")[ids], shares),
        "binary": (RNG.integers(0, 2, (rows, 1)).astype("float32"), scores[:, :1]),
        "real": (RNG.normal(size=(rows, 3)).astype("float32"), RNG.normal(size=(rows, 3)).astype("float32")),
    }[kind]


@pytest.mark.parametrize(("made", "kind"), CASES)
def test_figures_over_batches(made: str, kind: str) -> None:
    program = draft(f"{HEAD}metric = tf.keras.metrics.{made}\n")
    assert program.declines == ()
    ours = torch_module(program, "")["metric"]
    theirs = eval(f"keras.metrics.{made}", {"keras": keras})
    for rows in (7, 3):
        given = batch(kind, rows)
        theirs.update_state(*given)
        ours.update_state(*(torch.tensor(value) for value in given))
        np.testing.assert_allclose(float(ours.result()), float(theirs.result()), rtol=1e-5, atol=1e-6)
    ours.reset_state()
    theirs.reset_state()
    np.testing.assert_equal(float(ours.result()), float(theirs.result()))


WEIGHED = (
    "m = keras.metrics.BinaryAccuracy()\nm.update_state([[1], [0]], [[0.6], [0.2]])\nfound = m.result()",
    "m = keras.metrics.Mean()\nm.update_state([1.0, 3.0], sample_weight=[0.5, 2.0])\nfound = m.result()",
    "m = keras.metrics.Sum()\nfound = m([1.0, 3.0], [0.5, 2.0])",
    "loss = keras.losses.MeanSquaredError()\nfound = loss([1.0, 3.0], [2.0, 5.0])",
    "loss = keras.losses.Huber()\nfound = loss([[1.0], [3.0]], [[2.0], [9.0]], sample_weight=[0.5, 2.0])",
    "loss = keras.losses.Poisson(reduction='none')\nfound = loss([[1.0, 2.0]], [[2.0, 0.5]], sample_weight=[3.0])",
)


@pytest.mark.parametrize("program", WEIGHED, ids=lambda text: text.splitlines()[0])
def test_lists_and_weights(program: str) -> None:
    made = draft(f"{HEAD}{program}\n")
    assert made.declines == ()
    expected: dict[str, Any] = {"keras": keras}
    exec(program, expected)
    np.testing.assert_allclose(torch_module(made, "")["found"], expected["found"], rtol=1e-6)


@pytest.mark.parametrize(
    "made",
    [
        "AUC(curve='PRGAIN')",
        "MeanIoU(num_classes=2, dtype='float32')",
        "SparseTopKCategoricalAccuracy(from_sorted_ids=True)",
    ],
)
def test_other_metrics_are_declined(made: str) -> None:
    assert draft(f"{HEAD}metric = tf.keras.metrics.{made}\n").declines != ()
