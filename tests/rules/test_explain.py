"""Explanations, the table, coverage, and the generated documentation."""

from __future__ import annotations

from pathlib import Path

from migrator.rules.document import document
from migrator.rules.explain import covered_uses, explain, rules_table


def test_explains_a_function() -> None:
    found = explain("tf.nn.l2_normalize")
    assert found is not None
    assert found.tested
    assert found.signature.startswith("(x, axis=None, epsilon=1e-12")
    assert "F.normalize(x, dim=axis, eps=floor)" in found.torch
    declining = explain("tf.nn.bias_add")
    assert declining is not None
    assert "channels first" in declining.declines


def test_explains_a_layer_by_keras_version() -> None:
    two, three = explain("tf.keras.layers.LeakyReLU", 2), explain("tf.keras.layers.LeakyReLU", 3)
    assert two is not None
    assert three is not None
    assert two.signature != three.signature


def test_unknown_names_have_no_explanation() -> None:
    assert explain("tf.no.such") is None


def test_coverage_counts_uses() -> None:
    rows = covered_uses(["tf.reduce_sum", "tf.lite.Interpreter", "tf.reduce_sum", "tf.keras.layers.Dense"])
    assert [(r.api, r.uses, r.covered) for r in rows] == [
        ("tf.reduce_sum", 2, True),
        ("tf.keras.layers.Dense", 1, True),
        ("tf.lite.Interpreter", 1, False),
    ]


def test_documentation_is_up_to_date() -> None:
    written = Path(__file__).parents[2] / "docs" / "rules.md"
    assert written.read_text(encoding="utf-8") == document(rules_table())
