"""Methods over submodules: sums of penalties, shared tests and loops, names of constants."""

from __future__ import annotations

from migrator.codemods.models.owned import Owned, nested, penalty_lines, reset_lines
from tests.codemods.model_programs import migrate


def test_neighbours_share_their_frames() -> None:
    items = [(("if a:", "for x in b:"), ["one"]), (("if a:", "for x in b:"), ["two"]), (("if a:",), ["three"])]
    assert nested(items) == ["if a:", "    for x in b:", "        one", "        two", "    three"]


def test_opposite_tests_make_an_else() -> None:
    items = [(("if a is None:",), ["one"]), (("if a is not None:",), ["two"]), (("if a is None:",), ["three"])]
    assert nested(items) == ["if a is None:", "    one", "else:", "    two", "if a is None:", "    three"]


def test_what_stands_between_two_tests_keeps_them_apart() -> None:
    items = [(("if a:",), ["one"]), ((), ["a = f()"]), (("if not a:",), ["two"])]
    assert nested(items) == ["if a:", "    one", "a = f()", "if not a:", "    two"]


def test_penalties_of_a_loop_are_a_sum() -> None:
    inner = "{self}.regularization_loss()"
    looped = ("for layer in self.blocks:", "if isinstance(layer, Block):")
    found = penalty_lines([Owned((inner,), "self.stem"), Owned((inner,), "layer", looped)])
    loop = "sum(layer.regularization_loss() for layer in self.blocks if isinstance(layer, Block))"
    assert found == ["return (", "    self.stem.regularization_loss()", f"    + {loop}", ")"]


def test_penalties_under_a_test_are_added_one_by_one() -> None:
    term = "l2 * {self}.weight.square().sum()"
    found = penalty_lines([Owned((term,), "self.a"), Owned((term,), "self.b", ("if self.b is not None:",))])
    assert found == [
        "loss = l2 * self.a.weight.square().sum()",
        "if self.b is not None:",
        "    loss = loss + l2 * self.b.weight.square().sum()",
        "return loss",
    ]


def test_a_loop_over_weights_says_so() -> None:
    found = reset_lines([Owned(("nn.init.zeros_({self})",), "self.u"), Owned(("nn.init.zeros_({self})",), "self.v")])
    assert found == ["for weight in (self.u, self.v):", "    nn.init.zeros_(weight)"]


SOURCE = """
import tensorflow as tf
from tensorflow.keras import layers, regularizers

DECAY = 5e-4
MOVING = 1e-2


def set_rate(rate):
    global MOVING
    MOVING = rate


def build(n):
    l2 = regularizers.l2(1e-3)
    start = tf.keras.initializers.RandomNormal(stddev=0.02)
    x = inputs = layers.Input((8,))
    x = layers.Dense(n, kernel_regularizer=regularizers.l2(DECAY), name="a")(x)
    x = layers.Dense(n, kernel_regularizer=regularizers.l1_l2(0.5, DECAY), name="b")(x)
    x = layers.Dense(n, kernel_regularizer=regularizers.l2(l2=DECAY * 2), name="c")(x)
    x = layers.Dense(n, kernel_regularizer=l2, kernel_initializer=start, name="d")(x)
    x = layers.LSTM(n, kernel_regularizer=regularizers.l2(DECAY), name="e")(layers.Reshape((1, n))(x))
    return tf.keras.Model(inputs, x)
"""


def test_factors_of_regularisers_keep_the_names_of_constants() -> None:
    text = migrate(SOURCE).text
    assert "DECAY * self.a.weight.square().sum()" in text
    assert "0.5 * self.b.weight.abs().sum()" in text
    assert "DECAY * self.b.weight.square().sum()" in text
    assert "DECAY * 2 * self.c.weight.square().sum()" in text
    assert "DECAY * self.e.weight_ih_l0.square().sum()" in text


def test_a_number_that_moves_is_no_constant() -> None:
    text = migrate(SOURCE.replace("l1_l2(0.5, DECAY)", "l2(MOVING)")).text
    assert "MOVING * " not in text


def test_objects_that_are_written_out_leave_no_variable() -> None:
    text = migrate(SOURCE).text
    assert "1e-3 * self.d.weight.square().sum()" in text
    assert "start = " not in text
    assert "normal_initializer" not in text
    assert "l2_penalty" not in text
