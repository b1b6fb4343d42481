"""Preprocessing layers: the output for numbers, terms and texts."""

from __future__ import annotations

from migrator.facts.arithmetic import dim_of
from migrator.facts.shapes.layers import given, layer
from migrator.values import Instance, Tensor, Value


@layer("StringLookup", "IntegerLookup")
def lookup(instance: Instance, x: Tensor) -> Value:
    """Ids of the input's shape, or the terms of ids."""
    if given(instance, "invert", False) is True:
        dtype = "string" if instance.api.endswith("StringLookup") else "int64"
        return Tensor(x.shape, dtype, _origin(x))
    mode = given(instance, "output_mode", "int")
    if mode == "int":
        return Tensor(x.shape, "int64", _origin(x))
    return Tensor(None, "float32" if mode in ("tf_idf", "tf-idf") else "int64", _origin(x))


@layer("Hashing", "Discretization")
def bins(instance: Instance, x: Tensor) -> Value:
    """Ids of the input's shape, or marks and counts of them."""
    if given(instance, "output_mode", "int") != "int":
        return Tensor(None, "float32", _origin(x))
    return Tensor(x.shape, "int64" if instance.api.endswith("Hashing") else "int32", _origin(x))


@layer("CategoryEncoding")
def encoding(instance: Instance, x: Tensor) -> Value:
    width = dim_of(instance.arg("num_tokens"))
    mode = given(instance, "output_mode", "multi_hot")
    if x.shape is not None and len(x.shape) == 2 and mode in ("multi_hot", "count", "binary"):
        return Tensor((x.shape[0], width), "float32", _origin(x))
    return Tensor(None, "float32", _origin(x), last=width)


@layer("TextVectorization")
def texts(instance: Instance, x: Tensor) -> Value:
    """Ids of the words along a last axis of their own."""
    if given(instance, "output_mode", "int") != "int":
        return Tensor(None, "float32" if given(instance, "output_mode") in ("tf_idf", "tf-idf") else None, _origin(x))
    length = dim_of(instance.arg("output_sequence_length"))
    if x.shape is None or given(instance, "split", "whitespace") is None:
        return Tensor(None, "int64", _origin(x), last=length)
    texts = x.shape[:-1] if len(x.shape) > 1 else x.shape
    return Tensor((*texts, length), "int64", _origin(x))


def _origin(x: Tensor) -> str:
    return "keras" if x.origin == "keras" else "tf"
