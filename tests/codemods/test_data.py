"""Input pipelines: text in, text out; the orders that are declined; the same batches."""

from __future__ import annotations

import os
import textwrap
from typing import Any

import numpy as np
import pytest

from tests.codemods.training_support import HEAD, draft, migrated, reasons, torch_module

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


def test_a_pipeline_built_step_by_step() -> None:
    text = migrated('''
        def make(x, y, batch_size, training=False):
            """Batches."""
            ds = tf.data.Dataset.from_tensor_slices((x, y))
            if training:
                # a new order each time
                ds = ds.shuffle(100)
            ds = ds.batch(batch_size, drop_remainder=training)
            return ds.prefetch(tf.data.AUTOTUNE)
    ''')
    assert (
        text.strip()
        == textwrap.dedent('''
        def make(x, y, batch_size, training=False):
            """Batches."""
            ds = TensorDataset(torch.as_tensor(x), torch.as_tensor(y))
            # a new order each time
            ds = DataLoader(ds, batch_size=batch_size, shuffle=training, drop_last=training)
            return ds
    ''').strip()
    )


def test_a_chain_with_a_map() -> None:
    text = migrated("""
        def half(x, y):
            return x / 2.0, y

        def make(x, y):
            return tf.data.Dataset.from_tensor_slices((x, y)).map(half).shuffle(10, seed=3).batch(4)
    """)
    assert "MapDataset(TensorDataset(torch.as_tensor(x), torch.as_tensor(y)), half)" in text
    assert "shuffle=True, generator=torch.Generator().manual_seed(3))" in text
    assert "class MapDataset(Dataset):" in text


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        (".batch(4).shuffle(10)", "batches that are shuffled"),
        (".repeat().batch(4)", "repeat"),
        (".batch(4).repeat(2)", "repeat"),
        (".shuffle(10).cache().batch(4)", "shuffled order that is cached"),
        (".shuffle(10).take(3).batch(4)", "after shuffling"),
        (".shuffle(10, reshuffle_each_iteration=False).batch(4)", "shuffled once"),
        (".batch(2).batch(2)", "batches of batches"),
        (".padded_batch(4)", "padded_batch"),
        (".batch(4).filter(lambda a, b: True)", "filter over batches"),
        (".shuffle(9).enumerate().batch(4)", "enumerate after shuffling"),
        (".shuffle(10)", "not batched"),
    ],
    ids=str,
)
def test_orders_that_are_declined(chain: str, reason: str) -> None:
    text = f"def make(x, y):\n    return tf.data.Dataset.from_tensor_slices((x, y)){chain}\n"
    assert reason in reasons(text)


def test_other_sources_are_declined() -> None:
    assert "from_generator" in reasons("ds = tf.data.Dataset.from_generator(f, tf.float32).batch(2)\n")
    assert "structure" in reasons("def make(x):\n    return tf.data.Dataset.from_tensor_slices(x).batch(2)\n")


def test_the_same_batches() -> None:
    tf = pytest.importorskip("tensorflow")
    source = HEAD + textwrap.dedent("""
        def scaled(x, y):
            return x * 2.0 + 1.0, y

        def make(x, y):
            ds = tf.data.Dataset.from_tensor_slices((x, y)).skip(1).map(scaled).take(6)
            return ds.batch(4)
    """)
    made = draft(source)
    assert made.declines == ()
    theirs: dict[str, Any] = {"tf": tf}
    exec(source, theirs)
    x, y = np.arange(20, dtype="float32").reshape(10, 2), np.arange(10)
    expected = list(theirs["make"](x, y))
    got = list(torch_module(made, "")["make"](x, y))
    assert len(expected) == len(got) == 2
    for (a, b), (c, d) in zip(expected, got, strict=True):
        np.testing.assert_array_equal(a.numpy(), c.numpy())
        np.testing.assert_array_equal(b.numpy(), d.numpy())
        assert str(c.dtype) == "torch.float32"


PIPELINES = {
    "range": "return tf.data.Dataset.range(2, 11).batch(4)",
    "range_map": "return tf.data.Dataset.range(9).map(lambda i: i * 2).batch(4, drop_remainder=True)",
    "zip": """
        a = tf.data.Dataset.from_tensor_slices(x)
        b = tf.data.Dataset.range(10)
        return tf.data.Dataset.zip((a, b)).batch(4)
    """,
    "from_tensors": "return tf.data.Dataset.from_tensors((x, y)).batch(1)",
    "filter": "return tf.data.Dataset.from_tensor_slices((x, y)).filter(lambda a, b: b % 3 == 0).batch(3)",
    "enumerate": "return tf.data.Dataset.from_tensor_slices(x).enumerate(start=5).batch(4)",
    "concatenate": """
        other = tf.data.Dataset.from_tensor_slices(x).take(3)
        return tf.data.Dataset.from_tensor_slices(x).concatenate(other).batch(4)
    """,
    "map_batches": "return tf.data.Dataset.from_tensor_slices((x, y)).batch(4).map(lambda a, b: (a * 2.0, b))",
}


@pytest.mark.parametrize("name", PIPELINES)
def test_other_sources_and_steps_give_the_same_batches(name: str) -> None:
    tf = pytest.importorskip("tensorflow")
    body = textwrap.indent(textwrap.dedent(PIPELINES[name]).strip(), "    ")
    source = f"{HEAD}\ndef make(x=np.arange(20, dtype='float32').reshape(10, 2), y=np.arange(10)):\n{body}\n"
    source = source if "import numpy" in source else "import numpy as np\n" + source
    made = draft(source)
    assert made.declines == ()
    theirs: dict[str, Any] = {"tf": tf}
    exec(source, theirs)
    expected, got = list(theirs["make"]()), list(torch_module(made, "")["make"]())
    assert len(expected) == len(got) > 0
    for want, have in zip(expected, got, strict=True):
        pairs = zip(want, have, strict=True) if isinstance(want, tuple) else [(want, have)]
        for a, b in pairs:
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_files_are_listed_in_order_unless_shuffled() -> None:
    text = migrated("def make():\n    return tf.data.Dataset.list_files('*.txt', shuffle=False).batch(2)\n")
    assert "DataLoader(sorted(glob.glob('*.txt')), batch_size=2)" in text
    text = migrated("def make():\n    return tf.data.Dataset.list_files('*.txt').batch(2)\n")
    assert "DataLoader(sorted(glob.glob('*.txt')), batch_size=2, shuffle=True)" in text
