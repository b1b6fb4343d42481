"""Which input sizes a class or factory must gain, and what they are at its call sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrator.facts import dims
from migrator.facts.interpreter import Interpreter, Use
from migrator.facts.words import words
from migrator.values import (
    ClassFacts,
    Dim,
    FunctionFacts,
    Instance,
    ModelValue,
    RepoInstance,
    Sequence,
    SizeParam,
    Tensor,
    Value,
)

# Layers whose torch module is made with the size of its input.
SIZED = frozenset(
    f"tf.keras.layers.{name}"
    for name in words("""Dense Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose SeparableConv1D
    SeparableConv2D DepthwiseConv1D DepthwiseConv2D BatchNormalization LayerNormalization GroupNormalization
    RMSNormalization UnitNormalization LSTM GRU SimpleRNN RNN Bidirectional TimeDistributed PReLU MultiHeadAttention
    EinsumDense LocallyConnected1D LocallyConnected2D ConvLSTM2D SpectralNormalization CuDNNLSTM CuDNNGRU Attention
    AdditiveAttention""")
)


def needed(
    it: Interpreter,
    qualname: str,
    reserved: Mapping[str, str],
    classes: Mapping[str, ClassFacts],
    functions: Mapping[str, FunctionFacts],
    builds: Callable[[str], bool] = lambda callee: False,
) -> tuple[SizeParam, ...]:
    """The reserved symbols that some layer or weight of the scope depends on.

    `builds` says whether a function makes layers: then what it is handed counts too.
    """
    mentioned: set[str] = set()
    for site, use in it.uses.items():
        if it.site_scope.get(site) == qualname and _is_sized(use.layer):
            mentioned |= _names(use.inputs or ())
    for callee, calls in it.observed.items():
        handed = [value for call in calls if call.root == qualname for _, value in call.args]
        if handed and builds(callee):
            mentioned |= _names(tuple(handed))
    for _, shape in it.weights:
        mentioned |= {name for dim in shape or () for name in dims.names(dim)}
    for carried in it.carried.values():
        mentioned |= dims.names(dims.symbol(carried.init))
    return tuple(
        SizeParam(symbol, parameter, _default(it, qualname, parameter))
        for symbol, parameter in reserved.items()
        if symbol in mentioned
    )


def _is_sized(layer: Value) -> bool:
    if isinstance(layer, Instance):
        return layer.api in SIZED
    return isinstance(layer, RepoInstance | ModelValue)


def _names(values: tuple[Value, ...]) -> set[str]:
    found: set[str] = set()
    for value in values:
        if isinstance(value, Tensor):
            for dim in (*(value.shape or ())[1:], value.last):
                found |= dims.names(dim)
        elif isinstance(value, Sequence) and value.items is not None:
            found |= _names(value.items)
    return found


def _default(it: Interpreter, qualname: str, parameter: str) -> int | None:
    """The literal size when every observed use agrees on one."""
    seen: list[Dim] = []
    for call in it.applied.get(qualname, []):
        value = dict(call.args).get(parameter)
        if isinstance(value, Tensor):
            seen.append(value.channels)
    if not seen:
        for observed in it.observed.get(qualname, []):
            value = dict(observed.args).get(parameter)
            if isinstance(value, Tensor):
                seen.append(value.channels)
    first = seen[0] if seen else None
    return first if isinstance(first, int) and all(dim == first for dim in seen) else None


def input_sizes(
    use: Use | None, sizes: tuple[SizeParam, ...], parameters: tuple[str, ...]
) -> tuple[tuple[str, Dim], ...]:
    """The value of each size at a construction, in the symbols of the scope it stands in."""
    found = []
    for size in sizes:
        position = parameters.index(size.of) if size.of in parameters else 0
        inputs = use.inputs if use is not None and use.inputs is not None else ()
        value = inputs[position] if position < len(inputs) else None
        found.append((size.name, value.channels if isinstance(value, Tensor) else size.default))
    return tuple(found)
