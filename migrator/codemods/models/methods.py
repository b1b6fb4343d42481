"""What the methods of a layer or model do to it, read before anything is rewritten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models.create import is_keras_layer
from migrator.codemods.models.weights import is_add_weight
from migrator.codemods.nodes import find
from migrator.values import Instance, ModelValue, RepoInstance, Span


def attributes(methods: Sequence[cst.FunctionDef], ctx: Context) -> tuple[set[str], set[str]]:
    """Attributes of `self` that hold the argument of their name, and those that hold something else."""
    saved: set[str] = set()
    other: set[str] = set()
    for node in (found for method in methods for found in find(method, m.Assign())):
        assert isinstance(node, cst.Assign)
        for target in node.targets:
            name = get_full_name_for_node(target.target) or ""
            if name.startswith("self."):
                (saved if ctx.code(node.value) == name[5:] else other).add(name[5:])
    return saved, other


def makers_of(methods: dict[str, cst.FunctionDef], ctx: Context) -> dict[str, cst.FunctionDef]:
    """Methods that `__init__` or `build` call to make layers and weights, as a statement and nowhere else."""
    found: dict[str, cst.FunctionDef] = {}
    calls = [c for method in methods.values() for c in find(method, m.Call(func=m.Attribute(value=m.Name("self"))))]
    names = [c.func.attr.value for c in calls if isinstance(c, cst.Call) and isinstance(c.func, cst.Attribute)]
    built = {name for first in ("__init__", "build") if first in methods for name in _told(methods[first])}
    for name in built - {"__init__", "build", "call"}:
        method = methods.get(name)
        if method is None or names.count(name) != 1 or method.decorators or find(method, m.Return(m.DoNotCare())):
            continue
        if any(isinstance(c, cst.Call) and _makes(c, ctx) for c in find(method, m.Call())):
            found[name] = method
    return found


def _told(method: cst.FunctionDef) -> set[str]:
    """Methods of `self` that are called as statements."""
    found = find(method, m.Expr(m.Call(func=m.Attribute(value=m.Name("self")))))
    calls = [s.value for s in found if isinstance(s, cst.Expr) and isinstance(s.value, cst.Call)]
    return {call.func.attr.value for call in calls if isinstance(call.func, cst.Attribute)}


def _makes(node: cst.Call, ctx: Context) -> bool:
    """Whether a call makes a weight or a layer."""
    value = ctx.value(node)
    layer = isinstance(value, Instance) and is_keras_layer(value.api)
    module = isinstance(value, RepoInstance) and value.kind in ("layer", "model")
    return layer or module or isinstance(value, ModelValue) or is_add_weight(node, ctx)


def assigned_often(methods: dict[str, cst.FunctionDef], makers: dict[str, cst.FunctionDef]) -> set[str]:
    """Attributes that `__init__`, `build` and what they call assign more than once."""
    counts: dict[str, int] = {}
    for method in constructing(methods, makers):
        for target in find(method, m.AssignTarget()):
            assert isinstance(target, cst.AssignTarget)
            text = get_full_name_for_node(target.target) or ""
            counts[text] = counts.get(text, 0) + 1
    return {name for name, count in counts.items() if count > 1 and name.startswith("self.")}


def set_once(node: cst.ClassDef) -> frozenset[str]:
    """Attributes of the object that one statement of its class alone sets."""
    targets = [t.target for t in find(node, m.AssignTarget()) if isinstance(t, cst.AssignTarget)]
    parts = [e.value for t in targets if isinstance(t, cst.Tuple | cst.List) for e in t.elements]
    changed = [
        t.target for t in find(node, m.AugAssign() | m.AnnAssign()) if isinstance(t, cst.AugAssign | cst.AnnAssign)
    ]
    names = [get_full_name_for_node(t) or "" for t in (*targets, *parts)]
    others = {get_full_name_for_node(t) or "" for t in (*parts, *changed)}
    return frozenset(n for n in names if n.startswith("self.") and names.count(n) == 1 and n not in others)


def constructing(methods: dict[str, cst.FunctionDef], makers: dict[str, cst.FunctionDef]) -> Iterable[cst.FunctionDef]:
    return [*(methods[name] for name in ("__init__", "build") if name in methods), *makers.values()]


def walked(methods: dict[str, cst.FunctionDef], ctx: Context) -> dict[str, list[Span]]:
    """The loops of every method over attributes of `self`."""
    found: dict[str, list[Span]] = {}
    for loop in (x for method in methods.values() for x in find(method, m.For())):
        assert isinstance(loop, cst.For)
        for node in [loop.iter, *find(loop.iter, m.Attribute())]:
            name = get_full_name_for_node(node) if isinstance(node, cst.Attribute) else None
            if name is not None:
                found.setdefault(name, []).append(ctx.spans[loop])
    return found


def appended(methods: dict[str, cst.FunctionDef], makers: dict[str, cst.FunctionDef]) -> set[str]:
    """Attributes to which `__init__`, `build` and what they call append."""
    found = set()
    for method in constructing(methods, makers):
        for call in find(method, m.Call(func=m.Attribute(attr=m.Name("append")))):
            assert isinstance(call, cst.Call)
            assert isinstance(call.func, cst.Attribute)
            found.add(get_full_name_for_node(call.func.value) or "")
    return found
