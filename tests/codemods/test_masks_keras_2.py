"""Masks of Keras 2: recurrent layers read them as those of Keras 3 do; what is otherwise is declined."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.codemods.test_common_programs import declines, rendered

MODEL = """
model = keras.Sequential([
    layers.Embedding(20, 8, mask_zero=True, input_length=6),
    {}
])
"""


def drafted(layers: str, folder: Path) -> tuple[list[str], str]:
    (folder / "requirements.txt").write_text("tensorflow==2.11\n")
    file = rendered(folder, MODEL.format(layers))
    return declines(file), file.text


def test_a_mask_ends_with_the_last_output(tmp_path: Path) -> None:
    why, text = drafted("layers.LSTM(4, return_sequences=True), layers.Dropout(0.2), layers.GRU(3),", tmp_path)
    assert why == []
    assert "masked_rnn(self.lstm, self.embedding(x), mask)[0]" in text
    assert "masked_rnn(self.gru, x, mask)[0][:, -1]" in text


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ("layers.LSTM(4, return_sequences=True),", "an output with a mask, of Keras 2"),
        ("layers.GlobalAveragePooling1D(),", "masks of Keras 2"),
        ("layers.Rescaling(2.0), layers.LSTM(4),", "a mask of Keras 2 reaches Rescaling"),
        ("layers.TimeDistributed(layers.Dense(4)), layers.LSTM(4),", "a mask of Keras 2 reaches TimeDistributed"),
    ],
)
def test_what_is_otherwise(layers: str, reason: str, tmp_path: Path) -> None:
    assert reason in drafted(layers, tmp_path)[0]
