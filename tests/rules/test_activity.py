"""What outputs of layers add to the loss: the layer keeps what Keras's `losses` have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from migrator_validators.weights import apply
from running import make
from test_layers import call_text, carried, code_of, keras_layer, module_of

from migrator.model import Decline, LayerCode
from migrator.rules.engine.records import LayerRule
from migrator.rules.engine.registry import all_layers
from migrator.rules.engine.samples import S, Sample, f32, i32

_ROWS, _IMAGES, _STEPS = f32(3, 4), f32(2, 6, 5, 3), f32(3, 5, 2)
SAMPLES = [
    ("Dense", S(_ROWS, 5, "relu", activity_regularizer="l1")),
    ("Dense", S(f32(3, 2, 4), 5, activation="softmax", activity_regularizer="l2", kernel_regularizer="l2")),
    ("Conv2D", S(_IMAGES, 4, 3, padding="same", activation="relu", activity_regularizer="L1L2")),
    ("Conv2D", S(_IMAGES, 4, 3, strides=2, padding="same", activity_regularizer="L2")),
    ("DepthwiseConv2D", S(_IMAGES, 3, activation="tanh", activity_regularizer="l2")),
    ("Embedding", S(i32(2, 5, low=0, high=7), 7, 4, activity_regularizer="l2")),
    ("BatchNormalization", S(_ROWS, activity_regularizer="l1")),
    ("ActivityRegularization", S(_STEPS, 0.1, 0.2)),
    ("ActivityRegularization", S(_STEPS, l2=0.3)),
]


def _rule(name: str) -> LayerRule:
    return next(r for r in all_layers() if r.api == f"tf.keras.layers.{name}" and r.keras != 2)


@pytest.mark.parametrize(("name", "sample"), SAMPLES, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_added(name: str, sample: Sample) -> None:
    import torch

    code = code_of(_rule(name), sample)
    assert isinstance(code, LayerCode), code
    assert code.adds == ("L1L2" not in dict(sample.kwargs).values())  # whose factors are zero by default
    layer: Any = keras_layer(_rule(name), sample, False)
    x = make(sample.args[0], 0)
    layer(x)
    before = {v.path: make(f32(*v.shape), 100 + i) for i, v in enumerate(layer.weights) if "variance" not in v.path}
    before |= {v.path: v.numpy() for v in layer.weights if v.path not in before}
    for variable in layer.weights:
        variable.assign(before[variable.path])
    output = layer(x)
    penalties = [float(r) for r in layer._get_regularization_losses()]
    expected = float(sum(layer.losses)) - sum(penalties)
    module, scope = module_of(code, False, False)
    state = module.state_dict()
    for target in dict.fromkeys(t for _, t, _ in code.params):
        state[target].copy_(torch.tensor(carried(code, target, before, apply)))
    tensor = torch.tensor(x)
    scope["x"] = tensor.movedim(-1, 1) if code.layout == "nchw" and tensor.dim() > 2 else tensor
    found = eval(call_text(code, sample), scope)
    found = found.movedim(1, -1) if code.layout == "nchw" and found.dim() > 2 else found
    np.testing.assert_allclose(found.detach().numpy(), np.asarray(output), rtol=2e-5, atol=2e-6)
    assert float(torch.as_tensor(getattr(module, "added_loss", 0.0)).detach()) == pytest.approx(expected, rel=1e-5)


def test_several_outputs_and_wrapped_layers_are_declined() -> None:
    assert isinstance(code_of(_rule("LSTM"), S(_STEPS, 4, activity_regularizer="l2")), Decline)
    assert isinstance(code_of(_rule("MaxPooling2D"), S(_IMAGES, activity_regularizer="l2")), Decline)
