"""What a function says that it is given: the `input_signature` of `tf.function`."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace

from migrator.facts import datasets, roots
from migrator.facts.interpreter import Frame, Interpreter
from migrator.facts.modules import FunctionNode
from migrator.values import Sequence, Tensor, Value


def declared(it: Interpreter, node: FunctionNode, module: str, names: Mapping[str, Value]) -> dict[str, Tensor]:
    """The tensors that a function declares, by parameter; `names`: what its sizes may be besides the module's own."""
    signature = _signature(node)
    if signature is None:
        return {}
    value = it.value(signature, Frame(it.modules[module], it.root, dict(names)))
    if not isinstance(value, Sequence) or value.items is None:
        return {}
    arguments = [arg.arg for arg in roots.all_arguments(node) if arg.arg != "self"]
    found = {name: datasets.specified(item) for name, item in zip(arguments, value.items, strict=False)}
    return {name: _laid_out(tensor) for name, tensor in found.items() if isinstance(tensor, Tensor)}


def _laid_out(tensor: Tensor) -> Tensor:
    return replace(tensor, layout="channels_last") if (tensor.rank or 0) >= 4 else tensor


def _signature(node: FunctionNode) -> ast.expr | None:
    for decorator in node.decorator_list:
        func = decorator.func if isinstance(decorator, ast.Call) else None
        if isinstance(decorator, ast.Call) and isinstance(func, ast.Attribute) and func.attr == "function":
            return next((k.value for k in decorator.keywords if k.arg == "input_signature"), None)
    return None
