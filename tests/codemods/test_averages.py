"""`use_ema`: the averages are used after the last epoch; where that is not certain it is declined."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.codemods.test_common_programs import declines, rendered
from tests.codemods.test_training import LOGITS, body, why

FIT = """
model = build_model()
model.compile(keras.optimizers.Adam(1e-2, use_ema={}), loss="mse")
model.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0, callbacks=[{}])
"""


def test_averages_are_used_before_what_callbacks_do_in_the_end() -> None:
    text = body(FIT.format("True", "keras.callbacks.EarlyStopping('loss', restore_best_weights=True)"), LOGITS)
    assert "optimizer = with_averages(torch.optim.Adam(model.parameters(), lr=1e-2, eps=1e-7))" in text
    assert text.index("optimizer.averages.use()") < text.index("model.load_state_dict")


def test_without_averages_nothing_is_used() -> None:
    assert "averages" not in body(FIT.format("False", ""), LOGITS)


@pytest.mark.parametrize(
    "text",
    [
        FIT.format("flag", "").replace("model = ", "flag = np.random.rand() < 0.5\nmodel = ", 1),
        "opt = keras.optimizers.Adam(use_ema=True)\n"
        + FIT.replace("keras.optimizers.Adam(1e-2, use_ema={})", "opt").format("")
        + "print(opt)\n",
    ],
)
def test_what_is_declined(text: str) -> None:
    assert why(text, LOGITS)


def test_averages_of_keras_2_begin_otherwise(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tensorflow==2.12\n")
    model = "model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])\n"
    text = model + FIT.replace("model = build_model()\n", "").format("True", "")
    assert any("averages of weights of Keras 2" in reason for reason in declines(rendered(tmp_path, text)))
