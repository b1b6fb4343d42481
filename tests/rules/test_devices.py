"""Every sample of every rule once more, with its tensors on a GPU that is only played: nothing may mix devices."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from migrator_validators.probes.played_gpu import PlayedGpu, on_gpu, put
from programs import Program, programs
from running import flat, in_empty_folder, make, with_helpers

from migrator.rules import rulebook
from migrator.rules.engine.records import Rule
from migrator.rules.engine.registry import all_rules

rulebook()
RULES = [rule for rule in all_rules() if not rule.api.startswith("tf.keras.applications.")]  # their callers move them
STATE = ("tf.keras.metrics.", "tf.keras.layers.Normalization", "tf.keras.layers.CategoryEncoding")
"""What these hold before they are given a tensor, or make of a list, is on the CPU."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.api)
def test_samples(rule: Rule) -> None:
    for sample in rule.samples:
        program = programs(rule, sample)[0]
        if program.arrays and not sample.declines:
            keeps_to_its_device(program, rule.api)


def keeps_to_its_device(program: Program, api: str) -> None:
    source, made = program.rewritten()
    scope: dict[str, Any] = {"__name__": "sample"}
    with PlayedGpu():
        exec("import numpy as np\n" + with_helpers(source, made), scope)
        inputs = [put(torch.tensor(make(a, seed))) for seed, a in enumerate(program.arrays.values())]
        (results, _), _ = in_empty_folder(lambda: (flat(scope["f"](*inputs)), []))
    left = [r for r in results if isinstance(r, torch.Tensor) and r.dim() and not on_gpu(r)]
    assert not left or api.startswith(STATE), source
