"""Models that train themselves (`train_step`), and layers that add to the loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from migrator import source, steps
from migrator.model import FileRewrite

SOURCE = """
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Shrink(layers.Layer):
    def __init__(self, weight=0.1, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight

    def call(self, x):
        self.add_loss(self.weight * tf.reduce_mean(tf.square(x)))
        return x


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(4, activation="tanh", kernel_regularizer=keras.regularizers.l2(0.01))
        self.shrink = Shrink(0.5)
        self.out = layers.Dense(1)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.mse = keras.metrics.Mean(name="mse")

    @property
    def metrics(self):
        return [self.loss_tracker, self.mse]

    def call(self, x):
        return self.out(self.shrink(self.hidden(x)))

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            error = tf.reduce_mean(tf.square(self(x, training=True) - y))
            loss = error + sum(self.losses)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.loss_tracker.update_state(loss)
        self.mse.update_state(error)
        return {m.name: m.result() for m in self.metrics}

    def test_step(self, data):
        x, y = data
        self.mse.update_state(tf.reduce_mean(tf.square(self(x, training=False) - y)))
        return {"mse": self.mse.result()}


def train(net, x, y, x_val, y_val):
    net.compile(optimizer=keras.optimizers.SGD(0.1))
    history = net.fit(
        x, y, batch_size=8, epochs=3, validation_data=(x_val, y_val), validation_batch_size=8, shuffle=False, verbose=0
    )
    return history.history, net.evaluate(x, y, batch_size=8, return_dict=True, verbose=0)


def make():
    net = Net()
    net(np.zeros((1, 3), "float32"))
    return net
"""


def rendered(tmp_path: Path, text: str) -> FileRewrite:
    (tmp_path / "net.py").write_text(text)
    repo = source.read(tmp_path, (), ())
    return steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["net.py"]


def reasons(tmp_path: Path, text: str) -> str:
    return "; ".join(d.reason for unit in rendered(tmp_path, text).units for d in unit.declines)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    made = rendered(tmp_path_factory.mktemp("steps"), SOURCE)
    assert "tensorflow" not in made.text
    scopes: list[dict[str, Any]] = [{"__name__": "net"}, {"__name__": "net"}]
    for text, scope in zip((SOURCE, made.text), scopes, strict=True):
        exec(text, scope)
    return scopes[0], scopes[1]


def test_figures_agree(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(21, 3))
    y = np.sin(x[:, :1] * 2)
    tf_net, net = both[0]["make"](), both[1]["Net"]()
    with torch.no_grad():
        for ours, theirs in ((net.hidden, tf_net.hidden), (net.out, tf_net.out)):
            ours.weight.copy_(torch.tensor(theirs.kernel.numpy().T))
            ours.bias.copy_(torch.tensor(theirs.bias.numpy()))
    expected, figures = both[0]["train"](tf_net, x, y, x[:9], y[:9])
    history, measured = both[1]["train"](net, x, y, x[:9], y[:9])
    assert history.keys() == expected.keys()
    for name, values in expected.items():
        assert history[name] == pytest.approx(values, rel=1e-4)
    assert measured == pytest.approx({name: float(value) for name, value in figures.items()}, rel=1e-4)


def test_what_a_layer_adds_is_of_its_last_call(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    layer = both[1]["Shrink"](2.0)
    for scale in (1.0, 3.0):
        layer(torch.full((2, 2), scale))
        assert float(both[1]["added_losses"](layer)) == 2.0 * scale**2


def test_two_statements_that_add_are_summed_up(tmp_path: Path) -> None:
    text = rendered(
        tmp_path, SOURCE.replace("        return x\n", "        self.add_loss(tf.reduce_max(x))\n        return x\n")
    ).text
    assert "        self.added_loss = 0.0\n        self.added_loss = self.added_loss + " in text


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("tf.reduce_mean(tf.square(x))", "tf.square(x)", "a loss that is no scalar is added"),
        ("self.shrink(self.hidden(x))", "self.shrink(self.shrink(self.hidden(x)))", "called more than once"),
        ("    @property\n    def metrics", "    def tracked", "without a list of its `metrics`"),
        ('"mse": self.mse.result()', '"mse": 1.0', "returns something else than results of its metrics"),
        ("    def test_step", "    def other_step", "one of `train_step` and `test_step` only"),
        ("SGD(0.1))", 'SGD(0.1), metrics=["mae"])', "`metrics` of a model that has its own"),
        (
            "    def train_step",
            "    def compute_loss(self, x):\n        return 0\n\n    def train_step",
            "its own `compute_loss`",
        ),
        ("self(x, training=True)", "self.out(x)", "a layer, is called in a step"),
    ],
)
def test_what_is_declined(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert old in SOURCE
    assert reason in reasons(tmp_path, SOURCE.replace(old, new))


GRAPH = """
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

inputs = keras.Input((4,))
x = layers.Dense(3, kernel_regularizer="l2")(inputs)
outputs = layers.Dense(2, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(np.ones((8, 4)), np.zeros(8), verbose=0)
"""


def test_a_graph_that_statements_build_is_trained(tmp_path: Path) -> None:
    made = rendered(tmp_path, GRAPH)
    assert "tensorflow" not in made.text
    assert "F.cross_entropy(logits, y) + model.regularization_loss()" in made.text
    gone = {change.qualname for unit in made.units for change in unit.changes}
    assert gone == {"net:inputs", "net:x", "net:outputs"}


def test_a_model_that_a_function_compiles_is_the_one_that_its_caller_fits(tmp_path: Path) -> None:
    indented = GRAPH.partition("inputs =")[2].replace("\n", "\n    ").partition("model.fit")[0]
    text = GRAPH.partition("inputs =")[0] + f"def make():\n    inputs ={indented}return model\n\n\n"
    text += "def main():\n    model = make()\n    model.fit(np.ones((8, 4)), np.zeros(8), verbose=0)\n"
    made = rendered(tmp_path, text)
    assert "run_epoch(model, loader, model.optimizer)" in made.text
    assert "tensorflow" not in made.text


OWN_COMPILE = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Pair(keras.Model):
    def __init__(self, one, other):
        super().__init__()
        self.one = one
        self.other = other
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def compile(self, first, second, loss_fn):
        super().compile()
        self.first = first
        self.second = second
        self.loss_fn = loss_fn

    def train_step(self, x):
        with tf.GradientTape(persistent=True) as tape:
            loss = self.loss_fn(x, self.other(self.one(x, training=True), training=True))
        ones = tape.gradient(loss, self.one.trainable_variables)
        others = tape.gradient(loss, self.other.trainable_variables)
        self.first.apply_gradients(zip(ones, self.one.trainable_variables))
        self.second.apply_gradients(zip(others, {}.trainable_variables))
        self.tracker.update_state(loss)
        return {{"loss": self.tracker.result()}}


def train(x):
    one = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    other = keras.Sequential([keras.Input((3,)), layers.Dense(4)])
    pair = Pair(one, other)
    loss = keras.losses.MeanSquaredError()
    pair.compile(first=keras.optimizers.SGD(0.1), second=keras.optimizers.SGD(0.2), loss_fn=loss)
    pair.fit(x, epochs=2, batch_size=8)
"""


def test_each_optimizer_gets_what_the_steps_apply_its_gradients_to(tmp_path: Path) -> None:
    text = rendered(tmp_path, OWN_COMPILE.format("self.other")).text
    assert "first=torch.optim.SGD(pair.one.parameters(), lr=0.1)," in text
    assert "second=torch.optim.SGD(pair.other.parameters(), lr=0.2)," in text
    assert "logs = run_steps(pair, loader, pair.train_step)" in text
    assert "super().compile()" not in text
    assert "class One(nn.Module)" in text


def test_an_optimizer_of_unknown_variables_is_declined(tmp_path: Path) -> None:
    assert "which parameters `second` changes is not certain" in reasons(tmp_path, OWN_COMPILE.format("self.things()"))


TWO_MODELS = """
from tensorflow import keras


def narrow(x, y):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", loss="mse")
    return model.fit(x, y)


def wide(x, y):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(7)])
    model.compile("sgd", loss="mse")
    return model.fit(x, y)
"""


def test_models_of_one_name_have_classes_of_their_own(tmp_path: Path) -> None:
    text = rendered(tmp_path, TWO_MODELS).text
    assert "class Model(nn.Module)" in text
    assert "class Model2(nn.Module)" in text
    assert text.index("nn.Linear(4, 7)") > text.index("class Model2")
    assert "model = Model2().to(device)" in text


GAN = """
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class GAN(keras.Model):
    def __init__(self, critic, maker):
        super().__init__()
        self.critic = critic
        self.maker = maker

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer

    def train_step(self, real):
        fake = self.maker(tf.ones_like(real))
        with tf.GradientTape() as tape:
            d_loss = tf.reduce_mean(self.critic(fake) - self.critic(real))
        grads = tape.gradient(d_loss, self.critic.trainable_variables)
        self.d_optimizer.apply_gradients(zip(grads, self.critic.trainable_variables))
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(self.critic(self.maker(tf.ones_like(real))))
        grads = tape.gradient(g_loss, self.maker.trainable_variables)
        self.g_optimizer.apply_gradients(zip(grads, self.maker.trainable_variables))
        return {"d_loss": d_loss, "g_loss": g_loss}


def critic():
    return keras.Sequential([keras.Input((3,)), layers.Dense(1)])


def maker():
    return keras.Sequential([keras.Input((3,)), layers.Dense(3)])


def train(x):
    gan = GAN(critic(), maker())
    gan.compile(d_optimizer=keras.optimizers.SGD(0.1), g_optimizer=keras.optimizers.SGD(0.2))
    return gan, gan.fit(x, batch_size=4, epochs=3, shuffle=False, verbose=0).history
"""


def test_a_model_without_metrics_has_the_figures_of_its_last_step(tmp_path: Path) -> None:
    made = rendered(tmp_path, GAN)
    assert [d.reason for unit in made.units for d in unit.declines] == []
    assert 'return {"d_loss": d_loss.detach(), "g_loss": g_loss.detach()}' in made.text
    assert "logs = run_batches(loader, gan.train_step)" in made.text
    scope: dict[str, Any] = {}
    exec(GAN, scope)
    x = np.random.default_rng(0).normal(size=(10, 3)).astype("float32")
    ours: dict[str, Any] = {}
    exec(made.text, ours)
    start = {"critic": scope["critic"]().get_weights(), "maker": scope["maker"]().get_weights()}

    def keras_part(name: str) -> Any:
        model = {"critic": critic, "maker": maker}[name]()
        model.set_weights(start[name])
        return model

    def torch_part(name: str) -> Any:
        module = {"critic": ours_critic, "maker": ours_maker}[name]()
        kernel, bias = start[name]
        with torch.no_grad():
            for parameter, value in zip(module.parameters(), (kernel.T, bias), strict=True):
                parameter.copy_(torch.as_tensor(value))
        return module

    critic, maker, ours_critic, ours_maker = scope["critic"], scope["maker"], ours["critic"], ours["maker"]
    scope.update(critic=lambda: keras_part("critic"), maker=lambda: keras_part("maker"))
    ours.update(critic=lambda: torch_part("critic"), maker=lambda: torch_part("maker"))
    trained, wanted = scope["train"](x)
    module, found = ours["train"](x)
    assert set(found) == set(wanted) == {"d_loss", "g_loss"}
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4)
    np.testing.assert_allclose(
        module.maker.fc.weight.detach().numpy().T, trained.maker.get_weights()[0], rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"d_loss": d_loss, "g_loss"', '"loss": d_loss, "g_loss"'),  # Keras has a metric of that name itself
        ('{"d_loss": d_loss, "g_loss": g_loss}', "dict(d_loss=d_loss)"),
        ("self.maker = maker\n", 'self.maker = maker\n        self.d = keras.metrics.Mean(name="d_loss")\n'),
    ],
)
def test_figures_that_a_metric_may_stand_for_are_declined(old: str, new: str, tmp_path: Path) -> None:
    assert old in GAN
    made = rendered(tmp_path, GAN.replace(old, new))
    reasons = {d.reason for unit in made.units for d in unit.declines}
    assert "a model that trains itself without a list of its `metrics`" in reasons
