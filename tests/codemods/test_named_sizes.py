"""Sizes of inputs stand as the layer before says them, where that is the same number for certain."""

from __future__ import annotations

import copy
import pickle

import pytest

from migrator.codemods.models.named_sizes import steady
from migrator.facts import dims
from migrator.values import Given, Span
from tests.codemods.model_programs import migrate

HEAD = """
from tensorflow import keras
from tensorflow.keras import layers

UNITS = 32
CLASSES = 20
SAME = 32
"""


def constructed(source: str) -> str:
    migrated = migrate(HEAD + source)
    assert migrated.declines == []
    return migrated.text


def functional(body: str, head: str = "def build():") -> str:
    return f"{head}\n    inputs = keras.Input((10,))\n{body}    return keras.Model(inputs, layers.Dense(CLASSES)(x))\n"


def test_constants() -> None:
    text = constructed(
        functional(
            '    x = layers.Dense(UNITS, activation="relu")(inputs)\n'
            "    x = layers.LayerNormalization()(layers.Dropout(0.5)(x))\n    x = layers.Dense(UNITS * 2)(x)\n"
        )
    )
    assert "nn.LayerNorm(UNITS, eps=1e-3)" in text
    assert "nn.Linear(UNITS, UNITS * 2)" in text
    assert "nn.Linear(UNITS * 2, CLASSES)" in text


def test_sequential() -> None:
    source = """
def build():
    return keras.Sequential([
        keras.Input((8, 8, 3)), layers.Conv2D(UNITS, 3), layers.BatchNormalization(),
        layers.SeparableConv2D(SAME, 3, depth_multiplier=2), layers.Flatten(), layers.Dense(CLASSES),
    ])
"""
    text = constructed(source)
    assert "nn.BatchNorm2d(UNITS, " in text
    assert "nn.Conv2d(32, 64, kernel_size=3, groups=32" in text  # what is not the same text with a number stays
    assert "nn.Linear(32 * 4 * 4, CLASSES)" in text


def test_configuration() -> None:
    source = """
class Config:
    def __init__(self):
        self.units = 24

class Net(keras.Model):
    def __init__(self, config):
        super().__init__()
        self.first = layers.Dense(config.units)
        self.last = layers.Dense(CLASSES)

    def call(self, x):
        return self.last(self.first(x))

net = Net(Config())
net(keras.Input((10,)))
"""
    assert "nn.Linear(config.units, CLASSES)" in constructed(source)


@pytest.mark.parametrize(
    "body",
    [
        "    size = 32\n    x = layers.Dense(size)(inputs)\n    size = 16\n",
        "    for size in [32]:\n        x = layers.Dense(size)(inputs)\n",
        "    x = layers.Dense(int(UNITS))(inputs)\n",
        "    x = layers.Concatenate()([layers.Dense(16)(inputs), layers.Dense(16)(inputs)])\n",
    ],
    ids=["rebound", "looped", "call", "joined"],
)
def test_numbers_stay(body: str) -> None:
    assert "nn.Linear(32, CLASSES)" in constructed(functional(body))


def test_one_of_two_layers() -> None:
    body = "    if deep:\n        x = layers.Dense(UNITS)(inputs)\n    else:\n        x = layers.Dense(SAME)(inputs)\n"
    assert "nn.Linear(32, CLASSES)" in constructed(functional(body, "def build(deep=True):"))


SOURCE = """
import sizes
A = 1
B = 2
B = 3
for C in range(3):
    pass

def f(units, width, *, depth):
    width = 3
    local = 4
    for step in range(3):
        inner = step
    first
    second

def g(A_, units):
    local_of_g = 5
    third

class Config:
    def __init__(self):
        self.units = 1
        self.width = 2
        self.width = 3
"""
FIRST, SECOND, THIRD = (Span(SOURCE.split("\n").index(f"    {n}") + 1, 4, 0, 0) for n in ("first", "second", "third"))


@pytest.mark.parametrize(
    ("text", "here", "there"),
    [
        ("A", True, True),
        ("A * 2", True, True),
        ("sizes.units", True, True),
        ("units", True, False),
        ("local", True, False),
        ("A + 1", False, False),
        ("B", False, False),
        ("C", False, False),
        ("width", False, False),
        ("inner", False, False),
        ("sizes.width", False, False),
        ("units[0]", False, False),
        ("int(A)", False, False),
        ("unknown", False, False),
        ("3", False, False),
    ],
)
def test_steady(text: str, here: bool, there: bool) -> None:
    first, second, third = (Span(s.line, s.column, s.line, 9) for s in (FIRST, SECOND, THIRD))
    assert steady(text, first, second, SOURCE) is here
    assert steady(text, first, third, SOURCE) is there


def test_numbers_that_know_their_layer() -> None:
    one, two = (Given(32, ("m", Span(line, 0, line, 9))) for line in (1, 2))
    assert one == 32
    assert str(one) == repr(one) == "32"
    for twin in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert (twin, twin.site) == (one, one.site)
    assert type(one + 1) is int
    assert dims.join(one, one) is one
    assert type(dims.join(one, two)) is type(dims.join(one, 32)) is type(dims.join(32, one)) is int
    assert dims.join(one, 33) is None
