"""Comprehensions: item by item where all are known, once with an open element otherwise."""

from __future__ import annotations

import ast
from dataclasses import replace

from migrator.facts import arithmetic, dims, loops, targets
from migrator.facts.interpreter import Frame, Interpreter
from migrator.facts.join import join_all, sym_of
from migrator.values import (
    Dict,
    Instance,
    Literal,
    ModelValue,
    RepoInstance,
    Scalar,
    Sequence,
    Unknown,
    Value,
)

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
_KINDS: dict[type, str] = {ast.ListComp: "list", ast.SetComp: "set", ast.GeneratorExp: "list"}


def value(it: Interpreter, node: Comprehension, frame: Frame) -> Value:
    """The sequence or dict that a comprehension makes."""
    inner = Frame(
        frame.module,
        frame.scope,
        {},
        outer=frame,
        record=frame.record,
        stable=frame.stable,
        depth=frame.depth,
        owner=frame.owner,
        naming=frame.naming,
        names=frame.names,
        loops=frame.loops,
    )
    iterables = [it.value(node.generators[0].iter, inner)]
    known = loops.known_items(iterables[0])
    single = len(node.generators) == 1 and not node.generators[0].ifs
    if known is not None and single and len(known) <= loops.MAX_UNROLL and not frame.naming:
        return _made(node, [_round(it, node, inner, item) for item in known])
    rounds = _open_round(it, node, inner)
    if known is not None and single and len(known) <= loops.MAX_UNROLL:
        made = _precise(it, node, inner, known)
        return replace(made, element=rounds) if isinstance(made, Sequence) and _is_module(rounds) else made
    if isinstance(node, ast.DictComp):
        return Dict(None, _outside(rounds, node))
    return Sequence(_KINDS[type(node)], None, rounds if _is_module(rounds) else _outside(rounds, node))


def _is_module(value: Value) -> bool:
    return isinstance(value, Instance | RepoInstance | ModelValue)


def _outside(value: Value, node: Comprehension) -> Value:
    """A value without the comprehension's own variables, which mean nothing behind it."""
    targets_ = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
    sym = sym_of(value)
    if sym is None or not dims.names(sym) & targets_:
        return value
    return Scalar(value.type) if isinstance(value, Scalar) else Unknown()


def _precise(it: Interpreter, node: Comprehension, inner: Frame, known: tuple[Value, ...]) -> Value:
    """All items are known: the values behind the comprehension are those of each round."""
    record, naming = inner.record, inner.naming
    inner.record = inner.naming = False
    made = _made(node, [_round(it, node, inner, item) for item in known])
    inner.record, inner.naming = record, naming
    return made


def _round(it: Interpreter, node: Comprehension, inner: Frame, item: Value) -> tuple[Value, Value]:
    targets.assign(it, node.generators[0].target, item, inner)
    return _element(it, node, inner)


def _element(it: Interpreter, node: Comprehension, inner: Frame) -> tuple[Value, Value]:
    if isinstance(node, ast.DictComp):
        key = it.value(node.key, inner)
        return key, it.value(node.value, inner)
    found = it.value(node.elt, inner)
    return found, found


def _open_round(it: Interpreter, node: Comprehension, inner: Frame) -> Value:
    for generator in node.generators:
        iterable = it.value(generator.iter, inner)
        item = loops.loop_variable(arithmetic.element(iterable), generator.target, inner)
        targets.assign(it, generator.target, item, inner)
        for test in generator.ifs:
            it.value(test, inner)
    return _element(it, node, inner)[1]


def _made(node: Comprehension, rounds: list[tuple[Value, Value]]) -> Value:
    if not isinstance(node, ast.DictComp):
        items = tuple(item for _, item in rounds)
        return Sequence(_KINDS[type(node)], items, join_all(items))
    pairs = {key.value: item for key, item in rounds if isinstance(key, Literal)}
    return Dict(tuple(pairs.items()) if len(pairs) == len(rounds) else None)
