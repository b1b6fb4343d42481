"""Models in models: a Sequential that a graph calls, and a model of two of which one does not learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from migrator.config import RunSettings
from migrator.model import FileRewrite
from migrator.steps import know, read, rewrite

torch = pytest.importorskip("torch")

HEAD = """import numpy as np
from tensorflow.keras import layers
from tensorflow.keras.models import Model, Sequential
from tensorflow.keras.optimizers import SGD


"""
PAINTER = """def build_painter(size):
    model = Sequential()
    model.add(layers.Dense(8, input_dim=size))
    model.add(layers.LeakyReLU(0.2))
    model.add(layers.Dense(6))
    model.summary()

    noise = layers.Input(shape=(size,))
    return Model(noise, {output})
"""
PAIR = """class Pair:
    def __init__(self):
        self.shape = (2, 3)
        self.size = 4
        self.classes = 5
        self.critic = self.build_critic()
        self.critic.compile(loss="binary_crossentropy", optimizer=SGD(0.5), metrics=["accuracy"])
        self.painter = self.build_painter()
        noise = layers.Input(shape=(self.size,))
        label = layers.Input(shape=(1,))
        image = self.painter([noise, label])

        # only the painter learns in the whole
        self.critic.trainable = False
        verdict = self.critic([image, label])

        self.both = Model([noise, label], verdict)
        self.both.compile(loss="binary_crossentropy", optimizer=SGD(0.5))

    def build_painter(self):
        model = Sequential()
        model.add(layers.Dense(8, activation="relu", input_dim=self.size))
        model.add(layers.Dense(np.prod(self.shape), activation="tanh"))
        model.add(layers.Reshape(self.shape))

        noise = layers.Input(shape=(self.size,))
        label = layers.Input(shape=(1,), dtype="int32")
        embedded = layers.Flatten()(layers.Embedding(self.classes, self.size)(label))
        image = model(layers.multiply([noise, embedded]))
        return Model([noise, label], image)

    def build_critic(self):
        image = layers.Input(shape=self.shape)
        label = layers.Input(shape=(1,), dtype="int32")
        embedded = layers.Flatten()(layers.Embedding(self.classes, 6)(label))
        x = layers.multiply([layers.Flatten()(image), embedded])
        x = layers.Dense(8)(x)
        x = {middle}(x)
        return Model([image, label], layers.Dense(1, activation="sigmoid")(x))

    def train_critic(self, images, labels):
        return self.critic.train_on_batch([images, labels], np.ones((len(images), 1)))

    def train_both(self, noise, labels):
        return self.both.train_on_batch([noise, labels], np.ones((len(noise), 1)))


pair = Pair()
"""


def migrated(source: str, folder: Path) -> FileRewrite:
    (folder / "m.py").write_text(HEAD + source, encoding="utf-8")
    repo = read(RunSettings(src=folder, out=None))
    return rewrite(repo, know(repo), lambda *_: None).render({})["m.py"]


def reasons(made: FileRewrite) -> list[str]:
    return [d.reason for unit in made.units for d in unit.declines]


def scope_of(made: FileRewrite) -> dict[str, Any]:
    assert reasons(made) == []
    scope: dict[str, Any] = {}
    exec(made.text, scope)
    return scope


@pytest.mark.parametrize("output", ["model(noise)", "layers.Activation('tanh')(model(noise))"])
def test_a_sequential_that_is_called_once_is_a_part_of_the_graph(output: str, tmp_path: Path) -> None:
    made = migrated(PAINTER.format(output=output) + "\n\npainter = build_painter(3)\n", tmp_path)
    scope = scope_of(made)
    assert made.text.count("(nn.Module)") == 1
    assert "    model = Painter(size).to(device)\n    print(model)\n    return model\n" in made.text
    with torch.no_grad():
        x = torch.randn(5, 3)
        painter = scope["painter"]
        expected = painter.fc2(torch.nn.functional.leaky_relu(painter.fc1(x), 0.2))
        assert torch.equal(painter(x), expected.tanh() if "tanh" in output else expected)


def test_one_that_is_called_twice_stays_a_model(tmp_path: Path) -> None:
    made = migrated(PAINTER.format(output="layers.add([model(noise), model(noise)])"), tmp_path)
    assert reasons(made)


def test_comments_stay_with_the_layers(tmp_path: Path) -> None:
    source = PAINTER.format(output="model(noise)").replace(
        "    model.add(layers.Leaky", "    # slopes\n    model.add(layers.Leaky"
    )
    text = migrated(source, tmp_path).text
    assert "        # slopes\n        x = F.leaky_relu" in text


def test_a_part_that_is_frozen_behind_its_compile_learns_by_itself_only(tmp_path: Path) -> None:
    made = migrated(PAIR.format(middle="layers.LeakyReLU(0.2)"), tmp_path)
    pair = scope_of(made)["pair"]
    assert "        # only the painter learns in the whole\n        self.both = Both(self.painter" in made.text
    assert "requires_grad" not in made.text
    assert "keep_" not in made.text
    labels, noise = np.arange(4).reshape(-1, 1), np.random.RandomState(0).normal(size=(4, 4))

    start = values(pair)
    figures = pair.train_critic(np.ones((4, 2, 3)), labels)
    after_critic = values(pair)
    with torch.no_grad():
        expected = -torch.log(pair.both([torch.as_tensor(noise, dtype=torch.float32), torch.as_tensor(labels)])).mean()
    loss = pair.train_both(noise, labels)
    after_both = values(pair)

    assert len(figures) == 2
    assert loss == pytest.approx(float(expected), rel=1e-5)
    assert [torch.equal(after_critic[name], start[name]) for name in ("critic", "painter")] == [False, True]
    assert [torch.equal(after_both[name], after_critic[name]) for name in ("critic", "painter")] == [True, False]


def values(pair: Any) -> dict[str, Any]:
    """All parameters of each of the two models, in one row."""
    modules = {"critic": pair.critic, "painter": pair.painter}
    return {name: torch.cat([p.detach().flatten() for p in m.parameters()]) for name, m in modules.items()}


def test_gradients_may_be_clipped_one_by_one(tmp_path: Path) -> None:
    source = PAIR.format(middle="layers.LeakyReLU(0.2)")
    clipped = source.replace("optimizer=SGD(0.5))", "optimizer=SGD(0.5, clipvalue=1.0))")
    text = migrated(clipped, tmp_path).text
    assert "clip_grad_value_(model.parameters(), clip_value=1.0)" in text
    assert "torch.optim.SGD(self.painter.parameters(), lr=0.5)" in text


def test_its_normalisation_is_left_alone_while_the_whole_learns(tmp_path: Path) -> None:
    made = migrated(PAIR.format(middle="layers.BatchNormalization()"), tmp_path)
    pair = scope_of(made)["pair"]
    pair.both.train()
    assert (pair.critic.training, pair.critic.bn.training) == (True, False)
    pair.critic.train()
    assert pair.critic.bn.training


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "        noise = layers.Input(shape=(self.size,))\n        label = layers.Input(shape=(1,))\n",
            "        early()\n",
        ),
        ('        self.critic.compile(loss="binary_crossentropy", optimizer=SGD(0.5), metrics=["accuracy"])\n', ""),
        ("verdict = self.critic([image, label])", "verdict = layers.Dense(1)(self.critic([image, label]))"),
        ("layers.Dense(8)(x)", 'layers.Dense(8, kernel_regularizer="l2")(x)'),
        ("import numpy as np\n", "import numpy as np\nimport keras_core\n"),
        ("optimizer=SGD(0.5))", "optimizer=SGD(0.5, global_clipnorm=1.0))"),
    ],
    ids=[
        "the inputs are unknown",
        "it is not compiled",
        "layers beside it",
        "regularisers",
        "Keras 3",
        "a norm over all",
    ],
)
def test_what_is_not_certain_is_declined(old: str, new: str, tmp_path: Path) -> None:
    source = (HEAD + PAIR.format(middle="layers.LeakyReLU(0.2)")).replace(old, new)
    assert reasons(migrated(source.removeprefix(HEAD), tmp_path))


def test_a_part_that_is_compiled_after_it_is_frozen_is_declined(tmp_path: Path) -> None:
    source = PAIR.format(middle="layers.LeakyReLU(0.2)")
    line = '        self.critic.compile(loss="binary_crossentropy", optimizer=SGD(0.5), metrics=["accuracy"])\n'
    late = source.replace(line, "").replace("    def build_painter", line + "\n    def build_painter")
    assert any("compiled after it is frozen" in reason for reason in reasons(migrated(late, tmp_path)))


@pytest.mark.parametrize(
    ("given", "declined"), [(', kernel_regularizer="l2"', True), (", kernel_constraint=None", False)]
)
def test_regularisers_of_a_model_that_another_calls_are_not_lost(given: str, declined: bool, tmp_path: Path) -> None:
    source = f"""base = Sequential([layers.Input((4,)), layers.Dense(3{given})])
inputs = layers.Input((4,))
model = Model(inputs, layers.Dense(1)(base(inputs)))
model.compile("sgd", loss="mse")
model.fit(np.ones((8, 4)), np.ones((8, 1)))
print(base.predict(np.ones((2, 4))).shape)
"""
    assert bool(reasons(migrated(source, tmp_path))) == declined
