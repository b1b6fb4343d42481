from __future__ import annotations

from migrator.catalog import Entry
from migrator.usage import Usage, document, usage

ROWS = [Usage("tf.known", 10, 30), Usage("tf.keras.layers.Odd", 20, 20), Usage("tf.nn.declined", 20, 0)]
ENTRIES = [Entry("tf.known", (), "rule", True, torch=("torch.known(x)",)), Entry("tf.nn.declined", (), "rule", True)]


def test_shares_are_of_uses_and_a_rule_that_only_declines_does_not_count() -> None:
    text = document(ROWS, ENTRIES)
    assert "| TensorFlow 2 and Keras | 50 | 60.0% | 60.0% |" in text
    assert "| TensorFlow 1 | 50 | 20.0% | 20.0% |" in text
    assert "| all | 100 | 40.0% | 40.0% |" in text
    assert "1 of 3 APIs are covered." in text
    assert "| `tf.keras.layers` | 1 | 40 | 0.0% |" in text
    assert text.index("`tf.keras.layers.Odd` | 20 | 20") < text.index("`tf.nn.declined` | 0 | 20")


def test_counts_are_of_canonical_names() -> None:
    rows = usage()
    assert len({row.api for row in rows}) == len(rows)
    assert sum(row.total for row in rows) == 73498
    assert rows[0].api == "tf.keras.layers.Dense"
