"""What a failed test says: where `a != b` is false, two sizes are one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from migrator.facts.arithmetic import dim_of
from migrator.facts.interpreter import Frame, Interpreter
from migrator.values import Dim, Sym, Tensor, Value


def when_false(it: Interpreter, test: ast.expr, frame: Frame) -> dict[str, Value]:
    """Tensors of the frame, with the sizes replaced that the failed test shows to be equal to others."""
    recording, frame.record = frame.record, False
    pairs = list(_equal(it, test, frame))
    frame.record = recording
    changed: dict[str, Value] = {}
    for old, new in pairs:
        for name, value in frame.env.items():
            known = changed.get(name, value)
            if isinstance(known, Tensor) and known.shape is not None and old in known.shape:
                shape = tuple(new if dim == old else dim for dim in known.shape)
                changed[name] = replace(known, shape=shape)
    return changed


def forget(env: dict[str, Value], other: dict[str, Value], refined: dict[str, Value], before: dict[str, Value]) -> None:
    """Behind the branch, what neither way has assigned is what it was."""
    for name, value in refined.items():
        if env.get(name) is value and other.get(name) is before[name]:
            env[name] = before[name]


def _equal(it: Interpreter, test: ast.expr, frame: Frame) -> Iterator[tuple[Dim, Dim]]:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        for value in test.values:
            yield from _equal(it, value, frame)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.NotEq):
        left, right = dim_of(it.value(test.left, frame)), dim_of(it.value(test.comparators[0], frame))
        if left is not None and right is not None and left != right:
            if isinstance(left, Sym) and (not isinstance(right, Sym) or _rank(left) >= _rank(right)):
                yield left, right
            elif isinstance(right, Sym):
                yield right, left


def _rank(dim: Sym) -> int:
    """Reserved and carried names give way to what the source names."""
    return 1 if dim.text.startswith(("in_channels", "in_features", "channels")) else 0
