from __future__ import annotations

from migrator import catalog, keras_classes


def test_a_class_without_a_counterpart_says_why_and_is_not_counted() -> None:
    text = keras_classes.document()
    assert "| `FlaxLayer` |  |  | runs a module of Flax, which torch does not |" in text
    assert ", 5 without a counterpart)" in text


def test_every_row_that_becomes_something_says_what_is_compared() -> None:
    rows = [line.split(" | ") for line in keras_classes.document().splitlines() if line.startswith("| `")]
    assert len(rows) > 250
    assert [row[0] for row in rows if row[1].strip() and not row[2].strip()] == []


def test_none_of_them_has_a_rule() -> None:
    assert not catalog.known() & set(keras_classes.NO_COUNTERPART)
