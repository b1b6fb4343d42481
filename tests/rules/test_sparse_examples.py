"""Features of open length, by the batch: sparse tensors whose dense forms are TensorFlow's."""

from __future__ import annotations

import numpy as np
import pytest
from programs import Program

_PARSING = """
import numpy as np
import tensorflow as tf

def record(values):
    feature = {'x': tf.train.Feature(float_list=tf.train.FloatList(value=values))}
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString()

def f():
    records = [record(values) for values in ([1.5, -2.0], [], [0.25], [3.0, 4.0, 5.0])]
    return tf.io.parse_example(records, {'x': tf.io.VarLenFeature(tf.float32)})['x']
"""


def test_rows_of_open_length_have_the_same_dense_form() -> None:
    tf = pytest.importorskip("tensorflow")
    source, made = Program(_PARSING, {}, whole=True).rewritten()
    assert made.declines == ()
    imports = "\n".join(line for helper in made.helpers for line in helper.imports)
    ours: dict[str, object] = {}
    exec("\n".join([imports, source.replace("import tensorflow as tf", ""), *(h.source for h in made.helpers)]), ours)
    theirs: dict[str, object] = {}
    exec(_PARSING, theirs)
    expected = tf.sparse.to_dense(theirs["f"]())  # type: ignore[operator]
    found = ours["f"]().to_dense()  # type: ignore[operator]
    np.testing.assert_array_equal(found.numpy(), expected.numpy())
