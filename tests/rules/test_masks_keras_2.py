"""Masks that reach recurrent layers of Keras 2: outputs beside tf_keras, also of rows without any true step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from migrator_validators.weights import apply
from running import make
from test_layers import instance_of, module_of

from migrator.model import LayerCode
from migrator.rules import rulebook
from migrator.rules.engine.samples import f32
from migrator.values import Tensor

keras_2 = pytest.importorskip("tf_keras")
tf = pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")
RULES = rulebook(2)
LAYERS = [
    *("LSTM(4)", "LSTM(4, return_sequences=True)", "GRU(4)", "GRU(4, return_sequences=True)"),
    *("SimpleRNN(4)", "SimpleRNN(4, return_sequences=True)"),
    *("Bidirectional(layers.LSTM(4))", "Bidirectional(layers.GRU(4, return_sequences=True))"),
]


@pytest.mark.parametrize("text", LAYERS)
def test_masked_steps(text: str) -> None:
    x, mask = make(f32(5, 6, 3), 0), np.random.default_rng(1).random((5, 6)) < 0.6
    mask[2] = False
    layer: Any = eval(f"layers.{text}", {"layers": keras_2.layers})
    expected = layer(x, mask=tf.constant(mask)).numpy()
    made: Any = instance_of(f"layers.{text}")
    texts = {name: text.partition("(")[2][:-1] if name == "layer" else repr(v.value) for name, v in made.args}
    code = RULES.layer(made.api, texts, dict(made.args), (Tensor((None, 6, 3), "float32"),))
    assert isinstance(code, LayerCode), code
    assert code.masked is not None
    module, scope = module_of(code, False, False)
    held = {_name(w.name): w.numpy() for w in layer.weights}
    for keras, target, how in code.params:
        module.state_dict()[target].copy_(torch.tensor(apply(how, held[keras])))
    scope |= {"x": torch.tensor(x), "mask": torch.tensor(mask)}
    call = code.masked.forward.replace(", {given_initial_state}", "")
    found = eval(call.replace("{self}", "module").replace("{x}", "x").replace("{given_mask}", "mask"), scope)
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=2e-6)


def _name(weight: str) -> str:
    way = next((f"{word}/" for word in ("forward", "backward") if f"/{word}_" in weight), "")
    return way + weight.rpartition("/")[2].partition(":")[0]
