"""The shape functions of all layers and operations, loaded together."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.facts.arithmetic import dim_of, dims_of
from migrator.facts.shapes import (
    conv,
    einsum,
    layers,
    ops,
    ops_alike,
    ops_axes,
    ops_keras,
    ops_linear,
    ops_some,
    ops_sparse,
    preprocessing,
    recurrent,
    text,
)
from migrator.values import Instance, Literal, Sequence, Shape, ShapeOf, Tensor, Unknown, Value

OPS = ops.OPS
# What arguments that fit no operation make a shape function raise.
_MISFITS = (IndexError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError)
_ = (
    conv,
    einsum,
    recurrent,
    preprocessing,
    text,
    ops_axes,
    ops_linear,
    ops_sparse,
    ops_alike,
    ops_keras,
    ops_some,
)  # imported for what they register


def op_result(api: str, bound: Mapping[str, Value]) -> Value:
    """The result of an operation; Unknown where the arguments do not fit it."""
    try:
        return OPS[api](bound)
    except _MISFITS:
        return Unknown(f"arguments that do not fit {api}")


def layer_output(layer: Instance, inputs: tuple[Value, ...]) -> Value:
    """The output of a layer; Unknown where the inputs or arguments do not fit it."""
    try:
        return layers.output(layer, inputs)
    except _MISFITS:
        return Unknown(f"arguments that do not fit {layer.api}")


def shape_argument(value: Value | None) -> Shape | None:
    """An argument that is a shape: a tuple, list, shape or number."""
    if isinstance(value, Sequence | ShapeOf):
        return dims_of(value)
    return dims_of(value) if value is not None else None


def declared_input(layer: Instance) -> Tensor | None:
    """The input that a layer declares by `input_shape`, `batch_input_shape`, `input_dim` or `input_length`."""
    batch = layer.arg("batch_input_shape") or layer.arg("batch_shape")
    if batch is not None and shape_argument(batch) is not None:
        return Tensor(shape_argument(batch), "float32", "keras")
    name = "shape" if layer.api in ("tf.keras.Input", "tf.keras.layers.InputLayer") else "input_shape"
    shape = layer.arg(name) or layer.arg("input_shape")
    if shape is not None and shape != Literal(None):
        found = shape_argument(shape)
        if found is None and isinstance(shape, ShapeOf) and shape.last is not None:
            return Tensor(None, "float32", "keras", last=shape.last)
        return Tensor((None, *found), "float32", "keras") if found is not None else None
    width = layer.arg("input_dim")
    if width is not None and layer.api != "tf.keras.layers.Embedding":
        size = dim_of(width)
        return Tensor((None, size), "float32", "keras") if size is not None else None
    length = layer.arg("input_length")
    if length is not None and layer.api == "tf.keras.layers.Embedding":
        return Tensor((None, *(shape_argument(length) or (None,))), "int32", "keras")
    return None
