"""Constraints of layers: torch's statements do to the weights what Keras's objects do to theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from migrator_validators.weights import apply
from test_layers import carried, keras_layer, module_of

from migrator.model import Decline, LayerCode
from migrator.rules import rulebook
from migrator.rules.engine.records import LayerRule
from migrator.rules.engine.registry import all_layers
from migrator.rules.engine.samples import S, Sample, f32, i32, src
from migrator.values import Instance, Literal, Sequence, Tensor, Value

RULES = rulebook()
_CONSTRAINTS = "tf.keras.constraints."
_IMAGES, _ROWS, _STEPS = f32(2, 6, 6, 3), f32(4, 5), f32(3, 5, 3)


def _by(text: str) -> Any:
    return src(f"keras.constraints.{text}")


SAMPLES: list[tuple[str, Sample]] = [
    ("Dense", S(_ROWS, 4, kernel_constraint="non_neg", bias_constraint="max_norm")),
    ("Dense", S(_ROWS, 4, kernel_constraint="UnitNorm", bias_constraint="UnitNorm")),
    ("Dense", S(_ROWS, 4, kernel_constraint=_by("MaxNorm(1.5)"))),
    ("Dense", S(_ROWS, 4, kernel_constraint=_by("MaxNorm(max_value=0.7, axis=1)"))),
    ("Dense", S(_ROWS, 4, kernel_constraint=_by("MaxNorm(1.0, axis=[0, 1])"))),
    ("Dense", S(_ROWS, 4, kernel_constraint=_by("MaxNorm(1.0, axis=-1)"))),
    ("Dense", S(_ROWS, 4, kernel_constraint=_by("MinMaxNorm(1.9, 2.1)"))),
    ("Dense", S(_ROWS, 4, kernel_constraint=_by("MinMaxNorm(1.9, 2.1, rate=0.3, axis=1)"))),
    ("Conv2D", S(_IMAGES, 4, 3, kernel_constraint=_by("MaxNorm(2.0, axis=[0, 1, 2])"))),
    ("Conv2D", S(_IMAGES, 4, 3, kernel_constraint=_by("MaxNorm(0.8)"))),
    ("Conv2D", S(_IMAGES, 4, 3, kernel_constraint=_by("UnitNorm(axis=[0, 1, 2])"))),
    ("Conv1D", S(_STEPS, 4, 2, kernel_constraint=_by("MinMaxNorm(0.5, 1.0, axis=[0, 1])"))),
    ("Conv2DTranspose", S(_IMAGES, 4, 3, kernel_constraint=_by("UnitNorm(axis=[0, 1, 3])"))),
    ("DepthwiseConv2D", S(_IMAGES, 3, depthwise_constraint=_by("MaxNorm(1.0, axis=[0, 1])"))),
    ("SeparableConv2D", S(_IMAGES, 4, 3, depthwise_constraint="non_neg", pointwise_constraint=_by("UnitNorm(axis=2)"))),
    ("Embedding", S(i32(2, 5, low=0, high=7), 7, 4, embeddings_constraint=_by("UnitNorm(axis=1)"))),
    ("Embedding", S(i32(2, 5, low=0, high=7), 7, 4, embeddings_constraint=_by("MaxNorm(1.0, axis=1)"))),
    ("BatchNormalization", S(_ROWS, gamma_constraint="non_neg", beta_constraint=_by("MaxNorm(1.0)"))),
    ("LayerNormalization", S(_ROWS, gamma_constraint="min_max_norm")),
    ("PReLU", S(_IMAGES, shared_axes=[1, 2], alpha_constraint="non_neg")),
    ("LSTM", S(_STEPS, 4, kernel_constraint=_by("MaxNorm(1.0)"), recurrent_constraint="unit_norm")),
    ("LSTM", S(_STEPS, 4, bias_constraint=_by("MaxNorm(1.0)"), activation="relu")),
    ("GRU", S(_STEPS, 4, kernel_constraint=_by("MaxNorm(1.0, axis=1)"), bias_constraint="non_neg")),
    ("SimpleRNN", S(_STEPS, 4, recurrent_constraint=_by("MinMaxNorm(0.5, 1.0)"))),
]
REFUSED: list[tuple[str, Sample, str]] = [
    ("Dense", S(_ROWS, 4, kernel_constraint=_by("MaxNorm(1.0, axis=2)")), "none of the weight's"),
    ("GRU", S(_STEPS, 4, bias_constraint=_by("MaxNorm(1.0)")), "another form"),
    ("Dense", S(_ROWS, 4, kernel_constraint="radial"), "not known"),
    ("Dense", S(_ROWS, 4, kernel_constraint="radial_constraint"), "the kernel of a convolution"),
]


def _rule(name: str) -> LayerRule:
    return next(r for r in all_layers() if r.api == f"tf.keras.layers.{name}" and r.keras != 2)


def _known(value: object) -> Value:
    """What the facts know of an argument: a constraint as the object that it makes."""
    text = getattr(value, "text", None)
    if text is None:
        items = tuple(map(_known, value)) if isinstance(value, list) else None
        return Literal(value) if items is None else Sequence("list", items)
    import keras

    made = eval(text, {"keras": keras})
    given = {n: v for n, v in made.get_config().items() if v is not None}
    return Instance(_CONSTRAINTS + type(made).__name__, args=tuple((n, _known(v)) for n, v in given.items()))


def _code(name: str, sample: Sample) -> LayerCode | Decline:
    rule, array = _rule(name), sample.args[0]
    given = {**dict(zip(rule.signature.names, sample.args[1:], strict=False)), **dict(sample.kwargs)}
    texts = {n: getattr(v, "text", repr(v)) for n, v in given.items()}
    inputs = (Tensor((None, *array.shape[1:]), array.dtype),)
    return RULES.layer(rule.api, texts, {n: _known(v) for n, v in given.items()}, inputs)


@pytest.mark.parametrize(("name", "sample"), SAMPLES, ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_weights_after_a_step(name: str, sample: Sample, scale: float) -> None:
    import torch

    code = _code(name, sample)
    assert isinstance(code, LayerCode), code
    layer = keras_layer(_rule(name), sample, False)
    layer(np.zeros(sample.args[0].shape, sample.args[0].dtype))
    rng = np.random.default_rng(0)
    before, after = {}, {}
    for variable in layer.weights:
        drawn = (scale * rng.normal(size=variable.shape)).astype("float32")
        before[variable.path] = after[variable.path] = drawn
        if variable.constraint is not None:
            after[variable.path] = np.asarray(variable.constraint(drawn))
            assert np.abs(after[variable.path] - drawn).max() > 1e-4 or scale < 1
    module, scope = module_of(code, False, False)
    state = module.state_dict()
    targets = list(dict.fromkeys(target for _, target, _ in code.params))
    for target in targets:
        state[target].copy_(torch.tensor(carried(code, target, before, apply)))
    with torch.no_grad():
        for statement in code.constraint:
            exec(statement.replace("{self}", "module"), scope)
    for target in targets:
        wanted = carried(code, target, after, apply)
        np.testing.assert_allclose(state[target].numpy(), wanted, rtol=2e-6, atol=2e-7, err_msg=target)


@pytest.mark.parametrize(("name", "sample", "reason"), REFUSED)
def test_refused(name: str, sample: Sample, reason: str) -> None:
    found = _code(name, sample)
    assert isinstance(found, Decline)
    assert reason in found.reason


@pytest.mark.parametrize("size", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["Conv2D", "Conv2DTranspose"])
def test_rings_of_one_value(kind: str, size: int) -> None:
    import tensorflow as tf
    import torch

    keras_2 = pytest.importorskip("tf_keras")
    given: Value = Instance(_CONSTRAINTS + "RadialConstraint")
    texts = {"filters": "4", "kernel_size": str(size), "kernel_constraint": "keras.constraints.RadialConstraint()"}
    values = {"filters": Literal(4), "kernel_size": Literal(size), "kernel_constraint": given}
    code = rulebook(2).layer(f"tf.keras.layers.{kind}", texts, values, (Tensor((None, 9, 9, 3), "float32"),))
    assert isinstance(code, LayerCode), code
    module, scope = module_of(code, False, False)
    order = (3, 2, 0, 1)
    drawn = np.random.default_rng(0).normal(size=(size, size, 3, 4) if kind == "Conv2D" else (size, size, 4, 3))
    module.weight.data = torch.tensor(drawn.transpose(order))
    with torch.no_grad():
        for statement in code.constraint:
            exec(statement.replace("{self}", "module"), scope)
    wanted = keras_2.constraints.RadialConstraint()(tf.constant(drawn)).numpy()
    np.testing.assert_array_equal(module.weight.detach().numpy(), wanted.transpose(order))
    assert len(np.unique(wanted[:, :, 0, 0])) == (size + 1) // 2


def test_norms_of_the_other_axis_differ() -> None:
    """What the obvious rewrite gets wrong: Keras's axis 0 is torch's last."""
    import torch

    weight = torch.tensor(np.random.default_rng(0).normal(size=(4, 5)))
    assert not torch.allclose(weight.renorm(2, 0, 1.0), weight.renorm(2, 1, 1.0))
