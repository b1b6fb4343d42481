"""Functions whose results are only printed: a check of their callers compares nothing of them."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

_SHOWS = frozenset({"print", "debug", "info", "warning", "error"})
_PLAIN = frozenset(
    {"float", "int", "str", "repr", "round", "len", "sum", "max", "min", "abs", "format", "list", "dict"}
)
_LIBRARIES = frozenset({"np", "numpy", "torch", "math"})


def only_shown(name: str, trees: Sequence[ast.Module]) -> bool:
    """Whether the function `name` is called in these files, and all that they do with its results is to print them."""
    found = [shown for tree in trees if name in _names(tree) for shown in _Uses(tree).of_function(name)]
    return bool(found) and all(found)


@lru_cache(maxsize=1024)
def _names(tree: ast.Module) -> frozenset[str]:
    """All names in a file; asked for every unit of a repository."""
    return frozenset(map(_name, ast.walk(tree)))


def parsed(texts: Mapping[str, str]) -> list[ast.Module]:
    """The Python files among these texts by path, those that do not parse left out."""
    found = []
    for path, text in texts.items():
        with contextlib.suppress(SyntaxError, ValueError):
            found += [ast.parse(text)] if path.endswith(".py") else []
    return found


class _Uses:
    """The uses of names in one file."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self._tree) for child in ast.iter_child_nodes(node)}

    def of_function(self, name: str) -> Iterator[bool]:
        """For each use of the function outside of itself, whether its result is only printed."""
        for node in ast.walk(self._tree):
            if (
                _loads(node)
                and _name(node) == name
                and not any(getattr(above, "name", "") == name for above in self._above(node))
            ):
                call = self._parents[node]
                yield isinstance(call, ast.Call) and call.func is node and self._shown(call, frozenset())

    def _above(self, node: ast.AST) -> Iterator[ast.AST]:
        while node in self._parents:
            node = self._parents[node]
            yield node

    def _shown(self, node: ast.AST, seen: frozenset[str]) -> bool:
        """Whether a value ends in what is printed, through arithmetic, plain functions and names."""
        for above in self._above(node):
            if isinstance(above, ast.Call):
                if _name(above.func) in _SHOWS:
                    return True
                if above.func is not node and not _is_plain(above):
                    return False
            elif isinstance(above, ast.Assign):
                return self._assigned(above, seen)
            elif isinstance(above, ast.stmt):
                return False
            node = above
        return False

    def _assigned(self, statement: ast.Assign, seen: frozenset[str]) -> bool:
        targets = [n for t in statement.targets for n in (t.elts if isinstance(t, ast.Tuple) else [t])]
        names = {t.id for t in targets if isinstance(t, ast.Name)}
        if len(names) < len(targets):
            return False
        scope = next(a for a in self._above(statement) if isinstance(a, ast.FunctionDef | ast.Module))
        loads = [n for n in ast.walk(scope) if isinstance(n, ast.Name) and _loads(n) and n.id in names - seen]
        return bool(loads) and all(self._shown(load, seen | names) for load in loads)


def _loads(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_plain(call: ast.Call) -> bool:
    """A function that only makes another value of what it is given."""
    if isinstance(call.func, ast.Name):
        return call.func.id in _PLAIN
    text = ast.unparse(call.func)
    return text.split(".")[0] in _LIBRARIES or (isinstance(call.func, ast.Attribute) and call.func.attr == "format")
