"""Examples by the batch, and features with as many values as there are."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad
from migrator.rules.ops.records import parse_example

FixedLenSequenceFeature = Helper(
    "FixedLenSequenceFeature",
    '''class FixedLenSequenceFeature(NamedTuple):
    """A feature with any number of steps, each of the same shape."""

    shape: Any
    dtype: Any

    def of(self, name, values):
        """The steps as a tensor, of text as an array."""
        shape = (-1, *self.shape)
        if self.dtype is bytes:
            return np.array([] if values is None else values, dtype=object).reshape(shape)
        return torch.as_tensor(np.array([] if values is None else values)).to(self.dtype).reshape(shape)
''',
    ("import numpy as np", "import torch", "from typing import Any, NamedTuple"),
)
parse_examples = Helper(
    "parse_examples",
    '''def parse_examples(records, features):
    """The wanted features of serialized examples: a row for each, the shorter ones filled up."""
    rows = [parse_example(record, features) for record in records]
    return {name: rows_together([row[name] for row in rows]) for name in features}


def rows_together(rows):
    """A batch of the parsed values of one feature."""
    first = rows[0]
    if not torch.is_tensor(first):
        longest = max(len(row) for row in rows) if not isinstance(first, bytes) else 0
        padded = rows if longest == 0 else [[*row, *[b""] * (longest - len(row))] for row in rows]
        return np.array(padded, dtype=object)
    if not first.is_sparse:
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True) if first.ndim else torch.stack(rows)
    places = [(i, j) for i, row in enumerate(rows) for j in range(row.shape[0])]
    indices = torch.tensor(places, dtype=torch.int64).reshape(-1, 2).T
    size = (len(rows), max(row.shape[0] for row in rows))
    return torch.sparse_coo_tensor(indices, torch.cat([row.values() for row in rows]), size).coalesce()
''',
    ("import numpy as np", "import torch"),
    (parse_example,),
)

_RECORDS = """
def record(label, box, names):
    feature = {
        'label': tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
        'box': tf.train.Feature(float_list=tf.train.FloatList(value=box)),
        'names': tf.train.Feature(bytes_list=tf.train.BytesList(value=names)),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString()
records = [record(3, [0.5, -1.0], [b'a', b'b']), record(-7, [2.0, 4.0, 1.0, 0.0], [b'xyz']), record(0, [], [])]
"""


def _batch(features: str, wanted: str) -> Sample:
    text = f"{_RECORDS}parsed = tf.io.parse_example(records, {{{features}}})\nreturn {wanted}"
    return no_grad(block(text))


def _one(features: str, wanted: str) -> Sample:
    text = f"{_RECORDS}found = [tf.io.parse_single_example(r, {{{features}}}) for r in records]\nreturn {wanted}"
    return no_grad(block(text))


_BOXES = "'box': tf.io.FixedLenSequenceFeature([2], tf.float32, allow_missing=True)"
_NAMES = "'names': tf.io.FixedLenSequenceFeature([], dtype=tf.string, allow_missing=True)"


@rule(
    "tf.io.FixedLenSequenceFeature",
    samples=[
        _one(_BOXES, "[f['box'] for f in found]"),
        _one(_NAMES, "[f['names'] for f in found]"),
        _batch(f"{_BOXES}, {_NAMES}", "parsed"),
        declined_block("return tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True, default_value=1)"),
    ],
)
def sequence(shape, dtype, allow_missing=False, default_value=None):
    if not allow_missing or default_value is not None:
        raise Decline("a sequence that must be there, or with a default")
    return FixedLenSequenceFeature(shape, dtype)


@rule(
    "tf.io.parse_example",
    samples=[
        _batch("'label': tf.io.FixedLenFeature([], tf.int64)", "parsed"),
        _batch(
            "'label': tf.io.FixedLenFeature([1], tf.int64), 'x': tf.io.FixedLenFeature([], tf.string, 'no')", "parsed"
        ),
        _batch("'x': tf.io.FixedLenFeature([2], tf.float32, default_value=[1.0, 2.0])", "parsed"),
        _batch("'label': tf.io.VarLenFeature(tf.int64), 'none': tf.io.VarLenFeature(tf.float32)", "sorted(parsed)"),
    ],
)
def examples(serialized, features, example_names: Ignored = None, name=None):
    return parse_examples(serialized, features)
