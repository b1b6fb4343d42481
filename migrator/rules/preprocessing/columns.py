"""Feature columns: what a feature of a batch becomes, and the layer that puts them side by side."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import attribute, rule
from migrator.rules.ops.pieces import dtype_name
from migrator.rules.preprocessing.column_code import (
    BucketizedColumn,
    CrossedColumn,
    DenseFeatures,
    EmbeddingColumn,
    HashedColumn,
    IdentityColumn,
    IndicatorColumn,
    NumericColumn,
    VocabularyColumn,
)

_COLUMNS = "tf.feature_column."


@rule(_COLUMNS + "numeric_column", samples=())
def numeric_column(key, shape: Ignored = (1,), default_value=None, dtype="float32", normalizer_fn=None):
    if default_value is not None or dtype_name(dtype) != "float32":
        raise Decline("values for missing ones, or another dtype")
    if normalizer_fn is None:
        return NumericColumn(key)
    return NumericColumn(key, normalizer_fn=normalizer_fn)


@rule(_COLUMNS + "bucketized_column", samples=())
def bucketized_column(source_column, boundaries):
    return BucketizedColumn(source_column, boundaries)


@rule(_COLUMNS + "categorical_column_with_vocabulary_list", samples=())
def vocabulary_column(key, vocabulary_list, dtype=None, default_value=-1, num_oov_buckets=0):
    if dtype is not None and dtype_name(dtype) not in ("string", "int32", "int64"):
        raise Decline("a vocabulary of another dtype")
    return VocabularyColumn(key, vocabulary_list, default_value=default_value, num_oov_buckets=num_oov_buckets)


@rule(_COLUMNS + "categorical_column_with_hash_bucket", samples=())
def hashed_column(key, hash_bucket_size, dtype="string"):
    if dtype_name(dtype) not in ("string", "int32", "int64"):
        raise Decline("a hash of another dtype")
    return HashedColumn(key, hash_bucket_size)


@rule(_COLUMNS + "categorical_column_with_identity", samples=())
def identity_column(key, num_buckets, default_value=None):
    return IdentityColumn(key, num_buckets, default_value=default_value)


@rule(_COLUMNS + "crossed_column", samples=())
def crossed_column(keys, hash_bucket_size, hash_key=None):
    if hash_key is None:
        return CrossedColumn(keys, hash_bucket_size)
    return CrossedColumn(keys, hash_bucket_size, hash_key=hash_key)


@rule(_COLUMNS + "indicator_column", samples=())
def indicator_column(categorical_column):
    return IndicatorColumn(categorical_column)


@rule(_COLUMNS + "embedding_column", samples=())
def embedding_column(
    categorical_column,
    dimension,
    combiner="mean",
    initializer=None,
    ckpt_to_load_from=None,
    tensor_name_in_ckpt=None,
    max_norm=None,
    trainable=True,
    use_safe_embedding_lookup=True,
):
    if initializer is not None or ckpt_to_load_from is not None or max_norm is not None:
        raise Decline("vectors with a norm, or with initial values of their own")
    if trainable is not True or tensor_name_in_ckpt is not None or use_safe_embedding_lookup is not True:
        raise Decline("vectors that are not trained, or come from a checkpoint, or an unsafe lookup")
    return EmbeddingColumn(categorical_column, dimension, combiner=combiner)


@rule("tf.keras.layers.DenseFeatures", samples=())
def dense_features(feature_columns, trainable=True, name=None):
    if trainable is not True:
        raise Decline("vectors that are not trained")
    return DenseFeatures(feature_columns)


for _name in ("numeric", "bucketized", "indicator", "embedding", "crossed"):
    attribute(f"{_COLUMNS}{_name}_column.name", "x.name")
