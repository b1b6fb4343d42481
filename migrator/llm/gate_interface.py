"""The part of the gate that holds a candidate to the unit's interface and to its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from migrator.llm.fragment import Contract, Definition, Parameter

Function = ast.FunctionDef | ast.AsyncFunctionDef

FREELY_DROPPED = frozenset({"name", "training", "mask", "dtype", "trainable"})
"""Keras's own bookkeeping parameters."""


def interface(tree: ast.Module, helpers: ast.Module, contract: Contract) -> Iterator[str]:
    """What is missing, changed or too much at the top level."""
    defined = {name: node for node in tree.body for name in bound(node)}
    for wanted in contract.definitions:
        if wanted.name not in defined:
            yield f"it must define `{wanted.name}`"
        else:
            yield from _definition(defined[wanted.name], wanted)
    wanted_names = {d.name for d in contract.definitions}
    extra = {name: node for node in (*tree.body, *helpers.body) for name in bound(node) if name not in wanted_names}
    for name in extra:
        if name in contract.taken:
            yield f"`{name}` belongs to another part of the file and must not be defined again"
    yield from _statements(tree, contract.statements)
    yield from _statements(helpers, allowed=False)
    helped = [name for node in helpers.body for name in bound(node)]
    yield from (f"the helper `{name}` is the unit itself" for name in helped if name in wanted_names)


def bound(node: ast.stmt) -> list[str]:
    """Names that a top-level statement binds in the module; inside of functions and classes is not looked at."""
    if isinstance(node, Function | ast.ClassDef):
        return [node.name]
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


def _statements(tree: ast.Module, allowed: bool) -> Iterator[str]:
    """Top-level code that works when the module is imported."""
    if allowed:
        return
    for node in tree.body:
        plain = isinstance(node, Function | ast.ClassDef | ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom)
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not plain and not text:
            yield f"only definitions belong here, not a statement that works on import (line {node.lineno})"
        if isinstance(node, ast.Assign) and not all(isinstance(t, ast.Name | ast.Tuple) for t in node.targets):
            yield f"it assigns to something outside of the unit (line {node.lineno})"


def _definition(node: ast.stmt, wanted: Definition) -> Iterator[str]:
    if wanted.kind == "function":
        if not isinstance(node, Function):
            yield f"`{wanted.name}` must be a function"
        elif wanted.parameters is not None:
            yield from _signature(wanted.name, _parameters(node), wanted.parameters, wanted.added, wanted.removed)
    elif wanted.kind == "class":
        if not isinstance(node, ast.ClassDef):
            yield f"`{wanted.name}` must be a class"
        else:
            yield from _class(node, wanted)


def _class(node: ast.ClassDef, wanted: Definition) -> Iterator[str]:
    methods = {n.name: n for n in node.body if isinstance(n, Function)}
    if wanted.parameters is not None:
        if "__init__" in methods:
            theirs = _parameters(methods["__init__"])[1:]
            yield from _signature(f"{wanted.name}.__init__", theirs, wanted.parameters, wanted.added, wanted.removed)
        elif wanted.parameters or wanted.added:
            yield f"`{wanted.name}` must have an `__init__`"
    for name, parameters in wanted.methods:
        if name not in methods:
            yield f"`{wanted.name}` must have the method `{name}`"
        else:
            theirs = _parameters(methods[name])
            theirs = theirs if _is_static(methods[name]) else theirs[1:]
            yield from _signature(f"{wanted.name}.{name}", theirs, parameters, (), wanted.removed)


def _is_static(node: Function) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)


def _parameters(node: Function) -> tuple[Parameter, ...]:
    return parameters(node.args)


def parameters(args: ast.arguments) -> tuple[Parameter, ...]:
    """The parameters of a function, in order."""
    plain = [*args.posonlyargs, *args.args]
    defaults = [""] * (len(plain) - len(args.defaults)) + [ast.unparse(d) for d in args.defaults]
    found = [Parameter(a.arg, "plain", d) for a, d in zip(plain, defaults, strict=True)]
    found += [Parameter(args.vararg.arg, "varargs")] if args.vararg else []
    for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        found.append(Parameter(a.arg, "keyword", "" if d is None else ast.unparse(d)))
    return (*found, *([Parameter(args.kwarg.arg, "varkw")] if args.kwarg else []))


def _signature(
    name: str, theirs: Sequence[Parameter], ours: Sequence[Parameter], added: Sequence[str], removed: Sequence[str]
) -> Iterator[str]:
    have, had = {p.name: p for p in theirs}, {p.name: p for p in ours}
    free = FREELY_DROPPED | set(removed)
    gone = [p.name for p in ours if p.name not in have and p.name not in free and p.kind in ("plain", "keyword")]
    takes_any = any(p.kind == "varkw" for p in theirs)
    if gone and not takes_any:
        yield f"`{name}` no longer takes {', '.join(gone)}"
    missing = [a for a in added if a not in have and not takes_any]
    if missing:
        yield f"`{name}` must take {', '.join(missing)}, which its callers give"
    new = [p.name for p in theirs if p.name not in had and p.name not in added and not p.default and _named(p)]
    if new:
        yield f"`{name}` has new required parameters: {', '.join(new)}"
    before, after = [p.name for p in ours if p.name in have], [p.name for p in theirs if p.name in had]
    if before != after:
        yield f"`{name}` takes its parameters in another order"
    lost = [p.name for p in ours if p.default and p.name in have and not have[p.name].default and _named(p)]
    if lost:
        yield f"`{name}`: {', '.join(lost)} lost the default"


def _named(parameter: Parameter) -> bool:
    return parameter.kind in ("plain", "keyword")
