"""What `tf.io.parse_single_example` gives back for the features that it is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.facts.arithmetic import dims_of
from migrator.facts.shapes.ops import dtype_of
from migrator.values import Dict, Instance, Tensor, Unknown, Value

FIXED, OPEN = "tf.io.FixedLenFeature", "tf.io.VarLenFeature"


def parsed(bound: Mapping[str, Value]) -> Value:
    """A dict with a tensor for each feature of known shape; nothing is known of the others."""
    features = bound.get("features")
    if not isinstance(features, Dict) or features.items is None:
        return Dict(None)
    return Dict(tuple((name, _value(wanted)) for name, wanted in features.items))


def _value(wanted: Value) -> Value:
    if not isinstance(wanted, Instance) or wanted.api != FIXED:
        return Unknown("a sparse tensor")
    shape = wanted.arg("shape")
    return Tensor(None if shape is None else dims_of(shape), dtype_of(wanted.arg("dtype")))
