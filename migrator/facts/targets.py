"""Assignment to names, attributes, subscripts and tuples of these."""

from __future__ import annotations

import ast

from migrator.facts import arithmetic, moving, settled
from migrator.facts.interpreter import Frame, Interpreter
from migrator.facts.join import join, sym_of
from migrator.values import Dict, Literal, RepoInstance, Scalar, Sequence, ShapeOf, Sym, Tensor, Unknown, Value


def assign(it: Interpreter, target: ast.expr, value: Value, frame: Frame) -> None:
    """Bind `target` to a value."""
    if frame.record:
        it.note(frame.module, target, value)
    if isinstance(target, ast.Name):
        it.bind(target.id, _own_name(it, moving.rebound(it, target, value, frame), target, frame), frame)
    elif isinstance(target, ast.Tuple | ast.List):
        for element, item in zip(target.elts, unpacked(value, target.elts), strict=True):
            assign(it, element.value if isinstance(element, ast.Starred) else element, item, frame)
    elif isinstance(target, ast.Attribute):
        _attribute(it, target, value, frame)
    elif isinstance(target, ast.Subscript):
        _subscript(it, target, value, frame)


def update(it: Interpreter, target: ast.expr, value: Value, frame: Frame) -> None:
    """Rebind what a mutating method changed (`items.append(x)`), where it is a name, an attribute or in a dict."""
    if isinstance(target, ast.Name):
        owner = _owner(it, target.id, frame)
        if owner is not None:
            it.bind(target.id, value, owner)
    elif isinstance(target, ast.Attribute):
        _attribute(it, target, value, frame)
    elif isinstance(target, ast.Subscript):
        _subscript(it, target, value, frame)


def unpacked(value: Value, targets: list[ast.expr]) -> list[Value]:
    """One value for each target of a tuple assignment."""
    count = len(targets)
    star = next((i for i, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    items = _items(value, count)
    if star is not None:
        return _starred(value, items, star, count)
    return list(items) if items is not None and len(items) == count else [arithmetic.element(value)] * count


def _own_name(it: Interpreter, value: Value, target: ast.Name, frame: Frame) -> Value:
    """The value with the name as its own size, in a script until it is bound again."""
    if it.frames.get(frame.module.name) is not frame:
        return named(value, target.id, frame)
    it.rebind(target, frame)
    return settled.named(value, target.id)


def named(value: Value, name: str, frame: Frame) -> Value:
    """A local that never changes may itself stand for a size that has no other expression."""
    if name not in frame.stable:
        return value
    if isinstance(value, Unknown) and value.sym is None:
        return Unknown(value.reason, Sym(name))
    if isinstance(value, Scalar) and value.sym is None and value.type in ("int", None):
        return Scalar(value.type, Sym(name), value.default)
    return value


def _items(value: Value, count: int) -> tuple[Value, ...] | None:
    if isinstance(value, Sequence):
        sym = value.sym
        if sym is not None and isinstance(value.element, Scalar | Unknown | Literal):
            return tuple(_indexed(value.element, sym, position) for position in range(count))
        return value.items
    if isinstance(value, ShapeOf):
        return None if value.dims is None else tuple(map(arithmetic.of_dim, value.dims))
    if isinstance(value, Tensor) and value.shape and value.shape[0] in (count, None):
        return (arithmetic.element(value),) * count
    if isinstance(value, Literal) and isinstance(value.value, str):
        return tuple(map(Literal, value.value))
    return None


def _indexed(element: Value, sym: Sym, position: int) -> Value:
    text = Sym(f"{sym.text}[{position}]")
    if isinstance(element, Unknown):
        return Unknown(sym=text)
    kind = (
        element.type
        if isinstance(element, Scalar)
        else type(element.value).__name__
        if isinstance(element, Literal)
        else None
    )
    return Scalar(kind, text)


def _starred(value: Value, items: tuple[Value, ...] | None, star: int, count: int) -> list[Value]:
    inner = arithmetic.element(value)
    if items is None or len(items) < count - 1 or sym_of(value) is not None:
        return [Sequence("list", None, inner) if i == star else inner for i in range(count)]
    tail = count - star - 1
    middle = items[star : len(items) - tail]
    return [*items[:star], Sequence("list", middle, inner), *(items[len(items) - tail :] if tail else ())]


def _owner(it: Interpreter, name: str, frame: Frame) -> Frame | None:
    current: Frame | None = frame
    while current is not None:
        if name in current.env:
            return current
        current = current.outer
    module = it.frames.get(frame.module.name)
    return module if module is not None and name in module.env else None


def _attribute(it: Interpreter, target: ast.Attribute, value: Value, frame: Frame) -> None:
    base = it.value(target.value, frame)
    if not isinstance(base, RepoInstance):
        return
    text = f"{target.value.id}.{target.attr}" if isinstance(target.value, ast.Name) else None
    current: Frame | None = frame
    while current is not None:
        if current.this == base:
            known = text is not None and f"@.{target.attr}" in current.stable
            if known and isinstance(value, Unknown) and value.sym is None:
                value = Unknown(value.reason, Sym(text or ""))
            current.env[f"@.{target.attr}"] = value
            return
        current = current.outer
    it.touched.add(base)
    attrs = it.attrs.setdefault(base, {})
    attrs[target.attr] = join(attrs[target.attr], value) if target.attr in attrs else value


def _subscript(it: Interpreter, target: ast.Subscript, value: Value, frame: Frame) -> None:
    base = it.value(target.value, frame)
    key = it.value(target.slice, frame)
    if isinstance(base, Dict):
        items = dict(base.items or ())
        if base.items is None or not isinstance(key, Literal):
            update(it, target.value, Dict(None), frame)
        else:
            items[key.value] = value
            update(it, target.value, Dict(tuple(items.items())), frame)
    elif isinstance(base, Sequence):
        update(it, target.value, Sequence(base.kind, None, join(base.element, value)), frame)
