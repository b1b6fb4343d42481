"""Classes of TensorFlow 1 that build their graph in several methods, with variables that these share."""

from __future__ import annotations

HEAD = """import numpy as np
import tensorflow.compat.v1 as tf

"""

MAIN = """
def main(net, x, y):
    losses = [net.step(x, y) for _ in range(4)]
    return losses, net.predict(x)
"""


_BUILT = """
def affine(x, units, scope, stddev=0.3):
    with tf.variable_scope(scope):
        w = tf.get_variable("w", [x.get_shape()[-1], units], initializer=tf.random_normal_initializer(stddev=stddev))
        b = tf.get_variable("b", [units], initializer=tf.constant_initializer(0.1))
        return tf.matmul(x, w) + b


class Net(object):
    def __init__(self, hidden=5, rate=0.1):
        self.hidden, self.rate = hidden, rate
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.build_inputs()
            self.build_model()
            init = tf.global_variables_initializer()
        self.sess = tf.Session(graph=self.graph)
        self.sess.run(init)

    def build_inputs(self):
        self.x = tf.placeholder(tf.float32, [None, 6])
        self.y = tf.placeholder(tf.float32, [None, 1])

    def build_model(self):
        # what is made up
        self.made = self.generator(self.x)
        self.real, self.real_logits = self.discriminator(self.y)
        self.fake, self.fake_logits = self.discriminator(self.made, reuse=True)
        self.d_loss = self.entropy(self.real_logits, 0.9) + self.entropy(self.fake_logits, 0.0)
        self.g_loss = self.entropy(self.fake_logits, 1.0)
        d_vars = [v for v in tf.trainable_variables() if "d_" in v.name]
        g_vars = [v for v in tf.trainable_variables() if v.name.startswith("generator")]
        self.d_step = tf.train.MomentumOptimizer(self.rate, 0.5).minimize(self.d_loss, var_list=d_vars)
        self.g_step = tf.train.MomentumOptimizer(self.rate, 0.5).minimize(self.g_loss, var_list=g_vars)

    def entropy(self, logits, label):
        labels = label * tf.ones_like(logits)
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels))

    def generator(self, z):
        with tf.variable_scope("generator"):
            h = tf.nn.tanh(affine(z, self.hidden, "g_h"))
            return affine(h, 1, "g_out")

    def discriminator(self, x, reuse=False):
        with tf.variable_scope("discriminator") as scope:
            if reuse:
                scope.reuse_variables()
            h = tf.nn.relu(affine(x, self.hidden, "d_h"))
            logits = affine(h, 1, "d_out")
            return tf.nn.sigmoid(logits), logits

    def step(self, x, y):
        _, d_loss = self.sess.run([self.d_step, self.d_loss], feed_dict={self.x: x, self.y: y})
        _, g_loss = self.sess.run([self.g_step, self.g_loss], feed_dict={self.x: x})
        return d_loss, g_loss

    def predict(self, x):
        return self.sess.run(self.made, feed_dict={self.x: x})

"""
_BUILT = HEAD + _BUILT + MAIN


def _built(*changes: tuple[str, str]) -> str:
    text = _BUILT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


_AUTO = (
    """    def discriminator(self, x, reuse=False):
        with tf.variable_scope("discriminator") as scope:
            if reuse:
                scope.reuse_variables()
""",
    """    def discriminator(self, x):
        with tf.variable_scope("discriminator", reuse=tf.AUTO_REUSE):
""",
)
_NO_FLAG = ("(self.made, reuse=True)", "(self.made)")

BUILT = {
    "a method that is handed what it needs": _built(
        ("            self.build_model()\n", "            self.build_model(rate)\n"),
        ("def build_model(self):", "def build_model(self, rate):"),
        ("Optimizer(self.rate, 0.5)", "Optimizer(rate, 0.5)"),
    ),
    "methods that build, variables shared": _BUILT,
    "variables shared without a word": _built(_AUTO, _NO_FLAG),
    "variables shared by a flag of the scope": _built(
        (_AUTO[0], '    def discriminator(self, x, reuse=None):\n        with tf.variable_scope("D", reuse=reuse):\n')
    ),
    "steps of variables in a scope": _built(
        ('[v for v in tf.trainable_variables() if "d_" in v.name]', 'tf.trainable_variables(scope="discriminator")'),
        (
            '[v for v in tf.trainable_variables() if v.name.startswith("generator")]',
            'tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="generator")',
        ),
    ),
    "scopes around functions": _built(
        (
            "self.discriminator(self.y)",
            "0.0, 0.0\n        with tf.variable_scope('D'):\n"
            "            self.real, self.real_logits = self.discriminator(self.y)",
        ),
        (
            "        self.fake, self.fake_logits = self.discriminator(self.made, reuse=True)",
            "        with tf.variable_scope('D', reuse=True):\n"
            "            self.fake, self.fake_logits = self.discriminator(self.made)",
        ),
        ("        self.real, self.real_logits = 0.0, 0.0\n", ""),
    ),
}

BUILT_LEFT = {
    "a method that is handed something else": (
        _built(
            ("            self.build_model()\n", "            self.build_model(2 * rate)\n"),
            ("def build_model(self):", "def build_model(self, rate):"),
            ("Optimizer(self.rate, 0.5)", "Optimizer(rate, 0.5)"),
        ),
        "",
    ),
    "shared variables of another size": (
        _built(
            (_AUTO[0].splitlines()[0], "    def discriminator(self, x, units=5, reuse=False):"),
            ("affine(x, self.hidden,", "affine(x, units,"),
            ("made, reuse=True", "made, 5, reuse=True"),
        ),
        "variables of self.discriminator that are shared",
    ),
    "variables shared with another function": (
        _built(
            _AUTO,
            (
                "self.fake, self.fake_logits = self.discriminator(self.made, reuse=True)",
                "self.fake, self.fake_logits = self.other(self.made)",
            ),
            (
                "    def step(",
                _AUTO[1].replace("discriminator(self", "other(self")
                + "            logits = affine(affine(x, self.hidden, 'd_h'), 1, 'd_out')\n"
                + "            return tf.nn.sigmoid(logits), logits\n\n    def step(",
            ),
        ),
        "variables of self.other that are shared",
    ),
    "nothing to share": (
        _built(("self.discriminator(self.y)", "self.discriminator(self.y, reuse=True)")),
        "variables of self.discriminator that are shared",
    ),
    "variables whose scope is not seen": (
        _built(
            ("reuse=False", "scope='D', reuse=False"),
            ('tf.variable_scope("discriminator")', "tf.variable_scope(scope)"),
            ("self.made, reuse=True", "self.made, 'D%d' % 1, reuse=True"),
        ),
        "variables of self.discriminator that are shared",
    ),
    "a list of variables that parts of a layer are in": (
        _built(('if "d_" in v.name', 'if "d_h" in v.name')),
        "whose names are not seen",
    ),
    "a list of variables by something else": (
        _built(('if "d_" in v.name', "if v.shape.ndims == 2")),
        "whose names are not seen",
    ),
    "variables made after a list of all": (
        _built(
            (
                "self.g_loss = self.entropy(self.fake_logits, 1.0)",
                "everything = tf.trainable_variables()\n        self.g_loss = self.entropy(self.fake_logits, 1.0)"
                " + tf.reduce_sum(affine(self.made, 1, 'late'))",
            )
        ),
        "made after a list of all",
    ),
    "an Adam for two sets of variables": (
        _built(
            (
                "self.d_step = tf.train.MomentumOptimizer(self.rate, 0.5)",
                "adam = tf.train.AdamOptimizer(self.rate)\n        self.d_step = adam",
            ),
            ("self.g_step = tf.train.MomentumOptimizer(self.rate, 0.5)", "self.g_step = adam"),
        ),
        "counts its steps for several sets",
    ),
    "a method that something else uses": (
        _built(("    def step(", "    def again(self, z):\n        return self.generator(z)\n\n    def step(")),
        "self.generator is used outside of the graph as well",
    ),
    "a method that keeps a tensor": (
        _built(("            h = tf.nn.tanh(affine(z", "            self.h = h = tf.nn.tanh(affine(z")),
        "the method self.generator",
    ),
    "a number that changes while the graph is built": (
        _built(
            ("        self.real, self.real_logits =", "        self.hidden = 7\n        self.real, self.real_logits =")
        ),
        "which changes while the graph is built",
    ),
}
"""Classes that must stay as they are, and part of the reason."""
