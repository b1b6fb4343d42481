"""What code changes behind the evaluator's back: attributes, globals and lists handed to functions."""

from __future__ import annotations

import ast
import functools
import re

from migrator.facts.modules import FunctionNode, Module
from migrator.facts.roots import attributes_of_self
from migrator.facts.survey import survey

MUTATORS = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "add", "sort"})
_CONSTRUCTORS = frozenset({"__init__", "build"})


def changed_attributes(node: ast.ClassDef) -> frozenset[str]:
    """Attributes that methods other than the constructor and `build` assign: they have no fixed value."""
    found = set()
    constructing = constructing_methods(node)
    for method in node.body:
        if isinstance(method, FunctionNode) and method.name not in constructing and method.args.args:
            found |= _assigned_attributes(method, method.args.args[0].arg)
    return frozenset(found)


@functools.lru_cache(maxsize=2048)
def constructing_methods(node: ast.ClassDef) -> frozenset[str]:
    """The constructor, `build`, and methods by whose name one sees that these call them, where no other does."""
    methods = {m.name: m for m in node.body if isinstance(m, FunctionNode)}
    called = {name: attributes_of_self(method) for name, method in methods.items()}
    found = set(_CONSTRUCTORS)
    while True:
        users = {name: {other for other, names in called.items() if name in names} for name in methods}
        more = {n for n, by in users.items() if n not in found and by and by <= found and _MAKING.match(n)}
        if not more:
            return frozenset(found)
        found |= more


_MAKING = re.compile(r"_*(build|make|create|init|set_?up|add|define)")


def _assigned_attributes(method: FunctionNode, owner: str) -> set[str]:
    stores = (node for node in survey(method).attributes if isinstance(node.ctx, ast.Store))
    return {node.attr for node in stores if _name(node.value) == owner}


@functools.lru_cache(maxsize=2048)
def changed_parameters(node: FunctionNode) -> frozenset[str]:
    """Parameters whose lists or dicts the body changes in place."""
    below = survey(node)
    methods = (call.func for call in below.calls if isinstance(call.func, ast.Attribute))
    found = {_name(func.value) for func in methods if func.attr in MUTATORS}
    found |= {_name(item.value) for item in below.subscripts if isinstance(item.ctx, ast.Store)}
    names = {arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    return frozenset(found & names)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def shared_names(module: Module) -> frozenset[str]:
    """Module variables that some function assigns through `global`; one that it only names there is as before."""
    named = {name for node in survey(module.tree).globals for name in node.names}
    return frozenset(named & _bound_in_functions(module.tree)) if named else frozenset()


def _bound_in_functions(tree: ast.Module) -> set[str]:
    """Every name that anything inside of a function binds."""
    found: set[str] = set()
    for function in (node for node in ast.walk(tree) if isinstance(node, FunctionNode)):
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, FunctionNode | ast.ClassDef) and node is not function:
                found.add(node.name)
            elif isinstance(node, ast.alias):
                found.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
                found.add(node.name or "")
    return found
