"""`stateful=True`: batches go on from the states of the ones before, until a reset, and without their gradients."""

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

tf = pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")
_X = f32(3, 5, 4)
SAMPLES = [
    ("LSTM", S(_X, 6, stateful=True)),
    ("LSTM", S(_X, 6, "relu", stateful=True, return_sequences=True, kernel_regularizer="l2")),
    ("GRU", S(_X, 6, stateful=True, return_sequences=True, go_backwards=True)),
    ("GRU", S(_X, 6, stateful=True, reset_after=False, kernel_initializer="he_normal")),
    ("SimpleRNN", S(_X, 6, stateful=True, use_bias=False)),
    ("RNN", S(_X, src("layers.GRUCell(6)"), stateful=True)),
    ("RNN", S(_X, src("[layers.GRUCell(6), layers.LSTMCell(3)]"), stateful=True, return_sequences=True)),
    ("Bidirectional", S(_X, src("layers.LSTM(6, stateful=True, return_sequences=True)"))),
    ("Bidirectional", S(_X, src("layers.GRU(6, stateful=True)"), merge_mode="sum")),
]


def _rule(name: str) -> LayerRule:
    return next(r for r in all_layers() if r.api == f"tf.keras.layers.{name}" and r.keras != 2)


def code(name: str, sample: Sample) -> LayerCode:
    found = code_of(_rule(name), sample)
    assert isinstance(found, LayerCode), found
    return found


@pytest.mark.parametrize(("name", "sample"), SAMPLES, ids=lambda v: v if isinstance(v, str) else "")
def test_three_batches_and_a_reset(name: str, sample: Sample) -> None:
    compare(name, sample, code(name, sample))


@pytest.mark.parametrize(
    "wrong", [("self.state if state is None else state", "state"), ("s.detach().clone()", "s"), ("= None\n", "= 0\n")]
)
def test_3_14_states_are_carried_on_without_gradients(wrong: tuple[str, str]) -> None:
    name, sample = SAMPLES[0]
    made = code(name, sample)
    changed = replace(made, helpers=tuple(replace(h, source=h.source.replace(*wrong)) for h in made.helpers))
    assert changed != made
    with pytest.raises((AssertionError, RuntimeError, TypeError)):
        compare(name, sample, changed)


def reset(layer: Any) -> None:
    """Keras's own `reset_states` fails on stacked cells."""
    inner = [layer.forward_layer, layer.backward_layer] if hasattr(layer, "forward_layer") else [layer]
    for state in tf.nest.flatten([each.states for each in inner]):
        state.assign(tf.zeros_like(state))


def compare(name: str, sample: Sample, made: LayerCode) -> None:
    """Outputs and gradients of two batches, of a prediction, of a batch behind it, and of one behind a reset."""
    theirs: Any = keras_layer(_rule(name), sample, False)
    theirs(make(_X, 0))
    before = {v.path: make(f32(*v.shape), 100 + i) for i, v in enumerate(theirs.trainable_variables)}
    for variable in theirs.trainable_variables:
        variable.assign(before[variable.path])
    reset(theirs)
    module, scope = module_of(made, False, True)
    targets = list(dict.fromkeys(t for _, t, _ in made.params))
    for each in targets:
        module.state_dict()[each].copy_(torch.tensor(carried(made, each, before, apply)))

    def output(batch: Any) -> Any:
        return eval(made.forward.replace("{self}", "module").replace("{x}", "x"), {**scope, "x": torch.tensor(batch)})

    for number in range(5):
        batch = make(_X, 10 + number)
        if number == 2:
            with torch.inference_mode():
                np.testing.assert_allclose(output(batch).numpy(), theirs(batch).numpy(), atol=2e-5)
            continue
        if number == 4:
            reset(theirs)
            for part in module.modules():
                if hasattr(part, "reset_states"):
                    part.reset_states()
        with tf.GradientTape() as tape:
            want = theirs(batch)
            loss = tf.reduce_sum(want * weights(want.shape))
        grads = tape.gradient(loss, theirs.trainable_variables)
        expected = {v.path: np.asarray(g) for v, g in zip(theirs.trainable_variables, grads, strict=True)}
        found = output(batch)
        np.testing.assert_allclose(found.detach().numpy(), want.numpy(), rtol=2e-4, atol=2e-5)
        module.zero_grad()
        (found * torch.as_tensor(weights(found.shape), dtype=found.dtype)).sum().backward()
        for each in targets:
            got = dict(module.named_parameters())[each].grad
            wanted = carried(made, each, expected, apply_gradient)
            np.testing.assert_allclose(got.numpy(), wanted, rtol=2e-3, atol=2e-4, err_msg=f"{each} of {number}")


def test_a_mask_is_declined() -> None:
    assert code("LSTM", S(_X, 6, stateful=True)).masked is None
    assert isinstance(code_of(_rule("LSTM"), S(_X, 6, zero_output_for_mask=True)), Decline)
