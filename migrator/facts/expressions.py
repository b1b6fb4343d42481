"""Expressions: one small function per node type, each leaving the value of its node."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from migrator.facts import (
    arithmetic,
    attributes,
    calls,
    comprehensions,
    dispatching,
    one_version,
    settled,
    subscripts,
)
from migrator.facts.interpreter import MAX_STEPS, UNKNOWN, Frame, Interpreter
from migrator.facts.join import join, join_all
from migrator.values import Dict, Literal, Scalar, Sequence, Unknown, Value


def evaluate(it: Interpreter, node: ast.expr, frame: Frame) -> Value:
    """The abstract value of an expression; it is left on the node when the frame records."""
    it.steps += 1
    handler = _EXPRESSIONS.get(type(node))
    result = UNKNOWN if handler is None or it.steps > MAX_STEPS else handler(it, node, frame)
    if frame.record:
        it.note(frame.module, node, result)
    return result


def _constant(it: Interpreter, node: ast.Constant, frame: Frame) -> Value:
    return Literal(node.value)


def _name(it: Interpreter, node: ast.Name, frame: Frame) -> Value:
    return it.lookup(node.id, frame)


def _attribute(it: Interpreter, node: ast.Attribute, frame: Frame) -> Value:
    return attributes.attribute(it, evaluate(it, node.value, frame), node.attr, frame)


def _call(it: Interpreter, node: ast.Call, frame: Frame) -> Value:
    found = dispatching.call(it, node, frame)
    return one_version.decided(it, node, frame) or found if one_version.may_test(node) else found


def _items(it: Interpreter, elements: list[ast.expr], frame: Frame, kind: str) -> Value:
    items: list[Value] = []
    open_ = False
    for element in elements:
        if isinstance(element, ast.Starred):
            inner = evaluate(it, element.value, frame)
            if frame.record:
                it.note(frame.module, element, inner)
            known = inner.items if isinstance(inner, Sequence) and inner.sym is None else None
            open_ = open_ or known is None
            items.extend(known if known is not None else [arithmetic.element(inner)])
        else:
            items.append(evaluate(it, element, frame))
    return Sequence(kind, None if open_ else tuple(items), join_all(items))


def _tuple(it: Interpreter, node: ast.Tuple, frame: Frame) -> Value:
    return _items(it, node.elts, frame, "tuple")


def _list(it: Interpreter, node: ast.List, frame: Frame) -> Value:
    return _items(it, node.elts, frame, "list")


def _set(it: Interpreter, node: ast.Set, frame: Frame) -> Value:
    return _items(it, node.elts, frame, "set")


def _dict(it: Interpreter, node: ast.Dict, frame: Frame) -> Value:
    items: dict[object, Value] = {}
    literal = True
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = evaluate(it, value_node, frame)
        if key_node is None:
            if isinstance(value, Dict) and value.items is not None:
                items.update(value.items)
            else:
                literal = False
            continue
        key = evaluate(it, key_node, frame)
        if isinstance(key, Literal):
            items[key.value] = value
        else:
            literal = False
    return Dict(tuple(items.items()) if literal else None)


def _binary(it: Interpreter, node: ast.BinOp, frame: Frame) -> Value:
    left, right = evaluate(it, node.left, frame), evaluate(it, node.right, frame)
    return arithmetic.binary(node.op, left, right)


def _unary(it: Interpreter, node: ast.UnaryOp, frame: Frame) -> Value:
    return arithmetic.unary(node.op, evaluate(it, node.operand, frame))


def _boolean(it: Interpreter, node: ast.BoolOp, frame: Frame) -> Value:
    values = [evaluate(it, value, frame) for value in node.values]
    stop = isinstance(node.op, ast.Or)
    for position, value in enumerate(values):
        truth = arithmetic.truth(value)
        if truth is None:
            rest = values[position:]
            kinds = {arithmetic.truth(v) is None and isinstance(v, Scalar) and v.type == "bool" for v in rest}
            return Scalar("bool") if kinds == {True} else join_all(rest)
        if truth is stop:
            return value
    return values[-1]


def _compare(it: Interpreter, node: ast.Compare, frame: Frame) -> Value:
    left = evaluate(it, node.left, frame)
    result: Value = Literal(True)
    for operator, right_node in zip(node.ops, node.comparators, strict=True):
        right = evaluate(it, right_node, frame)
        outcome = arithmetic.compare(operator, left, right)
        if len(node.ops) == 1:
            return one_version.decided(it, node, frame) or outcome
        if arithmetic.truth(outcome) is False:
            result = Literal(False)
        elif arithmetic.truth(outcome) is None and result == Literal(True):
            result = Scalar("bool")
        left = right
    return result


def _if_expression(it: Interpreter, node: ast.IfExp, frame: Frame) -> Value:
    truth = arithmetic.truth(evaluate(it, node.test, frame))
    if not frame.record and truth is not None:
        return evaluate(it, node.body if truth else node.orelse, frame)
    body, orelse = evaluate(it, node.body, frame), evaluate(it, node.orelse, frame)
    return join(body, orelse) if truth is None else body if truth else orelse


def _subscript(it: Interpreter, node: ast.Subscript, frame: Frame) -> Value:
    base = evaluate(it, node.value, frame)
    found = subscripts.subscript(base, subscripts.index(it, node.slice, frame))
    return settled.spelled(found, node, lambda name: it.stands(name, frame))


def _slice(it: Interpreter, node: ast.Slice, frame: Frame) -> Value:
    for part in (node.lower, node.upper, node.step):
        if part is not None:
            evaluate(it, part, frame)
    return UNKNOWN


def _joined(it: Interpreter, node: ast.JoinedStr, frame: Frame) -> Value:
    parts: list[str] | None = []
    for piece in node.values:
        value = _fstring_part(it, piece, frame)
        parts = None if parts is None or value is None else [*parts, value]
    return Scalar("str") if parts is None else Literal("".join(parts))


def _fstring_part(it: Interpreter, piece: ast.expr, frame: Frame) -> str | None:
    if isinstance(piece, ast.Constant):
        return str(piece.value)
    if not isinstance(piece, ast.FormattedValue):
        return None
    value = evaluate(it, piece.value, frame)
    if piece.format_spec is not None:
        evaluate(it, piece.format_spec, frame)
        return None
    return format(value.value) if isinstance(value, Literal) and piece.conversion == -1 else None


def _lambda(it: Interpreter, node: ast.Lambda, frame: Frame) -> Value:
    return calls.closure(it, node, frame)


def _comprehension(it: Interpreter, node: Any, frame: Frame) -> Value:
    return comprehensions.value(it, node, frame)


def _named(it: Interpreter, node: ast.NamedExpr, frame: Frame) -> Value:
    value = evaluate(it, node.value, frame)
    it.bind(node.target.id, value, frame)
    return value


def _starred(it: Interpreter, node: ast.Starred, frame: Frame) -> Value:
    return evaluate(it, node.value, frame)


def _await(it: Interpreter, node: Any, frame: Frame) -> Value:
    if node.value is not None:
        evaluate(it, node.value, frame)
    return Unknown("a generator or coroutine")


def _yield(it: Interpreter, node: ast.Yield, frame: Frame) -> Value:
    value = evaluate(it, node.value, frame) if node.value is not None else Literal(None)
    frame.returns.append(Sequence("generator", None, value))
    return UNKNOWN


_EXPRESSIONS: dict[type, Callable[[Interpreter, Any, Frame], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _if_expression,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.JoinedStr: _joined,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.NamedExpr: _named,
    ast.Starred: _starred,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _await,
}
