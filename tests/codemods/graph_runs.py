"""Programs of TensorFlow 1 that differ in how they feed, run and log their graph; see `graph_programs`."""

from __future__ import annotations

from tests.codemods.graph_programs import LINEAR, METHODS, MSE, SGD, net

_BASE = net(LINEAR + MSE + SGD)
_STEP = "_, loss = self.sess.run([self.train_op, self.loss], feed_dict={self.x: x, self.y: y})"
_PREDICT = "return self.sess.run(self.prediction, feed_dict={self.x: x})"
_LINES = "\n        "


def _runs(step: str, predict: str = _PREDICT, graph: str = LINEAR + MSE + SGD) -> str:
    methods = METHODS.replace(_STEP, step.replace("\n", _LINES)).replace(_PREDICT, predict.replace("\n", _LINES))
    return net(graph, methods)


_FED = "_, loss = self.sess.run([self.train_op, self.loss], feed_dict=feed)"
_LOGGED = """
tf.summary.histogram("w", w)
with tf.name_scope("cost"):
    tf.summary.scalar("mean squared", self.loss)
self.fit = tf.summary.scalar("largest", tf.reduce_max(self.prediction))
self.merged = tf.summary.merge_all()
self.some = tf.summary.merge([self.fit])
self.log = []
"""
_WRITER = "writer = tf.summary.FileWriter(tempfile.mkdtemp(), self.sess.graph)\n"
_LOG = "summary, _, loss = self.sess.run([self.merged, self.train_op, self.loss], feed_dict={self.x: x, self.y: y})\n"
LOGGED = _runs(
    _WRITER
    + _LOG
    + "if loss > 0.0:\n    writer.add_summary(summary, len(self.log))\nself.log.append(loss)\nwriter.close()",
    "writer = tf.summary.FileWriter(logdir=tempfile.mkdtemp())\nwriter.add_graph(self.sess.graph)\n"
    "some = self.sess.run(self.some, {self.x: x})\nwriter.add_summary(some, global_step=3)\nwriter.flush()\n"
    + _PREDICT,
    LINEAR + MSE + SGD + _LOGGED,
).replace("import numpy", "import tempfile\n\nimport numpy")

_MAKERS = """
def weight(shape, stddev=0.1):
    initial = tf.truncated_normal(shape, stddev=stddev)
    return tf.Variable(initial)


def inputs(size):
    # what goes in
    x = tf.placeholder(tf.float32, [None, size])
    return x, tf.placeholder(tf.float32, [None, 1])


def training(loss, rate):
    optimizer = tf.train.MomentumOptimizer(rate, 0.9)
    step = tf.Variable(0, trainable=False)
    return optimizer.minimize(loss, global_step=step)


"""
MADE = net(
    """
h = tf.nn.tanh(tf.matmul(self.x, weight([6, hidden])) + weight(
    [hidden], stddev=0.2))
self.prediction = tf.matmul(h, weight([hidden, 1]))  # the last one
"""
    + MSE
    + "self.train_op = training(self.loss, rate)\n"
).replace("class Net", _MAKERS.lstrip() + "class Net")
MADE = MADE.replace("            self.y = tf.placeholder(tf.float32, [None, 1])\n", "").replace(
    "self.x = tf.placeholder(tf.float32, [None, 6])", "self.x, self.y = inputs(6)"
)
KEPT = net(
    """
weights = self.make_weights(6, hidden)
self.weights = weights
h = tf.nn.relu(tf.matmul(self.x, self.weights["w1"]) + self.weights["b1"])
more = {
    # the end
    "out": tf.Variable(tf.random_normal([hidden, 1])),
    "bias": tf.Variable(tf.zeros([1])),
}
self.prediction = tf.matmul(h, more["out"]) + more["bias"]
"""
    + MSE
    + SGD,
    METHODS
    + """
    def make_weights(self, size, units):
        made = dict()
        made["w1"] = tf.get_variable("w1", [size, units], initializer=tf.random_normal_initializer(stddev=0.2))
        made["b1"] = tf.Variable(tf.zeros([units], dtype=tf.float32))
        return made

    def kernel(self):
        return self.sess.run(self.weights["w1"])
""",
)
_AGAIN = """
w = tf.Variable(tf.random_normal([6, hidden]))
h = tf.nn.tanh(tf.matmul(self.x, w))
w = tf.Variable(tf.random_normal([hidden, 1]))
self.prediction = tf.matmul(h, w)
"""

_TURNS = """
parts = []
for i, size in enumerate([3, hidden]):
    with tf.name_scope("part%d" % i):
        # what this turn has
        shape = [6, size]
        w = tf.Variable(tf.truncated_normal(shape, stddev=0.1), name="w")
        b = tf.Variable(tf.constant(0.1, shape=[size]), name="b")
        part = tf.nn.relu(tf.matmul(self.x, w) + b)
        parts.append(tf.reduce_max(part * size, axis=1, keepdims=True))
w = tf.Variable(tf.random_normal([2, 1]))
self.prediction = tf.matmul(tf.concat(parts, 1), w)
"""
_SUMMED = """
h = self.x
for _ in range(2):
    v = tf.Variable(tf.zeros([6]))
    h = tf.nn.tanh(h + v)
self.prediction = tf.layers.dense(h, 1)
"""

_ASSIGNED = (
    LINEAR
    + MSE
    + """
self.rate = tf.Variable(0.0, trainable=False)
self.new_rate = tf.placeholder(tf.float32, [])
self.slow = tf.assign(self.rate, self.new_rate)
self.train_op = tf.train.GradientDescentOptimizer(self.rate).minimize(self.loss)
"""
)
ASSIGNED = _runs(
    "self.sess.run(tf.assign(self.rate, 0.1 / len(x)))\n" + _STEP + "\n"
    "self.sess.run(self.slow, feed_dict={self.new_rate: 0.05 * float(loss)})\n" + _STEP,
    graph=_ASSIGNED,
)

_TWINS = (
    """
start, zero = tf.random_normal_initializer(0.0, 0.3), tf.constant_initializer(0.1)
with tf.variable_scope("eval"):
    h = tf.layers.dense(self.x, hidden, tf.nn.tanh, kernel_initializer=start, bias_initializer=zero, name="e1")
    self.prediction = tf.layers.dense(h, 1, kernel_initializer=start, name="e2")
with tf.variable_scope("target"):
    t = tf.layers.dense(self.x, hidden, tf.nn.tanh, kernel_initializer=start, bias_initializer=zero, name="t1")
    after = tf.layers.dense(t, 1, kernel_initializer=start, name="t2")
    self.after = after
aim = self.y + 0.9 * self.after
self.aim = tf.stop_gradient(aim)
self.loss = tf.reduce_mean(tf.square(self.prediction - self.aim))
t_params = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope="target")
e_params = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="eval")
self.replace = [tf.assign(t, e) for t, e in zip(t_params, e_params)]
self.approach = [t.assign(0.9 * t + 0.1 * e) for t, e in zip(t_params, e_params)]
"""
    + SGD
)
COPIED = _runs(
    "self.sess.run(self.approach)\n" + _STEP + "\nif loss < 0.5:\n    self.sess.run([self.replace])",
    "after = self.sess.run(self.after, feed_dict={self.x: x})\nself.sess.run(self.replace)\n"
    "return after, self.sess.run(self.after, feed_dict={self.x: x})",
    _TWINS,
)

RUNS = {
    "variables that are set from others": COPIED,

    "a rate that runs assign": ASSIGNED,

    "variables and a list in each turn of a loop": net(_TURNS + MSE + SGD),
    "a variable in each turn of a loop": net(_SUMMED + MSE + SGD),

    "variables, placeholders and steps that functions make": MADE,
    "variables in dictionaries": KEPT,
    "a name for one variable after another": net(_AGAIN + MSE + SGD),

    "what is fed has one name in two methods": _runs(
        "feed = {self.x: x, self.y: y}\n" + _FED,
        "feed = {self.x: x}\nreturn self.sess.run(self.prediction, feed_dict=feed)",
    ),
    "what is fed is put together": _runs(
        "feed = {self.x: x}\nfeed[self.y] = 0.5 * y\nfeed.update({self.y: y})\n" + _FED
    ),
    "what is fed is put together for each run": _runs(
        "feed = {self.x: x, self.y: y}\nfirst = self.sess.run(self.loss, feed)\nfeed[self.y] = y - first\n" + _FED
    ),
    "what is fed stands before a loop": _runs("feed = {self.x: x, self.y: y}\nfor _ in range(2):\n    " + _FED),
    "a loss without a name": net(LINEAR + MSE + SGD.replace("minimize(self.loss)", "minimize(0.5 * self.loss)")),
    "devices, several scopes in one statement": net(
        "with tf.device('/cpu:0'), tf.name_scope('line'):\n"
        + "".join(f"    {line}\n" for line in LINEAR.strip().splitlines())
        + MSE
        + SGD
    ),
    "several questions in one statement": _runs(
        _STEP,
        "feed = {self.x: x}\nreturn self.sess.run(self.prediction, feed), self.sess.run(self.w)",
        LINEAR + "self.w = w\n" + MSE + SGD,
    ),
    "a placeholder without a shape": _runs(
        _STEP.replace("self.y: y", "self.y: y, self.scale: 0.5"),
        "scale = np.full((len(x), 1), 2.0)\n" + _PREDICT.replace("self.x: x", "self.x: x, self.scale: scale"),
        "self.scale = tf.placeholder('float')\n" + LINEAR.replace("+ b", "* self.scale + b") + MSE + SGD,
    ),
    "summaries": LOGGED,
}  # fmt: skip

RUNS_LEFT = {
    "variables that are set from unlike ones": (
        COPIED.replace("after = tf.layers.dense(t, 1, kernel_initializer=start, name=\"t2\")",
                       "after = tf.matmul(t, tf.get_variable(\"t2\", [hidden, 1]))"),
        "which are not like them",
    ),
    "variables that are set from themselves": (
        COPIED.replace('scope="eval")', 'scope="target")'),
        "which are not like them",
    ),
    "variables that are set beside a step": (
        COPIED.replace("run(self.approach)", "run([self.approach, self.loss], {self.x: x, self.y: y})"),
        "a session is asked for",
    ),
    "variables that are set by a name of the constructor": (
        COPIED.replace("0.9 * t + 0.1 * e", "(1.0 - rate) * t + rate * e"),
        "a name of the constructor",
    ),

    "a rate that the graph computes with": (
        ASSIGNED.replace("self.train_op", "self.twice = 2.0 * self.rate\n            self.train_op", 1),
        "a learning rate that the graph computes",
    ),
    "a rate that is read": (
        ASSIGNED.replace("        _, loss =", "        self.sess.run(self.rate)\n        _, loss ="),
        "is asked for `self.rate`",
    ),
    "a rate that trains": (
        ASSIGNED.replace("tf.Variable(0.0, trainable=False)", "tf.Variable(0.0)"),
        "a variable that the graph assigns",
    ),
    "a variable that is assigned and no rate": (
        ASSIGNED.replace("Optimizer(self.rate", "Optimizer(rate"),
        "a session is asked for",
    ),
    "a rate that is set among other things": (
        ASSIGNED.replace("tf.assign(self.rate, 0.1 / len(x))", "[tf.assign(self.rate, 0.1)]"),
        "a session is asked for",
    ),

    "a dictionary with a key that is not seen": (
        KEPT.replace('self.weights["w1"])\n', "self.weights['w%d' % 1])\n"),
        "a tensor kept in",
    ),
    "a dictionary that is handed on": (
        KEPT.replace("    def kernel", "    def every(self):\n        return list(self.weights)\n\n    def kernel"),
        "a tensor kept in",
    ),

    "what is fed depends on a condition": (
        _runs("feed = {self.x: x, self.y: y}\nif len(x) > 3:\n    feed = {self.x: x, self.y: 2.0 * y}\n" + _FED),
        "put together",
    ),
    "what is fed changes in a loop": (
        _runs("feed = {self.x: x, self.y: y}\nfor n in range(2):\n    " + _FED + "\n    feed[self.y] = 0.5 * y"),
        "put together",
    ),
    "what is fed changes before it is used": (
        _runs("feed = {self.x: x, self.y: y}\ny = 2.0 * y\n" + _FED),
        "changes before it is used",
    ),
    "what is fed changes while a loop runs": (
        _runs("feed = {self.x: x, self.y: y}\nfor n in range(2):\n    " + _FED + "\n    y = 2.0 * y"),
        "changes before it is used",
    ),
    "what is fed is drawn before something else is": (
        _runs("feed = {self.x: x + np.random.rand(), self.y: y}\nprint(np.random.rand())\n" + _FED),
        "changes before it is used",
    ),
    "what is fed is drawn once for two runs": (
        _runs("feed = {self.x: x + np.random.rand(), self.y: y}\nself.sess.run(self.loss, feed)\n" + _FED),
        "changes before it is used",
    ),
    "a summary of another run": (
        LOGGED.replace(
            "summary, _, loss",
            "if len(x) > 3:\n            summary = self.sess.run(self.some, {self.x: x})\n        _, loss",
        ).replace("[self.merged, self.train_op", "[self.train_op"),
        "a summary whose run is not seen",
    ),
    "a summary that is kept": (
        LOGGED.replace("writer.add_summary(summary, len(self.log))", "self.log.append(summary)"),
        "a summary that is not only written",
    ),
    "a summary without a step": (
        LOGGED.replace("writer.add_summary(some, global_step=3)", "writer.add_summary(some)"),
        "whose run is not seen",
    ),
    "a summary whose name is not seen": (
        LOGGED.replace('tf.summary.histogram("w", w)', "tf.summary.histogram(w.name, w)"),
        "whose name is not seen",
    ),
}  # fmt: skip
