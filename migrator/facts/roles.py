"""What a function is for, by what it gives back and what it does on the way."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.facts.interpreter import Interpreter
from migrator.values import Choice, Dataset, Instance, ModelValue, RepoInstance, Sequence, Tensor, Value


def role(it: Interpreter, returns: Value, params: Mapping[str, Value], builds: bool) -> str:
    """ "layer-factory", "module-factory", "model-factory", "training", "data" or "plain"."""
    passed = any(value == returns for value in params.values())
    if isinstance(returns, ModelValue) and not passed and builds:
        if returns.api == "tf.keras.Sequential" and returns.inputs is None:
            return "module-factory" if not it.effects else "model-factory"
        return "model-factory"
    if _is_either_graph(returns) and not passed and builds:
        return "model-factory"
    if isinstance(returns, RepoInstance) and returns.kind == "model" and not passed:
        return "model-factory"
    if _is_module(returns) and not passed:
        return "module-factory"
    if it.effects & {"compiles", "fits", "applies-gradients"}:
        return "training"
    tensors = any(isinstance(value, Tensor) for value in params.values())
    if builds and tensors and _has_tensor(returns):
        return "layer-factory"
    return "data" if _has_dataset(returns) else "plain"


def _is_either_graph(value: Value) -> bool:
    """One of several Functional models, which a condition chooses."""
    return isinstance(value, Choice) and all(
        isinstance(option, ModelValue) and option.api == "tf.keras.Model" for option in value.options
    )


def _is_module(value: Value) -> bool:
    if isinstance(value, Instance):
        return value.api.startswith("tf.keras.layers.")
    if isinstance(value, RepoInstance):
        return value.kind == "layer"
    if isinstance(value, Sequence):
        items = value.items if value.items is not None else (value.element,)
        return bool(items) and all(_is_module(item) or isinstance(item, ModelValue) for item in items)
    return isinstance(value, ModelValue)


def is_open(value: Value) -> bool:
    """Whether what a factory returns still waits for its input."""
    if isinstance(value, ModelValue):
        return value.inputs is None and bool(value.parts)
    return isinstance(value, RepoInstance) or _is_module(value)


def _has_tensor(value: Value) -> bool:
    if isinstance(value, Sequence):
        return any(map(_has_tensor, value.items or (value.element,)))
    return isinstance(value, Tensor)


def _has_dataset(value: Value) -> bool:
    if isinstance(value, Sequence) and value.items is not None:
        return any(map(_has_dataset, value.items))
    return isinstance(value, Dataset)
