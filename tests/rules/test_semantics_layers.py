"""Differences of layers that change numbers without a sound: the obvious spelling is wrong, the rule's right.

The obvious spelling is what the rule writes with one thing as torch has it by default. Each case is named after its
entry in the list of measured differences between TensorFlow and PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from test_layers import check, code_of

from migrator.model import Decline, LayerCode
from migrator.rules.engine.records import LayerRule
from migrator.rules.engine.registry import find_layer
from migrator.rules.engine.samples import S, Sample, boolean, f32, i32, src


@dataclass(frozen=True)
class Case:
    """`swap`: what the rule writes, and the obvious text instead, wherever it stands; None: the rule says no."""

    entry: str
    layer: str
    sample: Sample
    swap: tuple[str, str] | None = None


IMAGES, STEPS = f32(2, 6, 8, 3), f32(3, 5, 4)
_MASKED = src("(q, v, dict(attention_mask=m))", q=f32(2, 4, 6), v=f32(2, 5, 6), m=boolean(2, 4, 5))
_SOME_STEPS = src("(x, dict(mask=m))", x=STEPS, m=boolean(3, 5))
CASES = [
    Case(
        "1.2 axis of the channels",
        "Concatenate",
        S(src("[a, b]", a=f32(2, 3, 3, 3), b=f32(2, 3, 3, 3))),
        ("dim=1", "dim=3"),
    ),
    Case("1.4 strided SAME", "Conv2D", S(IMAGES, 4, 3, strides=2, padding="same"), ("(0, 1, 0, 1)", "(1, 0, 1, 0)")),
    Case("1.8 order of paddings", "ZeroPadding2D", S(IMAGES, ((1, 2), (2, 1))), ("(2, 1, 1, 2)", "(1, 2, 2, 1)")),
    Case("1.13 transposed SAME", "Conv2DTranspose", S(IMAGES, 4, 3, strides=2, padding="same"), (":-1, :-1", "1:, 1:")),
    Case(
        "1.16 padding does not count",
        "AveragePooling2D",
        S(f32(2, 5, 7, 3), 3, strides=1, padding="same"),
        ("count_include_pad=False", "count_include_pad=True"),
    ),
    Case("1.31 slope of every position", "PReLU", S(f32(2, 3, 4, 5))),
    Case("2.1 epsilon of BatchNorm", "BatchNormalization", S(f32(6, 3)), ("eps=1e-3", "eps=1e-5")),
    Case("2.9 epsilon of LayerNorm", "LayerNormalization", S(f32(3, 4)), ("eps=1e-3", "eps=1e-5")),
    Case("2.10 epsilon of GroupNorm", "GroupNormalization", S(f32(2, 3, 4, 6), groups=3), ("eps=1e-3", "eps=1e-5")),
    Case("3.5 order of the gates", "GRU", S(STEPS, 4), ("T blocks(1,0,2)", "T")),
    Case("3.7 reset before", "GRU", S(STEPS, 4, reset_after=False), ("reset_after=False", "reset_after=True")),
    Case(
        "3.9 both ends",
        "Bidirectional",
        S(STEPS, src("layers.LSTM(4)")),
        ("both_ends({self}({x})[0])", "{self}({x})[0][:, -1]"),
    ),
    Case(
        "3.18 the mean of the steps that a mask leaves",
        "GlobalAveragePooling1D",
        S(_SOME_STEPS),
        ("({x} * {given_mask}.unsqueeze(-1)).sum(dim=1) / {given_mask}.unsqueeze(-1).sum(dim=1)", "{x}.mean(dim=1)"),
    ),
    Case(
        "3.18 steps that a mask skips",
        "GRU",
        S(_SOME_STEPS, 4),
        ("masked_rnn({self}, {x}, {given_mask}, {given_initial_state})", "{self}({x}, {given_initial_state})"),
    ),
    Case(
        "3.20 the row of the mask",
        "Embedding",
        S(i32(3, 5, low=0, high=4), 4, 3, mask_zero=True),
        ("{self}({x})", "{self}({x}) * ({x} != 0).unsqueeze(-1)"),
    ),
    Case(
        "3.27 sense of the mask",
        "MultiHeadAttention",
        S(_MASKED, 2, 3),
        ("~attention_mask.bool()", "attention_mask.bool()"),
    ),
    Case("3.29 batch first", "LSTM", S(f32(3, 3, 4), 4), ("batch_first=True", "batch_first=False")),
    Case("4.1 slope", "LeakyReLU", S(f32(3, 4)), ("0.3", "0.01")),
    Case("4.4 axis of softmax", "Softmax", S(f32(2, 3, 4)), ("dim=-1", "dim=1")),
]


def rule_of(case: Case) -> LayerRule:
    found = find_layer(f"tf.keras.layers.{case.layer}", 3)
    assert found is not None
    return found


def swapped(code: LayerCode, old: str, new: str) -> LayerCode:
    """The code with one text for another wherever it stands."""
    texts = {name: getattr(code, name) for name in ("module", "forward", "activation")}
    changed = {name: text.replace(old, new) for name, text in texts.items() if text is not None}
    params = tuple((keras, name, new if transform == old else transform) for keras, name, transform in code.params)
    helpers = tuple(replace(helper, source=helper.source.replace(old, new)) for helper in code.helpers)
    masked = code.masked and replace(code.masked, forward=code.masked.forward.replace(old, new))
    return replace(code, params=params, helpers=helpers, masked=masked, **changed)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.entry)
def test_the_rule_is_right(case: Case) -> None:
    code = code_of(rule_of(case), case.sample)
    if case.swap is None:
        assert isinstance(code, Decline)
        return
    assert isinstance(code, LayerCode), code
    check(rule_of(case), case.sample, code)


@pytest.mark.parametrize("case", [c for c in CASES if c.swap is not None], ids=lambda c: c.entry)
def test_the_obvious_spelling_is_wrong(case: Case) -> None:
    code = code_of(rule_of(case), case.sample)
    assert isinstance(code, LayerCode), code
    assert case.swap is not None
    wrong = swapped(code, *case.swap)
    assert wrong != code, f"{case.swap[0]} is not in {code}"
    with pytest.raises(AssertionError, match=r"expected|differs"):
        check(rule_of(case), case.sample, wrong)
