"""What the facts say of an operation's result is true: shapes and dtypes beside those that TensorFlow gives."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from programs import programs

from migrator.facts import analyse
from migrator.facts.shapes.catalogue import OPS
from migrator.rules import rulebook
from migrator.rules.engine.records import Rule
from migrator.rules.engine.registry import all_rules
from migrator.rules.engine.samples import Sample
from migrator.values import Sequence, Span, Tensor, Value

rulebook()
CASES = [
    pytest.param(rule, sample, id=f"{rule.api}-{index}")
    for rule in all_rules()
    if rule.kind == "function" and rule.api in OPS
    for index, sample in enumerate(rule.samples)
    if not sample.body and not sample.declines and not sample.gap
]


@pytest.mark.parametrize(("rule", "sample"), CASES)
def test_facts_are_true(rule: Rule, sample: Sample) -> None:
    from running import flat, make, run_tf

    program = programs(rule, sample)[0]
    call = program.source.partition("return ")[2].strip()
    lines = [f"{n} = tf.zeros({a.shape}, tf.{a.dtype})" for n, a in program.arrays.items()]
    source = "\n".join(["import numpy as np", "import tensorflow as tf", *lines, f"result = {call}", ""])
    node = ast.parse(source).body[-1]
    assert isinstance(node, ast.Assign)
    span = Span(node.value.lineno, node.value.col_offset, node.value.end_lineno or 0, node.value.end_col_offset or 0)
    claimed = analyse({"sample": source}).modules["sample"].at(span)
    found, _ = run_tf(program.source, [make(a, seed) for seed, a in enumerate(program.arrays.values())], False)
    problem = _contradiction(claimed, flat(found))
    assert not problem, f"{call}\n{claimed}\n{problem}"


def _contradiction(claimed: Value, found: list[Any]) -> str:
    """Where the facts claim what is not so."""
    if isinstance(claimed, Sequence) and claimed.items is not None and len(found) == len(claimed.items) + 1:
        pairs = zip(claimed.items, found[1:], strict=True)
        return "; ".join(filter(None, (_contradiction(value, [leaf]) for value, leaf in pairs)))
    if not isinstance(claimed, Tensor) or len(found) != 1:
        return ""
    shape, dtype = found[0].shape, str(found[0].dtype)
    if claimed.dtype is not None and claimed.dtype != dtype:
        return f"dtype {dtype}, not {claimed.dtype}"
    if claimed.shape is None:
        return ""
    if len(claimed.shape) != len(shape):
        return f"shape {shape}, not {claimed.shape}"
    wrong = [(n, d) for n, d in zip(shape, claimed.shape, strict=True) if isinstance(d, int) and n != d]
    return f"shape {shape}, not {claimed.shape}" if wrong else ""
