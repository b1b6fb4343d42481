"""Programs of TensorFlow 1 whose migrated text is run beside them; `main` gets an object of the class `Net`."""

from __future__ import annotations

from tests.codemods.graph_classes import BUILT, BUILT_LEFT, HEAD, MAIN

METHODS = """
    def step(self, x, y):
        _, loss = self.sess.run([self.train_op, self.loss], feed_dict={self.x: x, self.y: y})
        return loss

    def predict(self, x):
        return self.sess.run(self.prediction, feed_dict={self.x: x})
"""


def net(graph: str, methods: str = METHODS, head: str = "x = tf.placeholder(tf.float32, [None, 6])") -> str:
    lines = "\n".join(f"            {line}" for line in graph.strip().splitlines())
    return f"""{HEAD}
class Net(object):
    def __init__(self, hidden=5, rate=0.1):
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.x = {head.removeprefix("x = ")}
            self.y = tf.placeholder(tf.float32, [None, 1])
{lines}
            init = tf.global_variables_initializer()
        self.sess = tf.Session(graph=self.graph)
        self.sess.run(init)
{methods}
{MAIN}"""


MSE = """
self.loss = tf.reduce_mean(tf.square(self.prediction - self.y))
"""
SGD = """
self.train_op = tf.train.GradientDescentOptimizer(rate).minimize(self.loss)
"""
LINEAR = """
w = tf.get_variable("w", [6, 1], initializer=tf.random_normal_initializer(stddev=0.1))
b = tf.Variable(tf.zeros([1]))
self.prediction = tf.matmul(self.x, w) + b
"""

_FUNCTIONS = """
def affine(x, units, scope):
    with tf.variable_scope(scope):
        w = tf.get_variable("w", [x.get_shape()[-1], units], initializer=tf.random_normal_initializer(stddev=0.2))
        b = tf.get_variable("b", [units], initializer=tf.constant_initializer(0.1))
        return tf.matmul(x, w) + b


def tower(x, widths, keep_prob, scope="tower", reuse=False):
    with tf.variable_scope(scope, reuse=reuse):
        h = x
        for i, width in enumerate(widths):
            h = tf.nn.relu(affine(h, width, "layer%d" % i))
            h = tf.nn.dropout(h, keep_prob=keep_prob)
        return affine(h, 1, "end")


"""

PROGRAMS = {
    **BUILT,
    "variables": net(LINEAR + MSE + SGD),
    "penalty of a weight": net(
        LINEAR + "self.loss = tf.reduce_mean(tf.abs(self.prediction - self.y)) + 0.1 * tf.nn.l2_loss(w)\n" + SGD
    ),
    "layers": net(
        """
h = tf.layers.dense(self.x, hidden, activation=tf.nn.tanh, name="first")
h = tf.layers.dense(h, hidden * 2, tf.nn.relu)
self.prediction = tf.layers.dense(h, 1)
"""
        + MSE
        + SGD
    ),
    "a loss of tf.losses, momentum": net(
        """
self.prediction = tf.layers.dense(tf.layers.dense(self.x, hidden, tf.nn.sigmoid), 1)
self.loss = tf.losses.mean_squared_error(self.y, self.prediction)
self.train_op = tf.train.MomentumOptimizer(rate, 0.9).minimize(self.loss)
"""
    ),
    "Nesterov": net(
        LINEAR + MSE + "self.train_op = tf.train.MomentumOptimizer(rate, 0.9, use_nesterov=True).minimize(self.loss)\n"
    ),
    "gradients clipped one by one": net(
        LINEAR
        + MSE
        + """
optimizer = tf.train.GradientDescentOptimizer(rate)
pairs = optimizer.compute_gradients(self.loss)
clipped = [(tf.clip_by_value(g, -0.01, 0.01), v) for g, v in pairs]
self.train_op = optimizer.apply_gradients(clipped)
"""
    ),
    "gradients clipped together, a falling rate": net(
        LINEAR
        + MSE
        + """
step = tf.train.get_or_create_global_step()
falling = tf.train.exponential_decay(rate, step, 2, 0.5, staircase=True)
optimizer = tf.train.GradientDescentOptimizer(falling)
params = tf.trainable_variables()
clipped, _ = tf.clip_by_global_norm(tf.gradients(self.loss, params), 0.05)
self.train_op = optimizer.apply_gradients(zip(clipped, params), global_step=step)
"""
    ),
    "dropout by a placeholder with a default": net(
        """
self.keep = tf.placeholder_with_default(1.0, [])
h = tf.nn.dropout(tf.layers.dense(self.x, hidden), keep_prob=self.keep)
self.prediction = tf.layers.dense(h, 1)
"""
        + MSE
        + SGD
    ),
    "batch normalisation with a mode": net(
        """
self.training = tf.placeholder(tf.bool)
h = tf.layers.batch_normalization(tf.layers.dense(self.x, hidden), training=self.training)
self.prediction = tf.layers.dense(h, 1)
"""
        + MSE
        + """
with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    self.train_op = tf.train.GradientDescentOptimizer(rate).minimize(self.loss)
""",
        METHODS.replace("self.y: y}", "self.y: y, self.training: True}").replace(
            "{self.x: x})", "{self.x: x, self.training: False})"
        ),
    ),
    "Adam": net(LINEAR + MSE + "self.train_op = tf.train.AdamOptimizer(0.05).minimize(self.loss)\n"),
    "RMSProp": net(LINEAR + MSE + "self.train_op = tf.train.RMSPropOptimizer(0.05, 0.8).minimize(self.loss)\n"),
    "RMSProp with momentum": net(
        LINEAR
        + MSE
        + "self.train_op = tf.train.RMSPropOptimizer(0.05, momentum=0.5, epsilon=1e-3).minimize(self.loss)\n"
    ),
    "Adagrad": net(LINEAR + MSE + "self.train_op = tf.train.AdagradOptimizer(0.3).minimize(self.loss)\n"),
    "Adadelta": net(LINEAR + MSE + "self.train_op = tf.train.AdadeltaOptimizer(5.0).minimize(self.loss)\n"),
    "series": net(
        """
net = tf.layers.conv1d(self.x, 3, 3, activation=tf.nn.relu)
net = tf.layers.max_pooling1d(net, 2, 2)
net = tf.layers.dropout(tf.layers.flatten(net), 0.5, training=False)
self.prediction = tf.layers.dense(net, 1, kernel_initializer=tf.truncated_normal_initializer(stddev=0.1))
"""
        + MSE
        + SGD,
        head="tf.placeholder(tf.float32, [None, 8, 2])",
    ),
    "images averaged": net(
        """
net = tf.layers.conv2d(self.x, 3, [3, 3], (2, 2), "same", activation=tf.nn.relu, use_bias=False)
net = tf.layers.average_pooling2d(net, pool_size=2, strides=1)
self.prediction = tf.layers.dense(tf.reshape(net, [-1, 3]), 1)
"""
        + MSE
        + SGD,
        head="tf.placeholder(tf.float32, [None, 4, 4, 2])",
    ),
    "layers made in a loop": net(
        """
h = self.x
for size in (7, hidden):
    h = tf.layers.dense(h, size, activation=tf.nn.relu)
    # and once more
    h = tf.layers.dense(h, size)
self.prediction = tf.layers.dense(h, 1)
"""
        + MSE
        + SGD
    ),
    "functions that make variables": net(
        """
self.prediction = affine(self.x, 1, "wide") + tower(self.x, (hidden, 4), 1.0)
"""
        + MSE
        + SGD
    ).replace("class Net", _FUNCTIONS + "class Net"),
    "a penalty of variables that are named so": net(
        """
self.prediction = affine(self.x, 1, "wide") + tower(self.x, (hidden, 4), 1.0)
kernels = [v for v in tf.trainable_variables() if v.name.endswith("w:0")]
fit = tf.reduce_mean(tf.square(self.prediction - self.y))
self.loss = fit + rate * tf.add_n([tf.nn.l2_loss(k) for k in kernels])
"""
        + SGD
    ).replace("class Net", _FUNCTIONS + "class Net"),
    "penalties of all variables and of those in a scope": net(
        """
self.prediction = affine(self.x, 1, "wide") + tower(self.x, (hidden, 4), 1.0)
every = tf.trainable_variables()
fit = tf.reduce_mean(tf.square(self.prediction - self.y))
penalty = tf.add_n([tf.nn.l2_loss(v) for v in every if v.name.startswith("tower")])
self.loss = fit + rate * penalty + 0.01 * tf.add_n([tf.nn.l2_loss(v) for v in every])
"""
        + SGD
    ).replace("class Net", _FUNCTIONS + "class Net"),
    "a rate that is fed": net(
        LINEAR
        + MSE
        + """
self.rate = tf.placeholder(tf.float32, [])
self.train_op = tf.train.MomentumOptimizer(self.rate, 0.9).minimize(self.loss)
""",
        """
    def step(self, x, y):
        feed = {self.x: x, self.y: y, self.rate: 0.1}
        _, loss = self.sess.run([self.train_op, self.loss], feed_dict=feed)
        return loss

    def predict(self, x):
        return self.sess.run(self.prediction, feed_dict={self.x: x})
""",
    ),
    "images": net(
        """
net = tf.layers.conv2d(self.x, 3, 3, padding="same", activation=tf.nn.relu)
net = tf.layers.max_pooling2d(net, 2, 2)
net = tf.layers.flatten(net)
self.prediction = tf.layers.dense(net, 1)
"""
        + MSE
        + SGD,
        head="tf.placeholder(tf.float32, [None, 4, 4, 2])",
    ),
    "several tensors of one run, a step by itself": net(
        LINEAR
        + MSE
        + """
self.largest = tf.reduce_max(tf.abs(self.prediction))
"""
        + SGD,
        """
    def step(self, x, y):
        self.sess.run(self.train_op, {self.x: x, self.y: y})
        largest, loss = self.sess.run([self.largest, self.loss], {self.x: x, self.y: y})
        return largest, loss

    def predict(self, x):
        feed = {self.x: x}
        return self.prediction.eval(feed, session=self.sess)
""",
    ),
}

SAVED = net(
    LINEAR
    + MSE
    + """
self.last = None
self.count = tf.train.get_or_create_global_step()
falling = tf.train.exponential_decay(rate, self.count, 2, 0.5, staircase=True)
self.train_op = tf.train.MomentumOptimizer(falling, 0.9).minimize(self.loss, global_step=self.count)
self.saver = tf.train.Saver(max_to_keep=1)
""",
    """
    def step(self, x, y):
        self.last = x, y
        _, loss = self.sess.run([self.train_op, self.loss], feed_dict={self.x: x, self.y: y})
        return loss

    def predict(self, x):
        if self.last is None:
            return self.sess.run(self.prediction, feed_dict={self.x: x})
        with self.graph.as_default():
            where = self.saver.save(self.sess, os.path.join(tempfile.mkdtemp(), "net"), global_step=self.count)
        self.step(*self.last)
        self.saver.restore(self.sess, where)
        losses = [float(os.path.basename(where) == "net-4"), self.step(*self.last), self.step(*self.last)]
        return [*losses, self.sess.run(self.prediction, feed_dict={self.x: x})]
""",
).replace("import numpy", "import os\nimport tempfile\n\nimport numpy")


LEFT = {
    **BUILT_LEFT,
    "what depends on the order of operations": (
        net(LINEAR + MSE + SGD + "self.w = w\n", METHODS.replace("self.loss]", "w]").replace("_, loss", "_, w")),
        "",
    ),
    "a tensor that is fed": (
        net(LINEAR + MSE + SGD, METHODS.replace("{self.x: x})", "{self.x: x, self.prediction: x})")),
        "is fed, which is no placeholder",
    ),
    "moving averages that are not updated": (
        PROGRAMS["batch normalisation with a mode"].replace(
            "with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):", "if True:"
        ),
        "",
    ),
    "a variable that the graph assigns": (
        net(
            LINEAR
            + MSE
            + "self.counted = tf.assign_add(b, [1.0]) + 0.0 * self.prediction\nself.twice = 2.0 * self.counted\n"
            + SGD,
            METHODS
            + """
    def count(self, x):
        return self.sess.run([self.counted, self.twice], feed_dict={self.x: x})
""",
        ),
        "a variable that the graph assigns",
    ),
    "a rate that is not fed": (
        net(
            LINEAR
            + MSE
            + "self.rate = tf.placeholder(tf.float32, [])\n"
            + "self.train_op = tf.train.GradientDescentOptimizer(self.rate).minimize(self.loss)\n"
        ),
        "does not feed `self.rate`",
    ),
    "a placeholder that is not fed": (
        net(LINEAR + MSE + SGD, METHODS.replace(", self.y: y}", "}")),
        "does not feed `self.y`",
    ),
    "a centered RMSProp": (
        net(LINEAR + MSE + "self.train_op = tf.train.RMSPropOptimizer(0.1, centered=True).minimize(self.loss)\n"),
        "arguments of an optimizer",
    ),
    "rows that no step looks up": (
        net(
            "table = tf.get_variable('table', [9, 2])\n"
            "rows = tf.nn.embedding_lookup(table, tf.cast(self.x[:, 0], tf.int32))\n"
            "self.prediction = tf.reduce_sum(rows, axis=1, keepdims=True)\n"
            + MSE
            + "self.train_op = tf.train.RMSPropOptimizer(0.1).minimize(self.loss)\n"
        ),
        "leaves rows of a table alone",
    ),
    "a step for some variables": (
        net(LINEAR + MSE + "self.train_op = tf.train.AdamOptimizer(rate).minimize(self.loss, var_list=[w])\n"),
        "a step for some of the variables",
    ),
    "variables that are shared": (
        net(
            """
with tf.variable_scope("one", reuse=tf.AUTO_REUSE):
    self.prediction = tf.layers.dense(self.x, 1, name="out")
"""
            + MSE
            + SGD
        ),
        "shares variables",
    ),
    "a penalty of variables whose names are not seen": (
        PROGRAMS["a penalty of variables that are named so"].replace('v.name.endswith("w:0")', "v.shape.ndims == 2"),
        "whose names are not seen",
    ),
    "a saver of some variables": (
        SAVED.replace("Saver(max", "Saver(tf.trainable_variables(), max"),
        "a saver of some variables",
    ),
    "a saver with another session": (
        SAVED.replace("restore(self.sess", "restore(self.other"),
        "whose session is not seen",
    ),
    "a rate that nothing counts": (
        PROGRAMS["gradients clipped together, a falling rate"].replace(", global_step=step)", ")"),
        "nothing counts",
    ),
    "a tensor read elsewhere": (
        net(LINEAR + MSE + SGD) + "\n\ndef report(net):\n    return net.loss.name\n",
        "may be read outside of the class",
    ),
    "a variable of a loop that is read behind it": (
        net(
            "h = self.x\nfor _ in range(2):\n    v = tf.Variable(tf.zeros([6]))\n    h = h + v\n"
            "self.prediction = h + v\n" + MSE + SGD
        ),
        "which computes with more than tensors",
    ),
    "a loop that does something beside": (
        net(
            "h = self.x\nfor n in range(2):\n    size = self.next()\n    h = tf.layers.dense(h, size)\n"
            "self.prediction = tf.layers.dense(h, 1)\n" + MSE + SGD
        ),
        "beside other things",
    ),
    "a function whose variables are shared": (
        PROGRAMS["functions that make variables"].replace("(hidden, 4), 1.0)", "(hidden, 4), 1.0, reuse=True)"),
        "variables of tower that are shared",
    ),
    "functions that call each other": (
        PROGRAMS["functions that make variables"].replace(
            "        return tf.matmul(x, w) + b", "        return tf.matmul(x, w) + b if units else tower(x, (), 1.0)"
        ),
        "which calls itself",
    ),
    "a function that something else uses": (
        PROGRAMS["functions that make variables"] + "\n\nmake = affine\n",
        "is used outside of graphs as well",
    ),
    "a penalty of a layer": (
        net("self.prediction = tf.layers.dense(self.x, 1, kernel_regularizer=tf.nn.l2_loss)\n" + MSE + SGD),
        "that are not known",
    ),
}
"""Programs that must stay as they are, and part of the reason."""
