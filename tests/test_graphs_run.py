"""`migrator run` on TensorFlow 1: an object that is given its session, which a method initialises."""

from __future__ import annotations

from pathlib import Path

from tests.command import command
from tests.test_verify import statuses

NET = """
import numpy as np
import tensorflow as tf


class Net(object):
    def __init__(self, sess, size):
        self.sess = sess
        self.size = size
        self.build()

    def build(self):
        self.x = tf.placeholder(tf.float32, [None, self.size])
        self.code = self.encoder(self.x)
        self.again = self.decoder(self.code)
        self.other = self.decoder(tf.tanh(self.code), reuse=True)
        self.loss = tf.reduce_mean(tf.square(self.again - self.x)) + tf.reduce_mean(tf.square(self.other))
        names = tf.trainable_variables()
        self.e_vars = [v for v in names if v.name.startswith("encoder")]
        self.d_vars = [v for v in names if "d_" in v.name]

    def encoder(self, x):
        with tf.variable_scope("encoder"):
            return tf.layers.dense(x, 2, activation=tf.nn.tanh, name="e_out")

    def decoder(self, code, reuse=False):
        with tf.variable_scope("decoder", reuse=reuse):
            return tf.layers.dense(code, self.size, name="d_out")

    def train(self, x, steps):
        first = tf.train.GradientDescentOptimizer(0.1).minimize(self.loss, var_list=self.e_vars)
        second = tf.train.MomentumOptimizer(0.1, 0.9).minimize(self.loss, var_list=self.d_vars)
        self.sess.run(tf.global_variables_initializer())
        losses = []
        for _ in range(steps):
            self.sess.run(first, {self.x: x})
            _, loss = self.sess.run([second, self.loss], {self.x: x})
            losses.append(loss)
        return losses

    def encode(self, x):
        return self.sess.run(self.code, {self.x: x})
"""
MAIN = """
import numpy as np
import tensorflow as tf

from net import Net


def main():
    x = np.random.RandomState(0).normal(size=(8, 4)).astype("float32")
    with tf.Session() as sess:
        net = Net(sess, 4)
        print(net.train(x, 3))
        print(net.encode(x))


if __name__ == "__main__":
    main()
"""


def test_an_object_is_given_its_session_by_another_file(tmp_path: Path) -> None:
    source, out = tmp_path / "p", tmp_path / "p_torch"
    source.mkdir()
    (source / "net.py").write_text(NET)
    (source / "main.py").write_text(MAIN)
    found = statuses(command("run", str(source), "-o", str(out), "--json").out)
    assert (found["Net"], found["main"]) == ("accepted", "accepted")
    assert "net = Net(4)\n" in (out / "main.py").read_text()


PLAIN = """
import tensorflow as tf

a = tf.ones(shape=[2, 3])
b = tf.fill([3, 2], 0.5)
c = tf.matmul(a, b)
sess = tf.Session()
d = sess.run(c)
print(d)
"""


def test_a_graph_of_constants_at_the_top_level(tmp_path: Path) -> None:
    """Its nodes are names of a function now; what the session gave is compared."""
    repo, out = tmp_path / "repo", tmp_path / "out"
    repo.mkdir()
    (repo / "plain.py").write_text(PLAIN)
    found = statuses(command("run", str(repo), "-o", str(out), "--json").out)
    assert set(found.values()) == {"accepted"}
    assert "def forward(self):" in (out / "plain.py").read_text()


SCRIPT = """
import numpy as np
import tensorflow as tf


def weight(shape):
    initial = tf.truncated_normal(shape, stddev=0.1)
    return tf.Variable(initial)


x = tf.placeholder(tf.float32, [None, 3])
weights = {"w": weight([3, 2]), "b": tf.Variable(tf.zeros([2]))}


def network(inputs):
    hidden = tf.matmul(inputs, weights["w"])
    return hidden + weights["b"]


out = network(x)
loss = tf.reduce_mean(tf.square(out - 1.0))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(3):
        _, value = sess.run([train, loss], feed_dict={x: np.ones((4, 3), "float32")})
        print(value)
"""


def test_functions_that_stand_where_they_were_called_go_with_their_graph(tmp_path: Path) -> None:
    source, out = tmp_path / "p", tmp_path / "p_torch"
    source.mkdir()
    (source / "main.py").write_text(SCRIPT)
    found = statuses(command("run", str(source), "-o", str(out), "--json").out)
    assert found["weight"] == found["network"] == "accepted"
    assert "def network" not in (out / "main.py").read_text()
