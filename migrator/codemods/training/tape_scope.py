"""Whether a function may run while a tape of its callers records."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find, holds
from migrator.codemods.training.scope import Holder
from migrator.codemods.training.tape_reading import tape_items

_STEPS = ("train_step", "test_step", "predict_step")  # which `fit` and its like call
_CALLED = ("call", "__call__", "forward")  # by the name of the object, not by theirs


def may_be_recorded(holder: Holder, ctx: Context) -> bool:
    """Whether code on a tape may call a function, directly or through others; also where nothing calls it."""
    if isinstance(holder, cst.Module) or holder.name.value in _STEPS:
        return False
    if holder.name.value in _CALLED:
        return True
    trees = {id(ctx.tree): ctx, **{id(other.tree): other for other in ctx.siblings.values()}}
    name = holder.name.value
    if sum(_mentions(each.tree, name) for each in trees.values()) == 0:
        return True
    return name in _reached([name for each in trees.values() for name in _on_tapes(each, holder)], trees.values())


def called_on_tape(holder: Holder, ctx: Context) -> bool:
    """Whether the file itself calls a function while a tape records."""
    if isinstance(holder, cst.Module):
        return False
    name = m.Name(holder.name.value)
    calls = find(ctx.tree, m.Call(func=name | m.Attribute(attr=name)))
    blocks = [b for b in find(ctx.tree, m.With()) if isinstance(b, cst.With) and tape_items(b, ctx)]
    return any(holds(block, call) for block in blocks for call in calls)


def _on_tapes(ctx: Context, holder: cst.FunctionDef) -> set[str]:
    """Names that the tapes of a file record, without those of one function's own tapes."""
    own = set(find(holder, m.With()))
    blocks = [b for b in find(ctx.tree, m.With()) if isinstance(b, cst.With) and b not in own]
    return {name for block in blocks if tape_items(block, ctx) for name in _names(block.body)}


def _reached(names: Iterable[str], files: Iterable[Context]) -> set[str]:
    """The names, and all that the functions and classes called so read."""
    bodies: dict[str, set[str]] = {}
    for ctx in files:
        for node in find(ctx.tree, m.FunctionDef() | m.ClassDef()):
            assert isinstance(node, cst.FunctionDef | cst.ClassDef)
            bodies.setdefault(node.name.value, set()).update(_names(node.body))
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= bodies.get(name, set()) - found
    return found


def _names(node: cst.CSTNode) -> set[str]:
    return {name.value for name in find(node, m.Name()) if isinstance(name, cst.Name)}


def _mentions(tree: cst.Module, name: str) -> int:
    """How often a file names something besides defining it."""
    named = [n for n in find(tree, m.Name(name)) if isinstance(n, cst.Name)]
    return len(named) - len(find(tree, m.FunctionDef(name=m.Name(name))))
