"""Every sample of every rule for layers of Keras 2: outputs and gradients beside tf_keras, and initial spreads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from migrator_validators.weights import apply, apply_gradient
from running import make, weights
from test_layers import arrays_of, call_text, module_of

from migrator.model import Decline, LayerCode
from migrator.rules import rulebook
from migrator.rules.engine.records import LayerRule
from migrator.rules.engine.registry import all_layers
from migrator.rules.engine.samples import Sample
from migrator.values import Literal, Tensor

keras_2 = pytest.importorskip("tf_keras")
tf = pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")
RULES = rulebook(2)
CASES = [
    pytest.param(rule, sample, id=f"{rule.api}-{index}")
    for rule in all_layers()
    for index, sample in enumerate(rule.samples)
    if rule.keras == 2
]


def code_of(rule: LayerRule, sample: Sample) -> LayerCode | Decline:
    given = {**dict(zip(rule.signature.names, sample.args[1:], strict=False)), **dict(sample.kwargs)}
    values = {name: Literal(value) for name, value in given.items() if not isinstance(value, tuple)}
    array = arrays_of(sample)[0]
    inputs = (Tensor((None, *array.shape[1:]), array.dtype),)
    return RULES.layer(rule.api, {n: repr(v) for n, v in given.items()}, values, inputs)


def keras_layer(rule: LayerRule, sample: Sample) -> Any:
    kind = getattr(keras_2.layers, rule.api.rpartition(".")[2])
    return kind(*sample.args[1:], **dict(sample.kwargs))


@pytest.mark.parametrize(("rule", "sample"), CASES)
def test_sample(rule: LayerRule, sample: Sample) -> None:
    code = code_of(rule, sample)
    assert isinstance(code, Decline) == sample.declines, code
    if isinstance(code, LayerCode):
        compare(rule, sample, code)


def compare(rule: LayerRule, sample: Sample, code: LayerCode) -> None:
    array = make(arrays_of(sample)[0], 0)
    theirs, x = keras_layer(rule, sample), tf.constant(array)
    theirs(x)
    held = {w.name.rpartition("/")[2].partition(":")[0]: w for w in theirs.weights}
    for index, weight in enumerate(held.values()):
        weight.assign(np.random.default_rng(index).normal(size=weight.shape))
    with tf.GradientTape() as tape:
        tape.watch(x)
        want = theirs(x)
        loss = tf.reduce_sum(want * tf.constant(weights(want.shape), want.dtype))
    wanted = tape.gradient(loss, [x, *held.values()])
    module, scope = module_of(code, False, True)
    for keras, target, how in code.params:
        module.state_dict()[target].copy_(torch.tensor(apply(how, held[keras].numpy())))
    assert {keras for keras, _, _ in code.params} == set(held)
    given = torch.tensor(array, requires_grad=True)
    scope["x"] = given.movedim(-1, 1) if code.layout == "nchw" else given
    found = eval(call_text(code, sample), scope)
    found = found.movedim(1, -1) if code.layout == "nchw" else found
    np.testing.assert_allclose(found.detach().numpy(), want.numpy(), atol=1e-4)
    (found * torch.as_tensor(weights(found.shape), dtype=found.dtype)).sum().backward()
    np.testing.assert_allclose(given.grad.numpy(), wanted[0].numpy(), atol=1e-4)
    gradients = dict(zip(held, wanted[1:], strict=True))
    for keras, target, how in code.params:
        own = module.get_parameter(target).grad.numpy()
        np.testing.assert_allclose(own, apply_gradient(how, gradients[keras].numpy()), atol=1e-4)


LOCAL = [c for c in CASES if "Locally" in c.values[0].api and not c.values[1].declines]


@pytest.mark.parametrize(("rule", "sample"), LOCAL)
def test_initial_values_have_the_same_spread(rule: LayerRule, sample: Sample) -> None:
    module, _ = module_of(code_of(rule, sample), False, True)  # type: ignore[arg-type]
    theirs = keras_layer(rule, sample)
    theirs.build((None, *arrays_of(sample)[0].shape[1:]))
    assert float(module.weight.detach().std()) == pytest.approx(float(np.std(theirs.kernel.numpy())), rel=0.25)
