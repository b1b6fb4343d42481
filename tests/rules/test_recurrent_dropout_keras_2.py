"""Dropout inside recurrent layers of Keras 2: both sides compute the same with the same masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from migrator_validators.probes import tf_masks
from migrator_validators.weights import apply, apply_gradient
from running import make, weights
from test_layers import arrays_of, instance_of, module_of
from test_recurrent_dropout import Draws

from migrator.model import LayerCode
from migrator.rules import rulebook
from migrator.rules.engine.samples import Code, S, Sample, f32, src
from migrator.values import Literal, Tensor

keras_2 = pytest.importorskip("tf_keras")
tf = pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")
RULES = rulebook(2)
_X = f32(3, 5, 4)
STEPS = "F.dropout(x, 0.3, module.training)"
FEATURES = "drop_features(x, 0.3, module.training)"
SAMPLES = [
    ("LSTM", S(_X, units=6, dropout=0.3), STEPS),
    ("GRU", S(_X, units=6, dropout=0.3, return_sequences=True), STEPS),
    ("LSTM", S(_X, units=6, dropout=0.3, go_backwards=True), f"{STEPS}.flip(1)"),
    ("LSTM", S(_X, units=6, dropout=0.3, use_bias=False), FEATURES),
    ("LSTM", S(_X, units=6, dropout=0.3, unroll=True), FEATURES),
    ("LSTM", S(_X, units=6, dropout=0.3, activation="relu"), FEATURES),
    ("GRU", S(_X, units=6, dropout=0.3, reset_after=False), FEATURES),
    ("SimpleRNN", S(_X, units=6, dropout=0.3), FEATURES),
    ("RNN", S(_X, cell=src("layers.LSTMCell(6, dropout=0.3)")), FEATURES),
    ("LSTM", S(_X, units=6, recurrent_dropout=0.4, return_sequences=True), "module(x)"),
    ("LSTM", S(_X, units=6, dropout=0.3, recurrent_dropout=0.4, activation="elu"), "module(x)"),
    ("GRU", S(_X, units=6, dropout=0.3, recurrent_dropout=0.4), "module(x)"),
    ("GRU", S(_X, units=6, recurrent_dropout=0.4, reset_after=False), "module(x)"),
    ("SimpleRNN", S(_X, units=6, dropout=0.3, recurrent_dropout=0.4), FEATURES),
    ("Bidirectional", S(_X, layer=src("layers.LSTM(6, dropout=0.3)")), "both_ends(module(x)[0])"),
    ("Bidirectional", S(_X, layer=src("layers.SimpleRNN(6, dropout=0.3, return_sequences=True)")), "module(x)[0]"),
    ("Bidirectional", S(_X, layer=src("layers.GRU(6, dropout=0.3, recurrent_dropout=0.4)")), "module(x)"),
    ("RNN", S(_X, cell=src("layers.GRUCell(6, dropout=0.3, recurrent_dropout=0.4)")), "module(x)"),
]


def _direction(name: str) -> str:
    """The layer of a `Bidirectional` that has a weight."""
    return next((f"{word}/" for word in ("forward", "backward") if f"/{word}_" in name), "")


def code_of(name: str, sample: Sample) -> LayerCode:
    given = dict(sample.kwargs)
    values = {n: instance_of(v.text) if isinstance(v, Code) else Literal(v) for n, v in given.items()}
    texts = {n: v.text if isinstance(v, Code) else repr(v) for n, v in given.items()}
    found = RULES.layer(f"tf.keras.layers.{name}", texts, values, (Tensor((None, 5, 4), "float32"),))
    assert isinstance(found, LayerCode), found
    return found


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("name", "sample", "source"), SAMPLES, ids=lambda v: v if isinstance(v, str) else "")
def test_the_same_masks(
    name: str, sample: Sample, source: str, training: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of(name, sample)
    assert source in code.forward.replace("{self}", "module").replace("{x}", "x")
    theirs, drawn = Draws(), Draws()
    mixin = keras_2.src.layers.rnn.dropout_rnn_cell_mixin.DropoutRNNCellMixin
    monkeypatch.setattr(mixin, "_create_dropout_mask", mixin._create_dropout_mask)
    tf_masks.draw_for_gates(keras_2)
    dropout = lambda _, x, rate, noise_shape=None: theirs.of_keras(x, rate)  # noqa: E731
    monkeypatch.setattr(keras_2.src.backend.RandomGenerator, "dropout", dropout)
    monkeypatch.setattr(torch.nn.functional, "dropout", drawn.of_torch)
    scope = {"layers": keras_2.layers}
    kwargs = {n: eval(v.text, scope) if isinstance(v, Code) else v for n, v in sample.kwargs}
    layer: Any = getattr(keras_2.layers, name)(**kwargs)
    array = make(arrays_of(sample)[0], 0)
    layer(array)
    held = {_direction(w.name) + w.name.rpartition("/")[2].partition(":")[0]: w for w in layer.weights}
    for index, weight in enumerate(held.values()):
        weight.assign(make(f32(*weight.shape), 100 + index))
    with tf.GradientTape() as tape:
        output = layer(array, training=training)
        loss = tf.reduce_sum(output * weights(output.shape))
    grads = dict(zip(held, tape.gradient(loss, list(held.values())), strict=True))
    module, scope = module_of(code, False, training)
    for keras, target, how in code.params:
        module.state_dict()[target].copy_(torch.tensor(apply(how, held[keras].numpy())))
    scope["x"] = torch.tensor(array)
    found = eval(code.forward.replace("{self}", "module").replace("{x}", "x"), scope)
    np.testing.assert_allclose(found.detach().numpy(), output.numpy(), rtol=2e-4, atol=2e-5)
    assert drawn.count == theirs.count
    assert bool(drawn.count) == training
    (found * torch.as_tensor(weights(found.shape), dtype=found.dtype)).sum().backward()
    for keras, target, how in code.params:
        own = module.get_parameter(target).grad.numpy()
        np.testing.assert_allclose(own, apply_gradient(how, grads[keras].numpy()), rtol=2e-3, atol=2e-4)
