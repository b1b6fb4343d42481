"""Runs of the original in float64 are exact where TensorFlow keeps a constant in float32."""

from __future__ import annotations

import numpy as np
import pytest
from migrator_validators.bench import Bench, Sides
from migrator_validators.cases import Array, Call, Case
from migrator_validators.workers import Workers, pack_tree

PROGRAM = """
import tensorflow as tf

layer = tf.keras.layers.LeakyReLU(negative_slope=0.3)


def by_function(x):
    return tf.nn.leaky_relu(x, alpha=0.3)


def by_layer(x):
    return layer(x)
"""


@pytest.mark.parametrize("name", ["by_function", "by_layer"])
def test_the_slope_of_leaky_relu(name: str, workers: Workers) -> None:
    given = Array(shape=(3, 5))
    case = Case(id="c", kind="function", call=Call(source=f"m:{name}", args=(given,)))
    bench = Bench(case, Sides(pack_tree({"m.py": PROGRAM}), pack_tree({})), workers)
    _, inputs = bench.request("plain", "source", "float64")
    reply = bench.source("plain", "float64")
    assert reply.status == "ok", reply.reason
    output = reply.arrays[reply.result["batches"][0]["output"]["key"]]
    x = next(iter(inputs.values()))
    assert x.min() < 0
    np.testing.assert_allclose(output, np.where(x > 0, x, 0.3 * x), rtol=1e-15)
