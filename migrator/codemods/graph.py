"""Which unit refers to which: the order of work, and what falls with a unit that stays TensorFlow."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Module:
    """The names of one file: `defined` name → unit id; `imported` binding → (module, attribute or None)."""

    name: str
    defined: Mapping[str, str]
    imported: Mapping[str, tuple[str, str | None]]


def imported_names(tree: ast.Module, module: str, is_package: bool) -> dict[str, tuple[str, str | None]]:
    """Bindings made by the import statements anywhere in a file, as (absolute module, attribute)."""
    found: dict[str, tuple[str, str | None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.split(".")[0]
                found[alias.asname or name] = (name, None)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node.module or "", node.level, module, is_package)
            for alias in node.names:
                found[alias.asname or alias.name] = (base, alias.name)
    return found


def absolute(target: str, level: int, module: str, is_package: bool) -> str:
    """The absolute name of a relative import's module."""
    if not level:
        return target
    parts = module.split(".") if module else []
    keep = len(parts) - level + (1 if is_package else 0)
    return ".".join([*parts[: max(keep, 0)], *([target] if target else [])])


@dataclass
class _References(ast.NodeVisitor):
    """Dotted names read in a piece of code."""

    names: set[tuple[str, ...]] = field(default_factory=set)

    def visit_Name(self, node: ast.Name) -> None:
        self.names.add((node.id,))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        parts: list[str] = []
        value: ast.expr = node
        while isinstance(value, ast.Attribute):
            parts.append(value.attr)
            value = value.value
        if isinstance(value, ast.Name):
            self.names.add((value.id, *reversed(parts)))
        else:
            self.generic_visit(node)


def references(nodes: Iterable[ast.AST]) -> set[tuple[str, ...]]:
    """Every dotted name read below the nodes, as parts."""
    visitor = _References()
    for node in nodes:
        visitor.visit(node)
    return visitor.names


def resolve(parts: tuple[str, ...], here: Module, modules: Mapping[str, Module]) -> str | None:
    """The unit that a dotted name of a file stands for, or None when it is none of the repository's."""
    name, *rest = parts
    if name in here.defined:
        return here.defined[name]
    if name not in here.imported:
        return None
    target, attribute = here.imported[name]
    return _follow(target, [*([attribute] if attribute else []), *rest], modules, depth=8)


def _follow(target: str, rest: list[str], modules: Mapping[str, Module], depth: int) -> str | None:
    while rest and f"{target}.{rest[0]}" in modules:
        target, rest = f"{target}.{rest[0]}", rest[1:]
    module = modules.get(target)
    if module is None or not rest or depth == 0:
        return None
    name = rest[0]
    if name in module.defined:
        return module.defined[name]
    if name in module.imported:  # re-exported, as packages do
        source, attribute = module.imported[name]
        return _follow(source, [*([attribute] if attribute else []), *rest[1:]], modules, depth - 1)
    return None


def dependents(
    edges: Mapping[str, Iterable[str]], roots: Iterable[str], blocked: Callable[[str], bool]
) -> dict[str, str]:
    """Units that reach one of `roots` over `edges`: unit → the root it falls with.

    `blocked` units are not passed through (they need nothing of what they refer to).
    """
    reverse: dict[str, list[str]] = {}
    for unit, targets in edges.items():
        for target in targets:
            reverse.setdefault(target, []).append(unit)
    reached: dict[str, str] = {}
    queue = [(root, root) for root in roots]
    while queue:
        unit, root = queue.pop(0)
        for user in reverse.get(unit, ()):
            if user not in reached and not blocked(user):
                reached[user] = root
                queue.append((user, root))
    return reached
