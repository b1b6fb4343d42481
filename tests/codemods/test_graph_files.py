"""Graphs of TensorFlow 1 whose class and session stand in different functions or files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from migrator.config import RunSettings
from migrator.model import FileRewrite
from migrator.steps import know, read, rewrite

pytest.importorskip("torch")

HEAD = "import os\nimport tempfile\n\nimport numpy as np\nimport tensorflow.compat.v1 as tf\n"
MODEL = '''
class Regression(object):
    """A line."""

    def __init__(self, size, rate=0.1, scale=1.0):
        self.size = size
        self.x = tf.placeholder(tf.float32, [None, size])
        self.y = tf.placeholder(tf.float32, [None, 1])
        w = tf.get_variable("w", [size, 1], initializer=tf.constant_initializer(0.3))
        b = tf.get_variable("b", [1], initializer=tf.zeros_initializer())
        # a line
        self.prediction = tf.matmul(self.x, w) * scale + b
        self.loss = tf.reduce_mean(tf.square(self.prediction - self.y))
        self.train_op = tf.train.GradientDescentOptimizer(rate).minimize(self.loss)

    def describe(self):
        return "a line of size %d" % self.size
'''
TRAIN = """
def train(steps, rate):
    rng = np.random.RandomState(0)
    model = Regression(3, rate)
    config = tf.ConfigProto()
    config.gpu_options.allow_growth = True
    losses = []
    with tf.Session(config=config) as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(steps):
            x = rng.normal(size=(8, 3)).astype("float32")
            feed = {model.x: x, model.y: x[:, :1]}
            _, loss = sess.run([model.train_op, model.loss], feed)
            losses.append(float(loss))
        last = sess.run(model.prediction, {model.x: x})
    return losses, last, model.describe()
"""
GIVEN = """
class Line(object):
    def __init__(self, sess, size, rate=0.1):
        self.sess = sess
        self.size = size
        self.rate = rate
        self.build()

    def build(self):
        self.x = tf.placeholder(tf.float32, [None, self.size])
        w = tf.get_variable("w", [self.size, 1], initializer=tf.constant_initializer(0.3))
        self.out = tf.matmul(self.x, w)
        self.loss = tf.reduce_mean(tf.square(self.out - 1.0))

    def train(self, x, steps):
        step = tf.train.GradientDescentOptimizer(self.rate).minimize(self.loss)
        tf.global_variables_initializer().run()
        losses = []
        for _ in range(steps):
            _, loss = self.sess.run([step, self.loss], feed_dict={self.x: x})
            losses.append(float(loss))
        return losses


def train(steps, rate):
    x = np.arange(12.0).reshape(4, 3).astype("float32") / 10
    with tf.Session() as sess:
        line = Line(
            sess,
            3,
            rate=rate,
        )
        return line.train(x, steps), 0.0, ""
"""


OWN = """
def train(steps, rate, folder=None):
    folder = folder or tempfile.mkdtemp()
    rng = np.random.RandomState(0)
    with tf.Graph().as_default():
        sess = tf.Session()
        with sess.as_default():
            model = Regression(3, 0.0)
            # how it learns
            count = tf.Variable(0, name="count", trainable=False)
            optimizer = tf.train.MomentumOptimizer(rate, 0.9)
            pairs = optimizer.compute_gradients(model.loss)
            step_op = optimizer.apply_gradients(pairs, global_step=count)
            tf.summary.scalar("loss", model.loss)
            merged = tf.summary.merge_all()
            writer = tf.summary.FileWriter(folder, sess.graph)
            saver = tf.train.Saver(tf.global_variables(), max_to_keep=2)
            sess.run(tf.global_variables_initializer())

            def step(x):
                feed = {model.x: x, model.y: x[:, :1]}
                _, at, summary, loss = sess.run([step_op, count, merged, model.loss], feed)
                writer.add_summary(summary, at)
                return float(loss)

            losses = [step(rng.normal(size=(8, 3)).astype("float32")) for _ in range(steps)]
            where = saver.save(sess, os.path.join(folder, "net"), global_step=tf.train.global_step(sess, count))
            losses.append(step(np.ones((8, 3), "float32")))
            saver.restore(sess, where)
            losses.append(step(np.ones((8, 3), "float32")))
            feed = {model.x: np.ones((2, 3))}
            last = sess.run(model.prediction, feed)
    return losses, last, os.path.basename(where)
"""
CLIPPED = MODEL.replace("rate=0.1,", "rate=0.1, most=0.2,").replace(
    "        self.train_op = tf.train.GradientDescentOptimizer(rate).minimize(self.loss)\n",
    """        self.rate = tf.Variable(0.5, trainable=False)
        params = tf.trainable_variables()
        grads, _ = tf.clip_by_global_norm(tf.gradients(self.loss, params), most)
        self.train_op = tf.train.GradientDescentOptimizer(self.rate).apply_gradients(zip(grads, params))
""",
) + TRAIN.replace("Regression(3, rate)", "Regression(3, rate, most=rate)").replace(
    "            feed = {",
    "            sess.run(tf.assign(model.rate, rate / (1 + len(losses))))\n            feed = {",
)
KEPT = (
    (MODEL + TRAIN)
    .replace(
        "minimize(self.loss)\n",
        "minimize(self.loss)\n        self.saver = tf.train.Saver()\n",
    )
    .replace(
        "        last = sess",
        "            if len(losses) == 2:\n"
        "                where = model.saver.save(sess, os.path.join(tempfile.mkdtemp(), 'a'))\n"
        "        model.saver.restore(sess, where)\n        last = sess",
    )
)


def files(folder: Path, **texts: str) -> dict[str, FileRewrite]:
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    repo = read(RunSettings(src=folder, out=None))
    return rewrite(repo, know(repo), lambda *_: None, "exact").render({})  # type: ignore[return-value]


def declines(made: FileRewrite) -> list[str]:
    return [d.reason for unit in made.units for d in unit.declines]


@pytest.mark.parametrize(
    "program",
    [MODEL + TRAIN, GIVEN, MODEL + OWN, KEPT, CLIPPED],
    ids=[
        "session elsewhere",
        "session given",
        "steps and savers elsewhere",
        "a saver that the class keeps",
        "gradients clipped",
    ],
)
def test_both_sides_agree(program: str, tmp_path: Path) -> None:
    made = files(tmp_path, net=HEAD + program)["net.py"]
    assert declines(made) == []
    theirs: dict[str, Any] = {}
    exec(HEAD + program, theirs)
    ours: dict[str, Any] = {}
    exec(made.text, ours)
    with theirs["tf"].Graph().as_default():
        expected = theirs["train"](4, 0.05)
    for one, other in zip(ours["train"](4, 0.05), expected, strict=True):
        if isinstance(other, str):
            assert one == other
        else:
            np.testing.assert_allclose(one, other, rtol=1e-4)


def test_the_class_becomes_the_module(tmp_path: Path) -> None:
    made = files(tmp_path, line=HEAD + MODEL, main=HEAD + "from line import Regression\n" + TRAIN)
    assert declines(made["line.py"]) == declines(made["main.py"]) == []
    assert "class Regression(nn.Module):" in made["line.py"].text
    assert "# a line\n" in made["line.py"].text
    assert "optimizer = torch.optim.SGD(model.parameters(), lr=rate)" in made["main.py"].text


def test_a_function_makes_the_steps_of_its_model(tmp_path: Path) -> None:
    made = files(tmp_path, net=HEAD + MODEL + OWN)["net.py"]
    for line in (
        "    # how it learns\n    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)",
        "saver = Saver(model=model, optimizer=optimizer, global_step=count, max_to_keep=2)",
        "writer = SummaryWriter(folder)",
        "at = int(count)",
    ):
        assert made.text.count(line) == 1


def test_a_session_is_no_longer_given(tmp_path: Path) -> None:
    made = files(tmp_path, net=HEAD + GIVEN)["net.py"]
    assert "def __init__(self, size, rate=0.1):" in made.text
    assert "line = Line(3, rate=rate)" in made.text
    changes = [c for unit in made.units for c in unit.changes if c.kind == "drops-parameter"]
    assert {c.removed for c in changes} == {("sess",)}


LEFT = {
    "a saver of another model's variables": (
        MODEL + OWN.replace("tf.train.Saver(tf.global_variables(),", "tf.train.Saver(tf.global_variables('w'),"),
        "a saver of some variables",
    ),
    "a count that is not seen": (
        MODEL + OWN.replace("tf.train.global_step(sess, count)", "tf.train.global_step(sess, other)"),
        "a count that is not seen",
    ),
    "a loss that a function computes itself": (
        MODEL + OWN.replace("compute_gradients(model.loss)", "compute_gradients(2.0 * model.loss)"),
        "which the graph does not compute",
    ),
    "a tensor that something else reads": (
        MODEL + TRAIN + "\n\ndef name(model):\n    return model.loss.name\n",
        "may be read elsewhere",
    ),
    "an object that is made elsewhere as well": (
        MODEL + TRAIN + "\n\ndef make():\n    return Regression(3)\n",
        "used where no session is seen",
    ),
    "a class that another one derives from": (
        MODEL + TRAIN + "\n\nclass Other(Regression):\n    pass\n",
        "used where no session is seen",
    ),
    "bases": (MODEL.replace("(object)", "(dict)") + TRAIN, "bases of its own"),
    "two graphs": (
        MODEL + TRAIN.replace("config =", "other = Regression(2, rate)\n    config ="),
        "several graphs in one function",
    ),
    "a placeholder that is not fed": (
        MODEL + TRAIN.replace(", model.y: x[:, :1]}", "}"),
        "does not feed `self.y`",
    ),
    "a rate that only the constructor knows": (
        MODEL.replace("        self.size = size\n", "        self.size = size\n        rate = rate / size\n") + TRAIN,
        "which its optimizer needs elsewhere",
    ),
    "a name that modules have": (
        MODEL.replace("self.size", "self.training") + TRAIN,
        "which a module has already",
    ),
    "a method that tells of the graph": (
        MODEL.replace('return "a line of size %d" % self.size', "return self.loss.name") + TRAIN,
        "uses the graph",
    ),
    "the class under another name": (
        MODEL + TRAIN.replace("Regression(3", "Net(3") + "\n\nNet = Regression\n",
        "",
    ),
    "a session that is handed on": (
        GIVEN.replace("        return line.train", "        print(sess)\n        return line.train"),
        "uses the graph",
    ),
    "first values in every call": (
        GIVEN.replace("return line.train(x, steps)", "return line.train(x, 1) + line.train(x, steps)"),
        "every call of train sets to their first values",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_not_understood_stays(name: str, tmp_path: Path) -> None:
    program, why = LEFT[name]
    made = files(tmp_path, net=HEAD + program)["net.py"]
    assert all(u.text is None for u in made.units if u.unit.name in ("Regression", "Line", "train"))
    assert any(why in reason for reason in declines(made)), declines(made)


def test_files_of_one_graph_stay_together(tmp_path: Path) -> None:
    main = HEAD + "from line import Regression\n" + TRAIN.replace("losses = []", "losses = tf.no_such_thing()")
    made = files(tmp_path, line=HEAD + MODEL, main=main)
    assert all(u.text is None for path in made for u in made[path].units if u.unit.name in ("Regression", "train"))


OPS = """import tensorflow.compat.v1 as tf


def affine(x, units, scope="affine"):
    with tf.variable_scope(scope):
        w = tf.get_variable("w", [x.get_shape()[-1], units], initializer=tf.constant_initializer(0.2))
        return tf.matmul(x, w)
"""
USES = GIVEN.replace(
    """        w = tf.get_variable("w", [self.size, 1], initializer=tf.constant_initializer(0.3))
        self.out = tf.matmul(self.x, w)
""",
    "        self.out = affine(affine(self.x, 4, 'first'), 1, 'last')\n",
)


@pytest.mark.parametrize("names", ["affine", "*"])
def test_functions_of_another_file_become_layers_there(
    names: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = files(tmp_path, graph_ops=OPS, net=HEAD + f"from graph_ops import {names}\n" + USES)
    assert declines(made["graph_ops.py"]) == declines(made["net.py"]) == []
    assert "self.first = Affine(" in made["net.py"].text
    assert ("from graph_ops import Affine\n" in made["net.py"].text) == (names != "*")
    assert "import affine" not in made["net.py"].text
    theirs: dict[str, Any] = {}
    exec("import numpy as np\n" + OPS + USES, theirs)
    ours: dict[str, Any] = {}
    (tmp_path / "graph_ops.py").write_text(made["graph_ops.py"].text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "graph_ops", raising=False)
    exec(made["net.py"].text, ours)
    with theirs["tf"].Graph().as_default():
        expected = theirs["train"](4, 0.05)
    np.testing.assert_allclose(ours["train"](4, 0.05)[0], expected[0], rtol=1e-4)


@pytest.mark.parametrize(
    "other",
    [
        "from graph_ops import affine\n\nmake = affine\n",
        "import graph_ops\n\n\ndef f(x):\n    return graph_ops.affine(x, 3)\n",
        "from graph_ops import affine as layer\n\n\ndef f(x):\n    return layer(x, 3)\n",
    ],
    ids=["as a value", "of the module", "under another name"],
)
def test_functions_that_another_file_uses_as_such_stay(other: str, tmp_path: Path) -> None:
    made = files(tmp_path, graph_ops=OPS, other=other, net=HEAD + "from graph_ops import affine\n" + USES)
    assert all(u.text is None for u in made["graph_ops.py"].units if u.unit.name == "affine")
    assert all(u.text is None for u in made["net.py"].units if u.unit.name in ("Line", "train"))
