"""What code changes behind the evaluator's back: attributes, globals and lists handed to functions."""

from __future__ import annotations

import ast
import functools

from migrator.facts.modules import FunctionNode, Module

_MUTATORS = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "add", "sort"})
_CONSTRUCTORS = frozenset({"__init__", "build"})


def changed_attributes(node: ast.ClassDef) -> frozenset[str]:
    """Attributes that methods other than the constructor and `build` assign: they have no fixed value."""
    found = set()
    for method in node.body:
        if isinstance(method, FunctionNode) and method.name not in _CONSTRUCTORS and method.args.args:
            found |= _assigned_attributes(method, method.args.args[0].arg)
    return frozenset(found)


def _assigned_attributes(method: FunctionNode, owner: str) -> set[str]:
    return {
        child.attr
        for child in ast.walk(method)
        if isinstance(child, ast.Attribute)
        and isinstance(child.ctx, ast.Store)
        and isinstance(child.value, ast.Name)
        and child.value.id == owner
    }


@functools.lru_cache(maxsize=2048)
def changed_parameters(node: FunctionNode) -> frozenset[str]:
    """Parameters whose lists or dicts the body changes in place."""
    found = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute) and child.func.attr in _MUTATORS:
            found.add(_name(child.func.value))
        if isinstance(child, ast.Subscript) and isinstance(child.ctx, ast.Store):
            found.add(_name(child.value))
    names = {arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    return frozenset(found & names)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def shared_names(module: Module) -> frozenset[str]:
    """Module variables that some function assigns through `global`."""
    return frozenset(name for node in ast.walk(module.tree) if isinstance(node, ast.Global) for name in node.names)
