"""Static facts of a root scope: which names keep one value, which parameters are tensors, who calls whom."""

from __future__ import annotations

import ast
import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from migrator.facts.modules import Definition, FunctionNode
from migrator.facts.survey import survey

_RANGES = frozenset({"range", "arange"})
_REPEATING = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@functools.lru_cache(maxsize=2048)
def stable_names(node: FunctionNode) -> frozenset[str]:
    """Names that may stand for their own value: bound once, outside loops.

    A variable that only loops bind is listed as "for name"; an attribute that is assigned once
    as "@.name".
    """
    stored: Counter[str] = Counter()
    looped: set[str] = set()
    targets: Counter[str] = Counter()
    for store, in_loop in stores(node.body, False):
        name = store.id if isinstance(store, ast.Name) else f"@.{store.attr}"
        stored[name] += 1
        if in_loop:
            looped.add(name)
    for loop in survey(node).loops:
        targets.update(name.id for name in ast.walk(loop.target) if isinstance(name, ast.Name))
    once = {name for name, count in stored.items() if count == 1}
    parameters = {arg.arg for arg in all_arguments(node)}
    stable = {name for name in parameters if not stored[name]}
    stable |= once - looped - set(targets) - parameters
    counting = {name for name, count in targets.items() if stored[name] == count}
    return frozenset(stable | {f"for {name}" for name in counting - parameters})


@functools.lru_cache(maxsize=2048)
def counted(node: FunctionNode) -> frozenset[str]:
    """Parameters that are numbers, as the body counts up to them."""
    ranges = [call for call in survey(node).calls if len(call.args) == 1 and _last_name(call.func) in _RANGES]
    found = {call.args[0].id for call in ranges if isinstance(call.args[0], ast.Name)}
    return frozenset(found & stable_names(node) & {arg.arg for arg in all_arguments(node)})


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def all_arguments(node: FunctionNode | ast.Lambda) -> list[ast.arg]:
    """All parameters, in order, with the starred ones last."""
    spec = node.args
    return [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *filter(None, (spec.vararg, spec.kwarg))]


@functools.lru_cache(maxsize=2048)
def identifiers(node: ast.AST) -> frozenset[str]:
    """All names that a fresh one must not collide with."""
    below = survey(node)
    return frozenset({name.id for name in below.names} | {arg.arg for arg in below.args})


def stores(nodes: Iterable[ast.AST], in_loop: bool) -> Iterator[tuple[ast.Name | ast.Attribute, bool]]:
    """What statements bind, and whether a loop does; functions and classes among them are left out."""
    for node in nodes:
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node, in_loop
        if isinstance(node, FunctionNode | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.AugAssign):
            yield from stores([node.target], True)
        inside = in_loop or isinstance(node, _REPEATING)
        yield from stores(ast.iter_child_nodes(node), inside)


def callers_first(definitions: Mapping[str, Definition]) -> list[str]:
    """Functions and classes in an order where callers come before what they call, as far as cycles allow."""
    units = {name: d for name, d in definitions.items() if d.owner is None and not d.nested}
    by_name: dict[str, list[str]] = {}
    for qualname in units:
        by_name.setdefault(qualname.partition(":")[2], []).append(qualname)
    done: list[str] = []
    seen: set[str] = set()
    edges = {name: _called(d.node, by_name) - {name} for name, d in units.items()}
    for qualname in units:
        _finish(qualname, edges, seen, done)
    return done[::-1]


def methods_in_order(methods: Mapping[str, FunctionNode]) -> list[str]:
    """Methods in an order where those that call others of `self` come before them, as far as cycles allow."""
    done: list[str] = []
    seen: set[str] = set()
    edges = {name: attributes_of_self(method) & methods.keys() - {name} for name, method in methods.items()}
    for name in methods:
        _finish(name, edges, seen, done)
    return done[::-1]


def attributes_of_self(method: FunctionNode) -> set[str]:
    """The attributes of `self` that a method mentions."""
    owner = method.args.args[0].arg if method.args.args else ""
    return {n.attr for n in survey(method).attributes if isinstance(n.value, ast.Name) and n.value.id == owner}


def _finish(start: str, edges: Mapping[str, set[str]], seen: set[str], done: list[str]) -> None:
    if start in seen:
        return
    seen.add(start)
    stack = [(start, iter(sorted(edges[start])))]
    while stack:
        current, rest = stack[-1]
        following = next((name for name in rest if name not in seen), None)
        if following is None:
            stack.pop()
            done.append(current)
        else:
            seen.add(following)
            stack.append((following, iter(sorted(edges[following]))))


def _called(node: ast.AST, by_name: Mapping[str, list[str]]) -> set[str]:
    found: set[str] = set()
    below = survey(node)
    for name in {*(item.id for item in below.names), *(item.attr for item in below.attributes)}:
        found.update(by_name.get(name, ()))
    return found
