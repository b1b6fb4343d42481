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


def scaled(x):
    return x * tf.keras.ops.cast(0.1, x.dtype)
"""

CONSTANTS = """
import numpy as np
import tensorflow as tf
from migrator_probes import tf_injection
tf_injection.install()
tf_injection.widen()
MEAN = tf.constant([0.1, 0.7])
X = tf.cast(tf.constant([3, 5]), "float32")
RESULT = {
    "constant": X - MEAN, "array": X * np.array([0.1, 0.7], "float32"), "said": X + tf.constant(0.1, tf.float32),
    "variable": X * tf.Variable([0.1, 0.7]), "filled": X * tf.fill([2], 0.1), "ones": X * tf.ones(2),
    "range": X * tf.range(0.0, 0.2, 0.1), "one_hot": X * tf.one_hot(1, 2), "python": X * 0.1,
    "dataset": X * next(iter(tf.data.Dataset.from_tensors({"a": np.array([0.1, 0.7], "float32")})))["a"],
    "rows": X * next(iter(tf.data.Dataset.from_tensor_slices(([0.1, 0.7], [1, 2]))))[0],
    "initial": X * tf.constant_initializer(0.1)((2,)), "asked": X * tf.ones_initializer()((2,), tf.float32),
    "argmax": tf.keras.ops.argmax(X - MEAN), "whole": tf.range(2) + tf.constant([1, 2]),
}
RESULT = {name: value.numpy() for name, value in RESULT.items()}
"""

INSIDE = """
import keras
from migrator_probes import tf_injection
tf_injection.install()
WIDEN


class Gate(keras.layers.Layer):
    def build(self, shape):
        self.inner = keras.layers.Dense(shape[-1])

    def call(self, x):
        return x * self.inner(x)


inputs = keras.Input((3,))
RESULT = [w.numpy() for w in keras.Model(inputs, Gate()(inputs)).weights]
"""
"""A layer makes its weights while Keras calls it symbolically."""


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


def test_a_number_that_keras_casts(workers: Workers) -> None:
    case = Case(id="c", kind="function", call=Call(source="m:scaled", args=(Array(shape=(3, 5)),)))
    bench = Bench(case, Sides(pack_tree({"m.py": PROGRAM}), pack_tree({})), workers)
    _, inputs = bench.request("plain", "source", "float64")
    reply = bench.source("plain", "float64")
    assert reply.status == "ok", reply.reason
    output = reply.arrays[reply.result["batches"][0]["output"]["key"]]
    np.testing.assert_allclose(output, next(iter(inputs.values())) * 0.1, rtol=1e-15)


def test_constants_of_the_program(workers: Workers) -> None:
    case = Case(id="c", kind="constant", call=Call(source="m:RESULT"))
    reply = Bench(case, Sides(pack_tree({"m.py": CONSTANTS}), pack_tree({})), workers).source("plain")
    assert reply.status == "ok", reply.reason
    items = reply.result["output"]["items"]
    found = {name: reply.arrays[item["key"]] for name, item in items.items()}
    x, mean = np.array([3.0, 5.0]), np.array([0.1, 0.7])
    near = mean.astype("float32").astype("float64")
    expected = {"constant": x - mean, "array": x * near, "said": x + 0.1, "variable": x * mean, "filled": x * 0.1}
    expected |= {"ones": x, "range": x * [0.0, 0.1], "one_hot": x * [0, 1], "python": x * 0.1}
    expected |= {"dataset": x * near, "rows": x * 0.1, "initial": x * 0.1, "asked": x}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-15, err_msg=name)
    assert found["argmax"] == 1
    assert found["whole"].dtype == np.int32


def test_weights_made_inside_of_a_symbolic_call_begin_where_those_in_float32_do(workers: Workers) -> None:
    case = Case(id="c", kind="constant", call=Call(source="m:RESULT"))
    found = []
    for widen in ("", "tf_injection.widen()"):
        tree = pack_tree({"m.py": INSIDE.replace("WIDEN", widen)})
        reply = Bench(case, Sides(tree, pack_tree({})), workers).source("plain")
        assert reply.status == "ok", reply.reason
        found.append([reply.arrays[item["key"]] for item in reply.result["output"]["items"]])
    (kernel, _), (wide, bias) = found
    assert (kernel.dtype, wide.dtype, bias.dtype) == (np.float32, np.float64, np.float64)
    np.testing.assert_array_equal(kernel.astype("float64"), wide)


SAVED = """
import io
import torch
from migrator_probes import torch_injection
torch_injection.widen()
file = io.BytesIO()
torch.save({"a": torch.tensor([0.5]), "n": torch.tensor([3])}, file)
file.seek(0)
RESULT = {name: value.numpy() for name, value in torch.load(file).items()}
"""


def test_what_a_program_saves_in_float64_it_can_load(workers: Workers) -> None:
    case = Case(id="c", kind="constant", call=Call(source="m:RESULT", target="m:RESULT"))
    reply = Bench(case, Sides(pack_tree({}), pack_tree({"m.py": SAVED})), workers).target("plain")
    assert reply.status == "ok", reply.reason
    items = reply.result["output"]["items"]
    assert reply.arrays[items["a"]["key"]].dtype == np.float64
    assert reply.arrays[items["n"]["key"]].dtype == np.int64


TRAINED = """
import tensorflow as tf

v = tf.Variable([0.5, 0.6, 0.7])
count = tf.Variable(0)


def train(x=2.0):
    optimizer = tf.keras.optimizers.SGD(0.5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(v * x)
    optimizer.apply_gradients([(tape.gradient(loss, v), v)])
    count.assign_add(1)
    return loss
"""


def test_training_in_float64_begins_where_the_one_in_float32_did(workers: Workers) -> None:
    request = {"call": {"ref": "m:train", "args": [], "kwargs": {}}, "roots": [], "steps": 1, "most": 9}
    request |= {"lr_change": 0, "lr_factor": 0.5, "float64": True}
    given = {"given/start/v0": np.array([0.1, 0.2, 0.3], "float32"), "given/start/v1": np.array([7.0], "float32")}
    tree = pack_tree({"m.py": TRAINED})
    reply = workers.run("tf", "tf_training", request, given, tree=tree)
    assert reply.status == "ok", reply.reason
    start = reply.arrays["start/v0"]
    assert start.dtype == np.float64
    np.testing.assert_allclose(start, given["given/start/v0"], rtol=1e-15)
    np.testing.assert_allclose(reply.arrays["end/v0"], start - 0.5 * 2.0, rtol=1e-15)
