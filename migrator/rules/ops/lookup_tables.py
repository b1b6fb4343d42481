"""`tf.lookup`: tables of keys and values, by a dictionary."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import constant, method, rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad
from migrator.rules.ops.text_code import text_of
from migrator.rules.preprocessing.hash_code import fingerprint64

constant("tf.lookup.TextFileIndex.WHOLE_LINE", "-2")
constant("tf.lookup.TextFileIndex.LINE_NUMBER", "-1")

key_values = Helper(
    "key_values",
    '''def key_values(keys, values):
    """Keys as a list, and their values as a tensor or an array of text."""
    return plain_list(keys), column_of(values)


def plain_list(values):
    """Text as bytes, numbers as Python has them, of a tensor, an array or a list."""
    array = np.asarray(values)
    return np.asarray(text_of(array), dtype=object).tolist() if array.dtype.kind in "OSU" else array.tolist()


def column_of(values):
    """A tensor; text is an array."""
    array = np.asarray(values)
    return text_of(array) if array.dtype.kind in "OSU" else torch.as_tensor(values)
''',
    ("import numpy as np", "import torch"),
    (text_of,),
)
lines_of_table = Helper(
    "lines_of_table",
    '''def lines_of_table(path, key_dtype, key_index, value_dtype, value_index, delimiter="\\t"):
    """Keys and values of a text file: columns, whole lines (-2) or numbers of lines (-1)."""
    with open(path, "rb") as file:
        lines = file.read().splitlines()

    def column(dtype, index):
        if index == -1:
            return torch.arange(len(lines))
        texts = lines if index == -2 else [line.split(delimiter.encode())[index] for line in lines]
        return texts if dtype is bytes else torch.tensor([float(text) for text in texts], dtype=dtype)

    return key_values(column(key_dtype, key_index), column(value_dtype, value_index))
''',
    (),
    (key_values, text_of),
)
StaticHashTable = Helper(
    "StaticHashTable",
    '''class StaticHashTable:
    """Values by key, and a default for keys that are not there."""

    def __init__(self, initializer, default_value):
        keys, values = initializer
        default = np.asarray(default_value).reshape(1)
        default = text_of(default) if isinstance(values, np.ndarray) else torch.as_tensor(default).to(values.dtype)
        self.values = (np.concatenate if isinstance(values, np.ndarray) else torch.cat)([values, default])
        self.places = {key: place for place, key in enumerate(keys)}

    def lookup(self, keys):
        array = np.asarray(plain_list(keys), dtype=object)
        places = np.array([self.places.get(key, -1) for key in array.flat], dtype="int64").reshape(array.shape)
        return self.values[places[()]]

    __getitem__ = lookup

    def size(self):
        return torch.tensor(len(self.places))
''',
    ("import numpy as np", "import torch"),
    (key_values, text_of),
)
StaticVocabularyTable = Helper(
    "StaticVocabularyTable",
    '''class StaticVocabularyTable:
    """Ids of words; words that are not there share `num_oov_buckets` further ids by their hash."""

    def __init__(self, initializer, num_oov_buckets):
        words, ids = initializer
        self.ids = dict(zip(words, ids.tolist()))
        self.buckets = num_oov_buckets

    def lookup(self, keys):
        array = np.asarray(text_of(plain_list(keys)), dtype=object)
        return torch.tensor([self.id_of(key) for key in array.flat], dtype=torch.int64).reshape(array.shape)

    def id_of(self, key):
        known = self.ids.get(key)
        return len(self.ids) + fingerprint64(key) % self.buckets if known is None else known

    __getitem__ = lookup

    def size(self):
        return torch.tensor(len(self.ids) + self.buckets)
''',
    ("import numpy as np", "import torch"),
    (key_values, text_of, fingerprint64),
)

_TABLES = """
words = tf.lookup.KeyValueTensorInitializer(tf.constant(['a', 'bc', 'd']), tf.constant([1, 2, 7]))
table = tf.lookup.StaticHashTable(words, default_value=-1)
numbers = tf.lookup.KeyValueTensorInitializer(
    keys=tf.constant([3, 5], tf.int64), values=tf.constant(['three', 'five']), key_dtype=tf.int64)
names = tf.lookup.StaticHashTable(numbers, '')
ids = tf.lookup.KeyValueTensorInitializer(['x', 'y'], tf.constant([0, 1], tf.int64))
vocabulary = tf.lookup.StaticVocabularyTable(ids, num_oov_buckets=5)
with open('words.txt', 'w') as file:
    file.write('one\\t1.5\\ntwo\\t2.5\\n')
lines = tf.lookup.TextFileInitializer('words.txt', key_dtype=tf.string, key_index=tf.lookup.TextFileIndex.WHOLE_LINE,
    value_dtype=tf.int64, value_index=tf.lookup.TextFileIndex.LINE_NUMBER)
columns = tf.lookup.TextFileInitializer('words.txt', tf.string, 0, tf.float32, 1, delimiter='\\t')
"""


def _samples(*texts: str) -> list[Sample]:
    return [no_grad(block(f"{_TABLES}return {text}")) for text in texts]


@rule("tf.lookup.KeyValueTensorInitializer", samples=_samples("table.lookup(tf.constant('bc'))"))
def initializer(keys, values, key_dtype: Ignored = None, value_dtype: Ignored = None, name=None):
    return key_values(keys, values)


@rule(
    "tf.lookup.TextFileInitializer",
    samples=[
        *_samples("tf.lookup.StaticHashTable(lines, -1).lookup(tf.constant(['two\\t2.5', 'two']))"),
        *_samples("tf.lookup.StaticHashTable(columns, 0.0).lookup(tf.constant([['two'], ['none']]))"),
        declined_block("return tf.lookup.TextFileInitializer('a', tf.string, 0, tf.int64, 1, vocab_size=3)"),
    ],
)
def from_file(
    filename,
    key_dtype,
    key_index,
    value_dtype,
    value_index,
    vocab_size=None,
    delimiter="\t",
    name=None,
    value_index_offset=0,
):
    if vocab_size is not None or value_index_offset != 0:
        raise Decline("a size or an offset is given")
    return lines_of_table(filename, key_dtype, key_index, value_dtype, value_index, delimiter=delimiter)


@rule(
    "tf.lookup.StaticHashTable",
    samples=[
        *_samples("table.lookup(tf.constant([['a', 'q'], ['d', 'bc']]))", "table[tf.constant(['bc', ''])]"),
        *_samples("names.lookup(tf.constant([5, 4, 3], tf.int64))", "table.size(), names.size()"),
    ],
)
def hash_table(initializer, default_value, name=None, experimental_is_anonymous: Ignored = False):
    return StaticHashTable(initializer, default_value)


@rule(
    "tf.lookup.StaticVocabularyTable",
    samples=_samples("vocabulary.lookup(tf.constant(['y', 'x', 'a', 'b', 'a longer one']))", "vocabulary.size()"),
)
def vocabulary(
    initializer,
    num_oov_buckets,
    lookup_key_dtype: Ignored = None,
    name=None,
    experimental_is_anonymous: Ignored = False,
):
    return StaticVocabularyTable(initializer, num_oov_buckets)


for _table in ("StaticHashTable", "StaticVocabularyTable"):

    @method(f"tf.lookup.{_table}.lookup", samples=_samples("table.lookup(tf.constant('a'))"))
    def lookup(self, keys, name=None):
        return self.lookup(keys)

    @method(f"tf.lookup.{_table}.size", samples=_samples("table.size(), vocabulary.size()"))
    def size(self, name=None):
        return self.size()
