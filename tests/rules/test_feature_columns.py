"""Feature columns and the layer that puts them side by side: values and gradients beside TensorFlow and tf_keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libcst as cst
import numpy as np
import pytest
from fake_facts import parsed
from test_preprocessing_keras_2 import keras_2

from migrator import source, steps
from migrator.facts import analyse
from migrator.model import Rewritten
from migrator.rules import rulebook
from migrator.rules.engine.rewriter import rewrite

torch = pytest.importorskip("torch")
rulebook()
FEATURES = {
    "age": np.array([17.0, 30.0, 25.0, 61.0], "float32"),
    "size": np.array([[1, 2], [3, 4], [5, 6], [0, 9]]),
    "town": np.array(["Rome", "Oslo", "", "Lima"]),
    "tags": np.array([["a", "b"], ["b", "b"], ["", "q"], ["", ""]]),
    "kind": np.array([3, 1, -1, 9]),
}
LINES = """c = tf.feature_column
age = c.numeric_column("age")
bucket = c.bucketized_column(age, boundaries=[18, 25, 40])
town = c.categorical_column_with_vocabulary_list("town", ["Rome", "Oslo"])
tags = c.categorical_column_with_vocabulary_list(key="tags", vocabulary_list=["a", "b"], num_oov_buckets=2)
kind = c.categorical_column_with_vocabulary_list("kind", [1, 3], default_value=1)
hashed = c.categorical_column_with_hash_bucket("tags", hash_bucket_size=5)
number = c.categorical_column_with_hash_bucket("kind", 4, dtype=tf.int64)
"""
COLUMNS = (
    "[age]",
    "c.numeric_column('size', shape=(2,))",
    "[c.numeric_column('age', normalizer_fn=lambda x: (x - 30.0) / 2.0), c.numeric_column('size', [2])]",
    "[bucket, age]",
    "c.bucketized_column(c.numeric_column('size', (2,)), [2, 5])",
    "[c.indicator_column(town), c.indicator_column(tags), c.indicator_column(kind)]",
    "[c.indicator_column(hashed), c.indicator_column(number), age]",
    "c.indicator_column(c.categorical_column_with_identity('kind', 10))",
    "c.indicator_column(c.categorical_column_with_identity('kind', num_buckets=4, default_value=0))",
    "c.indicator_column(c.crossed_column([bucket, town], hash_bucket_size=15))",
    "c.indicator_column(c.crossed_column(['town', tags, bucket], 20))",
    "c.indicator_column(c.crossed_column(['town', 'tags'], 20, hash_key=7))",
    "[c.embedding_column(tags, dimension=3), c.embedding_column(town, 2, combiner='sum'), age]",
    "[c.embedding_column(hashed, 4, combiner='sqrtn'), c.embedding_column(c.crossed_column(['tags', town], 9), 2)]",
)


def rewritten(source: str) -> Rewritten:
    tree, spans = parsed(source)
    return rewrite(tree, analyse({"sample": source}).modules["sample"], spans, keras=2)


def run(source: str) -> dict[str, Any]:
    """What a program leaves as it is rewritten."""
    result = rewritten(f"import numpy as np\nimport tensorflow as tf\n\n{source}")
    assert result.declines == ()
    assert isinstance(result.node, cst.Module)
    scope: dict[str, Any] = {}
    exec("import torch\nimport torch.nn.functional as F\nfrom torch import nn\n", scope)
    for helper in result.helpers:
        exec("\n".join([*helper.imports, helper.source]), scope)
    exec(result.node.code.replace("import tensorflow as tf\n", ""), scope)
    return scope


@pytest.mark.parametrize("columns", COLUMNS)
def test_columns_side_by_side(columns: str) -> None:
    import tensorflow as tf

    program = f"{LINES}layer = tf.keras.layers.DenseFeatures({columns})\n"
    theirs: dict[str, Any] = {"tf": tf, "keras_2": keras_2}
    exec(program.replace("tf.keras", "keras_2"), theirs)
    ours = run(program.replace("c.", "tf.feature_column.").replace("c = tf.feature_column\n", ""))
    features = {name: tf.constant(values) for name, values in FEATURES.items()}
    with tf.GradientTape() as tape:
        expected = theirs["layer"](features)
        loss = tf.reduce_sum(expected * expected)
    tables = {v.name.split("/")[-2]: v for v in theirs["layer"].trainable_variables}
    names = [c.name for c in ours["layer"].columns if hasattr(c, "table")]
    with torch.no_grad():
        for name, table in zip(names, ours["layer"].tables, strict=True):
            table.weight.copy_(torch.tensor(tables[name].numpy()))
    found = ours["layer"](FEATURES)
    np.testing.assert_allclose(found.detach().numpy(), expected.numpy(), rtol=1e-6, atol=1e-7)
    if not names:
        return
    found.square().sum().backward()
    gradients = dict(zip(tables, tape.gradient(loss, list(tables.values())), strict=True))
    for name, table in zip(names, ours["layer"].tables, strict=True):
        wanted = tf.convert_to_tensor(gradients[name]).numpy()
        np.testing.assert_allclose(table.weight.grad.numpy(), wanted, rtol=1e-5, atol=1e-7)


def test_vectors_begin_as_those_of_tensorflow() -> None:
    ours = run(
        'town = tf.feature_column.categorical_column_with_hash_bucket("town", 4000)\n'
        "layer = tf.keras.layers.DenseFeatures(tf.feature_column.embedding_column(town, 16))\n"
    )
    weight = ours["layer"].tables[0].weight.detach()
    assert float(weight.std()) == pytest.approx(0.25 * 0.8796, rel=0.02)
    assert float(weight.abs().max()) <= 0.5


@pytest.mark.parametrize("more", ["max_norm=1.0", "trainable=False", "initializer=tf.zeros_initializer()"])
def test_declined(more: str) -> None:
    made = f'tf.feature_column.embedding_column(tf.feature_column.categorical_column_with_identity("k", 3), 2, {more})'
    assert rewritten(f"import tensorflow as tf\n\nx = {made}\n").declines != ()


@pytest.mark.parametrize(
    "column",
    [
        "numeric_column('a', default_value=1.0)",
        "numeric_column('a', dtype=tf.int32)",
        "categorical_column_with_vocabulary_list('a', [1.0], dtype=tf.float32)",
    ],
)
def test_columns_with_other_options_are_declined(column: str, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(f"import tensorflow as tf\n\ncolumn = tf.feature_column.{column}\n")
    repo = source.read(tmp_path, (), ())
    made = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]
    assert [d for unit in made.units for d in unit.declines]


@pytest.mark.parametrize(
    "column", ["numeric_column('a', shape=(1,))", "numeric_column('a', dtype=tf.float32)", "numeric_column('a')"]
)
def test_columns_with_their_defaults_written_out_are_not(column: str, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(f"import tensorflow as tf\n\ncolumn = tf.feature_column.{column}\n")
    repo = source.read(tmp_path, (), ())
    made = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]
    assert not [d for unit in made.units for d in unit.declines]
