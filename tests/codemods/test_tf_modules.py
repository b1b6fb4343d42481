"""`tf.Module`: its variables become parameters and buffers, `__call__` is forward, and both sides agree."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from migrator_validators.cases import RecordedMap, WeightMap
from migrator_validators.matching import Pair, match

from tests.codemods.model_programs import Migrated, execute, migrate

tf = pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")

NET = '''
import tensorflow as tf


class Affine(tf.Module):
    """A layer of plain variables."""

    def __init__(self, wide, out, name=None):
        super().__init__(name=name)
        # drawn once
        self.w = tf.Variable(tf.random.normal([wide, out], stddev=0.3), name="w")
        self.b = None
        if out > 2:
            self.b = tf.Variable(tf.zeros([out]))

    @tf.Module.with_name_scope
    def __call__(self, x):
        y = tf.matmul(x, self.w)
        if self.b is not None:
            y += self.b
        return y


class Net(tf.Module):
    def __init__(self, start, name=None):
        super().__init__(name)
        self.zeta = Affine(3, 5, name="first")
        self.alpha = Affine(5, 2)
        self.start = tf.Variable(start)
        self.scale = tf.Variable([2.0, 0.5], trainable=False)
        self.steps = tf.Variable(4, trainable=False)

    @tf.function
    def __call__(self, x):
        return self.alpha(tf.tanh(self.zeta(x))) * self.scale + self.start

    def double(self, x):
        return self(x) * 2.0


def make():
    return Net(tf.constant([0.1, -0.2]), name="net")
'''


def both(source: str) -> tuple[Migrated, ModuleType, ModuleType]:
    migrated = migrate(source)
    assert not migrated.declines, migrated.declines
    imports = sorted({line for draft in migrated.drafts.values() for line in draft.imports})
    return (
        migrated,
        execute(source, "module_keras"),
        execute("\n".join([*imports, migrated.text]), "module_torch"),
    )


def paired(migrated: Migrated, theirs: Any, ours: Any) -> tuple[Pair, ...]:
    """The weights of both sides by the records of the drafts, as the verifier pairs them."""
    from migrator_validators.probes import tf_objects, torch_objects

    places: dict[tuple[str, str, str], dict[tuple[str, str, str], None]] = {}
    for r in (r for draft in migrated.drafts.values() for r in draft.weights):
        place = (r.owner.replace("program:", "module_torch:"), r.path, r.keras.replace("program:", "module_keras:"))
        places.setdefault(place, {}).update(dict.fromkeys(r.params))
    records = tuple(RecordedMap(owner=o, path=p, keras=k, params=tuple(x)) for (o, p, k), x in places.items())
    found = match(WeightMap(records=records), tf_objects.describe(theirs, []), torch_objects.describe(ours))
    assert not found.problems
    assert not found.proposed
    return tuple(found.pairs)


def test_results_and_gradients_are_equal() -> None:
    migrated, before, after = both(NET)
    theirs, ours = before.make(), after.make()
    variables = list(theirs.variables)
    state = ours.state_dict()
    pairs = paired(migrated, theirs, ours)
    assert {pair.target for pair in pairs} == set(state)
    for pair in pairs:
        state[pair.target].copy_(torch.tensor(pair.array([v.numpy() for v in variables])))
    x = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
    with tf.GradientTape() as tape:
        want = theirs.double(tf.constant(x))
    got = ours.double(torch.tensor(x))
    np.testing.assert_allclose(got.detach().numpy(), want.numpy(), rtol=1e-5, atol=1e-6)
    got.sum().backward()
    trained = {v.ref() for v in theirs.trainable_variables}
    assert len(trained) == len(list(ours.parameters()))
    gradients = tape.gradient(want, variables)
    arrays = [
        np.zeros(v.shape, "float32") if g is None else g.numpy() for v, g in zip(variables, gradients, strict=True)
    ]
    named = dict(ours.named_parameters())
    for pair in pairs:
        assert (variables[pair.source[0]].ref() in trained) == (pair.target in named)
        if pair.target in named:
            np.testing.assert_allclose(named[pair.target].grad, pair.array(arrays), rtol=1e-4, atol=1e-5)


def test_it_reads_as_a_module_of_torch() -> None:
    text = migrate(NET).text
    assert "self.w = nn.Parameter(torch.randn([wide, out]) * 0.3)" in text
    assert "self.b = nn.Parameter(torch.zeros([out]))" in text
    assert "        # drawn once\n" in text
    assert "self.start = nn.Parameter(start.detach().clone())" in text
    assert 'self.register_buffer("scale", torch.tensor([2.0, 0.5]))' in text
    assert 'self.register_buffer("steps", torch.tensor(4))' in text
    assert "Net(torch.tensor([0.1, -0.2]))" in text
    assert "def forward(self, x):" in text
    assert "name" not in text


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("for i in range(2):\n            self.w = tf.Variable(1.0)", "more than once"),
        ("self.w = tf.Variable(1)\n        self.w = tf.Variable(2)", "more than once"),
        ("self.w = [tf.Variable(1.0), tf.Variable(2.0)][1]", "in a way"),
        ("self.w = tf.Variable(lambda: 1.0)", ""),
        ("self.w = tf.Variable(1.0, constraint=tf.nn.relu)", "constraint"),
    ],
)
def test_variables_that_are_no_plain_parameter_are_declined(line: str, reason: str) -> None:
    source = f"""
import tensorflow as tf


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        {line}

    def __call__(self, x):
        return x * self.w
"""
    found = migrate(source).declines
    assert found
    assert reason in "; ".join(found)
