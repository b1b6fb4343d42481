"""Loops: widened until they are stable, unrolled where all items are known."""

from __future__ import annotations

import ast
from dataclasses import replace

from migrator.facts import arithmetic, carried, moving, targets
from migrator.facts.interpreter import EVERYTHING, Frame, Interpreter
from migrator.facts.join import join, sym_of, type_name
from migrator.values import (
    Dataset,
    Literal,
    ModelValue,
    Repeated,
    Scalar,
    Sequence,
    Sym,
    Tensor,
    Unknown,
    Value,
)

MAX_UNROLL = 24


def for_loop(it: Interpreter, node: ast.For | ast.AsyncFor, frame: Frame) -> bool:
    """Run a for loop; True when nothing behind it is reached."""
    iterable = it.value(node.iter, frame)
    items = known_items(iterable)
    if not frame.naming:
        if items is not None and len(items) <= MAX_UNROLL:
            _unroll(it, node, items, frame)
        else:
            _widened(it, node, node.body, node.target, iterable, frame)
    else:
        _recorded(it, node, iterable, items, frame)
    it.run(node.orelse, frame)
    return False


def while_loop(it: Interpreter, node: ast.While, frame: Frame) -> bool:
    """Run a while loop; `while True` without a break never ends."""
    truth = arithmetic.truth(it.value(node.test, frame))
    if truth is False and not frame.record:
        it.run(node.orelse, frame)
        return False
    _widened(it, node, node.body, None, None, frame)
    if frame.record:
        it.value(node.test, frame)
    it.run(node.orelse, frame)
    return False


def known_items(iterable: Value) -> tuple[Value, ...] | None:
    """The items of an iterable whose length is certain."""
    if isinstance(iterable, Sequence) and iterable.sym is None:
        return iterable.items
    if isinstance(iterable, Dataset | Tensor):
        return None
    sequence = arithmetic.as_sequence(iterable)
    return sequence.items if sequence is not None and sequence.sym is None else None


def loop_variable(value: Value, target: ast.expr | None, frame: Frame) -> Value:
    """The loop target's value; a single name stands for its own size inside the loop."""
    if isinstance(target, ast.Name) and isinstance(value, Scalar | Unknown | Literal):
        return _own_name(value, target.id, frame)
    if not isinstance(target, ast.Tuple) or not isinstance(value, Sequence) or value.items is None:
        return value
    if len(value.items) == len(target.elts):
        items = tuple(
            loop_variable(item, element, frame) for item, element in zip(value.items, target.elts, strict=True)
        )
        return replace(value, items=items)
    return value


def _own_name(value: Value, name: str, frame: Frame) -> Value:
    sym = Sym(name) if frame.naming and f"for {name}" in frame.stable else None
    if not frame.naming and not isinstance(value, Literal):
        return value
    if isinstance(value, Literal):
        if not isinstance(value.value, int | float | str):
            return value
        return Scalar(type(value.value).__name__, sym)
    if isinstance(value, Unknown):
        return Unknown(value.reason, sym)
    return Scalar(value.type, sym) if isinstance(value, Scalar) else value


def _recorded(
    it: Interpreter, node: ast.For | ast.AsyncFor, iterable: Value, items: tuple[Value, ...] | None, frame: Frame
) -> None:
    before = dict(frame.env)
    unrolls = items is not None and len(items) <= MAX_UNROLL
    if items is not None and unrolls and _heterogeneous(items):
        _unroll(it, node, items, frame)
        return
    _widened(it, node, node.body, node.target, iterable, frame)
    if items is not None and unrolls and frame.record:
        _precise_end(it, node, items, before, frame)


def _precise_end(
    it: Interpreter, node: ast.For | ast.AsyncFor, items: tuple[Value, ...], before: dict[str, Value], frame: Frame
) -> None:
    """Unroll once more, silently, for what holds behind the loop."""
    widened, frame.env, frame.record, frame.naming = frame.env, before, False, False
    it.muted.append(EVERYTHING)  # the widened round has recorded all there is
    returns, exits = list(frame.returns), list(frame.exits)
    _unroll(it, node, items, frame)
    frame.returns, frame.exits = returns, exits
    it.muted.pop()
    frame.record = frame.naming = True
    for name, value in widened.items():
        if isinstance(value, ModelValue) and any(isinstance(part, Repeated) for part in value.parts):
            frame.env[name] = value  # layers behind the loop are made with what the loop carries on
        frame.env.setdefault(name, value)
        end = frame.env[name]
        if isinstance(value, Tensor) and isinstance(end, Tensor) and end.channels is None and end.rank == value.rank:
            frame.env[name] = carried.with_last(end, value.channels)  # the rounds do not agree, the loop has a name


def _one_site(items: tuple[Value, ...]) -> bool:
    """Whether a comprehension or loop has made all items, so that they differ in sizes at most."""
    sites = {(getattr(item, "module", ""), getattr(item, "site", None)) for item in items}
    return len(sites) == 1 and next(iter(sites))[1] is not None


def _heterogeneous(items: tuple[Value, ...]) -> bool:
    """Whether joining the items would lose what they are (a list of different layers)."""
    if len(items) < 2 or _one_site(items) or all(isinstance(item, Literal | Scalar | Tensor) for item in items):
        return False
    joined = items[0]
    for item in items[1:]:
        joined = join(joined, item)
    return (
        isinstance(joined, Unknown)
        or (
            isinstance(joined, Sequence)
            and joined.items is not None
            and any(isinstance(i, Unknown) for i in joined.items)
        )
        or any(_heterogeneous(column) for column in _columns(items))
        or (not isinstance(joined, Literal | Scalar | Tensor | Sequence | Unknown) and joined != items[0])
    )


def _columns(items: tuple[Value, ...]) -> list[tuple[Value, ...]]:
    """What items of the same length hold at each place: the layers of `zip(layers, skips)`."""
    rows = [item.items for item in items if isinstance(item, Sequence) and item.items is not None]
    same = len(rows) == len(items) and len({len(row) for row in rows}) == 1
    return list(zip(*rows, strict=True)) if same else []


def _unroll(it: Interpreter, node: ast.For | ast.AsyncFor, items: tuple[Value, ...], frame: Frame) -> None:
    outer_exits, frame.exits = frame.exits, []
    left = []
    for item in items:
        targets.assign(it, node.target, item, frame)
        ended = it.run(node.body, frame)
        if ended and not frame.exits:
            break
        jumped = frame.exits
        frame.exits = []
        if jumped:
            left.extend(jumped)
            _join_all(frame, jumped if ended else [frame.env, *jumped])
    frame.exits = outer_exits
    if left:
        _join_all(frame, [frame.env, *left])


def _widened(
    it: Interpreter,
    node: ast.stmt,
    body: list[ast.stmt],
    target: ast.expr | None,
    iterable: Value | None,
    frame: Frame,
) -> None:
    record, frame.record = frame.record, False
    before = dict(frame.env)
    returns = list(frame.returns)
    frame.loops.append(it.span(frame.module, node))
    frame.heads.append(frozenset(before))
    head = _head(it, node, body, target, iterable, frame, before)
    frame.record = record
    frame.returns = returns
    frame.env = dict(head)
    last = _last_item(iterable) if not frame.naming and target is not None else None
    if last is not None:
        iterable = Sequence("list", None, last)
    after = _once(it, body, target, iterable, frame)
    frame.loops.pop()
    frame.heads.pop()
    if last is not None:
        return
    frame.env = {**after, **head}  # behind the loop the head's state is in force: it joins any number of rounds


def _last_item(iterable: Value | None) -> Value | None:
    """The last item of a parameter of the running root: a loop over it is taken to run at least once."""
    if not isinstance(iterable, Sequence) or iterable.sym is None:
        return None
    element = iterable.element
    kind = element.type if isinstance(element, Scalar) else type_name(element)
    return Scalar(kind, Sym(f"{iterable.sym.text}[-1]")) if isinstance(element, Scalar | Literal) else None


def _head(
    it: Interpreter,
    node: ast.stmt,
    body: list[ast.stmt],
    target: ast.expr | None,
    iterable: Value | None,
    frame: Frame,
    before: dict[str, Value],
) -> dict[str, Value]:
    """The state at the head of the loop that any number of rounds leaves in force."""
    head = before
    for attempt in range(4):
        frame.env = dict(head)
        it.muted.append(EVERYTHING)
        after = _once(it, body, target, iterable, frame)
        it.muted.pop()
        changed = {n: after[n] for n, v in head.items() if n in after and after[n] is not v and after[n] != v}
        if not changed:
            break
        fresh = dict(head)
        for name, value in changed.items():
            fresh[name] = _widen(it, node, name, before[name], head[name], value, frame, attempt)
        if fresh == head:
            break
        head = fresh
    return head


def _once(
    it: Interpreter,
    body: list[ast.stmt],
    target: ast.expr | None,
    iterable: Value | None,
    frame: Frame,
) -> dict[str, Value]:
    """One round; the state at its end, joined with those of break and continue."""
    outer_exits, frame.exits = frame.exits, []
    if target is not None and iterable is not None:
        value = loop_variable(arithmetic.element(iterable), target, frame)
        targets.assign(it, target, value, frame)
    ended = it.run(body, frame)
    ways = frame.exits if ended and frame.exits else [frame.env, *frame.exits]
    frame.exits = outer_exits
    _join_all(frame, ways)
    return frame.env


def _join_all(frame: Frame, ways: list[dict[str, Value]]) -> None:
    merged = dict(ways[0])
    for env in ways[1:]:
        for name, value in env.items():
            merged[name] = join(merged[name], value) if name in merged and merged[name] != value else value
    frame.env = merged


def _widen(
    it: Interpreter,
    node: ast.stmt,
    name: str,
    before: Value,
    head: Value,
    after: Value,
    frame: Frame,
    attempt: int,
) -> Value:
    if isinstance(head, ModelValue) and isinstance(after, ModelValue):
        return repeated(head, after)
    if isinstance(head, Tensor) and isinstance(after, Tensor):
        found = carried.tensor(it, node, name, before, head, after, frame)
        if found is not None:
            return found
    if isinstance(head, Sequence) and isinstance(after, Sequence) and attempt > 0:
        return Sequence(head.kind, None, join(head.element, after.element) if head.items != () else after.element)
    if _is_number(head) and isinstance(after, Tensor):
        return after  # a sum that begins as a number: what is done with it takes both, or tensors alone
    if isinstance(head, Tensor) and _is_number(before) and isinstance(after, Tensor):
        return join(head, after)
    moved = moving.at_head(name, head, after, frame)
    if moved is not None:
        return moved
    if isinstance(head, Literal | Scalar) and isinstance(after, Literal | Scalar) and sym_of(after) is not None:
        joined = join(head, after)
        return Scalar(joined.type) if isinstance(joined, Scalar) and attempt > 0 else joined
    return join(head, after)


def _is_number(value: Value) -> bool:
    return type_name(value) in ("int", "float")


def repeated(head: ModelValue, after: ModelValue) -> Value:
    """A Sequential that every round adds the same layers to."""
    if head.site != after.site or after.parts[: len(head.parts)] != head.parts:
        return join(head, after)
    added = after.parts[len(head.parts) :]
    if not added:
        return head
    if head.parts and head.parts[-1] == Repeated(added):
        return head
    return replace(head, layers=None, parts=(*head.parts, Repeated(added)))
