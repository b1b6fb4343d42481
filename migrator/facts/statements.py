"""Statements: each returns True when control does not go on behind it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from migrator.facts import (
    arithmetic,
    attributes,
    calls,
    classes,
    loops,
    names,
    refinement,
    summaries_to,
    targets,
    untaken,
)
from migrator.facts.interpreter import UNKNOWN, Frame, Interpreter
from migrator.facts.join import join
from migrator.facts.modules import FunctionNode
from migrator.values import Instance, Literal, RepoFunction, Scalar, Unknown, Value


def execute(it: Interpreter, body: list[ast.stmt], frame: Frame) -> bool:
    """Run statements in order; code behind a return is still walked where the frame records."""
    finished = False
    found: list[tuple[int, dict[str, Value]]] = []
    for i, node in enumerate(body):
        if finished and not frame.record:
            return True
        handler = _STATEMENTS.get(type(node))
        if handler is not None:
            finished = handler(it, node, frame) or finished
        found += [(i + 1, env) for env in frame.untaken]
        frame.untaken = []
    frame.untaken = untaken.walked(it, body, found, frame)
    return finished


def _expression(it: Interpreter, node: ast.Expr, frame: Frame) -> bool:
    it.value(node.value, frame)
    return False


def _assign(it: Interpreter, node: ast.Assign, frame: Frame) -> bool:
    value = it.value(node.value, frame)
    for target in node.targets:
        targets.assign(it, target, value, frame)
    return False


def _annotated(it: Interpreter, node: ast.AnnAssign, frame: Frame) -> bool:
    if frame.record:
        it.value(node.annotation, frame)
    if node.value is not None:
        targets.assign(it, node.target, it.value(node.value, frame), frame)
    return False


def _augmented(it: Interpreter, node: ast.AugAssign, frame: Frame) -> bool:
    load = ast.copy_location(_as_load(node.target), node.target)
    value = arithmetic.binary(node.op, it.value(load, frame), it.value(node.value, frame))
    targets.assign(it, node.target, value, frame)
    return False


def _as_load(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    assert isinstance(target, ast.Subscript)
    return ast.Subscript(target.value, target.slice, ast.Load())


def _return(it: Interpreter, node: ast.Return, frame: Frame) -> bool:
    frame.returns.append(it.value(node.value, frame) if node.value is not None else Literal(None))
    return True


def _raise(it: Interpreter, node: ast.Raise, frame: Frame) -> bool:
    for part in (node.exc, node.cause):
        if part is not None:
            it.value(part, frame)
    return True


def _jump(it: Interpreter, node: ast.stmt, frame: Frame) -> bool:
    frame.exits.append(dict(frame.env))
    return True


def _if(it: Interpreter, node: ast.If, frame: Frame) -> bool:
    truth = arithmetic.truth(it.value(node.test, frame))
    if _is_main_guard(node.test):
        it.run(node.body, frame)
        return False
    if truth is not None and not frame.record:
        return it.run(node.body if truth else node.orelse, frame)
    before = dict(frame.env)
    body_ended = it.run(node.body, frame)
    after_body, frame.env = frame.env, dict(before)
    equal = refinement.when_false(it, node.test, frame)
    frame.env.update(equal)
    orelse_ended = it.run(node.orelse, frame)
    refinement.forget(frame.env, after_body, equal, before)
    if truth is not None:
        other, other_ended = (frame.env, orelse_ended) if truth else (after_body, body_ended)
        if truth:
            frame.env = after_body
        if not other_ended and untaken.modules(other, frame.env):
            frame.untaken.append(other)
        return body_ended if truth else orelse_ended
    merge(it, frame, [(after_body, body_ended), (frame.env, orelse_ended)])
    return body_ended and orelse_ended


def branch(it: Interpreter, bodies: list[list[ast.stmt]], frame: Frame) -> bool:
    """Run each body from the present state and join; True when all of them end."""
    before = frame.env
    results = []
    for body in bodies:
        frame.env = dict(before)
        ended = it.run(body, frame)
        results.append((frame.env, ended))
    merge(it, frame, results)
    return all(ended for _, ended in results)


def merge(it: Interpreter, frame: Frame, branches: list[tuple[dict[str, Value], bool]]) -> None:
    """Join the environments of the ways that go on."""
    live = [env for env, ended in branches if not ended] or [env for env, _ in branches]
    if len(live) == 1:
        frame.env = live[0]
        return
    merged = dict(live[0])
    for env in live[1:]:
        for name, value in env.items():
            if name not in merged:
                merged[name] = value
            elif merged[name] is not value:
                merged[name] = join(merged[name], value)
    frame.env = merged


def _is_main_guard(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and isinstance(test.ops[0], ast.Eq)
    )


def _for(it: Interpreter, node: ast.For, frame: Frame) -> bool:
    return loops.for_loop(it, node, frame)


def _while(it: Interpreter, node: ast.While, frame: Frame) -> bool:
    return loops.while_loop(it, node, frame)


def _with(it: Interpreter, node: ast.With, frame: Frame) -> bool:
    outside = list(frame.writers)
    for item in node.items:
        value = it.value(item.context_expr, frame)
        summaries_to.enter(item.context_expr, value, frame)
        if item.optional_vars is not None:
            entered = value if isinstance(value, Instance) and value.api != summaries_to.SCOPED else UNKNOWN
            targets.assign(it, item.optional_vars, entered, frame)
    ended = it.run(node.body, frame)
    frame.writers = outside
    return ended


def _try(it: Interpreter, node: ast.Try, frame: Frame) -> bool:
    before = dict(frame.env)
    ended = it.run([*node.body, *node.orelse], frame)
    results = [(frame.env, ended)]
    for handler in node.handlers:
        frame.env = dict(before)
        if handler.type is not None:
            it.value(handler.type, frame)
        if handler.name:
            frame.env[handler.name] = Unknown("an exception")
        results.append((frame.env, it.run(handler.body, frame)))
        results[-1] = (frame.env, results[-1][1])
    _merge_try(it, node, frame, results)
    final_ended = it.run(node.finalbody, frame)
    return final_ended or all(ended for _, ended in results)


def _merge_try(it: Interpreter, node: ast.Try, frame: Frame, results: list[tuple[dict[str, Value], bool]]) -> None:
    """`try: import a except ImportError: a = None` leaves `a`: what failed is not used."""
    merged, ended = results[0]
    for env, handler_ended in results[1:]:
        if handler_ended:
            continue
        for name, value in env.items():
            if name not in merged or (ended and name not in merged):
                merged[name] = value
            elif merged[name] != value:
                keep = value in (Literal(None), Literal(False)) and not isinstance(merged[name], Literal | Scalar)
                merged[name] = merged[name] if keep else join(merged[name], value)
    frame.env = merged


def _import(it: Interpreter, node: ast.Import, frame: Frame) -> bool:
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        it.bind(name, attributes.imported(it, alias.name if alias.asname else name), frame)
    return False


def _import_from(it: Interpreter, node: ast.ImportFrom, frame: Frame) -> bool:
    base = frame.module.absolute(node.level, node.module)
    for alias in node.names:
        if alias.name == "*":
            _star(it, base, frame)
        else:
            value = _member(it, base, alias.name)
            it.bind(alias.asname or alias.name, value, frame)
    return False


def _member(it: Interpreter, base: str, name: str) -> Value:
    if base in it.modules:
        return attributes.of_module(it, base, name)
    return attributes.imported(it, f"{base}.{name}" if base else name)


def _star(it: Interpreter, base: str, frame: Frame) -> None:
    source = it.frames.get(base)
    if names.is_tf_root(base):
        it.stars.setdefault(frame.module.name, []).append(base)
    elif source is not None:
        it.stars.setdefault(frame.module.name, []).extend(it.stars.get(base, []))
        for name in list(source.env):
            if not name.startswith("_"):
                it.bind(name, attributes.of_module(it, base, name), frame)


def _function(it: Interpreter, node: FunctionNode, frame: Frame) -> bool:
    if frame.record:
        for part in [*node.decorator_list, *_annotations(node)]:
            it.value(part, frame)
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            it.value(default, frame)
    if it.frames.get(frame.module.name) is frame:
        value: Value = RepoFunction(f"{frame.module.name}:{node.name}")
    else:
        value = calls.closure(it, node, frame)
        if frame.record:
            it.nested.append((node, frame, value))
    it.bind(node.name, value, frame)
    return False


def _annotations(node: FunctionNode) -> list[ast.expr]:
    spec = node.args
    args = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *filter(None, (spec.vararg, spec.kwarg))]
    found = [arg.annotation for arg in args if arg.annotation is not None]
    return [*found, node.returns] if node.returns is not None else found


def _class(it: Interpreter, node: ast.ClassDef, frame: Frame) -> bool:
    classes.define(it, node, frame)
    return False


def _other(it: Interpreter, node: Any, frame: Frame) -> bool:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            it.value(child, frame)
    return False


def _delete(it: Interpreter, node: ast.Delete, frame: Frame) -> bool:
    return False


def _global(it: Interpreter, node: ast.Global, frame: Frame) -> bool:
    frame.globals.update(node.names)
    return False


def _match(it: Interpreter, node: ast.Match, frame: Frame) -> bool:
    it.value(node.subject, frame)
    for case in node.cases:
        for found in ast.walk(case.pattern):
            name = getattr(found, "name", None)
            if isinstance(name, str):
                frame.env[name] = UNKNOWN
    return branch(it, [*(case.body for case in node.cases), []], frame)


_STATEMENTS: dict[type, Callable[[Interpreter, Any, Frame], bool]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Break: _jump,
    ast.Continue: _jump,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Assert: _other,
    ast.Delete: _delete,
    ast.Global: _global,
    ast.Nonlocal: _global,
    ast.Match: _match,
}
