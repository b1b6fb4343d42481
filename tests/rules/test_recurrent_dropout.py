"""Dropout inside recurrent layers: both sides compute the same with the same masks, and drop nothing otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from migrator_validators.weights import apply, apply_gradient
from running import make, weights
from test_layers import carried, code_of, keras_layer, module_of

from migrator.model import Decline, LayerCode
from migrator.rules.engine.records import LayerRule
from migrator.rules.engine.registry import all_layers
from migrator.rules.engine.samples import S, Sample, f32, src

_X = f32(3, 5, 4)
SAMPLES = [
    ("LSTM", S(_X, 6, recurrent_dropout=0.4)),
    ("LSTM", S(_X, 6, dropout=0.3, recurrent_dropout=0.4, return_sequences=True)),
    ("LSTM", S(_X, 6, "relu", dropout=0.5, recurrent_dropout=0.2, use_bias=False)),
    ("GRU", S(_X, 6, recurrent_dropout=0.4, return_sequences=True)),
    ("GRU", S(_X, 6, dropout=0.3, recurrent_dropout=0.4)),
    ("GRU", S(_X, 6, dropout=0.3, recurrent_dropout=0.4, reset_after=False, recurrent_activation="hard_sigmoid")),
    ("SimpleRNN", S(_X, 6, recurrent_dropout=0.4)),
    ("SimpleRNN", S(_X, 6, dropout=0.3, recurrent_dropout=0.4, go_backwards=True)),
    ("LSTM", S(_X, 6, dropout=0.3, return_sequences=True)),
    ("Bidirectional", S(_X, src("layers.LSTM(6, recurrent_dropout=0.4)"))),
    ("Bidirectional", S(_X, src("layers.GRU(6, dropout=0.3, return_sequences=True)"))),
    ("Bidirectional", S(_X, src("layers.LSTM(6, dropout=0.3, recurrent_dropout=0.2)"), merge_mode="sum")),
    ("Bidirectional", S(_X, src("layers.SimpleRNN(6, dropout=0.3, recurrent_dropout=0.2)"))),
    ("RNN", S(_X, src("layers.GRUCell(6, dropout=0.3, recurrent_dropout=0.4)"), return_sequences=True)),
]


def _rule(name: str) -> LayerRule:
    return next(r for r in all_layers() if r.api == f"tf.keras.layers.{name}" and r.keras != 2)


class Draws:
    """The same masks on both sides, in the order in which they are asked for."""

    def __init__(self) -> None:
        self.count = 0

    def mask(self, shape: tuple[int, ...], rate: float) -> Any:
        size = int(np.prod(shape))
        values = (0.618034 * np.arange(self.count, self.count + size) + 0.1) % 1.0
        self.count += size
        return ((values >= rate) / (1.0 - rate)).reshape(shape).astype("float32")

    def of_keras(self, x: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
        return x * self.mask(tuple(x.shape), rate)

    def of_torch(self, x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        import torch

        return x * torch.tensor(self.mask(tuple(x.shape), p)) if training and p else x


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("name", "sample"), SAMPLES, ids=lambda v: v if isinstance(v, str) else "")
def test_the_same_masks(name: str, sample: Sample, training: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    code = code_of(_rule(name), sample)
    assert isinstance(code, LayerCode), code
    compare(name, sample, code, training, monkeypatch)


@pytest.mark.parametrize(
    "wrong", [("each_gate(h, masks, ", "each_gate(h, None, "), ("dropout(torch.ones_like(x), ", "dropout(x, ")]
)
def test_3_13_dropout_of_the_state(wrong: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The state itself is dropped, by masks of ones."""
    sample = SAMPLES[1][1]
    code = code_of(_rule("LSTM"), sample)
    assert isinstance(code, LayerCode)
    changed = replace(code, helpers=tuple(replace(h, source=h.source.replace(*wrong)) for h in code.helpers))
    assert changed != code
    with pytest.raises(AssertionError):
        compare("LSTM", sample, changed, True, monkeypatch)


def compare(name: str, sample: Sample, code: LayerCode, training: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where outputs, gradients or the numbers of draws differ."""
    import tensorflow as tf
    import torch
    from keras.src.backend.tensorflow import random as draws

    rule = _rule(name)
    array = make(_X, 0)
    layer: Any = keras_layer(rule, sample, False)
    layer(array)
    before = {v.path: make(f32(*v.shape), 100 + i) for i, v in enumerate(layer.trainable_variables)}
    for variable in layer.trainable_variables:
        variable.assign(before[variable.path])
    source, target = Draws(), Draws()
    monkeypatch.setattr(draws, "dropout", source.of_keras)
    monkeypatch.setattr(torch.nn.functional, "dropout", target.of_torch)
    with tf.GradientTape() as tape:
        output = layer(array, training=training)
        loss = tf.reduce_sum(output * weights(output.shape))
    grads = tape.gradient(loss, layer.trainable_variables)
    expected = {v.path: np.asarray(g) for v, g in zip(layer.trainable_variables, grads, strict=True)}
    module, scope = module_of(code, False, training)
    targets = list(dict.fromkeys(t for _, t, _ in code.params))
    state = module.state_dict()
    for each in targets:
        state[each].copy_(torch.tensor(carried(code, each, before, apply)))
    scope["x"] = torch.tensor(array)
    found = eval(code.forward.replace("{self}", "module").replace("{x}", "x"), scope)
    np.testing.assert_allclose(found.detach().numpy(), np.asarray(output), rtol=2e-4, atol=2e-5)
    assert target.count == (source.count if training else 0)  # Keras draws masks even where it does not use them
    assert bool(target.count) == training
    (found * torch.as_tensor(weights(found.shape), dtype=found.dtype)).sum().backward()
    for each in targets:
        wanted = carried(code, each, expected, apply_gradient)
        got = dict(module.named_parameters())[each].grad
        np.testing.assert_allclose(got.numpy(), wanted, rtol=2e-3, atol=2e-4, err_msg=each)


def test_states_of_both_directions_and_cells_by_themselves_are_declined() -> None:
    inner = src("layers.LSTM(4, recurrent_dropout=0.2, stateful=True)")
    assert isinstance(code_of(_rule("Bidirectional"), S(_X, inner)), Decline)
    step = src("(x, [h, c])", x=f32(3, 4), h=f32(3, 6), c=f32(3, 6))
    assert isinstance(code_of(_rule("LSTMCell"), S(step, 6, recurrent_dropout=0.2)), Decline)
