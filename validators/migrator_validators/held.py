"""What a function finds in its module: models that it does not get as arguments have weights all the same."""

from __future__ import annotations

import ast

from migrator_validators.cases import Case, Made
from migrator_validators.hints import Definition, Modules

TAPES = frozenset({"GradientTape", "gradients"})


def finds(case: Case, original: Modules) -> tuple[tuple[str, ...], bool]:
    """ "module:name" of all that the called function and those of its module that it calls find there, and whether one
    of them takes gradients itself: gradients of these are nobody's business."""
    call = case.call.on.call if isinstance(case.call.on, Made) else case.call
    module, _, name = call.source.partition(":")
    tree = original.trees.get(module)
    if tree is None or case.kind != "function":
        return (), False
    defined = {s.name: s for s in tree.body if isinstance(s, Definition)}
    bound = {n for s in tree.body if not isinstance(s, Definition) for n in _bound(s)}
    todo, used = [name.partition(".")[0]], set[str]()
    while todo:
        here = todo.pop()
        found = (_used(defined[here]) if here in defined else set()) - used
        used |= found
        todo += found & defined.keys()
    return tuple(f"{module}:{n}" for n in sorted(used & bound)), bool(used & TAPES)


def _used(definition: Definition) -> set[str]:
    nodes = list(ast.walk(definition))
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return read | ({n.attr for n in nodes if isinstance(n, ast.Attribute)} & TAPES)


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top of a module binds, by imports of names too."""
    nodes = list(ast.walk(statement))
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {a.asname or a.name for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names}
