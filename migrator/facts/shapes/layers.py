"""Keras layers: the output of a layer for its input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from migrator.facts import dims
from migrator.facts.arithmetic import dim_of, dims_of, plain
from migrator.facts.join import join_all
from migrator.facts.shapes import broadcast
from migrator.facts.words import words
from migrator.values import Dim, Instance, Literal, Sequence, Shape, Sym, Tensor, Unknown, Value

UNKNOWN = Unknown()
Inputs = tuple[Value, ...]
LAYERS: dict[str, Callable[[Instance, Inputs], Value]] = {}

KEEPERS = frozenset(
    words("""BatchNormalization LayerNormalization GroupNormalization UnitNormalization RMSNormalization Dropout
    SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianNoise GaussianDropout AlphaDropout ReLU LeakyReLU
    PReLU ELU ThresholdedReLU Softmax ActivityRegularization Masking Normalization Identity
    Rescaling RandomFlip RandomRotation RandomZoom RandomContrast RandomBrightness RandomTranslation RandomGrayscale
    RandomColorDegeneration RandomInvert RandomSaturation RandomHue RandomSharpness RandomPosterization Solarization
    RandomErasing RandomGaussianBlur RandomShear Equalization AutoContrast RandomColorJitter
    RandomPerspective MixUp CutMix RandAugment AugMix""")
)


def layer(*names: str) -> Callable[[Callable[[Instance, Tensor], Value]], Callable[[Instance, Tensor], Value]]:
    """Register the shape function of layers with one tensor input."""

    def register(function: Callable[[Instance, Tensor], Value]) -> Callable[[Instance, Tensor], Value]:
        def on_inputs(instance: Instance, inputs: Inputs) -> Value:
            first = inputs[0] if inputs else None
            return function(instance, first) if isinstance(first, Tensor) else function(instance, Tensor())

        for name in names:
            LAYERS[f"tf.keras.layers.{name}"] = on_inputs
        return function

    return register


def given(instance: Instance, name: str, default: Any = None) -> Any:
    """A literal argument of the layer; a sequence as tuple; None where it is not known."""
    value = instance.arg(name)
    if value is None:
        return default
    if isinstance(value, Literal):
        return value.value
    items = plain(value)
    return tuple(items) if items is not None else None


def sizes(instance: Instance, name: str, count: int, default: int | None) -> Shape:
    """An integer or tuple argument as `count` sizes."""
    value = instance.arg(name)
    if value is None or value == Literal(None):
        return (default,) * count
    found = dims_of(value)
    if found is None:
        return (None,) * count
    return found * count if len(found) == 1 else found if len(found) == count else (None,) * count


def floating(x: Tensor, shape: Shape | None, last: Dim = None) -> Tensor:
    """The float result of a layer on `x`: Keras casts what it is given to its own float32."""
    return Tensor(shape, "float32", "keras" if x.origin == "keras" else "tf", None, None if shape is not None else last)


def channels_first(instance: Instance) -> bool:
    """Whether the layer was told to work on channels_first data, or something that is not known."""
    return given(instance, "data_format", None) not in (None, "channels_last") or (
        instance.arg("data_format") is not None and given(instance, "data_format") is None
    )


@layer(*KEEPERS)
def keeper(instance: Instance, x: Tensor) -> Value:
    """Layers whose output has the shape of their input."""
    return replace(floating(x, x.shape, x.last), layout=x.layout)


@layer("Activation")
def activation(instance: Instance, x: Tensor) -> Value:
    return replace(floating(x, x.shape, x.last), layout=x.layout)


@layer("Dense")
def dense(instance: Instance, x: Tensor) -> Value:
    """Works on the last axis."""
    units = dim_of(instance.arg("units"))
    return floating(x, None if x.shape is None else (*x.shape[:-1], units), units)


@layer("Flatten")
def flatten(instance: Instance, x: Tensor) -> Value:
    if x.shape is None:
        return Tensor(None, x.dtype, _origin(x))
    return Tensor((x.shape[0], dims.product(x.shape[1:])) if x.shape else (None, 1), x.dtype, _origin(x))


@layer("Reshape")
def reshape(instance: Instance, x: Tensor) -> Value:
    target = instance.arg("target_shape")
    found = dims_of(target)
    if found is None:
        return Tensor(None, x.dtype, _origin(x))
    batch = x.shape[0] if x.shape else None
    raw = target.items if isinstance(target, Sequence) else None
    if raw is not None and Literal(-1) in raw and x.shape is not None:
        rest = dims.product(tuple(dim for dim, item in zip(found, raw, strict=True) if item != Literal(-1)))
        missing = exact_quotient(dims.product(x.shape[1:]), rest)
        found = tuple(missing if item == Literal(-1) else dim for dim, item in zip(found, raw, strict=True))
    return Tensor((batch, *found), x.dtype, _origin(x))


@layer("Permute")
def permute(instance: Instance, x: Tensor) -> Value:
    order = given(instance, "dims")
    if x.shape is None or not isinstance(order, tuple) or len(order) + 1 != len(x.shape):
        return Tensor(None, x.dtype, _origin(x))
    return Tensor((x.shape[0], *(x.shape[int(axis)] for axis in order)), x.dtype, _origin(x))


@layer("RepeatVector")
def repeat_vector(instance: Instance, x: Tensor) -> Value:
    if x.shape is None or len(x.shape) != 2:
        return Tensor(None, x.dtype, _origin(x), last=x.channels)
    return Tensor((x.shape[0], dim_of(instance.arg("n")), x.shape[1]), x.dtype, _origin(x))


@layer("Embedding")
def embedding(instance: Instance, x: Tensor) -> Value:
    width = dim_of(instance.arg("output_dim"))
    return floating(replace(x, dtype="float32"), None if x.shape is None else (*x.shape, width), width)


def _merge(instance: Instance, inputs: Inputs) -> Value:
    tensors = tuple(value for value in inputs if isinstance(value, Tensor))
    if len(tensors) != len(inputs) or not tensors:
        return Tensor()
    return broadcast.elementwise(tensors)


for _name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
    LAYERS[f"tf.keras.layers.{_name}"] = _merge


def concatenated(inputs: Inputs, axis: object) -> Value:
    """Tensors joined along an axis."""
    tensors = [value for value in inputs if isinstance(value, Tensor)]
    if len(tensors) != len(inputs) or not tensors or not isinstance(axis, int):
        return Tensor()
    dtypes, origin = {t.dtype for t in tensors}, broadcast.origin_of(t.origin for t in tensors)
    dtype = next(iter(dtypes)) if len(dtypes) == 1 else None
    ranks = {t.rank for t in tensors}
    if None in ranks or len(ranks) != 1:
        last = _sum([t.channels for t in tensors]) if axis == -1 else None
        return Tensor(None, dtype, origin, last=last)
    shapes = [t.shape for t in tensors if t.shape is not None]
    rank = len(shapes[0])
    if not -rank <= axis < rank:
        return Tensor(None, dtype, origin)
    at = axis % rank
    shape = tuple(
        _sum([s[i] for s in shapes]) if i == at else next((s[i] for s in shapes if s[i] is not None), None)
        for i in range(rank)
    )
    layouts = {t.layout for t in tensors}
    return Tensor(shape, dtype, origin, next(iter(layouts)) if len(layouts) == 1 else None)


def _concatenate(instance: Instance, inputs: Inputs) -> Value:
    axis = given(instance, "axis", -1)
    listed = inputs[0] if len(inputs) == 1 else None
    if isinstance(listed, Sequence) and listed.items is None and isinstance(listed.element, Tensor):
        return _open_list(listed.element, axis)
    return concatenated(inputs, axis)


def _open_list(element: Tensor, axis: object) -> Value:
    """Nobody knows how many tensors joined along an axis."""
    rank = element.rank
    if rank is None or element.shape is None or not isinstance(axis, int) or not -rank <= axis < rank:
        return Tensor(None, element.dtype, element.origin)
    at = axis % rank
    return replace(element, shape=tuple(None if i == at else dim for i, dim in enumerate(element.shape)))


LAYERS["tf.keras.layers.Concatenate"] = _concatenate


def _dot(instance: Instance, inputs: Inputs) -> Value:
    return Tensor(None, "float32", "keras" if any(getattr(i, "origin", "") == "keras" for i in inputs) else "tf")


LAYERS["tf.keras.layers.Dot"] = _dot


def exact_quotient(total: Dim, part: Dim) -> Dim:
    """total / part where that is whole for sure, else unknown."""
    if isinstance(total, int) and isinstance(part, int):
        return total // part if part and total % part == 0 else None
    if part == 1:
        return total
    if total is not None and total == part:
        return 1
    return dims.floor_divide(total, part) if isinstance(total, Sym | int) and part is not None else None


def _sum(parts: list[Dim]) -> Dim:
    total: Dim = 0
    for part in parts:
        total = dims.add(total, part)
    return total


def _origin(x: Tensor) -> str:
    return "tf" if x.origin in ("variable", "numpy") else x.origin


def output(instance: Instance, inputs: Inputs) -> Value:
    """The output of a Keras layer; an open tensor where the layer's shape function is not known."""
    function = LAYERS.get(instance.api)
    if function is not None:
        return function(instance, inputs)
    keras = any(isinstance(value, Tensor) and value.origin == "keras" for value in inputs)
    return Tensor(None, None, "keras" if keras else "tf")


__all__ = ["LAYERS", "channels_first", "concatenated", "floating", "given", "join_all", "layer", "output", "sizes"]
