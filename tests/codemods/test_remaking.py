"""A model that statements of the file build is made again where its file is loaded."""

from __future__ import annotations

import pytest

from tests.codemods.training_support import HEAD, draft, reasons

PROGRAM = """
UNITS = 3
model = keras.Sequential([keras.Input((4,)), layers.Dense(UNITS), layers.Dropout(0.5), layers.Dense(1)])
model.compile("sgd", loss="mse")
x, y = np.ones((8, 4)), np.ones((8, 1))
model.fit(x, y)
model.save("whole.keras")
{between}
loaded = keras.models.load_model("whole.keras")
print(loaded.predict(x))
"""
MADE = 'loaded = Model().to(device)\nloaded.load_state_dict(torch.load("whole.pt", map_location=device))'
NOT_KNOWN = "made with what is not known where it is loaded"


@pytest.mark.parametrize("between", ["del model", "model = None"])
def test_a_model_of_which_the_name_is_gone_is_made_again(between: str) -> None:
    made = draft(HEAD + PROGRAM.format(between=between))
    assert made.declines == ()
    assert MADE in made.text


def test_of_two_models_of_one_name_the_saved_one_is_made_again() -> None:
    second = 'model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])\nmodel.compile("sgd", loss="mse")'
    made = draft(HEAD + PROGRAM.format(between=second))
    assert made.declines == ()
    assert "model = Model2().to(device)" in made.text
    assert MADE in made.text


@pytest.mark.parametrize(
    ("between", "source"),
    [
        ("UNITS = 5\nmodel = None", PROGRAM),  # the class would be another one now
        ("for UNITS in (1, 2):\n    pass\nmodel = None", PROGRAM),
        ("def change():\n    global UNITS\n    UNITS = 5\n\nmodel = None", PROGRAM),
        ("model = None", PROGRAM.replace("UNITS = 3", "UNITS = int(input())")),
    ],
)
def test_what_its_class_reads_must_still_be_the_same(between: str, source: str) -> None:
    assert NOT_KNOWN in reasons(source.format(between=between))


def test_the_network_that_a_model_shares_is_not_made_again() -> None:
    source = PROGRAM.replace("UNITS = 3", "base = keras.applications.VGG16(include_top=False, input_shape=(32, 32, 3))")
    source = source.replace("keras.Input((4,)), layers.Dense(UNITS)", "base, layers.GlobalAveragePooling2D()")
    assert NOT_KNOWN in reasons(source.format(between="model = None").replace("(8, 4)", "(8, 32, 32, 3)"))


def test_layers_that_were_frozen_are_not_made_again() -> None:
    source = PROGRAM.replace("model.compile", "model.trainable = False\nmodel.compile")
    assert NOT_KNOWN in reasons(source.format(between="model = None"))
