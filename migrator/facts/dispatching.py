"""What a call expression calls, and what comes of it."""

from __future__ import annotations

import ast

from migrator.facts import (
    apply,
    calls,
    classes,
    functions,
    libraries,
    methods,
    mutation,
    settled,
    supers,
    targets,
    tensorflow,
)
from migrator.facts.calls import Arguments, Where
from migrator.facts.interpreter import UNKNOWN, Frame, Interpreter
from migrator.facts.join import join_all
from migrator.facts.modules import FunctionNode
from migrator.facts.shapes import arrays
from migrator.values import (
    Api,
    Choice,
    Dict,
    DType,
    External,
    Instance,
    LayerOutput,
    ModelValue,
    RepoClass,
    RepoFunction,
    RepoInstance,
    Sequence,
    Tensor,
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
    result = dispatch(it, callee, calls.arguments(it, node, frame), where)
    if isinstance(callee, RepoFunction):
        _forget_changed(it, callee, node, frame)
    return settled.spelled(result, node, lambda name: it.stands(name, frame)) if callee == _LEN else result


_LEN = External("len")


def _forget_changed(it: Interpreter, callee: RepoFunction, node: ast.Call, frame: Frame) -> None:
    """A list or dict that the callee changes in place is open from now on."""
    definition = it.definitions.get(callee.qualname)
    target = it.lambdas.get(callee.qualname) if definition is None else definition.node
    if not isinstance(target, FunctionNode):
        return
    changed = mutation.changed_parameters(target)
    names = [arg.arg for arg in target.args.args]
    pairs = [*zip(names, node.args, strict=False), *((k.arg or "", k.value) for k in node.keywords)]
    for name, given in pairs if changed else ():
        value = it.lookup(given.id, frame) if isinstance(given, ast.Name) else None
        if name in changed and isinstance(value, Sequence):
            targets.update(it, given, Sequence(value.kind, None), frame)
        elif name in changed and isinstance(value, Dict):
            targets.update(it, given, Dict(None), frame)


def dispatch(it: Interpreter, callee: Value, args: Arguments, where: Where) -> Value:
    """Call a value."""
    found = _dispatch(it, callee, args, where)
    changed = isinstance(found, LayerOutput) and not isinstance(callee, RepoFunction | RepoClass)
    return Tensor(found.shape, found.dtype, found.origin) if changed and isinstance(found, Tensor) else found


def _dispatch(it: Interpreter, callee: Value, args: Arguments, where: Where) -> Value:
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
    if isinstance(callee, DType) and callee.numpy and args.positional:
        return arrays.as_dtype(callee.name, args.positional[0])
    return UNKNOWN
