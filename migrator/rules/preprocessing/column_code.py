"""Feature columns of TensorFlow in plain Python and PyTorch, as helpers of migrated files."""

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.preprocessing.crossing import fingerprint_cat64
from migrator.rules.preprocessing.hash_code import fingerprint64

_ARRAYS = ("import numpy as np", "import torch")
rows_of: Any = Helper(
    "rows_of",
    '''def rows_of(feature):
    """The values of a feature as rows of one or more; texts as `str`."""
    values = feature.cpu().numpy() if isinstance(feature, torch.Tensor) else np.asarray(feature)
    rows = values.reshape(len(values), -1).tolist()
    return [[v.decode() if isinstance(v, bytes) else v for v in row] for row in rows]
''',
    _ARRAYS,
)
NumericColumn: Any = Helper(
    "NumericColumn",
    '''class NumericColumn:
    """A feature of numbers as it is, or as `normalizer_fn` makes it."""

    def __init__(self, key, normalizer_fn=None):
        self.name, self.normalizer_fn = key, normalizer_fn

    def __call__(self, features):
        x = torch.as_tensor(features[self.name])
        x = x[:, None] if x.dim() == 1 else x
        x = x if self.normalizer_fn is None else self.normalizer_fn(x)
        return x.float().flatten(1)
''',
    ("import torch",),
)
BucketizedColumn: Any = Helper(
    "BucketizedColumn",
    '''class BucketizedColumn:
    """Numbers as marks of the bucket between `boundaries` that they are in."""

    def __init__(self, source_column, boundaries):
        self.source_column, self.boundaries = source_column, boundaries
        self.name, self.num_buckets = f"{source_column.name}_bucketized", len(boundaries) + 1

    def buckets(self, features):
        x = self.source_column(features)
        return torch.bucketize(x, torch.tensor(self.boundaries, dtype=x.dtype, device=x.device), right=True)

    def __call__(self, features):
        return F.one_hot(self.buckets(features), self.num_buckets).float().flatten(1)

    def ids(self, features):
        """The ids of each row: those of its second number come after all of the first."""
        found = self.buckets(features)
        return (found + self.num_buckets * torch.arange(found.shape[1], device=found.device)).tolist()
''',
    ("import torch", "import torch.nn.functional as F"),
)
CategoricalColumn: Any = Helper(
    "CategoricalColumn",
    '''class CategoricalColumn:
    """A feature of classes, each of which has an id; empty texts and -1 stand for none."""

    def __init__(self, key, num_buckets):
        self.name, self.num_buckets = key, num_buckets

    def ids(self, features):
        """The ids of each row; -1 is that of an unknown class."""
        return [[self.id_of(value) for value in row if value not in ("", -1)] for row in rows_of(features[self.name])]
''',
    (),
    (rows_of,),
)


def _categorical(name: str, body: str, needs: tuple[Any, ...] = ()) -> Any:
    return Helper(name, body, _ARRAYS, (*needs, rows_of, CategoricalColumn))


VocabularyColumn = _categorical(
    "VocabularyColumn",
    '''class VocabularyColumn(CategoricalColumn):
    """Classes of a list, in its order; those unknown are spread over `num_oov_buckets` more by their hash."""

    def __init__(self, key, vocabulary_list, default_value=-1, num_oov_buckets=0):
        super().__init__(key, len(vocabulary_list) + num_oov_buckets)
        self.table = {value: index for index, value in enumerate(np.asarray(vocabulary_list).tolist())}
        self.default_value, self.num_oov_buckets = default_value, num_oov_buckets

    def id_of(self, value):
        if value in self.table or not self.num_oov_buckets:
            return self.table.get(value, self.default_value)
        return len(self.table) + fingerprint64(str(value).encode()) % self.num_oov_buckets
''',
    (fingerprint64,),
)
HashedColumn = _categorical(
    "HashedColumn",
    '''class HashedColumn(CategoricalColumn):
    """Classes as one of a few ids by the hash of their names."""

    def id_of(self, value):
        return fingerprint64(str(value).encode()) % self.num_buckets
''',
    (fingerprint64,),
)
IdentityColumn = _categorical(
    "IdentityColumn",
    '''class IdentityColumn(CategoricalColumn):
    """Classes that are ids already; of others that there are none is an error, or they are the default."""

    def __init__(self, key, num_buckets, default_value=None):
        super().__init__(key, num_buckets)
        self.default_value = default_value

    def id_of(self, value):
        if 0 <= value < self.num_buckets:
            return value
        if self.default_value is None:
            raise ValueError(f"{value} is none of the {self.num_buckets} ids of {self.name}")
        return self.default_value
''',
)
CrossedColumn: Any = Helper(
    "CrossedColumn",
    '''class CrossedColumn:
    """Classes of several features together as one of a few ids, by the hash of them all."""

    def __init__(self, keys, hash_bucket_size, hash_key=0xDECAFCAFFE):
        self.keys = sorted(keys, key=lambda key: isinstance(key, str))  # names of features come last
        self.num_buckets, self.hash_key = hash_bucket_size, hash_key
        self.name = "_X_".join(sorted(key if isinstance(key, str) else key.name for key in keys))

    def id_of(self, values):
        code = self.hash_key
        for value in values:
            own = fingerprint64(value.encode()) if isinstance(value, str) else value % (1 << 64)
            code = fingerprint_cat64(code, own)
        return code % self.num_buckets

    def ids(self, features):
        parts = [rows_of(features[key]) if isinstance(key, str) else key.ids(features) for key in self.keys]
        return [[self.id_of(values) for values in itertools.product(*rows)] for rows in zip(*parts)]
''',
    ("import itertools",),
    (rows_of, fingerprint64, fingerprint_cat64),
)
IndicatorColumn: Any = Helper(
    "IndicatorColumn",
    '''class IndicatorColumn:
    """How often each class occurs in a row."""

    def __init__(self, categorical_column):
        self.column, self.name = categorical_column, f"{categorical_column.name}_indicator"

    def __call__(self, features):
        rows = self.column.ids(features)
        counts = torch.zeros(len(rows), self.column.num_buckets)
        for row, ids in enumerate(rows):
            for index in ids:
                counts[row, index] += index >= 0
        return counts
''',
    ("import torch",),
)
EmbeddingColumn: Any = Helper(
    "EmbeddingColumn",
    '''class EmbeddingColumn:
    """A vector for every class, of a row their mean (or sum, or sum over the root of their number)."""

    def __init__(self, categorical_column, dimension, combiner="mean"):
        self.column, self.dimension, self.combiner = categorical_column, dimension, combiner
        self.name = f"{categorical_column.name}_embedding"

    def table(self):
        """New vectors for all classes."""
        table, std = nn.Embedding(self.column.num_buckets, self.dimension), self.dimension**-0.5
        nn.init.trunc_normal_(table.weight, std=std, a=-2 * std, b=2 * std)
        return table

    def __call__(self, features, table):
        rows = []
        for ids in self.column.ids(features):
            known = [index for index in ids if index >= 0]
            vectors = table(torch.tensor(known, dtype=torch.long, device=table.weight.device))
            share = {"mean": 1.0, "sqrtn": 0.5, "sum": 0.0}[self.combiner]
            rows.append(vectors.sum(dim=0) / max(len(vectors), 1) ** share)
        return torch.stack(rows)
''',
    ("import torch", "from torch import nn"),
)
DenseFeatures: Any = Helper(
    "DenseFeatures",
    '''class DenseFeatures(nn.Module):
    """Feature columns of a batch side by side, in the order of their names."""

    def __init__(self, feature_columns):
        super().__init__()
        columns = feature_columns if isinstance(feature_columns, (list, tuple)) else [feature_columns]
        self.columns = sorted(columns, key=lambda column: column.name)
        self.tables = nn.ModuleList(c.table() for c in self.columns if isinstance(c, EmbeddingColumn))

    def forward(self, features):
        tables = iter(self.tables)
        parts = [c(features, next(tables)) if isinstance(c, EmbeddingColumn) else c(features) for c in self.columns]
        return torch.cat(parts, dim=1)
''',
    ("import torch", "from torch import nn"),
    (EmbeddingColumn,),
)
