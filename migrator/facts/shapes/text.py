"""`tf.strings`: what becomes of the shapes of text."""

from __future__ import annotations

from migrator.facts.shapes.ops import Args, dtype_of, op, tensor
from migrator.values import Literal, Sequence, Tensor, Value

_ONE_FOR_ONE = ("lower", "upper", "strip", "regex_replace", "substr", "as_string")


@op(*(f"tf.strings.{name}" for name in _ONE_FOR_ONE))
def alike(args: Args) -> Value:
    """Text of the same shape."""
    return Tensor(tensor(args.get("input")).shape, "string")


@op("tf.strings.length", "tf.strings.unicode_script")
def lengths(args: Args) -> Value:
    return Tensor(tensor(args.get("input")).shape, "int32")


@op("tf.strings.regex_full_match")
def matches(args: Args) -> Value:
    return Tensor(tensor(args.get("input")).shape, "bool")


@op("tf.strings.to_hash_bucket_fast", "tf.strings.to_hash_bucket_strong")
def buckets(args: Args) -> Value:
    return Tensor(tensor(args.get("input")).shape, "int64")


@op("tf.strings.to_number")
def numbers(args: Args) -> Value:
    return Tensor(tensor(args.get("input")).shape, dtype_of(args.get("out_type")) or "float32")


@op("tf.strings.split", "tf.strings.bytes_split", "tf.strings.unicode_split")
def parts(args: Args) -> Value:
    """The parts of one text; of several they are ragged, which is left open."""
    known = tensor(args.get("input")).shape
    return Tensor((None,) if known == () else None, "string")


@op("tf.strings.unicode_decode")
def codes(args: Args) -> Value:
    return Tensor((None,) if tensor(args.get("input")).shape == () else None, "int32")


@op("tf.strings.unicode_encode")
def encoded(args: Args) -> Value:
    shape = tensor(args.get("input")).shape
    return Tensor(None if not shape else shape[:-1], "string")


@op("tf.strings.join")
def joined(args: Args) -> Value:
    """Text of the shape that its parts are spread to, where they are all scalars."""
    inputs = args.get("inputs")
    items = inputs.items if isinstance(inputs, Sequence) else None
    scalars = items is not None and all(tensor(item).shape == () for item in items)
    return Tensor(() if scalars else None, "string")


@op("tf.strings.reduce_join")
def reduced(args: Args) -> Value:
    whole = args.get("axis") in (None, Literal(None)) and args.get("keepdims") in (None, Literal(False))
    return Tensor(() if whole else None, "string")
