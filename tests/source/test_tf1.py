"""Programs of TensorFlow 1 as the installed TensorFlow runs them."""

from __future__ import annotations

import pytest

from migrator.source import for_tf2
from migrator.source.tf1 import tf1_files

TF = "import tensorflow as tf\n"
CONTRIB = (
    TF
    + """from tensorflow.contrib import rnn  # cells
cell = rnn.BasicLSTMCell(3)
outputs, _ = rnn.static_rnn(cell, tf.unstack(x, 4, 1), dtype=tf.float32)
again = tf.contrib.rnn.MultiRNNCell([tf.contrib.rnn.GRUCell(3)])
w = tf.get_variable("w", [3], initializer=tf.contrib.layers.xavier_initializer(seed=1))
flat = tf.contrib.layers.flatten(w)
"""
)


def test_what_contrib_had_twice_is_taken_from_where_it_still_is() -> None:
    text = for_tf2(CONTRIB, graphs=True)
    assert "contrib" not in text
    assert "from tensorflow.compat.v1.nn import rnn_cell as rnn  # cells" in text
    assert "cell = rnn.BasicLSTMCell(3)" in text
    assert "= tf.nn.static_rnn(cell" in text
    assert "tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(3)])" in text
    assert "tf.glorot_uniform_initializer(seed=1)" in text
    assert "tf.layers.flatten(w)" in text
    assert text.count("\n") == CONTRIB.count("\n")


@pytest.mark.parametrize(
    "line",
    [
        "tf.contrib.layers.xavier_initializer(uniform=False)",
        "tf.contrib.layers.xavier_initializer(False)",
        "tf.contrib.rnn.LayerNormBasicLSTMCell(3)",
        "tf.contrib.layers.fully_connected(x, 3)",
    ],
)
def test_what_only_contrib_had_stays(line: str) -> None:
    assert line in for_tf2(TF + line + "\n", graphs=True)


def test_what_is_analysed_keeps_the_names_of_contrib() -> None:
    assert for_tf2(CONTRIB, graphs=False).count("contrib") == CONTRIB.count("contrib")


@pytest.mark.parametrize(
    "line",
    [
        "tf.app.run()",
        "tf.flags.DEFINE_float('a', 1.0, '')",
        "tf.contrib.layers.flatten(x)",
        "tf.nn.rnn_cell.GRUCell(3)",
    ],
)
def test_files_that_use_what_only_version_1_has(line: str) -> None:
    assert tf1_files({"a.py": TF + line + "\n"}, {}) == {"a.py"}
