"""Every sample of every layer: built on both sides, weights moved, outputs and gradients compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from migrator_validators.weights import apply
from running import difference, make, weights

from migrator.model import Decline, LayerCode
from migrator.rules import rulebook
from migrator.rules.engine.records import LayerRule
from migrator.rules.engine.registry import all_layers
from migrator.rules.engine.samples import Array, Code, Sample
from migrator.values import Literal, Tensor, Unknown, Value

RULES = rulebook()
CASES = [
    pytest.param(rule, sample, id=f"{rule.api}-{index}")
    for rule in all_layers()
    for index, sample in enumerate(rule.samples)
    if rule.keras != 2
]


def arrays_of(sample: Sample) -> list[Array]:
    first = sample.args[0]
    if isinstance(first, Code):
        return [a for _, a in first.arrays]
    assert isinstance(first, Array)
    return [first]


def code_of(rule: LayerRule, sample: Sample, sizes_known: bool = True) -> LayerCode | Decline:
    given = {**dict(zip(rule.signature.names, sample.args[1:], strict=False)), **dict(sample.kwargs)}
    values: dict[str, Value] = {n: Literal(v) if _plain(v) else Unknown() for n, v in given.items()}

    def value(array: Array) -> Tensor:
        middle = array.shape[1:-1] if sizes_known else (None,) * (len(array.shape) - 2)
        return Tensor((None, *middle, array.shape[-1]), array.dtype)

    return RULES.layer(rule.api, {n: repr(v) for n, v in given.items()}, values, tuple(map(value, arrays_of(sample))))


def _plain(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


@pytest.mark.parametrize(("rule", "sample"), CASES)
def test_sample(rule: LayerRule, sample: Sample) -> None:
    code = code_of(rule, sample)
    if sample.declines:
        assert isinstance(code, Decline)
        return
    assert isinstance(code, LayerCode), code
    check(rule, sample, code)
    unsized = code_of(rule, sample, sizes_known=False)
    if isinstance(unsized, LayerCode) and unsized != code:
        check(rule, sample, unsized)


def check(rule: LayerRule, sample: Sample, code: LayerCode) -> None:
    problem = ""
    for wide in (False, True):
        for training in (False, True):
            if training and "Dropout" in rule.api:
                continue
            problem = compare(rule, sample, code, wide, training)
            if problem:
                break
        if not problem:
            return
    raise AssertionError(f"{rule.api} {sample.args[1:]} {sample.kwargs}\n{code}\n{problem}")


def compare(rule: LayerRule, sample: Sample, code: LayerCode, wide: bool, training: bool) -> str:
    import tensorflow as tf

    inputs = [make(a, seed, wide) for seed, a in enumerate(arrays_of(sample))]
    kind = getattr(tf.keras.layers, rule.api.rpartition(".")[2])
    layer = kind(*sample.args[1:], **dict(sample.kwargs), dtype="float64" if wide else "float32")
    tensors = [tf.constant(x) for x in inputs]
    whole = tensors if len(tensors) > 1 else tensors[0]
    layer(whole)
    for index, variable in enumerate(layer.weights):
        positive = "variance" in variable.name
        drawn = make(Array(tuple(variable.shape), dist="positive" if positive else "normal"), 100 + index, wide)
        variable.assign(drawn)
    before = {v.name: v.numpy() for v in layer.weights}
    with tf.GradientTape() as tape:
        for x in tensors:
            tape.watch(x)
        out = layer(whole, training=training) if _takes_training(layer) else layer(whole)
        loss = tf.reduce_sum(out * tf.constant(weights(out.shape), out.dtype))
    trained = list(layer.trainable_variables)
    grads = tape.gradient(loss, [*tensors, *trained])
    found = run_code(code, inputs, before, training, wide)
    expected_grads = dict(zip([v.name for v in trained], grads[len(tensors) :], strict=True))
    wanted = [None if g is None else np.asarray(tf.convert_to_tensor(g)) for g in grads[: len(tensors)]]
    wanted += [
        apply(t, np.asarray(tf.convert_to_tensor(expected_grads[k]))) for k, _, t in code.params if k in expected_grads
    ]
    return difference([out.numpy()], found[0]) or "gradients: " * bool(d := difference(wanted, found[1])) + d


def _takes_training(layer: Any) -> bool:
    import inspect

    return "training" in inspect.signature(layer.call).parameters


def run_code(
    code: LayerCode, inputs: list[np.ndarray[Any, Any]], keras: dict[str, Any], training: bool, wide: bool
) -> tuple[list[Any], list[Any]]:
    """Outputs, and gradients of inputs and mapped weights, of the generated texts."""
    import torch

    scope: dict[str, Any] = {}
    exec("import torch\nimport torch.nn.functional as F\nfrom torch import nn\n", scope)
    for helper in code.helpers:
        exec("\n".join([*helper.imports, helper.source]), scope)
    module = None if code.module is None else eval(code.module, scope).double() if wide else eval(code.module, scope)
    if module is not None:
        scope["module"] = module.train(training)
        with torch.no_grad():
            for statement in code.init:
                exec(statement.replace("{self}", "module"), scope)
            state = module.state_dict()
            for name, target, transform in code.params:
                state[target].copy_(torch.tensor(apply(transform, keras[name])))
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    moved = [t.movedim(-1, 1) if code.layout == "nchw" and t.dim() > 2 else t for t in tensors]
    scope.update({f"x{i}": t for i, t in enumerate(moved)}, x=moved[0])
    text = code.forward
    if code.activation is not None:
        text = code.activation.replace("{x}", f"({text})")
    out = eval(
        text.replace("{self}", "module")
        .replace("{x}", "x")
        .replace("{x0}", "x0")
        .replace("{x1}", "x1")
        .replace("{x2}", "x2"),
        scope,
    )
    out = out.movedim(1, -1) if code.layout == "nchw" and out.dim() > 2 else out
    named = dict(module.named_parameters()) if module is not None else {}
    own = [named[t] for k, t, _ in code.params if t in named and named[t].requires_grad]
    floats = [t for t in tensors if t.requires_grad]
    loss = (out * torch.as_tensor(weights(out.shape), dtype=out.dtype)).sum()
    grads = iter(torch.autograd.grad(loss, [*floats, *own], allow_unused=True))
    results = [next(grads) if t.requires_grad else None for t in tensors] + list(grads)
    return [out.detach().numpy()], [None if g is None else g.numpy() for g in results]
