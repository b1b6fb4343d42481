"""Layers of the repository that are called outside of models are in the mode that Keras runs them in."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from migrator import source, steps
from tests.codemods.training_support import HEAD

LAYERS = """
class Drops(layers.Layer):
    def __init__(self, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.drop = layers.Dropout(rate)

    def call(self, x, training={default}):
        return self.drop(x, training=training)


class Outer(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = [Drops(), Drops(0.2)]

    def call(self, x):
        for layer in self.inner:
            x = layer(x)
        return x


class Scales(layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor


"""

MADE = "layer, x = Drops(), torch.ones((2, 3))\n"


def written(line: str, default: str, folder: Path) -> str:
    """The migrated body of a function with a layer at hand."""
    function = f"def run(flag):\n    layer, x = Drops(), tf.ones((2, 3))\n    {line}\n"
    (folder / "m.py").write_text(HEAD + LAYERS.format(default=default) + function, encoding="utf-8")
    repo = source.read(folder, (), ())
    draft = steps.rewrite(repo, steps.know(repo), lambda *_: None)
    text = draft.render({})["m.py"].text
    assert "import tensorflow" not in text
    return textwrap.dedent(text[text.index("def run") :].partition("\n")[2]).strip()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return layer(x)", "layer.eval()\nreturn layer(x)"),
        ("return layer(x, training=True)", "layer.train()\nreturn layer(x)"),
        ("return layer(x, True)", "layer.train()\nreturn layer(x)"),
        ("return layer(x, flag)", "layer.train(flag)\nreturn layer(x)"),
        ("return layer(x, training=False)", "layer.eval()\nreturn layer(x)"),
        ("return Drops(0.2)(x, training=True)", "return Drops(0.2).train()(x)"),
        ("return Drops(0.2)(x)", "return Drops(0.2).eval()(x)"),
        ("return Drops(0.2)(x, training=flag)", "return Drops(0.2).train(flag)(x)"),
        ("return Outer()(x)", "return Outer().eval()(x)"),
        ("return Scales(2.0)(x)", "return Scales(2.0)(x)"),
    ],
)
def test_a_call_says_the_mode(line: str, expected: str, tmp_path: Path) -> None:
    assert written(line, "None", tmp_path).removeprefix(MADE) == expected


def test_what_trains_unless_told_otherwise(tmp_path: Path) -> None:
    assert written("return layer(x)", "True", tmp_path) == MADE + "layer.train()\nreturn layer(x)"


def test_tensors_of_the_top_level_are_where_its_models_are(tmp_path: Path) -> None:
    lines = "weight = tf.constant([1.0])\nx = tf.ones((2, 3))\nlayer = Drops()\nprint(layer(x))\n"
    made = "model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])\n"
    for head, wanted in (("", "torch.ones((2, 3))"), (made, "torch.ones((2, 3), device=device)")):
        (tmp_path / "m.py").write_text(HEAD + LAYERS.format(default="None") + head + lines, encoding="utf-8")
        repo = source.read(tmp_path, (), ())
        text = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"].text
        assert f"x = {wanted}\n" in text
        assert not head or text.index("\ndevice = ") < text.index("weight = torch")
        assert ("layer = Drops().to(device)\n" if head else "layer = Drops()\n") in text


MODELS = """
class Plain(keras.Model):
    def __init__(self):
        super().__init__()
        self.fc = layers.Dense(2)

    def call(self, x):
        return self.fc(x)


class Words(keras.Model):
    def __init__(self):
        super().__init__()
        self.fc = layers.Dense(2)
        self.gru = layers.GRU(4)

    def call(self, x):
        return self.fc(self.gru(x))


class Dropping(keras.Model):
    def __init__(self):
        super().__init__()
        self.fc = layers.Dense(2)
        self.gru = layers.GRU(4, dropout=0.5)

    def call(self, x):
        return self.fc(self.gru(x))


plain, words, dropping = Plain(), Words(), Dropping()


def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean({model}(x))
    return tape.gradient(loss, {model}.trainable_variables)


step(tf.ones((2, 3, 5)))
given = [plain(tf.ones((2, 3, 5))), words(tf.ones((2, 3, 5))), dropping(tf.ones((2, 3, 5)))]
"""


@pytest.mark.parametrize(("model", "mode"), [("plain", None), ("words", "train"), ("dropping", "eval")])
def test_gradients_are_taken_in_the_mode_that_has_them(model: str, mode: str | None, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(HEAD + MODELS.format(model=model), encoding="utf-8")
    repo = source.read(tmp_path, (), ())
    text = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"].text
    body = text[text.index("def step") : text.index("step(torch")]
    assert (f"    {model}.{mode}()\n" in body) == (mode is not None)
    assert (".eval()" in body) == (mode == "eval")
