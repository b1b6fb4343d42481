"""Every sample of every rule once more, with its tensors on a simulated GPU: nothing may mix devices."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from migrator_validators.probes.simulated_gpu import SimulatedGpu, on_gpu, put
from programs import Program, programs
from running import flat, in_empty_folder, make, with_helpers

from migrator.rules import rulebook
from migrator.rules.engine.records import Rule
from migrator.rules.engine.registry import all_rules
from migrator.rules.engine.samples import f32

rulebook()
RULES = [rule for rule in all_rules() if not rule.api.startswith("tf.keras.applications.")]  # their callers move them
STATE = ("tf.keras.layers.Normalization", "tf.keras.layers.CategoryEncoding")
"""What these have learnt of data, or make of a list, is on the CPU; what they make of a tensor is where that is."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.api)
def test_samples(rule: Rule) -> None:
    for sample in rule.samples:
        program = programs(rule, sample)[0]
        if program.arrays and not sample.declines:
            keeps_to_its_device(program, rule.api)


def keeps_to_its_device(program: Program, api: str) -> None:
    source, made = program.rewritten()
    scope: dict[str, Any] = {"__name__": "sample"}
    with SimulatedGpu():
        exec("import numpy as np\n" + with_helpers(source, made), scope)
        inputs = [put(torch.tensor(make(a, seed))) for seed, a in enumerate(program.arrays.values())]
        (results, _), _ = in_empty_folder(lambda: (flat(scope["f"](*inputs)), []))
    left = [r for r in results if isinstance(r, torch.Tensor) and r.dim() and not on_gpu(r)]
    if api.startswith("tf.keras.metrics."):
        left = [r for r in left if r.any()]  # one that has seen nothing gives zeros
    assert not left or api.startswith(STATE), source


def test_a_tensor_gives_no_device_to_what_it_is_made_of() -> None:
    source = "def f(a):\n    a = tf.convert_to_tensor(a)\n    return tf.square(a) + tf.constant([1.0, 2.0])\n"
    written = Program(source, {"a": f32(2)}).rewritten(facts=False)[0]
    assert "a = torch.as_tensor(a)\n" in written
    assert "torch.tensor([1.0, 2.0], device=a.device)" in written
