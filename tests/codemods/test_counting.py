"""Models that tell which steps of their output count."""

from __future__ import annotations

import pytest

from tests.codemods.training_support import HEAD, draft, migrated, reasons

torch = pytest.importorskip("torch")

TAGGER = """
inputs = keras.Input((None,))
x = layers.Embedding(20, 8, mask_zero=True)(inputs)
x = {middle}
model = keras.Model(inputs, layers.Dense(5, activation="softmax")(x))
"""
TRAINED = """
model.compile("adam", loss={loss}, metrics={metrics})
model.fit(np.ones((8, 4)), np.ones((8, 4, 1)), {more})
"""
LSTM = "layers.LSTM(6, return_sequences=True)(x)"


def program(middle: str = LSTM, loss: str = '"sparse_categorical_crossentropy"', **given: str) -> str:
    trained = TRAINED.format(loss=loss, metrics=given.get("metrics", '["accuracy"]'), more=given.get("more", ""))
    return TAGGER.format(middle=middle) + trained + given.get("after", "")


def test_the_mask_is_a_method_and_its_steps_are_rows_of_the_loss() -> None:
    text = migrated(program())
    assert "            mask = model.mask(x)\n            logits, y = model.logits(x)[mask], y[mask]\n" in text
    assert 'logs["accuracy"] = totals["accuracy"] / steps' in text
    assert "        return inputs != 0\n" in draft(HEAD + program()).hoisted


def test_a_mask_that_nothing_else_reads_is_not_made_in_forward() -> None:
    model = draft(HEAD + program(middle="layers.Dropout(0.5)(x)")).hoisted
    assert model.count("inputs != 0") == 1
    assert "mask = " not in model


def test_without_a_mask_at_the_end_every_step_counts() -> None:
    text = migrated(program(middle="layers.Conv1D(4, 1)(x)"))
    assert "mask" not in text


@pytest.mark.parametrize(
    "source",
    [
        program(after="\nother = keras.Sequential([model, layers.LSTM(3)])\n"),
        program(after="\nlong = keras.Input((None,))\nlonger = keras.Model(long, layers.LSTM(3)(model(long)))\n"),
        program(after="\nprint(model(np.ones((2, 3))))\n"),
        program(after="\nwith tf.GradientTape() as tape:\n    pass\n"),
        program(more="sample_weight=np.ones((8, 4))"),
        program(loss="lambda y, p: y - p"),
        program(metrics="[keras.metrics.Precision()]"),
        program().replace("mask_zero=True)(inputs)", "mask_zero=True)(inputs + 1)"),
    ],
    ids=["in a Sequential", "in a graph", "called", "a tape", "weights", "own loss", "counts", "of what is computed"],
)
def test_what_reads_the_mask_otherwise_is_declined(source: str) -> None:
    assert reasons(source)
