"""Loop-carried sizes: the last axis of a tensor that every round of a loop may change."""

from __future__ import annotations

import ast
from dataclasses import replace

from migrator.facts import dims
from migrator.facts.interpreter import Frame, Interpreter
from migrator.facts.join import join
from migrator.values import Carried, Dim, Span, Sym, Tensor, Value


def tensor(
    it: Interpreter, node: ast.stmt, name: str, before: Value, head: Tensor, after: Tensor, frame: Frame
) -> Value | None:
    """The tensor at the head of a loop, its last axis named; None where a plain join says it all."""
    joined = join(head, after)
    if not frame.naming or not isinstance(joined, Tensor) or head.channels == after.channels:
        return None
    if head.rank != after.rank:
        return None
    init = before.channels if isinstance(before, Tensor) else head.channels
    symbol = carry(it, frame, it.span(frame.module, node), name.removeprefix("@."), init, after.channels)
    return None if symbol is None else with_last(joined, symbol)


def carry(it: Interpreter, frame: Frame, loop: Span, variable: str, init: Dim, update: Dim) -> Sym | None:
    """Record that a loop carries a size on, and the symbol that holds it; None where it has no text."""
    init_text, update_text = dims.text(init), dims.text(update)
    if init_text is None or update_text is None:
        return None
    known = {entry.name for entry in it.carried.values()}
    here = it.carried.get((loop, variable))
    if here is not None and update_text == here.name:
        if here.at is not None and not here.init:
            it.carried[(loop, variable)] = replace(here, init=init_text)
        return Sym(here.name)
    if init_text in known:
        name = init_text
    elif update_text in known:
        name = update_text
    else:
        name = here.name if here is not None else fresh(known | frame.names)
    start = frame.loops[0] if frame.loops else loop
    it.carried[(loop, variable)] = Carried(variable, name, init_text, update_text, start, loop)
    return Sym(name)


def with_last(value: Tensor, last: Dim) -> Tensor:
    """The tensor with another last axis."""
    if not value.shape:
        return Tensor(None, value.dtype, value.origin, value.layout, last)
    return Tensor((*value.shape[:-1], last), value.dtype, value.origin, value.layout)


def fresh(taken: frozenset[str] | set[str]) -> str:
    """A free name for a size that a loop carries round."""
    name, count = "channels", 1
    while name in taken:
        count += 1
        name = f"channels_{count}"
    return name
