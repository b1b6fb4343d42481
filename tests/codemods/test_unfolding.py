"""Helper functions and dictionaries of a graph, written out where they are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.codemods.graphs.unfolding import Unfolded, unfolded
from migrator.config import RunSettings
from migrator.steps import know, read, rewrite

HEAD = "import tensorflow.compat.v1 as tf\n\n"


def unfold(source: str, folder: Path, elsewhere: tuple[str, ...] = ()) -> Unfolded | None:
    (folder / "net.py").write_text(HEAD + source, encoding="utf-8")
    repo = read(RunSettings(src=folder, out=None))
    return unfolded(HEAD + source, know(repo).modules["net"], elsewhere)


def text(source: str, folder: Path) -> str:
    found = unfold(source, folder)
    return "" if found is None else found.source.removeprefix(HEAD)


WRITTEN = {
    "a maker of variables": (
        "def weight(shape):\n    start = tf.random_normal(shape)\n    return tf.Variable(start)\n\n\n"
        "w = weight([2, 3])  # one\n",
        "w = tf.Variable(tf.random_normal([2, 3]))  # one\n",
    ),
    "a maker over several lines": (
        "def weight(shape):\n    return tf.Variable(tf.zeros(shape))\n\n\nw = tf.nn.relu(weight(\n    [2],\n) + 1.0)\n",
        "w = tf.nn.relu(tf.Variable(tf.zeros([2])) + 1.0)\n",
    ),
    "a function that reads variables of the file": (
        "w = tf.Variable(tf.zeros([2, 3]))\nx = tf.placeholder(tf.float32, [None, 2])\n\n\n"
        "def network(inputs):\n    # once\n    hidden = tf.matmul(inputs, w)\n    out = tf.nn.relu(hidden)\n"
        "    return out\n\n\nlogits = network(x)\n",
        "w = tf.Variable(tf.zeros([2, 3]))\nx = tf.placeholder(tf.float32, [None, 2])\n\n\n"
        "# once\nhidden = tf.matmul(x, w)\nlogits = tf.nn.relu(hidden)\n",
    ),
    "names that the file has already": (
        "x = tf.placeholder(tf.float32, [None, 2])\nhidden = 3\n\n\n"
        "def step(inputs, rate):\n    hidden = tf.reduce_mean(inputs)\n"
        "    return tf.train.AdamOptimizer(rate).minimize(hidden)\n\n\ntrain = step(x, 2 * hidden)\n",
        "x = tf.placeholder(tf.float32, [None, 2])\nhidden = 3\n\n\nrate = 2 * hidden\n"
        "step_hidden = tf.reduce_mean(x)\ntrain = tf.train.AdamOptimizer(rate).minimize(step_hidden)\n",
    ),
    "a result that replaces an argument": (
        "x = tf.placeholder(tf.float32, [None, 2])\n\n\ndef halved(v):\n    half = 0.5 * v\n"
        "    keep = tf.placeholder(tf.float32, [])\n    return half * keep\n\n\nx = halved(x)\n",
        "x = tf.placeholder(tf.float32, [None, 2])\n\n\nhalf = 0.5 * x\nkeep = tf.placeholder(tf.float32, [])\n"
        "x = half * keep\n",
    ),
    "the end of a scope": (
        "def inputs(size):\n    with tf.name_scope('in'):\n        x = tf.placeholder(tf.float32, [None, size])\n"
        "        return x\n\n\ndata = inputs(3)\n",
        "with tf.name_scope('in'):\n    data = tf.placeholder(tf.float32, [None, 3])\n",
    ),
    "a dictionary of variables": (
        "w = {\n    # first\n    'a': tf.Variable(tf.zeros([2])),\n    'b': tf.Variable(tf.ones([2]))\n}\n"
        "y = w['a'] + w['b']\n",
        "# first\nw_a = tf.Variable(tf.zeros([2]))\nw_b = tf.Variable(tf.ones([2]))\ny = w_a + w_b\n",
    ),
    "an attribute and a name of one value": (
        "class Net:\n    def build(self):\n        self.x = tf.placeholder(tf.float32, [2])\n        y = self.x + 1.0\n"
        "        z = 2.0 * y\n        self.y = y\n        self.z = z * y\n",
        "class Net:\n    def build(self):\n        self.x = tf.placeholder(tf.float32, [2])\n"
        "        self.y = self.x + 1.0\n        z_value = 2.0 * self.y\n        self.z = z_value * self.y\n",
    ),
    "initialisers with names": (
        "def build(x):\n    w, b = tf.random_normal_initializer(0.0, 0.3), tf.zeros_initializer()\n"
        "    return tf.layers.dense(x, 2, kernel_initializer=w, bias_initializer=b)\n",
        "def build(x):\n    return tf.layers.dense(x, 2, "
        "kernel_initializer=tf.random_normal_initializer(0.0, 0.3), bias_initializer=tf.zeros_initializer())\n",
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_a_graph_calls_is_written_out(name: str, tmp_path: Path) -> None:
    source, expected = WRITTEN[name]
    assert text(source, tmp_path) == expected


LEFT = {
    "only tensors": "def conv(x, w):\n    return tf.nn.conv2d(x, w, 1, 'SAME')\n\n\ny = conv(1, 2)\n",
    "a branch": (
        "def weight(shape, zero):\n    if zero:\n        return tf.Variable(tf.zeros(shape))\n"
        "    return tf.Variable(tf.ones(shape))\n\n\nw = weight([2], True)\n"
    ),
    "names that mean something else where it is called": (
        "scale = 2.0\n\n\ndef weight(shape):\n    return tf.Variable(tf.fill(shape, scale))\n\n\n"
        "def build(scale):\n    return weight([2])\n"
    ),
    "a long function that is called twice": (
        "w = tf.Variable(tf.zeros([2]))\n\n\ndef net(x):\n    a = x + w\n    b = 2.0 * a\n    c = b + w\n"
        "    d = c * c\n    return d\n\n\ny = net(1.0)\nz = net(2.0)\n"
    ),
    "an initialiser that is bound again": (
        "def build(x):\n    w = tf.zeros_initializer()\n    w = tf.ones_initializer() if x else w\n    return w\n"
    ),
    "a value of a class that builds no graph": (
        "class Net:\n    def build(self):\n        y = tf.zeros([2])\n        self.y = y\n        return y\n"
    ),
    "a dictionary of numbers": "sizes = {'a': 1}\ny = sizes['a']\n",
    "a dictionary that is gone through": "w = {'a': tf.Variable(tf.zeros([2]))}\ny = [w['a'] for k in w]\n",
    "a dictionary with an entry that is given twice": (
        "w = {'a': tf.Variable(tf.zeros([2]))}\nw['a'] = w['a'] + 1.0\ny = w['a']\n"
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_more_than_that_stays(name: str, tmp_path: Path) -> None:
    assert unfold(LEFT[name], tmp_path) is None


def test_what_other_files_use_stays(tmp_path: Path) -> None:
    source, _ = WRITTEN["a maker of variables"]
    assert unfold(source, tmp_path, ("weight",)) is None


def test_a_file_knows_what_moves_together(tmp_path: Path) -> None:
    found = unfold(WRITTEN["a function that reads variables of the file"][0], tmp_path)
    assert found is not None
    assert found.gone == {"network"}
    assert found.ties == (frozenset({7, 14}),)
    assert len(found.origin) == len(found.source.splitlines())
    assert found.origin[-1] == 14


SCRIPT = (
    "import numpy as np\n"
    + HEAD
    + """x = tf.placeholder(tf.float32, [None, 3])
weights = {"w": tf.Variable(tf.zeros([3, 1])), "b": tf.Variable(tf.zeros([1]))}


def network(inputs):
    return tf.matmul(inputs, weights["w"]) + weights["b"]


out = network(x)
loss = tf.reduce_mean(tf.square(out - 1.0))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(3):
        _, value = sess.run([train, loss], {x: np.ones((4, 3), "float32")})
        print(value)
"""
)


def test_a_script_with_helpers_becomes_a_module(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(SCRIPT, encoding="utf-8")
    repo = read(RunSettings(src=tmp_path, out=None))
    made = rewrite(repo, know(repo), lambda *_: None, "exact").render({})["net.py"]
    assert [d.reason for unit in made.units for d in unit.declines] == []
    assert "x @ self.weights_w + self.weights_b" in made.text
    assert "def network" not in made.text
    gone = {(c.qualname, c.kind) for unit in made.units for c in unit.changes}
    assert {("net:network", "written-out"), ("net:weights", "renames")} <= gone
    assert [u.unit.name for u in made.units if u.is_written_out] == ["network"]


def test_a_script_that_is_not_understood_keeps_its_helpers(tmp_path: Path) -> None:
    source = SCRIPT.replace("print(value)", "print(value, sess.graph_def)")
    (tmp_path / "net.py").write_text(source, encoding="utf-8")
    repo = read(RunSettings(src=tmp_path, out=None))
    made = rewrite(repo, know(repo), lambda *_: None, "exact").render({})["net.py"]
    assert 'return tf.matmul(inputs, weights["w"]) + weights["b"]' in made.text
    assert all(unit.text is None for unit in made.units if unit.unit.name in ("network", "x"))
