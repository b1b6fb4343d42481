"""Programs of TensorFlow 1 with cells of recurrent networks and layers of several axes; see `graph_programs`."""

from __future__ import annotations

from tests.codemods.graph_programs import LINEAR, MSE, SGD, net

_SERIES = "x = tf.placeholder(tf.float32, [None, 4, 2])"
_END = "self.prediction = tf.layers.dense(h, 1)\n" + MSE + SGD


def _cell(lines: str, end: str = _END) -> str:
    return net(lines.strip() + "\n" + end, head=_SERIES)


LAST = _cell("""
cell = tf.nn.rnn_cell.BasicLSTMCell(hidden)
outputs, _ = tf.nn.dynamic_rnn(cell, self.x, dtype=tf.float32)
h = outputs[:, -1]
""")
LISTED = _cell("""
steps = tf.unstack(self.x, 4, 1)
cell = tf.nn.rnn_cell.BasicLSTMCell(hidden, forget_bias=1.0)
outputs, states = tf.nn.static_rnn(cell, steps, dtype=tf.float32)
h = outputs[-1]
""")
CELLS = {
    "the last output of a cell": LAST,
    "the states of a cell": _cell("""
        cell = tf.nn.rnn_cell.LSTMCell(num_units=hidden)
        zero = cell.zero_state(8, tf.float32)
        outputs, state = tf.nn.dynamic_rnn(cell, self.x, initial_state=zero)
        h = state.h + 2.0 * state[0] + outputs[:, 0]
        """.replace("\n        ", "\n")),
    "the steps of a cell in a list": LISTED,
    "the last state alone": _cell("""
        _, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(hidden), self.x, dtype=tf.float32)
        h = tf.nn.tanh(state.h)
        """.replace("\n        ", "\n")),
    "the other last state alone": _cell("""
        _, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(hidden), self.x, dtype=tf.float32)
        h = tf.nn.tanh(state.c)
        """.replace("\n        ", "\n")),
    "cells in both directions": _cell("""
        ahead = tf.nn.rnn_cell.BasicLSTMCell(3)
        back = tf.nn.rnn_cell.BasicLSTMCell(3)
        (first, second), _ = tf.nn.bidirectional_dynamic_rnn(ahead, back, self.x, dtype=tf.float32)
        both = tf.concat([first, second], axis=-1)
        cell = tf.nn.rnn_cell.LSTMCell(hidden)
        outputs, _ = tf.nn.bidirectional_dynamic_rnn(
            cell, tf.nn.rnn_cell.LSTMCell(hidden), both, dtype=tf.float32, scope="second"
        )
        h = tf.concat(outputs, 2)[:, 1]
        """.replace("\n        ", "\n")),
    "a plain cell that goes on from an LSTM": _cell("""
        lstm = tf.nn.rnn_cell.BasicLSTMCell(3)
        first, _ = tf.nn.dynamic_rnn(lstm, self.x, dtype=tf.float32, scope="first")
        _, h = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicRNNCell(hidden), first, dtype=tf.float32, scope="second")
        """.replace("\n        ", "\n")),
}  # fmt: skip
"""Programs that are migrated."""

_END_OF_IMAGES = "self.prediction = tf.layers.dense(tf.layers.flatten(h), 1)\n" + MSE + SGD
_FALLING = """
self.count = tf.train.get_or_create_global_step()
falling = tf.train.exponential_decay(rate, self.count, 2, 0.1, staircase=True)
self.train_op = tf.train.MomentumOptimizer(falling, 0.9).minimize(self.loss, global_step=self.count)
"""
AXES = {
    "momentum while the rate falls": net(LINEAR + MSE + _FALLING),
    "images, transposed": net(
        "h = tf.layers.conv2d_transpose(self.x, 3, 3, (2, 2), 'same', activation=tf.nn.relu, name='up')\n"
        "h = tf.layers.conv2d_transpose(h, 2, [2, 2], use_bias=False)\n" + _END_OF_IMAGES,
        head="x = tf.placeholder(tf.float32, [None, 4, 4, 2])",
    ),
    "volumes": net(
        "h = tf.layers.conv3d(self.x, 3, 2, padding='same', activation=tf.nn.relu)\n"
        "h = tf.layers.max_pooling3d(h, 2, 1)\nh = tf.layers.average_pooling3d(h, 2, 1)\n" + _END_OF_IMAGES,
        head="x = tf.placeholder(tf.float32, [None, 4, 4, 4, 2])",
    ),
    "series averaged": net(
        "h = tf.layers.average_pooling1d(tf.layers.conv1d(self.x, 3, 3), 2, 2)\n" + _END_OF_IMAGES,
        head="x = tf.placeholder(tf.float32, [None, 8, 2])",
    ),
}
_LINEAR = """
def linear(x, units, scope=None, stddev=0.2):
    shape = x.get_shape().as_list()
    size = int(x.shape[1])
    with tf.variable_scope(scope or "linear"):
        w = tf.get_variable("w", [shape[1], units], tf.float32, tf.truncated_normal_initializer(stddev=stddev))
        return tf.matmul(x, w) / size


"""
SIZED = net("self.prediction = linear(tf.nn.relu(linear(self.x, hidden, 'first')), 1)" + MSE + SGD)
SIZED = SIZED.replace("class Net", _LINEAR.lstrip() + "class Net")
SIZES = {"images, transposed": (8, 4, 4, 2), "volumes": (8, 4, 4, 4, 2), "series averaged": (8, 8, 2)}
SIZES |= dict.fromkeys(CELLS, (8, 4, 2))
"""Of what is fed as `x`."""

CELLS_LEFT = {
    "gates that see the state after the reset": (LAST.replace("BasicLSTMCell", "GRUCell"), "GRUCell"),
    "a forget bias of zero": (LISTED.replace("=1.0", "=0.0"), "arguments of BasicLSTMCell"),
    "lengths of sequences": (
        LAST.replace("dtype=tf.float32)\n            h", "dtype=tf.float32, sequence_length=[4] * 8)\n            h"),
        "`sequence_length` of tf.nn.dynamic_rnn",
    ),
    "a cell that two sequences share": (
        LAST.replace("h = outputs[:, -1]", "again, _ = tf.nn.dynamic_rnn(cell, outputs, dtype=tf.float32)\n"
                     "            h = again[:, -1]"),
        "the cell `cell`",
    ),
    "a state as a whole": (
        LAST.replace("outputs, _", "outputs, state").replace("outputs[:, -1]", "tf.concat(state, 1)"),
        "`state`, the state or the outputs of a cell, as a whole",
    ),
    "all outputs in a list": (LISTED.replace("outputs[-1]", "tf.add_n(outputs)"), "as a whole"),
    "both directions apart": (
        CELLS["cells in both directions"].replace("tf.concat(outputs, 2)[:, 1]", "outputs[0][:, -1]"),
        "as a whole",
    ),
    "another cell for each direction": (
        CELLS["cells in both directions"].replace("back = tf.nn.rnn_cell.BasicLSTMCell(3)",
                                                  "back = tf.nn.rnn_cell.BasicLSTMCell(4)"),
        "cells that differ by their direction",
    ),
    "features that are not seen": (
        LAST.replace("rnn(cell, self.x,", "rnn(cell, tf.concat([self.x, self.x], 2),"), "features that are not seen",
    ),
    "another dtype": (LAST.replace("self.x, dtype=tf.float32", "self.x, dtype=tf.float64"), "`dtype`"),
    "time as the first axis": (LAST.replace("cell, self.x,", "cell, self.x, time_major=True,"), "`time_major`"),
}  # fmt: skip
"""Programs that stay, with a part of the reason."""
