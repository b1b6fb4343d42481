"""Two calls before one backward pass, as critics make them: each has the gradient of the weight that it saw."""

from __future__ import annotations

import numpy as np
import pytest
from test_layers import code_of, module_of

from migrator.model import LayerCode
from migrator.rules.engine.registry import find_layer
from migrator.rules.engine.samples import S, f32, src

tf = pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")


def test_weights_and_gradients_of_two_calls() -> None:
    layers = tf.keras.layers
    rule = find_layer("tf.keras.layers.SpectralNormalization", 3)
    assert rule is not None
    code = code_of(rule, S(f32(4, 3), src("layers.Dense(5, use_bias=False)")))
    assert isinstance(code, LayerCode)
    module, _ = module_of(code, False, True)
    real, fake = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    theirs = layers.SpectralNormalization(layers.Dense(5, use_bias=False))
    theirs.build((None, 3))
    with torch.no_grad():
        module.layer.weight.copy_(torch.tensor(theirs.layer.kernel.numpy().T))
        module.vector_u.copy_(torch.tensor(theirs.vector_u.numpy()[0]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(theirs(real, training=True) ** 2) - tf.reduce_sum(theirs(fake, training=True) ** 3)
    gradient = tape.gradient(loss, theirs.layer.kernel).numpy()
    ours = module(torch.tensor(real)).square().sum() - module(torch.tensor(fake)).pow(3).sum()
    ours.backward()
    assert float(ours.detach()) == pytest.approx(float(loss), rel=1e-4)
    np.testing.assert_allclose(module.layer.weight.grad.numpy().T, gradient, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(module.layer.weight.detach().numpy().T, theirs.layer.kernel.numpy(), rtol=1e-4)
    np.testing.assert_allclose(module.vector_u.numpy(), theirs.vector_u.numpy()[0], rtol=1e-4)


def test_a_weight_of_zeros_stays() -> None:
    rule = find_layer("tf.keras.layers.SpectralNormalization", 3)
    assert rule is not None
    code = code_of(rule, S(f32(4, 3), src("layers.Dense(5, kernel_initializer='zeros')")))
    assert isinstance(code, LayerCode)
    module, _ = module_of(code, False, True)
    assert not module(torch.ones(4, 3)).any()
    assert module.vector_u.any()
