"""The differential test itself: wrong rules must fail it."""

from __future__ import annotations

import pytest
from programs import Program
from test_differential import Oracle

from migrator.rules.engine.samples import Array, Sample, f32, i32

A, B = f32(3, 4), f32(3, 4)
MUTANTS = [
    ("tf.argmax(a)", "torch.argmax(a)", {"a": A}),
    ("tf.split(a, 2, 1)", "a.split(2, dim=1)", {"a": f32(3, 6)}),
    ("tf.tile(a, [1, 2])", "a.repeat_interleave(2, dim=1)", {"a": A}),
    ("tf.math.reduce_std(a, 1)", "torch.std(a, dim=1)", {"a": A}),
    ("tf.nn.leaky_relu(a)", "F.leaky_relu(a)", {"a": A}),
    ("tf.nn.softmax(a)", "F.softmax(a, dim=0)", {"a": A}),
    ("tf.nn.l2_loss(a)", "torch.sum(torch.square(a))", {"a": A}),
    ("tf.reduce_max(a, 1)", "torch.max(a, dim=1)", {"a": A}),
    ("tf.reduce_mean(a, 0)", "torch.mean(a, dim=0, keepdim=True)", {"a": A}),
    ("tf.cumsum(a)", "torch.cumsum(a, dim=1)", {"a": A}),
    ("tf.maximum(a, 0.0)", "a.clamp(max=0.0)", {"a": A}),
    ("tf.stop_gradient(a) * a", "a * a", {"a": A}),
    ("tf.cast(a, tf.float64)", "a", {"a": A}),
    ("tf.one_hot(a, 4)", "(a[:, None] == torch.arange(4))", {"a": i32(5, low=0, high=4)}),
    ("tf.nn.gelu(a)", "F.gelu(a, approximate='tanh')", {"a": A}),
    ("tf.clip_by_value(a, -1.0, 1.0)", "torch.tanh(a)", {"a": A}),
]  # fmt: skip


@pytest.mark.parametrize(("tf_text", "torch_text", "arrays"), MUTANTS, ids=[m[0] for m in MUTANTS])
def test_a_wrong_rule_fails(tf_text: str, torch_text: str, arrays: dict[str, Array]) -> None:
    names = ", ".join(arrays)
    oracle = Oracle(Program(f"def f({names}):\n    return {tf_text}\n", arrays), Sample())
    head = "import torch\nimport torch.nn.functional as F\n"
    assert oracle.difference(f"{head}def f({names}):\n    return {torch_text}\n")
