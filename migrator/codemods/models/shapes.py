"""`model.input_shape` and `model.output_shape`: a plain tuple on the generated class, where something asks for it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

from migrator.codemods.models.text import names
from migrator.values import Facts, ModelValue, Sym, Tensor, Value

SHAPES = ("input_shape", "output_shape")
_FACTORIES = ("model-factory", "layer-factory", "module-factory")


def shapes_asked(trees: Mapping[str, ast.Module], facts: Facts) -> frozenset[str]:
    """Which of the two is read outside of what builds models (there it is known, or there is nothing to ask)."""
    return frozenset(name for module, tree in trees.items() for name in _asked(module, tree, facts))


def _asked(module: str, tree: ast.Module, facts: Facts) -> Iterator[str]:
    for statement in tree.body:
        known = facts.function(f"{module}:{statement.name}") if isinstance(statement, ast.FunctionDef) else None
        if known is not None and known.role in _FACTORIES:
            continue
        for node in ast.walk(statement):
            own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
            if isinstance(node, ast.Attribute) and node.attr in SHAPES and isinstance(node.ctx, ast.Load) and not own:
                yield node.attr


def shape_lines(model: Value | None, asked: Collection[str], scope: Collection[str]) -> list[str]:
    """Lines of a constructor whose names are `scope`; none where a shape that is asked for is not known."""
    if not isinstance(model, ModelValue):
        return []
    ends = {"input_shape": model.inputs, "output_shape": model.outputs}
    found = {name: _text(ends[name], scope) for name in SHAPES if name in asked}
    return [f"self.{name} = {text}" for name, text in found.items()] if None not in found.values() else []


def _text(tensors: tuple[Value, ...] | None, scope: Collection[str]) -> str | None:
    tensor = tensors[0] if tensors and len(tensors) == 1 else None
    if not isinstance(tensor, Tensor) or not tensor.shape:
        return None
    dims = [dim.text if isinstance(dim, Sym) else repr(dim) for dim in tensor.shape]
    read = {name for dim in tensor.shape if isinstance(dim, Sym) for name in names(dim.text)}
    return f"({', '.join(dims)}{',' if len(dims) == 1 else ''})" if read <= set(scope) else None
