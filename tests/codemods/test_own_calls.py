"""Own methods of models that are told whether they train: the module's mode tells them."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from migrator import source, steps
from tests.codemods.training_support import HEAD

MODEL = """
class Coder(layers.Layer):
    def __init__(self):
        super().__init__()
        self.drop = layers.Dropout(0.5)

    def code(self, x, training=False):
        return self.drop(x, training=training)

    def call(self, x, training=False):
        return self.code(x, training=training) * 2.0


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.coder = Coder()
        self.drop = layers.Dropout(0.5)
        self.out = layers.Dense(2)
        self.tracker = {tracker}

    def encode(self, x, training={default}):
        return self.drop(x, training=training)

    def call(self, x, training={default}):
        return self.out({inner})

    def score(self, x):
        return {score}
{more}

net, x = Net(), tf.ones((2, 3))
net(x)


def run(x, flag):
    {line}
"""


def drafted(folder: Path, line: str = "return net.score(x)", **parts: str) -> tuple[str, list[str]]:
    """The migrated file, and why units of it stay."""
    usual = {
        "default": "None",
        "inner": "self.encode(x, training=training)",
        "score": "self.call(x)",
        "more": "",
        "tracker": "None",
    }
    text = HEAD + MODEL.format(**{**usual, **parts, "line": line})
    (folder / "m.py").write_text(text, encoding="utf-8")
    repo = source.read(folder, (), ())
    made = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]
    return made.text, [decline.reason for unit in made.units for decline in unit.declines]


def method(text: str, name: str) -> str:
    return textwrap.dedent(text[text.index(f"    def {name}") :].split("\n\n")[0])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return net.encode(x, training=True)", "net.train()\nreturn net.encode(x)"),
        ("return net.encode(x, True)", "net.train()\nreturn net.encode(x)"),
        ("return net.encode(x, training=flag)", "net.train(flag)\nreturn net.encode(x)"),
        ("return net.encode(x)", "net.eval()\nreturn net.encode(x)"),
        ("return net.score(x)", "net.eval()\nreturn net.score(x)"),
    ],
)
def test_a_call_of_a_method_says_the_mode(line: str, expected: str, tmp_path: Path) -> None:
    text, declines = drafted(tmp_path, line)
    assert not declines
    assert textwrap.dedent(text[text.index("def run") :].partition("\n")[2]).strip() == expected


def test_methods_are_told_no_more(tmp_path: Path) -> None:
    text, _ = drafted(tmp_path)
    assert method(text, "encode") == "def encode(self, x):\n    return self.drop(x)"
    assert method(text, "forward(self, x):\n        return self.out").endswith("return self.out(self.encode(x))")
    assert method(text, "score") == "def score(self, x):\n    return self(x)"


@pytest.mark.parametrize("inner", ["self.encode(x, training)", "self.coder.code(x, training)"])
def test_told_by_place_or_of_a_layer(inner: str, tmp_path: Path) -> None:
    text, declines = drafted(tmp_path, inner=inner)
    assert not declines
    assert inner.replace(", training", "") in text


@pytest.mark.parametrize(
    "parts",
    [
        {"score": "self.encode(x, training=True)"},
        {"inner": "self.encode(x, training=False)"},
        {"inner": "self.encode(x)", "default": "False"},
        {"inner": "self.coder.code(x)"},
    ],
)
def test_another_mode_than_the_models(parts: dict[str, str], tmp_path: Path) -> None:
    _, declines = drafted(tmp_path, **parts)
    assert any("is told whether to train, not as the model is" in reason for reason in declines)


def test_a_method_that_call_leads_to_does_not_predict_by_itself(tmp_path: Path) -> None:
    more = "\n    def inside(self, x):\n        return self.encode(x)\n"
    _, declines = drafted(tmp_path, default="False", inner="self.inside(x)", more=more)
    assert any("`encode` is told whether to train" in reason for reason in declines)


@pytest.mark.parametrize(
    "line", ["return net(x, training=True) + net(x)", "return net.score(x) + net(x, training=flag)"]
)
def test_both_modes_in_one_line(line: str, tmp_path: Path) -> None:
    _, declines = drafted(tmp_path, line)
    assert "`net` is run in both modes by one line" in declines


STEP = """
    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self.encode(data, training=True) ** 2 + self(data, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}
"""


def test_in_a_step(tmp_path: Path) -> None:
    text, _ = drafted(tmp_path, more=STEP, inner="self.encode(x, training)", tracker="keras.metrics.Mean()")
    assert "self.train()\n        loss = torch.mean(self.encode(data) ** 2 + self(data))" in text
    assert "self.encode.train()" not in text
