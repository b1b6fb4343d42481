"""Holes in what the rules wrote: found where they stopped, filled in place, given up where too much is unknown."""

from __future__ import annotations

import ast

import pytest

from migrator.completion.holes import frame
from migrator.llm.frame import Frame, Hole

ORIGINAL = '''class Net(tf.keras.Model):
    """A net."""

    def __init__(self, units):
        super().__init__()
        self.dense = tf.keras.layers.Dense(units)
        self.cell = tf.keras.layers.GRUCell(units)

    def call(self, x, state):
        h = tf.nn.relu(self.dense(x))
        if units > 3:
            h = tf.raw_ops.Selu(features=h)
        out, state = self.cell(h, state)
        return out, state

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self(data))
        return loss
'''

DRAFT = '''class Net(nn.Module):
    """A net."""

    def __init__(self, in_features, units):
        super().__init__()
        self.dense = nn.Linear(in_features, units)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def forward(self, x, state):
        h = F.relu(self.dense(x))
        if units > 3:
            h = tf.raw_ops.Selu(features=h)
        out, state = self.cell(h, state)
        return out, state
'''

DECLINED = {6: ["no rule for GRUCell"], 15: ["a `train_step` of its own"]}


@pytest.fixture
def found() -> Frame:
    made = frame(ORIGINAL, DRAFT, DECLINED, ["`self.cell` is not there in a module"], {"tf"})
    assert made is not None
    return made


def test_a_hole_is_where_the_rules_stopped_or_left_something_out(found: Frame) -> None:
    assert [(hole.was.split("\n")[0], hole.why) for hole in found.holes] == [
        ("self.cell = tf.keras.layers.GRUCell(units)", ("no rule for GRUCell",)),
        ("h = tf.raw_ops.Selu(features=h)", ()),
        ("out, state = self.cell(h, state)", ("`self.cell` is not there in a module",)),
        ("def train_step(self, data):", ("a `train_step` of its own",)),
    ]
    assert [hole.indent for hole in found.holes] == [8, 12, 8, 4]


def test_filled_it_is_the_unit(found: Frame) -> None:
    fills = {
        1: "self.cell = nn.GRUCell(units, units)",
        2: "            h = F.selu(h)\n",
        3: "state = self.cell(h, state)\nout = state",
        4: "def train_step(self, data):\n    return self(data).mean()\n",
    }
    text = found.filled(fills)
    assert "        self.dense = nn.Linear(in_features, units)\n        self.cell = nn.GRUCell(units, units)\n" in text
    assert (
        "            h = F.selu(h)\n        state = self.cell(h, state)\n        out = state\n        return out"
        in text
    )
    assert text.endswith(
        "        return out, state\n    def train_step(self, data):\n        return self(data).mean()\n"
    )
    ast.parse(text)
    with pytest.raises(KeyError):
        found.filled({1: "pass"})


def test_shown_it_says_what_was_there_and_why(found: Frame) -> None:
    shown = found.shown()
    assert (
        "        # HOLE 1 (no rule for GRUCell), in place of:\n        #   self.cell = tf.keras.layers.GRUCell(units)\n"
        in shown
    )
    assert "    # HOLE 4 (a `train_step` of its own), in place of:\n    #   def train_step(self, data):\n" in shown
    assert "tf." not in "\n".join(line for line in shown.split("\n") if not line.strip().startswith("#"))


def test_what_has_no_counterpart_is_not_lost() -> None:
    original = "def f(x):\n    a = x + 1\n    tf.debugging.check(x)\n    b = tf.foo(a)\n    c = b\n    return c * a\n"
    draft = "def f(x):\n    a = x + 1\n    b = tf.foo(a)\n    c = b\n    return c * a\n"
    made = frame(original, draft, {3: ["no rule for tf.foo"]}, [], {"tf"})
    assert made is not None
    assert made.gone == ("tf.debugging.check(x)",)


def test_moved_statements_are_found_again() -> None:
    original = (
        "class A:\n    def one(self):\n        x = 1\n        return tf.foo(x)\n    def two(self):\n        return 2\n"
    )
    draft = (
        "class A:\n    def two(self):\n        return 2\n    def one(self):\n        x = 1\n        return tf.foo(x)\n"
    )
    made = frame(original, draft, {3: ["no rule"]}, [], {"tf"})
    assert made is not None
    assert [(hole.first, hole.was) for hole in made.holes] == [(5, "return tf.foo(x)")]


@pytest.mark.parametrize(
    ("draft", "declined", "reasons"),
    [
        (DRAFT.replace("tf.raw_ops.Selu(features=h)", "F.selu(h)"), {}, ["nothing is known of it"]),  # no place at all
        (DRAFT, {0: ["no rule for the whole"]}, []),  # all of it
        (ORIGINAL, {line: ["no rule"] for line in range(5, 19)}, []),  # most of it
        ("def broken(:\n", DECLINED, []),
    ],
)
def test_too_little_known_or_too_much_missing_is_no_frame(
    draft: str, declined: dict[int, list[str]], reasons: list[str]
) -> None:
    assert frame(ORIGINAL, draft, declined, reasons, {"tf"}) is None


def test_a_form_feed_in_a_text_moves_no_line() -> None:
    original = "def f(x):\n    note = 'a\x0cb\u2028c'\n    y = x + 1\n    z = tf.foo(y)\n    return z + y\n"
    made = frame(original, original, {3: ["no rule"]}, [], {"tf"})
    assert made is not None
    assert made.filled({1: "z = foo(y)"}) == original.replace("tf.foo", "foo")


def test_long_documentation_and_functions_that_stay_are_cut_only_where_they_are_shown() -> None:
    body = "".join(f"        x = x + {n}\n" for n in range(20))
    text = (
        f'class A:\n    """One.\n\n    Two.\n    Three.\n    """\n\n    def long(self, x):\n{body}        return x\n\n'
    )
    text += "    def g(self, x):\n        y = 1\n        return x\n"
    first = text.split("\n").index("        y = 1")
    made = Frame(text, (Hole(first, first + 1, 8, "y = tf.one()"),))
    shown = made.shown()
    assert "# documentation of 5 lines: One." in shown
    assert "# 21 lines that stay" in shown
    assert "x + 19" not in shown
    assert made.filled({1: "y = 1"}) == text
