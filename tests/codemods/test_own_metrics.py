"""Classes that derive from Keras's `Metric`: the same figures, batch after batch, and what has no plain class."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

from tests.codemods.training_support import HEAD, draft, torch_module  # noqa: E402

SHARE = '''
class Share(keras.metrics.Metric):
    """How often it is right."""

    def __init__(self, name="share", **kwargs):
        super().__init__(name=name, **kwargs)
        self.right = self.add_weight(name="right", initializer="zeros")  # weighted
        self.count = self.add_weight(name="count", shape=(), initializer=keras.initializers.Zeros())

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = tf.cast(tf.equal(tf.cast(y_true, tf.int64), tf.argmax(y_pred, axis=-1)), self.dtype)
        if sample_weight is not None:
            values = tf.multiply(values, tf.cast(sample_weight, self.dtype))
        self.right.assign_add(tf.reduce_sum(values))
        self.count.assign_add(tf.cast(tf.size(values), tf.float32))

    def result(self):
        return self.right / self.count

    def get_config(self):
        return {**super().get_config()}
'''
CLASSES = """
class Classes(keras.metrics.Metric):
    def __init__(self, classes, name="classes"):
        super().__init__(name=name)
        self.classes = classes
        self.seen = self.add_weight(shape=(classes,), initializer="ones", dtype="int32", name="seen")

    @tf.function
    def update_state(self, y_true, y_pred, sample_weight=None):
        self.seen.assign(self.seen + tf.reduce_sum(tf.one_hot(y_true, self.classes, dtype=tf.int32), axis=0))

    def result(self):
        return tf.reduce_max(self.seen)

    def reset_state(self):
        self.seen.assign(tf.ones_like(self.seen))
"""


@pytest.mark.parametrize(("source", "made"), [(SHARE, "Share()"), (CLASSES, "Classes(4)")])
def test_figures_over_batches(source: str, made: str) -> None:
    rng = np.random.default_rng(2)
    program = draft(HEAD + source)
    assert program.declines == ()
    theirs: dict[str, Any] = {}
    exec(HEAD + source, theirs)
    here, there = eval(made, torch_module(program, "")), eval(made, theirs)
    assert here.name == there.name
    for rows in (7, 3):
        given = rng.integers(0, 4, rows).astype("int32"), rng.uniform(size=(rows, 4)).astype("float32")
        weight = rng.uniform(size=rows).astype("float32") if rows == 3 else None
        tensors = [None if part is None else torch.tensor(part) for part in (*given, weight)]
        np.testing.assert_allclose(float(here(*tensors)), float(there(*given, weight)), rtol=1e-6)
    here.reset_state()
    there.reset_state()
    given = np.array([1, 2], "int32"), np.eye(4, dtype="float32")[:2]
    here.update_state(*map(torch.tensor, given))
    there.update_state(*given)
    np.testing.assert_allclose(float(here.result()), float(there.result()), rtol=1e-6)


def test_only_what_may_be_asked_for_is_written() -> None:
    used = "\n\ndef measure(y, p):\n    share = Share()\n    share.update_state(y, p)\n    return share.result()\n"
    text = draft(HEAD + SHARE + used).text
    assert "__call__" not in text
    assert "reset_state" not in text
    handed = "\n\ndef measure(y, p, f):\n    share = Share()\n    return f(share, y, p)\n"
    text = draft(HEAD + SHARE + handed).text
    assert "def __call__" in text
    assert "def reset_state" in text


METRIC = """
class Own(keras.metrics.Metric):
    def __init__(self, name="own", **kwargs):
        super().__init__(name=name, **kwargs)
        {}

    def update_state(self, y):
        self.total.assign_add(tf.reduce_sum(y))

    def result(self):
        return {}
"""
TOTAL = 'self.total = self.add_weight(initializer="zeros")'


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (METRIC.format("self.total = self.add_weight()", "self.total"), "neither zeros nor ones"),
        (METRIC.format(TOTAL.replace("zeros", "glorot_uniform"), "self.total"), "neither zeros nor ones"),
        (METRIC.format(TOTAL, "self.total / len(self.variables)"), "`variables` of Keras's metrics"),
        (METRIC.format(f"{TOTAL}\n        self.kept = kwargs.get(0)", "self.total"), "`kwargs` of a metric is read"),
        (METRIC.format(f"{TOTAL}\n        self.mean = keras.metrics.Mean()", "self.total"), "more than its own states"),
        (METRIC.format(f"if name:\n            {TOTAL}", "self.total"), "no attribute set once"),
        (METRIC.format(TOTAL, "self.total").replace('"own"', "None"), "that Keras names"),
        (METRIC.format(TOTAL, "self.total") + "\nown = Own(dtype='float64')\n", "only Keras's base class takes"),
        (METRIC.format(TOTAL, "self.total").replace("name=name,", "dtype='float64',"), "what the base class is given"),
        (
            METRIC.format(TOTAL, "self.total")
            + "\nclass More(Own):\n    def __init__(self):\n        super().__init__()\n"
            + textwrap.indent(TOTAL.replace("total", "more"), " " * 8)
            + "\n",
            "adds to those of its base",
        ),
    ],
)
def test_other_metrics_are_declined(source: str, reason: str) -> None:
    assert any(reason in d.reason for d in draft(HEAD + source).declines)
