"""Objects and functions of the repository that a layer calls with its weights: what they are called with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.facts import functions
from migrator.facts.arithmetic import dim_of, dims_of, of_dim
from migrator.facts.calls import Arguments, Where
from migrator.facts.join import join_all
from migrator.values import Dim, DType, Instance, RepoFunction, RepoInstance, Sequence, Shape, Tensor, Value

if TYPE_CHECKING:
    from migrator.facts.interpreter import Interpreter

_KINDS = ("regularizer", "constraint", "initializer")


def own_objects(callee: Instance) -> Iterator[tuple[str, str, RepoInstance | RepoFunction]]:
    """The weight ("kernel"), the kind ("regularizer") and the object of each argument that is the repository's own."""
    for name, value in callee.args:
        weight, _, kind = name.rpartition("_")
        if kind in _KINDS and isinstance(value, RepoInstance | RepoFunction):
            yield weight, kind, value


def arguments(callee: Instance, weight: str, kind: str, inputs: tuple[Value, ...]) -> Arguments:
    """What Keras calls such an object with: the weight, or its shape and type."""
    shape = _shape(callee, weight, inputs)
    if kind != "initializer":
        return Arguments([Tensor(shape, "float32", "variable")])
    items = None if shape is None else tuple(of_dim(dim) for dim in shape)
    element = Sequence("tuple", None).element if not items else join_all(items)
    return Arguments([Sequence("tuple", items, element)], {"dtype": DType("float32")})


def _shape(callee: Instance, weight: str, inputs: tuple[Value, ...]) -> Shape | None:
    """The shape of a weight as Keras has it, sizes that only a scope names left open."""
    kind = callee.api.rpartition(".")[2]
    first = inputs[0] if inputs else None
    features = _number(first.channels if isinstance(first, Tensor) else None)
    if weight in ("bias", "gamma", "beta") and not kind.endswith(("LSTM", "GRU", "RNN")):
        units = callee.arg("units") or callee.arg("filters")
        return (features if weight != "bias" else _number(dim_of(units)),)
    if kind == "Embedding":
        return _number(dim_of(callee.arg("input_dim"))), _number(dim_of(callee.arg("output_dim")))
    if weight == "kernel" and kind == "Dense":
        return features, _number(dim_of(callee.arg("units")))
    if weight == "kernel" and kind in ("Conv1D", "Conv2D", "Conv3D"):
        sizes = dims_of(callee.arg("kernel_size")) or (dim_of(callee.arg("kernel_size")),) * int(kind[4])
        return *map(_number, sizes), features, _number(dim_of(callee.arg("filters")))
    return None


def _number(dim: Dim) -> Dim:
    return dim if isinstance(dim, int) else None


def meet(it: Interpreter, callee: Instance, inputs: tuple[Value, ...], where: Where) -> None:
    """Let the layer's own objects meet its weights, so that what they are called with is known."""
    from migrator.facts.apply import repo_instance

    for weight, kind, value in own_objects(callee):
        args = arguments(callee, weight, kind, inputs)
        if isinstance(value, RepoInstance):
            repo_instance(it, value, args, where)
        else:
            functions.invoke(it, value, args, where)
