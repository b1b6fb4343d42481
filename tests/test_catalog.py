from __future__ import annotations

import json

from migrator.catalog import catalog, find
from tests.command import command


def test_entries_are_canonical_and_unique() -> None:
    entries = catalog()
    assert all(entry.api.startswith("tf.") for entry in entries)
    keys = [(entry.api, entry.keras) for entry in entries]
    assert len(set(keys)) == len(keys)
    assert {entry.kind for entry in entries} == {"rule", "codemod"}


def test_every_spelling_finds_the_same_entry() -> None:
    assert find("tf.math.reduce_sum") == find("tf.reduce_sum") == find("tensorflow.reduce_sum")
    assert "tf.math.reduce_sum" in find("tf.reduce_sum")[0].aliases
    assert find("keras.layers.Dense") == find("tf.keras.layers.Dense")
    assert find("tf.no_such_thing") == ()


def test_rules_as_json() -> None:
    rows = json.loads(command("rules", "--json").out)
    row = next(row for row in rows if row["api"] == "tf.reduce_sum")
    assert row == {
        "api": "tf.reduce_sum",
        "aliases": ["tf.math.reduce_sum"],
        "kind": "rule",
        "tested": True,
        "gaps": [],
        "keras": None,
    }


def test_explain_shows_the_spelling_and_says_when_there_is_none() -> None:
    assert "torch.sum(input_tensor, dim=axis" in command("explain", "tf.reduce_sum").out
    unknown = command("explain", "tf.no_such_thing")
    assert (unknown.code, unknown.err.count("\n")) == (2, 1)
