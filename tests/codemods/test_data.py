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
        (".batch(2).batch(2)", "batches of batches"),
        (".batch(4).shuffle(10, reshuffle_each_iteration=False)", "a stream that is shuffled once"),
        (".rejection_resample(lambda a: a, [0.5, 0.5])", "rejection_resample"),
        (".repeat(2).cardinality()", "the length of a stream"),
        (".bucket_by_sequence_length(len, [3], [2, 2], no_padding=True)", "or not at all"),
        (".group_by_window(lambda a: a, lambda k, d: d, window_size_func=lambda k: 2)", "in this form has no rule"),
    ],
    ids=str,
)
def test_orders_that_are_declined(chain: str, reason: str) -> None:
    text = f"def make(x, y):\n    return tf.data.Dataset.from_tensor_slices((x, y)){chain}\n"
    assert reason in reasons(text)


def test_a_generator_whose_signature_is_not_known_is_declined() -> None:
    text = "def make(f, s):\n    return tf.data.Dataset.from_generator(f, output_signature=s).batch(2)\n"
    assert "signature of a generator" in reasons(text)


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


def test_a_shuffle_that_no_loader_sees_is_drawn_from_a_buffer() -> None:
    text = migrated("""
        def make(x):
            ds = tf.data.Dataset.from_tensor_slices([1, 2, 3]).shuffle(2, seed=1)
            return ds
    """)
    assert "ds = shuffled_samples(torch.as_tensor([1, 2, 3]), 2, seed=1)" in text


def test_batches_taken_can_be_read_again_unless_a_loop_stands_there() -> None:
    text = migrated("""
        def make(x, y):
            ds = tf.data.Dataset.from_tensor_slices((x, y)).batch(2)
            head = ds.take(3)
            for a, b in ds.take(1):
                print(a)
            return head
    """)
    assert "head = first_samples(ds, 3)" in text
    assert "in itertools.islice(ds, 1):" in text


def test_a_dataset_in_an_annotation_is_an_iterable() -> None:
    text = migrated("""
        def head(ds: tf.data.Dataset, n: int = 2) -> Optional[tf.data.Dataset]:
            rest: tf.data.Dataset = ds
            return ds.take(n)
    """)
    assert "def head(ds: Iterable, n: int = 2) -> Optional[Iterable]:" in text
    assert "rest: Iterable = ds" in text
    assert "no rule for tf.data.Dataset" in reasons("def is_dataset(x):\n    return isinstance(x, tf.data.Dataset)\n")


def test_batches_are_moved_to_the_device_by_what_they_hold() -> None:
    text = migrated("""
        def run(x, y):
            ds = tf.data.Dataset.from_tensor_slices((x, y)).batch(2)
            for step, (a, b) in enumerate(ds):
                print(tf.reduce_sum(a))
            for pair in ds:
                print(pair[0])
            for name in tf.data.Dataset.from_tensor_slices(["a", "b"]):
                print(name.numpy().decode())
            iterator = iter(ds)
            return iterator.get_next(), next(iterator)
    """)
    assert "for step, (a, b) in enumerate(ds):\n        a, b = a.to(device), b.to(device)\n" in text
    assert "for pair in ds:\n        pair = to_device(pair)\n" in text
    assert "print(name.decode())" in text
    assert "return next(iterator), next(iterator)" in text


def test_a_parameter_that_is_taken_from_and_skipped_is_a_dataset() -> None:
    text = migrated("def split(data, n):\n    return data.take(n), data.skip(n)\n")
    assert "return first_samples(data, n), samples_after(data, n)" in text
    assert (
        migrated("def head(data, n):\n    return data.take(n)\n").strip()
        == "def head(data, n):\n    return data.take(n)"
    )


def test_files_are_listed_in_order_unless_shuffled() -> None:
    text = migrated("def make():\n    return tf.data.Dataset.list_files('*.txt', shuffle=False).batch(2)\n")
    assert "DataLoader(sorted(glob.glob('*.txt')), batch_size=2, collate_fn=stack_samples)" in text
    text = migrated("def make():\n    return tf.data.Dataset.list_files('*.txt').batch(2)\n")
    assert "DataLoader(sorted(glob.glob('*.txt')), batch_size=2, shuffle=True, collate_fn=stack_samples)" in text
