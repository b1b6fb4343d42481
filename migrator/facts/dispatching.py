"""What a call expression calls, and what comes of it."""

from __future__ import annotations

import ast

from migrator.facts import apply, calls, classes, functions, libraries, methods, supers, tensorflow
from migrator.facts.calls import Arguments, Where
from migrator.facts.interpreter import UNKNOWN, Frame, Interpreter
from migrator.facts.join import join_all
from migrator.values import (
    Api,
    Choice,
    External,
    Instance,
    ModelValue,
    RepoClass,
    RepoFunction,
    RepoInstance,
    Value,
)


def call(it: Interpreter, node: ast.Call, frame: Frame) -> Value:
    """The value of a call expression."""
    if supers.is_super(node):
        return supers.value(it, node, frame)
    where = Where(frame, it.span(frame.module, node))
    if isinstance(node.func, ast.Attribute):
        base = it.value(node.func.value, frame)
        args = calls.arguments(it, node, frame)
        found = methods.method(it, base, node.func, args, where)
        if frame.record:
            it.note(frame.module, node.func, found.callee)
        return found.result if found.result is not None else dispatch(it, found.callee, args, where)
    callee = it.value(node.func, frame)
    return dispatch(it, callee, calls.arguments(it, node, frame), where)


def dispatch(it: Interpreter, callee: Value, args: Arguments, where: Where) -> Value:
    """Call a value."""
    if isinstance(callee, Api):
        return tensorflow.call_api(it, callee.name, args, where)
    if isinstance(callee, RepoFunction):
        return functions.invoke(it, callee, args, where)
    if isinstance(callee, RepoClass):
        return classes.construct(it, callee.qualname, args, where)
    if isinstance(callee, Choice):
        return join_all(dispatch(it, option, args, where) for option in callee.options)
    if isinstance(callee, Instance | ModelValue | RepoInstance):
        return apply.apply(it, callee, args, where)
    if isinstance(callee, External):
        return libraries.call_external(it, callee.name, args, where)
    return UNKNOWN
