"""Graphs and sessions of TensorFlow 1: the migrated program computes what the sessions did, or the graph stays."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from migrator_validators.graph_order import GraphOrder
from migrator_validators.probes.torch_objects import describe

from migrator.codemods.graphs import Modern, modern
from migrator.config import RunSettings
from migrator.model import FileRewrite
from migrator.steps import know, read, rewrite
from tests.codemods.graph_classes import HEAD
from tests.codemods.graph_layers import AXES, CELLS, CELLS_LEFT, LISTED, SIZED, SIZES
from tests.codemods.graph_programs import LEFT, SAVED
from tests.codemods.graph_programs import PROGRAMS as GRAPHS
from tests.codemods.graph_runs import COPIED, LOGGED, RUNS, RUNS_LEFT

torch = pytest.importorskip("torch")
pytest.importorskip("tf_keras")
PROGRAMS = {**GRAPHS, **RUNS, **CELLS, **AXES, "sizes by name": SIZED}
ALL_LEFT = {**LEFT, **RUNS_LEFT, **CELLS_LEFT}


def migrated(source: str, folder: Path) -> FileRewrite:
    """The file as it would ship, and its units."""
    (folder / "net.py").write_text(source, encoding="utf-8")
    repo = read(RunSettings(src=folder, out=None))
    return rewrite(repo, know(repo), lambda *_: None, "exact").render({})["net.py"]


def in_other_words(source: str, folder: Path) -> Modern | None:
    (folder / "net.py").write_text(source, encoding="utf-8")
    repo = read(RunSettings(src=folder, out=None))
    return modern(source, know(repo).modules["net"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_both_sides_agree(name: str, tmp_path: Path) -> None:
    made = migrated(PROGRAMS[name], tmp_path)
    assert [d for u in made.units for d in u.declines] == []
    theirs: dict[str, Any] = {"old": _old_layers(), "cells": _old_cells()}
    exec(PROGRAMS[name].replace("tf.layers.", "old.").replace("tf.nn.rnn_cell.", "cells."), theirs)  # Keras 3 has none
    ours: dict[str, Any] = {}
    exec(made.text, ours)
    source, target = theirs["Net"](), ours["Net"]()
    rng = np.random.default_rng(0)
    sizes = {"images": (8, 4, 4, 2), "images averaged": (8, 4, 4, 2), "series": (8, 8, 2)} | SIZES
    x = rng.normal(size=sizes.get(name, (8, 6))).astype("float32")
    y = rng.normal(size=(8, 1)).astype("float32")
    target.predict(x)  # sizes that a loop leaves open are known after a call
    _give_weights(source, target, made, theirs["tf"])
    with source.graph.as_default():
        expected = theirs["main"](source, x, y)
    _agree(expected, ours["main"](target, x, y))


def _old_layers() -> SimpleNamespace:
    from tf_keras.src.legacy_tf_layers import convolutional, core, normalization, pooling

    rooms = (core, convolutional, pooling, normalization)
    return SimpleNamespace(**{name: value for room in rooms for name, value in vars(room).items() if name.islower()})


def _old_cells() -> Any:
    from tf_keras.src.layers.rnn import legacy_cells

    return legacy_cells


def _give_weights(source: Any, target: Any, made: FileRewrite, tf: Any) -> None:
    """The session's weights for the module, by the record of the draft."""
    with source.graph.as_default():
        trained = tf.trainable_variables()
        moving = [v for v in tf.global_variables() if "moving_" in v.name]
    values = source.sess.run([*trained, *moving])
    described = describe(target.model)
    state = target.model.state_dict()
    records = {r.owner.replace("net:", "builtins:"): r for u in made.units for r in u.weights}
    modules = {m["name"]: m["class"] for m in described["modules"]}
    places = GraphOrder(records, modules, frozenset(state)).places()  # type: ignore[arg-type]
    for value, parts in zip(values, places, strict=True):
        for name, transform in parts:
            state[name] = torch.tensor(_transformed(value, transform, state[name].shape))
    target.model.load_state_dict(state)


def _transformed(value: Any, transform: str, shape: Any) -> Any:
    from migrator_validators.weights import apply

    found = apply(transform, value)
    assert found.shape == tuple(shape)
    return found


def _agree(expected: Any, got: Any) -> None:
    if isinstance(expected, list | tuple):
        assert len(expected) == len(got)
        for one, other in zip(expected, got, strict=True):
            _agree(one, other)
    else:
        np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", ALL_LEFT)
def test_what_is_not_understood_stays(name: str, tmp_path: Path) -> None:
    source, why = ALL_LEFT[name]
    made = migrated(source, tmp_path)
    net = next(u for u in made.units if u.unit.name == "Net")
    assert net.text is None
    assert any(d.reason.startswith("a graph of TensorFlow 1: ") and why in d.reason for d in net.declines)


SCRIPT = (
    HEAD
    + """tf.disable_v2_behavior()

# how fast
rate = 0.1
data = np.ones((4, 3), "float32")

# what goes in
x = tf.placeholder(tf.float32, [None, 3])
w = tf.Variable(tf.zeros([3, 1]))  # starts from nothing
out = tf.matmul(x, w)
loss = tf.reduce_mean(tf.square(out - 1.0))
train = tf.train.GradientDescentOptimizer(rate).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for step in range(3):
        # one step
        _, value = sess.run([train, loss], feed_dict={x: data})
        print(step, value)
    print(sess.run(w))
"""
)


def test_a_script_becomes_a_module_and_a_loop(tmp_path: Path) -> None:
    made = migrated(SCRIPT, tmp_path)
    assert [d for u in made.units for d in u.declines] == []
    assert "tensorflow" not in made.text
    assert "disable_v2" not in made.text
    for comment in ("# how fast", "# what goes in", "# one step"):
        assert made.text.count(comment) == 1
    exec(made.text, {})


def test_a_function_of_two_spaces_keeps_its_docstring(tmp_path: Path) -> None:
    block = '''
def dense(x):
  """One layer.

  Of two columns.
  """
  return tf.layers.dense(x, 2)


'''
    source = SCRIPT.replace("x = tf.placeholder", block + "x = tf.placeholder").replace("tf.matmul(x, w)", "dense(x)")
    made = in_other_words(source, tmp_path)
    assert made is not None
    assert '    """One layer.\n\n    Of two columns.\n    """\n' in made.text


def test_an_interactive_session_is_a_script_as_well(tmp_path: Path) -> None:
    start = "sess = tf.InteractiveSession()\nsess.run(tf.global_variables_initializer())\nif True:"
    source = SCRIPT.replace("    sess.run(tf.global_variables_initializer())\n", "")
    made = migrated(source.replace("with tf.Session() as sess:", start), tmp_path)
    assert [d for u in made.units for d in u.declines] == []
    exec(made.text, {})


def test_plain_imports_of_tensorflow_1_mean_version_1(tmp_path: Path) -> None:
    source = PROGRAMS["dropout by a placeholder with a default"].replace("tensorflow.compat.v1", "tensorflow")
    source = source.replace("keep_prob=self.keep", "self.keep")
    made = migrated(source, tmp_path)
    assert [d for u in made.units for d in u.declines] == []
    assert "p=1 - keep" in made.text  # what stays, not what goes


def test_torch_may_be_imported_after_other_statements(tmp_path: Path) -> None:
    data, late = 'data = np.ones((4, 3), "float32")\n', "import tensorflow.compat.v1 as tf\n"
    source = SCRIPT.replace(data, "").replace(late, data + "\n" + late)
    made = migrated(source, tmp_path)
    assert [d for u in made.units for d in u.declines] == []
    assert made.text.count("# what goes in") == 1
    exec(made.text, {})


def test_of_a_script_all_or_nothing_moves(tmp_path: Path) -> None:
    made = migrated(SCRIPT.replace("tf.matmul(x, w)", "tf.nn.no_such_thing(x, w)"), tmp_path)
    assert all(u.text is None for u in made.units)
    assert "tf.disable_v2_behavior()" in made.text


def test_a_file_without_sessions_is_no_graph(tmp_path: Path) -> None:
    assert in_other_words(HEAD + "def f(x):\n    return tf.square(x)\n", tmp_path) is None


def test_the_statement_that_makes_it_a_graph_stays_with_the_graph(tmp_path: Path) -> None:
    source = LEFT["a step for some variables"][0].replace("class Net", "tf.disable_v2_behavior()\n\n\nclass Net")
    assert "tf.disable_v2_behavior()" in migrated(source, tmp_path).text


def test_a_saver_is_given_all_that_a_session_has(tmp_path: Path) -> None:
    text = migrated(SAVED, tmp_path).text
    parts = (
        "model=self.model, optimizer=self.optimizer, scheduler=self.scheduler, global_step=self.count, max_to_keep=1"
    )
    assert f"self.saver = Saver({parts})" in text
    assert 'where = self.saver.save(os.path.join(tempfile.mkdtemp(), "net"), self.count)'.replace('"', "'") in text
    assert "self.saver.restore(where)" in text
    ours: dict[str, Any] = {}
    exec(text, ours)
    net = ours["Net"]()
    x, y = np.ones((4, 6), "float32"), np.zeros((4, 1), "float32")
    for _ in range(3):
        net.step(x, y)
    expected = net.step(x, y)
    again = ours["Net"]()
    named, *_ = net.predict(x)
    assert named == 1.0
    first = net.saver.save(str(tmp_path / "new" / "a"))  # the folder is made
    wanted = [net.step(x, y), net.step(x, y), int(net.count), net.optimizer.param_groups[0]["lr"]]
    again.saver.restore(first)
    got = [again.step(x, y), again.step(x, y), int(again.count), again.optimizer.param_groups[0]["lr"]]
    np.testing.assert_allclose(got, wanted, rtol=1e-6)
    assert expected != wanted[0]
    second = net.saver.save(str(tmp_path / "b"))
    assert not Path(f"{first}.pt").exists()  # max_to_keep=1
    assert Path(f"{second}.pt").exists()


def test_14_2_variables_that_calls_share_are_one_attribute(tmp_path: Path) -> None:
    """What `reuse` shares by name is one module called twice; a module for each call would train other weights."""
    source = PROGRAMS["methods that build, variables shared"]
    theirs: dict[str, Any] = {}
    exec(source, theirs)
    ours: dict[str, Any] = {}
    exec(migrated(source, tmp_path).text, ours)
    net = theirs["Net"]()
    with net.graph.as_default():
        sizes = sorted(v.shape.num_elements() for v in theirs["tf"].trainable_variables())
    assert sorted(p.numel() for p in ours["Net"]().model.parameters()) == sizes
    assert len(sizes) == 8


_ONE_LAYER = """import tensorflow.compat.v1 as tf
import tensorflow.contrib.slim as slim


class Net:
    def __init__(self):
        self.x = tf.placeholder(tf.float32, [None, 5, 8, 3])
        {line}
        self.sess = tf.Session()
        self.sess.run(tf.global_variables_initializer())

    def predict(self, x):
        return self.sess.run(self.out, {{self.x: x}})
"""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(
            "self.out, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(4), self.x[:, 0], dtype=tf.float32)",
            "GRUCell",
            id="the state is reset before the product",
        ),
        pytest.param(
            "self.out = slim.conv2d(self.x, 4, [3, 3])", "slim.conv2d", id="14.3 hidden activation and padding"
        ),
        pytest.param(
            "with slim.arg_scope([slim.conv2d], activation_fn=None):\n            self.out = slim.conv2d(self.x, 4, 3)",
            "slim.arg_scope",
            id="14.3 defaults of a scope",
        ),
    ],
)
def test_layers_of_version_1_with_hidden_defaults_are_left(line: str, reason: str, tmp_path: Path) -> None:
    made = migrated(_ONE_LAYER.format(line=line), tmp_path)
    assert any(reason in d.reason for u in made.units for d in u.declines)
    assert "nn.LSTM" not in made.text
    assert "nn.Conv2d" not in made.text


def test_summaries_are_logged_where_the_program_writes_them(tmp_path: Path) -> None:
    text = migrated(LOGGED, tmp_path).text
    assert "writer = SummaryWriter(tempfile.mkdtemp())" in text
    assert "writer.add_scalar('cost/mean_squared', batch_loss, len(self.log))" in text.replace('"', "'")
    assert "writer.add_histogram('w', self.model.w, len(self.log))" in text.replace('"', "'")
    assert "writer.add_scalar('largest', largest, 3)" in text.replace('"', "'")
    assert "add_graph" not in text


def test_sizes_of_the_constructor_are_those_of_layers_in_every_method(tmp_path: Path) -> None:
    source = COPIED.replace(
        "self.x = tf.placeholder(tf.float32, [None, 6])", "self.x = tf.placeholder('float', [None, size])"
    )
    made = migrated(source.replace("hidden=5, rate", "hidden=5, size=6, rate"), tmp_path)
    assert [d.reason for u in made.units for d in u.declines] == []
    assert "self.e1 = nn.Linear(size, hidden)" in made.text
    assert "self.t1 = nn.Linear(size, hidden)" in made.text


def test_3_2_cells_have_other_gates_and_a_bias_that_is_added_when_run(tmp_path: Path) -> None:
    made = migrated(CELLS["the last output of a cell"], tmp_path)
    assert "self.lstm = nn.LSTM(2, hidden, batch_first=True)" in made.text
    assert "self.lstm(x)[0]" in made.text
    entries = [entry for u in made.units for r in u.weights if r.owner.endswith("NetNetwork") for entry in r.params]
    assert ("also", "lstm.weight_hh_l0", "T blocks(0,2,1,3) states(4)") in entries
    assert ("trained", "lstm.bias_ih_l0", "blocks(0,2,1,3) lift(1,4,1.0)") in entries


def test_cells_of_contrib_are_those_of_version_1(tmp_path: Path) -> None:
    source = LISTED.replace(
        "import tensorflow.compat.v1 as tf", "import tensorflow as tf\nfrom tensorflow.contrib import rnn"
    )
    source = source.replace("tf.nn.rnn_cell.", "rnn.").replace("tf.nn.static_rnn", "rnn.static_rnn")
    made = migrated(source, tmp_path)
    assert [d for u in made.units for d in u.declines] == []
    assert "self.lstm = nn.LSTM(2, hidden, batch_first=True)" in made.text
    assert "contrib" not in made.text


def test_sizes_by_name_are_read_where_they_are_used(tmp_path: Path) -> None:
    made = migrated(SIZED, tmp_path)
    assert "self.w = nn.Parameter(torch.empty(in_features, self.units))" in made.text
    assert "nn.init.trunc_normal_(self.w, std=self.stddev, a=-2 * self.stddev, b=2 * self.stddev)" in made.text
    assert "shape = " not in made.text


def test_sizes_of_a_tensor_that_changes_stay(tmp_path: Path) -> None:
    made = migrated(SIZED.replace("as_list()\n", "as_list()\n    x = x + 1.0\n"), tmp_path)
    assert any("whose shape is that of a computed tensor" in d.reason for u in made.units for d in u.declines)
    assert "nn.Parameter" not in made.text
