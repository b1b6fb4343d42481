"""Forms of gradient tapes: what they are written as, and what is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.codemods.test_steps import rendered
from tests.codemods.training_support import HEAD, draft, migrated, reasons

VARIABLES = """
w = tf.Variable(2.0)
b = tf.Variable(0.5)
optimizer = tf.keras.optimizers.SGD(0.1)


def loss():
    return w * w + b


"""


@pytest.mark.parametrize(
    "pairs",
    [
        "[(dw, w), (db, b)]",
        "zip([dw, db], [w, b])",
        "grads_and_vars=((dw, w), (db, b)), name='step'",
    ],
)
def test_gradients_that_are_unpacked_go_to_the_optimizer(pairs: str) -> None:
    text = migrated(
        VARIABLES
        + f"""
with tf.GradientTape() as tape:
    value = loss()
dw, db = tape.gradient(value, [w, b])
optimizer.apply_gradients({pairs})
"""
    )
    assert text.endswith("value = loss()\noptimizer.zero_grad()\nvalue.backward()\noptimizer.step()\n")


def test_gradients_that_are_read_besides_are_given_to_the_parameters() -> None:
    text = migrated(
        VARIABLES
        + """
with tf.GradientTape() as tape:
    value = loss()
dw, db = tape.gradient(value, [w, b])
print(dw)
optimizer.apply_gradients([(2.0 * dw, w), (db, b)])
"""
    )
    assert text.endswith("print(dw)\nw.grad = 2.0 * dw\nb.grad = db\noptimizer.step()\n")


def test_pairs_in_another_order_are_given_one_by_one() -> None:
    text = migrated(
        VARIABLES
        + """
with tf.GradientTape() as tape:
    value = loss()
dw, db = tape.gradient(value, [w, b])
optimizer.apply_gradients([(db, b), (dw, w)])
"""
    )
    assert "torch.optim.SGD([b, w], lr=0.1)" in text
    assert "b.grad = db\nw.grad = dw\n" in text


@pytest.mark.parametrize("loss", ["loss", "lambda: loss()"])
def test_minimize_is_a_step(loss: str) -> None:
    text = migrated(VARIABLES + f"for _ in range(3):\n    optimizer.minimize({loss}, var_list=[w, b])\n")
    assert "torch.optim.SGD([w, b], lr=0.1)" in text
    assert text.endswith("    optimizer.zero_grad()\n    loss().backward()\n    optimizer.step()\n")


def test_minimize_of_what_a_tape_recorded() -> None:
    text = migrated(
        VARIABLES
        + "with tf.GradientTape() as tape:\n    value = loss()\noptimizer.minimize(value, [w, b], tape=tape)\n"
    )
    assert text.endswith("value = loss()\noptimizer.zero_grad()\nvalue.backward()\noptimizer.step()\n")


@pytest.mark.parametrize(
    "step",
    [
        "optimizer.minimize(lambda: tf.reduce_sum(model(x)), var_list=[w])",
        "optimizer.minimize(loss, var_list=[w], grad_loss=seed)",
        "print(optimizer.minimize(loss, [w]))",
    ],
)
def test_other_forms_of_minimize_are_declined(step: str) -> None:
    assert "minimize" in reasons(
        VARIABLES
        + "model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])\nx = tf.ones((3, 2))\n"
        + step
        + "\n"
    )


WATCHING = """
def slope(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x ** 3
    return tape.gradient(y, x)


"""


def test_a_watched_tensor_is_a_leaf_where_no_tape_records_the_function() -> None:
    text = migrated(WATCHING + "print(slope(tf.constant(2.0)))\n")
    assert "x = x.detach().requires_grad_()" in text
    assert "create_graph" not in text


@pytest.mark.parametrize(
    "use",
    [
        "",  # nothing calls it: whoever does may record
        "v = tf.Variable(2.0)\nwith tf.GradientTape() as tape:\n    z = slope(v * 1.0)\nprint(tape.gradient(z, v))\n",
        "def twice(x):\n    return slope(x) * 2\n\n\nv = tf.Variable(2.0)\n"
        "with tf.GradientTape() as tape:\n    z = twice(v * 1.0)\nprint(tape.gradient(z, v))\n",
    ],
)
def test_a_watched_tensor_stays_connected_where_a_tape_may_record(use: str) -> None:
    text = migrated(WATCHING + use)
    assert "x = x.clone().requires_grad_()" in text
    assert "create_graph=True" in text


def test_one_tape_that_is_not_understood_leaves_others_of_its_name() -> None:
    first = "def one():\n    v = tf.Variable(2.0)\n    with tf.GradientTape() as tape:\n        y = v * v\n"
    second = "    with tf.GradientTape() as tape:\n        y = v * v\n    return tape.gradient(y, v)\n"
    assert reasons(first + second) == ""
    assert "used for more" in reasons(first + "    print(tape)\n" + second)


def test_a_variable_in_a_list_that_is_not_trained_has_no_gradient() -> None:
    text = """
        v = tf.Variable(2.0)
        fixed = tf.Variable(3.0, trainable=False)
        with tf.GradientTape() as tape:
            y = v * fixed
        print(tape.gradient(y, [v, fixed]))
    """
    assert "not trained" in reasons(text)


def test_a_tensor_that_no_tape_knows_has_no_gradient() -> None:
    text = """
        v = tf.Variable(2.0)
        c = tf.constant(3.0)
        with tf.GradientTape() as tape:
            y = v * c
        print(tape.gradient(y, [v, c]))
    """
    assert "sources of a gradient are not known" in reasons(text)


MODELS = """
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x))
    return tape.gradient(loss, model.trainable_variables)


model = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
print(step(tf.ones((1, 2))))
model = keras.Sequential([keras.Input((2,)), layers.Dense(4), layers.Dense(1)])
print(step(tf.ones((1, 2))))
"""


def test_models_that_a_name_holds_one_after_another_are_trained(tmp_path: Path) -> None:
    made = rendered(tmp_path, MODELS)
    assert "tensorflow" not in made.text
    assert "torch.autograd.grad(loss, list(model.parameters()))" in made.text


def test_names_of_gradients_that_are_gone_are_told_of() -> None:
    made = draft(
        HEAD
        + VARIABLES
        + "with tf.GradientTape() as tape:\n    value = loss()\ndw, db = tape.gradient(value, [w, b])\n"
        + "optimizer.apply_gradients([(dw, w), (db, b)])\n"
    )
    assert [change.qualname for change in made.changes] == ["m:dw", "m:db"]


SECOND = """
x = tf.Variable(3.0)
y = tf.Variable(2.0)
with tf.GradientTape(persistent=True) as outer:
    with tf.GradientTape() as inner:
        z = x * x * y + 2.0 * y
    first = inner.gradient(z, [x, y])
second = [outer.gradient(slope, [x, y]) for slope in first]
"""


def test_gradients_of_each_gradient_share_a_graph_and_need_not_depend_on_all() -> None:
    text = migrated(SECOND)
    scope: dict[str, Any] = {"torch": torch}
    exec(text, scope)
    assert scope["second"] == [(4.0, 6.0), (6.0, None)]


def test_a_gradient_that_a_loop_takes_again_keeps_its_graph() -> None:
    text = migrated(
        """
        v = tf.Variable(2.0)
        with tf.GradientTape(persistent=True) as tape:
            y = v * v
        for _ in range(2):
            print(tape.gradient(y, v))
        for _ in range(2):
            with tf.GradientTape() as tape:
                y = v * v
            print(tape.gradient(y, v))
        """
    )
    assert text.count("retain_graph=True") == 1
    assert text.index("retain_graph=True") < text.rindex("for _ in")
