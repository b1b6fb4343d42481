"""`optimizer.iterations`: counted where it is read, declined where whose it is is not certain."""

from __future__ import annotations

import textwrap

import pytest

from tests.codemods.test_training import LOGITS, body, why

MADE = "optimizer = keras.optimizers.SGD(0.1)\nmodel = build_model()\n"
STEP = """
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(model(tf.ones((2, 4))))
grads = tape.gradient(loss, model.trainable_variables)
optimizer.apply_gradients(zip(grads, model.trainable_variables))
"""


def test_steps_are_counted_where_they_are_read() -> None:
    assert "count_steps" not in body(MADE + STEP, LOGITS)
    text = body(MADE + STEP + "print(optimizer.iterations.numpy())", LOGITS)
    assert "optimizer = count_steps(torch.optim.SGD(model.parameters(), lr=0.1))" in text
    assert "print(optimizer.iterations)" in text


def test_a_remainder_of_plain_numbers() -> None:
    text = body(MADE + STEP + "if tf.math.floormod(optimizer.iterations, 10) == 0:\n    print(loss)\n", LOGITS)
    assert "if optimizer.iterations % 10 == 0:" in text


def test_building_an_optimizer_says_nothing() -> None:
    assert "build(" not in body(MADE + "optimizer.build(model.trainable_variables)\n" + STEP, LOGITS).split("Model")[-1]


@pytest.mark.parametrize(
    "text",
    [
        "print(tf.math.mod(optimizer.iterations, 10).numpy())",
        "optimizer.iterations.assign(3)",
        "def show(optimizer):\n    print(optimizer.iterations)\n\n\nshow(keras.optimizers.Adam(0.1))",
    ],
)
def test_other_uses_are_declined(text: str) -> None:
    assert why(MADE + STEP + text, LOGITS)


@pytest.mark.parametrize("call", ["optimizer.apply(grads)", "optimizer.apply(grads, *[model.trainable_variables])"])
def test_gradients_for_variables_that_are_not_named_are_declined(call: str) -> None:
    step = STEP.replace("optimizer.apply_gradients(zip(grads, model.trainable_variables))", call)
    assert why(textwrap.dedent(MADE + step), LOGITS)
