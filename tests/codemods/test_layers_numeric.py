"""Both sides of programs are run: weights paired by the verifier itself, results and gradients compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from migrator_validators.cases import RecordedMap, WeightMap
from migrator_validators.matching import match

from tests.codemods.cell_sources import DECLINED
from tests.codemods.layer_sources import PROGRAMS
from tests.codemods.model_programs import Migrated, execute, migrate

tf = pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")
Given = tuple[Any, ...]


@pytest.fixture(scope="module", autouse=True)
def stamped() -> None:
    from migrator_validators.probes import tf_stamps

    tf_stamps.stamp_layers()


def inputs_of(given: list[Given]) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    made = []
    for kind, *shape in given:
        values = rng.standard_normal(shape).astype("float32")
        if kind == "ids":
            values = rng.integers(0, 4, shape).astype("int32")  # zeros in the middle, in front and behind
            values[0] = 0
        if kind == "steps":
            values[rng.random(shape[:2]) < 0.4] = 0.0
        made.append(values)
    return made


def transferred(name: str, migrated: Migrated, keras: Any, model: Any) -> dict[str, Any]:
    """Moves the weights by the drafts' records; (source indices, transforms) by torch name."""
    from migrator_validators.probes import tf_objects, torch_objects

    found = [r for d in migrated.drafts.values() for r in d.weights]
    places: dict[tuple[str, str, str], list[tuple[str, str, str]]] = {}
    for r in found:
        params = places.setdefault((r.owner.replace("program:", f"{name}_torch:"), r.path, r.keras), [])
        params += [p for p in r.params if p not in params]
    records = [
        RecordedMap(owner=o, path=p, keras=k.replace("program:", f"{name}_keras:"), params=tuple(x))
        for (o, p, k), x in places.items()
    ]
    matching = match(WeightMap(records=tuple(records)), tf_objects.describe(keras, []), torch_objects.describe(model))
    assert not matching.problems
    assert not matching.proposed
    state, arrays = model.state_dict(), [w.numpy() for w in keras.weights]
    for pair in matching.pairs:
        state[pair.target].copy_(torch.tensor(pair.array(arrays)))
    return {pair.target: pair for pair in matching.pairs}


def flat(value: Any) -> list[Any]:
    return [leaf for item in value for leaf in flat(item)] if isinstance(value, (tuple, list)) else [value]


@pytest.mark.parametrize("name", PROGRAMS)
def test_results_and_gradients_are_equal(name: str) -> None:
    source, given = PROGRAMS[name]
    migrated = migrate(source)
    assert not migrated.declines, migrated.declines
    keras = execute(source, f"{name}_keras").make()
    inputs = inputs_of(given)
    whole = inputs if len(inputs) > 1 else inputs[0]
    keras(whole)
    rng = np.random.default_rng(5)
    for weight in keras.weights:
        positive = "variance" in weight.path
        if "seed" not in weight.path:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape) if positive else rng.normal(0, 0.4, weight.shape))
    imports = sorted({line for draft in migrated.drafts.values() for line in draft.imports})
    model = execute("\n".join([*imports, migrated.text]), f"{name}_torch").make().eval()
    if "Lazy" in migrated.text:
        with torch.no_grad():
            model(torch.as_tensor(inputs[0]))
    pairs = transferred(name, migrated, keras, model)
    tensors = [torch.as_tensor(x) for x in inputs]
    got = flat(model(tensors if len(tensors) > 1 else tensors[0]))
    with tf.GradientTape() as tape:
        want = flat(keras(whole, training=False))
        loss = sum(
            tf.reduce_sum(w * tf.cos(tf.cast(tf.reshape(tf.range(tf.size(w)), tf.shape(w)), tf.float32))) for w in want
        )
    for one, two in zip(want, got, strict=True):
        np.testing.assert_allclose(two.detach().numpy(), one.numpy(), rtol=2e-4, atol=2e-5)
    sum((g * torch.arange(g.numel()).reshape(g.shape).cos()).sum() for g in got).backward()
    gradients = [
        np.zeros(w.shape, "float32") if g is None else np.asarray(tf.convert_to_tensor(g))
        for w, g in zip(keras.weights, tape.gradient(loss, keras.weights), strict=True)
    ]
    for target, parameter in model.named_parameters():
        if parameter.requires_grad:
            expected = pairs[target].array(gradients, gradient=True)
            np.testing.assert_allclose(parameter.grad.numpy(), expected, rtol=2e-3, atol=2e-4, err_msg=target)


def test_own_weights_start_with_keras_spread() -> None:
    """The bounds of Glorot on vectors and on weights with a receptive field, measured on both sides."""
    source = """
import tensorflow as tf


class Own(tf.keras.layers.Layer):
    def build(self, input_shape):
        self.vector = self.add_weight(shape=(4000,), name="vector")
        self.cube = self.add_weight(shape=(5, 40, 30), name="cube")
        self.scaled = self.add_weight(shape=(3, 40, 30), initializer="he_normal", name="scaled")

    def call(self, x):
        return x + tf.reduce_sum(self.vector) + tf.reduce_sum(self.cube) + tf.reduce_sum(self.scaled)


def make():
    return tf.keras.Sequential([tf.keras.layers.Input((2,)), Own()])
"""
    migrated = migrate(source)
    assert not migrated.declines
    keras = execute(source, "spread_keras").make()
    model = execute(migrated.text, "spread_torch").make()
    found = {name.rpartition(".")[2]: p for name, p in model.named_parameters()}
    for weight in keras.weights:
        own = found[weight.path.rpartition("/")[2]].detach().numpy()
        assert own.std() == pytest.approx(np.std(weight.numpy()), rel=0.05)
        assert np.abs(own).max() == pytest.approx(np.abs(weight.numpy()).max(), rel=0.1)


def test_a_size_that_nothing_fixes_is_learnt_and_noted() -> None:
    migrated = migrate(PROGRAMS["lazy"][0])
    assert "LazyConv2d(3, kernel_size=3)" in migrated.text
    assert any("from the first call" in note for note in migrated.drafts["Net"].notes)
    model = execute(migrated.text, "lazy_start").make()
    model(torch.zeros(1, 30, 30, 5))
    bound = (6 / (5 * 9 + 3 * 9)) ** 0.5
    weight = model.conv.weight.detach()
    assert bound * 0.9 < weight.abs().max() <= bound
    assert not model.conv.bias.detach().any()


def test_a_cell_of_the_abstract_class_is_a_module() -> None:
    """Keras 3 has no such class, and takes the same cell as a layer: equal as `own cell` is."""
    own = PROGRAMS["own cell"][0]
    abstract = own.replace("class PlainCell(keras.layers.Layer)", "class PlainCell(keras.layers.AbstractRNNCell)")
    assert abstract != own
    migrated = migrate(abstract, keras=2)
    assert not migrated.declines
    assert migrated.text == migrate(own, keras=2).text


@pytest.mark.parametrize("name", DECLINED)
def test_cells_that_are_run_in_another_way_are_declined(name: str) -> None:
    source, reason = DECLINED[name]
    assert any(reason in decline for decline in migrate(source).declines)
