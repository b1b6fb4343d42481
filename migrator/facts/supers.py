"""`super()`: the parent class's methods on the running object."""

from __future__ import annotations

import ast

from migrator.facts import attributes
from migrator.facts.interpreter import UNKNOWN, Frame, Interpreter
from migrator.values import RepoClass, RepoFunction, Value


def is_super(node: ast.Call) -> bool:
    """Whether a call is `super().method(...)`."""
    func = node.func
    return (
        isinstance(func, ast.Attribute)
        and isinstance(func.value, ast.Call)
        and isinstance(func.value.func, ast.Name)
        and func.value.func.id == "super"
    )


def value(it: Interpreter, node: ast.Call, frame: Frame) -> Value:
    """The result of `super().method(...)`; Unknown where the parent is not of the repository."""
    from migrator.facts import calls, functions

    assert isinstance(node.func, ast.Attribute)
    for arg in getattr(node.func.value, "args", []):
        it.value(arg, frame)
    args = calls.arguments(it, node, frame)
    running: Frame | None = frame
    while running is not None and running.this is None:
        running = running.outer
    if running is None or running.this is None:
        return UNKNOWN
    for base in it.bases.get(running.owner, ()):
        if isinstance(base, RepoClass):
            method = attributes.of_class(it, base.qualname, node.func.attr, running.this)
            if isinstance(method, RepoFunction):
                where = calls.Where(frame, it.span(frame.module, node))
                return functions.invoke(it, method, args, where)
    return UNKNOWN
