"""A loss that only the run tells: the pass over the data is given it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

from tests.codemods.test_training_numeric import agree  # noqa: E402
from tests.codemods.training_programs import REGRESSOR_MODEL, REGRESSOR_SOURCE  # noqa: E402
from tests.codemods.training_support import HEAD, draft, migrated, reasons, torch_module  # noqa: E402

LOSSES = """def squares(y_true, y_pred):
    return tf.square(y_true - y_pred)


def distances(power=1.0):
    def powers(y_true, y_pred):
        return tf.reduce_mean(tf.abs(y_true - y_pred) ** power, axis=-1)

    return powers


def get_loss(name):
    if name == "squares":
        return squares
    return distances(1.5)


"""
MAIN = """def main(data, model):
    x, y, x_val, y_val = data
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss={loss}, metrics=["mae"])
    fitted = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, validation_data=(x_val, y_val), verbose=0)
    return fitted.history, model.evaluate(x, y, verbose=0)
"""
CHOICE = "    chosen = get_loss('squares' if x.ndim > 2 else str(len(x)))\n"
NAMED = MAIN.replace("    model.compile", CHOICE + "    model.compile").format(loss="chosen")
CALLED = MAIN.format(loss="get_loss('squares' if len(x) > 9 else 'distances')")
OTHER = MAIN.format(loss="get_loss('squares' if len(x) > 99 else 'distances')")


@pytest.mark.parametrize("main", [CALLED, OTHER, NAMED])
def test_both_sides_agree(main: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = HEAD + REGRESSOR_SOURCE + LOSSES + main
    made = draft(source)
    assert made.declines == ()
    ours, theirs = torch_module(made, REGRESSOR_MODEL), dict[str, object]()
    exec(source, theirs)
    original, model = theirs["build_model"](), ours["build_model"]()  # type: ignore[operator]
    with torch.no_grad():
        for parameter, weight in zip(model.parameters(), original.get_weights(), strict=True):
            parameter.copy_(torch.tensor(weight.T.copy()))
    rng = np.random.default_rng(3)
    data = (rng.normal(size=(30, 6)).astype("float32"), rng.normal(size=(30, 1)).astype("float32"))
    data += (data[0][:11], data[1][:11])
    agree(theirs["main"](data, original), ours["main"](data, model))  # type: ignore[operator]


def test_the_loss_is_kept_where_the_model_is_compiled() -> None:
    text = migrated(REGRESSOR_SOURCE + LOSSES + CALLED)
    assert "def run_epoch(model, loader, loss_fn, optimizer=None):" in text
    assert "    loss_fn = get_loss('squares' if len(x) > 9 else 'distances')\n" in text
    assert "run_epoch(model, make_loader(x, y), loss_fn)" in text


def test_a_name_for_it_is_handed_on() -> None:
    text = migrated(REGRESSOR_SOURCE + LOSSES + NAMED)
    assert "loss_fn = " not in text
    assert ", chosen, optimizer)" in text


ELSEWHERE = """def prepare(model, name):
    model.compile("sgd", loss=get_loss(name))


def main(data, model):
    x, y, _, _ = data
    prepare(model, "squares")
    return model.fit(x, y, verbose=0).history
"""
TAKEN = MAIN.format(loss="get_loss(loss_fn)").replace("    x, y, ", "    loss_fn = str(len(x))\n    x, y, ")
MIXED = LOSSES.replace("        return squares\n", '        return "mse"\n') + MAIN.format(loss="get_loss(str(len(x)))")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (LOSSES + ELSEWHERE, "compiled in another function"),
        (LOSSES + TAKEN, "`loss_fn` is something else"),
        (MIXED, "no rule for get_loss"),
    ],
)
def test_what_is_declined(program: str, reason: str) -> None:
    assert reason in reasons(REGRESSOR_SOURCE + program)
