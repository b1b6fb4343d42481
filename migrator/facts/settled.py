"""Variables of a script that may stand for sizes which only its data say: `X_train.shape[1]`, `len(columns)`.

A name stands for itself until it is bound again; what is made of it before holds then no longer what the name says.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from migrator.facts import dims
from migrator.facts.modules import FunctionNode
from migrator.facts.mutation import MUTATORS
from migrator.facts.roots import stores
from migrator.facts.survey import survey
from migrator.values import Dim, Scalar, Sequence, ShapeOf, Sym, Tensor, Unknown, Value


@functools.lru_cache(maxsize=512)
def bindings(tree: ast.Module) -> Mapping[str, tuple[int, ...]]:
    """The lines that bind each variable of a file."""
    found: dict[str, list[int]] = {}
    for store, _ in stores(tree.body, False):
        if isinstance(store, ast.Name):
            found.setdefault(store.id, []).append(store.lineno)
    return {name: tuple(sorted(lines)) for name, lines in found.items()}


@functools.lru_cache(maxsize=512)
def changes(tree: ast.Module) -> Mapping[str, tuple[int, ...]]:
    """The lines that change what each variable of a file holds in place, as far as that shows."""
    found: dict[str, list[int]] = {}
    for node in _walk(tree.body):
        for name in _changed(node):
            found.setdefault(name, []).append(node.lineno)
    return {name: tuple(lines) for name, lines in found.items()}


def named(value: Value, name: str) -> Value:
    """The value of a variable that stands for itself, where no other expression says its sizes."""
    if isinstance(value, Unknown):
        return Unknown(value.reason, Sym(name))
    if isinstance(value, Scalar) and value.type in ("int", None):
        return Scalar(value.type, Sym(name), value.default)
    if isinstance(value, ShapeOf) and value.dims is None and not value.dynamic:
        return replace(value, last=Sym(f"{name}[-1]"))
    if isinstance(value, Tensor) and value.origin == "numpy":
        return _array(value, name)
    return value


def _array(value: Tensor, name: str) -> Tensor:
    """An array whose last axis has no size yet; the first is that of its rows."""
    if value.shape is None:
        return value if value.last is not None else replace(value, last=Sym(f"{name}.shape[-1]"))
    if len(value.shape) < 2 or value.shape[-1] is not None:
        return value
    return replace(value, shape=(*value.shape[:-1], Sym(f"{name}.shape[{len(value.shape) - 1}]")))


def spelled(value: Value, node: ast.expr, stands: Callable[[str], bool]) -> Value:
    """A size that an expression reads off a variable, `X.shape[1]`, `len(X)` or `X.shape[1:]`, as that text.

    `stands`: whether a name stands for itself there.
    """
    name = _read(node) if isinstance(value, Scalar | Unknown | ShapeOf) else None
    if name is None or not stands(name):
        return value
    if value == Scalar("int"):
        return Scalar("int", Sym(ast.unparse(node)))
    if not _is_slice(node) or not isinstance(value, ShapeOf | Unknown) or getattr(value, "dims", None) is not None:
        return value
    return ShapeOf(None, last=Sym(f"{name}.shape[-1]"))


def _read(node: ast.expr) -> str | None:
    """The variable of which an expression reads a size."""
    if isinstance(node, ast.Call):
        called = isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1
        given = node.args[0] if called and not node.keywords else None
    else:
        shape = node.value if isinstance(node, ast.Subscript) else None
        part = isinstance(node, ast.Subscript) and (_is_number(node.slice) or _is_slice(node))
        given = shape.value if isinstance(shape, ast.Attribute) and shape.attr == "shape" and part else None
    return given.id if isinstance(given, ast.Name) else None


def _is_number(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(inner, ast.Constant) and type(inner.value) is int


def _is_slice(node: ast.expr) -> bool:
    """Whether an expression is `….shape[1:]`, all but the rows."""
    part = node.slice if isinstance(node, ast.Subscript) else None
    if not isinstance(part, ast.Slice) or part.upper is not None or part.step is not None:
        return False
    return isinstance(part.lower, ast.Constant) and part.lower.value == 1


def visible(value: Value, hidden: Collection[str] | None) -> Value:
    """A value of a script as one of its functions or another file sees it.

    `hidden`: names that mean something else there; None for all.
    """

    def seen(dim: Dim) -> Dim:
        return None if isinstance(dim, Sym) and _is_hidden(dim, hidden) else dim

    if isinstance(value, Unknown) and value.sym is not None:
        return value if seen(value.sym) is not None else Unknown(value.reason)
    if isinstance(value, Scalar) and value.sym is not None:
        return value if seen(value.sym) is not None else replace(value, sym=None)
    if isinstance(value, Tensor):
        shape = None if value.shape is None else tuple(map(seen, value.shape))
        return replace(value, shape=shape, last=seen(value.last))
    if isinstance(value, ShapeOf):
        return replace(value, dims=None if value.dims is None else tuple(map(seen, value.dims)), last=seen(value.last))
    if isinstance(value, Sequence) and value.items is not None:
        items = tuple(visible(item, hidden) for item in value.items)
        return replace(value, items=items, element=visible(value.element, hidden))
    return value


def _is_hidden(sym: Sym, hidden: Collection[str] | None) -> bool:
    return hidden is None or not dims.names(sym).isdisjoint(hidden)


@functools.lru_cache(maxsize=2048)
def bound_inside(node: ast.AST) -> frozenset[str]:
    """All names that a function or class binds anywhere inside."""
    below = survey(node)
    stored = {name.id for name in below.names if not isinstance(name.ctx, ast.Load)}
    return frozenset(stored | {arg.arg for arg in below.args})


def known_at(size: Sym, line: int, tree: ast.Module, bound: Mapping[str, int]) -> bool:
    """Whether a size is already what it is now where a line of a script makes something of it.

    `bound`: the lines that have bound the variables of the script last.
    """
    mine = dims.names(size) & bindings(tree).keys()
    return all(bound.get(name, line) < line and not _changes_behind(name, line, tree) for name in mine)


def _changes_behind(name: str, line: int, tree: ast.Module) -> bool:
    """Whether what a variable holds at a line is changed in place later, before it is bound again."""
    end = min((other for other in bindings(tree)[name] if other > line), default=None)
    return any(other > line and (end is None or other < end) for other in changes(tree).get(name, ()))


def _walk(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a file outside of its functions and classes."""
    for node in body:
        yield node
        if not isinstance(node, FunctionNode | ast.ClassDef):
            for name in ("body", "orelse", "finalbody"):
                yield from _walk(getattr(node, name, []))
            for handler in getattr(node, "handlers", ()):
                yield from _walk(handler.body)


def _changed(node: ast.stmt) -> Iterator[str]:
    """The variables whose contents a statement changes in place, as far as that shows."""
    targets = [*getattr(node, "targets", ()), *filter(None, [getattr(node, "target", None)])]
    for target in targets:
        if isinstance(target, ast.Subscript | ast.Attribute) and isinstance(target.value, ast.Name):
            yield target.value.id
    call = node.value if isinstance(node, ast.Expr | ast.Assign) else None
    func = call.func if isinstance(call, ast.Call) else None
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.attr in _CHANGING:
        yield func.value.id


_CHANGING = MUTATORS | {"drop", "dropna", "rename", "resize"}
