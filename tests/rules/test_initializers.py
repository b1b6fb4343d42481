"""Initialisers and regularisers: equal in distribution, equal in value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_layers import carried, code_of, keras_layer, module_of

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import find_layer
from migrator.rules.engine.samples import S, f32
from migrator.rules.initializers import initializer
from migrator.rules.regularizers import penalty
from migrator.values import Instance, Literal, Unknown, Value

NAMES = [
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "zeros", "ones",
    "random_normal", "random_uniform", "truncated_normal", "orthogonal", "variance_scaling",
]  # fmt: skip
OBJECTS = [
    ("Constant", {"value": 0.3}),
    ("RandomNormal", {"mean": 0.5, "stddev": 0.1}),
    ("TruncatedNormal", {"stddev": 0.2}),
    ("RandomUniform", {"minval": -0.1, "maxval": 0.3}),
    ("Orthogonal", {"gain": 2.0}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out"}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_avg", "distribution": "uniform"}),
]


def instance(name: str, args: dict[str, Any], room: str = "initializers") -> Instance:
    return Instance(f"tf.keras.{room}.{name}", args=tuple((k, Literal(v)) for k, v in args.items()))


def drawn(value: Value, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    import torch
    from torch import nn

    made = initializer(value)
    scope: dict[str, Any] = {"nn": nn, "w": nn.Parameter(torch.empty(shape))}
    for helper in made.helpers:
        exec("\n".join([*helper.imports, helper.source]), scope)
    exec(made.at("w"), scope)
    weight: np.ndarray[Any, Any] = scope["w"].detach().numpy()
    return weight


@pytest.fixture(autouse=True)
def _seeds() -> None:
    import tensorflow as tf
    import torch

    tf.keras.utils.set_random_seed(0)
    torch.manual_seed(0)


def check(keras: Any, value: Value) -> None:
    for torch_shape, back in (((300, 200), (1, 0)), ((64, 32, 3, 3), (2, 3, 1, 0))):
        want = np.asarray(keras(tuple(np.array(torch_shape)[list(back)])))
        have = drawn(value, torch_shape)
        spread = want.std() + 1e-9
        assert abs(want.mean() - have.mean()) < 0.05 * spread
        assert abs(want.std() - have.std()) < 0.05 * spread
        ends = 0.15 * spread if np.abs(want - want.mean()).max() < 2.6 * spread else 1.5 * spread  # bounded or not
        assert abs(want.max() - have.max()) < ends
        assert abs(want.min() - have.min()) < ends


@pytest.mark.parametrize("name", NAMES)
def test_by_name(name: str) -> None:
    import tensorflow as tf

    check(tf.keras.initializers.get(name), Literal(name))


@pytest.mark.parametrize(("value", "gain"), [(Literal("identity"), 1.0), (instance("Identity", {"gain": 0.5}), 0.5)])
def test_an_identity_is_the_same_transposed(value: Value, gain: float) -> None:
    import tensorflow as tf

    want = np.asarray(tf.keras.initializers.Identity(gain)((3, 5)))
    np.testing.assert_array_equal(drawn(value, (5, 3)), want.T)


@pytest.mark.parametrize(("name", "args"), OBJECTS)
def test_objects(name: str, args: dict[str, Any]) -> None:
    import tensorflow as tf

    check(getattr(tf.keras.initializers, name)(**args), instance(name, args))


def test_unknown_ones_decline() -> None:
    for value in (Literal("mystery"), Unknown(), instance("STFT", {})):
        with pytest.raises(Decline):
            initializer(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Literal(None), ()),
        (Literal("l2"), ("0.01 * w.square().sum()",)),
        (instance("L2", {"l2": 1e-4}, "regularizers"), ("1e-4 * w.square().sum()",)),
        (instance("L1", {}, "regularizers"), ("0.01 * w.abs().sum()",)),
        (
            instance("L1L2", {"l1": 0.5, "l2": 1e-5}, "regularizers"),
            ("0.5 * w.abs().sum()", "1e-5 * w.square().sum()"),
        ),
    ],
)
def test_penalties(value: Value, expected: tuple[str, ...]) -> None:
    assert penalty(value, "w") == expected


def test_unknown_penalties_decline() -> None:
    for value in (Unknown(), instance("OrthogonalRegularizer", {}, "regularizers")):
        with pytest.raises(Decline):
            penalty(value, "w")


@pytest.mark.parametrize(("name", "initial"), [("Dense", "kernel"), ("SimpleRNN", "recurrent"), ("LSTM", "recurrent")])
def test_layers_that_begin_with_an_identity(name: str, initial: str) -> None:
    from migrator_validators.weights import apply

    rule = find_layer(f"tf.keras.layers.{name}", 3)
    assert rule is not None
    sample = S(f32(2, 4) if name == "Dense" else f32(2, 3, 4), 6, **{f"{initial}_initializer": "identity"})
    code, layer = code_of(rule, sample), keras_layer(rule, sample, False)
    assert isinstance(code, LayerCode)
    layer.build((None, 4) if name == "Dense" else (None, 3, 4))
    module, _ = module_of(code, False, False)
    keras = {weight.path: weight.numpy() for weight in layer.weights}
    target = "weight" if name == "Dense" else "weight_hh_l0"
    want = carried(code, target, keras, apply)
    np.testing.assert_array_equal(getattr(module, target).detach().numpy(), want)


def test_a_gru_that_begins_with_an_identity_is_declined() -> None:
    rule = find_layer("tf.keras.layers.GRU", 3)
    assert rule is not None
    code = code_of(rule, S(f32(2, 3, 4), 6, recurrent_initializer="identity"))
    assert "another order" in getattr(code, "reason", "")
