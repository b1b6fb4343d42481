"""Static name resolution: what a dotted source name means, whatever way the program goes.

Independent of the evaluator, so that every use of TensorFlow is found even in code that is never
reached. A name that is bound to several different things resolves to nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from migrator.facts import names
from migrator.facts.modules import FunctionNode, Module

_OTHER = object()  # bound to something that is no name

Key = tuple[int, int, int, int]


@dataclass
class Scope:
    """Names bound in one scope: dotted targets, or `_OTHER`."""

    node: ast.AST
    parent: Scope | None
    is_class: bool = False
    bindings: dict[str, list[object]] = field(default_factory=dict)
    star: list[str] = field(default_factory=list)
    outer_names: set[str] = field(default_factory=set)  # global and nonlocal

    def bind(self, name: str, target: object) -> None:
        """Bind a name here, or in the scope that `global` or `nonlocal` say."""
        scope = self
        while name in scope.outer_names and scope.parent is not None:
            scope = scope.parent
        scope.bindings.setdefault(name, []).append(target)


@dataclass(frozen=True)
class Alias:
    """A name assigned from a dotted expression: `K = keras.backend`."""

    dotted: str


@dataclass(frozen=True)
class Use:
    """A maximal dotted name in the source, its position and scope."""

    dotted: str
    key: Key
    scope: Scope


class Resolver:
    """Dotted names of one module."""

    def __init__(self, module: Module, others: Mapping[str, Resolver]) -> None:
        self.module = module
        self.others = others
        self.top = Scope(module.tree, None)
        self.used: list[Use] = []
        self.changed: list[Use] = []  # attributes that are assigned
        _Builder(self).block(module.tree.body, self.top)

    def resolve(self, dotted: str, scope: Scope | None = None, depth: int = 0) -> str | None:
        """The absolute dotted name that `dotted` stands for in a scope, or None."""
        head, _, tail = dotted.partition(".")
        found = self._lookup(head, scope or self.top, depth)
        if found is None or not tail:
            return found
        return self._member(found, tail, depth)

    def ambiguous(self, dotted: str, scope: Scope) -> bool:
        """Whether the name is bound to something of TensorFlow, and to something else besides."""
        head = dotted.partition(".")[0]
        targets = self._targets(head, scope)
        found = {_same(self._one(target, scope, 0)) for target in targets if target is not None}
        return len(found) > 1 and any(name is not None and is_tensorflow(name) for name in found)

    def _targets(self, name: str, scope: Scope) -> list[object]:
        current: Scope | None = scope
        first = True
        while current is not None:
            if (first or not current.is_class) and name in current.bindings and name not in current.outer_names:
                return current.bindings[name]
            current, first = current.parent, False
        return []

    def scope_at(self, line: int, column: int) -> Scope:
        """The innermost scope of a position (1-based line, byte column)."""
        best, best_start = self.top, (0, 0)
        for use in self.used:
            node = use.scope.node
            start = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
            end = (getattr(node, "end_lineno", 0) or 0, getattr(node, "end_col_offset", 0) or 0)
            if start <= (line, column) < end and start >= best_start:
                best, best_start = use.scope, start
        return best

    def _lookup(self, name: str, scope: Scope, depth: int) -> str | None:
        current: Scope | None = scope
        first = True
        while current is not None:
            usable = first or not current.is_class
            if usable and name in current.bindings and name not in current.outer_names:
                return self._target(current.bindings[name], current, depth)
            if usable and current.star:
                return self._from_star(name, current, depth)
            current, first = current.parent, False
        return None

    def _target(self, targets: list[object], scope: Scope, depth: int) -> str | None:
        if depth > 12:
            return None
        found = set()
        for target in dict.fromkeys(targets):  # a name that is defined again and again stands for itself each time
            if target is None:
                continue  # `tf = None` where an import failed
            found.add(_same(self._one(target, scope, depth)))
        return next(iter(found)) if len(found) == 1 else None

    def _one(self, target: object, scope: Scope, depth: int) -> str | None:
        if isinstance(target, Alias):
            return self.resolve(target.dotted, scope, depth + 1)
        return self._absolute(target, depth) if isinstance(target, str) else None

    def _absolute(self, dotted: str, depth: int) -> str | None:
        """Follow a dotted name through the repository's own modules to where it is imported from."""
        head, tail = _longest_module(dotted, self.others)
        if not head or not tail:
            return dotted
        return self._member(head, tail, depth)

    def _member(self, found: str, tail: str, depth: int) -> str | None:
        dotted = f"{found}.{tail}"
        head, rest = _longest_module(dotted, self.others)
        if not head or not rest or depth > 12:
            return dotted
        other = self.others[head]
        name = rest.partition(".")[0]
        if name not in other.top.bindings and not other.top.star:
            return dotted
        return other.resolve(rest, None, depth + 1) or dotted

    def _from_star(self, name: str, scope: Scope, depth: int) -> str | None:
        """A name from a star import: certain only where one import can be its source."""
        owners = []
        for base in scope.star:
            if base in self.others:
                other = self.others[base]
                if name in other.top.bindings and depth <= 12:
                    return other.resolve(name, None, depth + 1)
            elif names.is_tf_root(base) and names.known(names.canonical(f"{base}.{name}") or ""):
                owners.append(f"{base}.{name}")
        return owners[0] if len(owners) == 1 else None


def _same(dotted: str | None) -> str | None:
    """One spelling for TensorFlow's names, so that two imports of one thing agree."""
    return None if dotted is None else names.canonical(dotted) or dotted if names.is_tf_root(dotted) else dotted


def _longest_module(dotted: str, modules: Mapping[str, object]) -> tuple[str, str]:
    head, tail = dotted, ""
    while head:
        if head in modules:
            return head, tail
        head, _, last = head.rpartition(".")
        tail = f"{last}.{tail}" if tail else last
    return "", dotted


def dotted_name(node: ast.expr) -> str | None:
    """`a.b.c` of a Name/Attribute chain, else None."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    return ".".join(reversed(parts))


class _Builder:
    """Collects the bindings of every scope and the dotted names used in it."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.module = resolver.module

    def block(self, body: list[ast.stmt], scope: Scope) -> None:
        for statement in body:
            self.visit(statement, scope)

    def visit(self, node: ast.AST, scope: Scope) -> None:
        special = _VISITORS.get(type(node))
        if special is not None:
            special(self, node, scope)
        else:
            self.children(node, scope)

    def children(self, node: ast.AST, scope: Scope) -> None:
        for child in ast.iter_child_nodes(node):
            self.visit(child, scope)

    def name(self, node: ast.Name, scope: Scope) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node, node.id, scope)
        else:
            scope.bind(node.id, _OTHER)

    def attribute(self, node: ast.Attribute, scope: Scope) -> None:
        dotted = dotted_name(node)
        if dotted is not None and isinstance(node.ctx, ast.Load):
            self._use(node, dotted, scope)
            return
        if dotted is not None:
            self.resolver.changed.append(Use(dotted, (0, 0, 0, 0), scope))
        self.visit(node.value, scope)

    def import_(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            if alias.asname:
                scope.bind(alias.asname, alias.name)
            else:
                root = alias.name.partition(".")[0]
                scope.bind(root, root)

    def import_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        base = self.module.absolute(node.level, node.module)
        for alias in node.names:
            if alias.name == "*":
                scope.star.append(base)
            else:
                scope.bind(alias.asname or alias.name, f"{base}.{alias.name}" if base else alias.name)

    def assign(self, node: ast.Assign | ast.AnnAssign, scope: Scope) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if isinstance(node, ast.AnnAssign):
            self.visit(node.annotation, scope)
        if node.value is not None:
            self.visit(node.value, scope)
        for target in targets:
            if isinstance(target, ast.Name) and node.value is not None:
                scope.bind(target.id, _assigned(node.value, target.id))
            elif not isinstance(target, ast.Name):
                self.visit(target, scope)

    def function(self, node: FunctionNode, scope: Scope) -> None:
        scope.bind(node.name, self._qualified(node, scope))
        for decorator in node.decorator_list:
            self.visit(decorator, scope)
        inner = Scope(node, scope)
        self._arguments(node.args, scope, inner)
        if node.returns:
            self.visit(node.returns, scope)
        self.block(node.body, inner)

    def lambda_(self, node: ast.Lambda, scope: Scope) -> None:
        inner = Scope(node, scope)
        self._arguments(node.args, scope, inner)
        self.visit(node.body, inner)

    def class_(self, node: ast.ClassDef, scope: Scope) -> None:
        scope.bind(node.name, self._qualified(node, scope))
        for part in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(part, scope)
        self.block(node.body, Scope(node, scope, is_class=True))

    def comprehension(self, node: ast.expr, scope: Scope) -> None:
        inner = Scope(node, scope)
        for generator in node.generators:  # type: ignore[attr-defined]
            self.visit(generator.target, inner)
        self.children(node, inner)

    def try_(self, node: ast.Try, scope: Scope) -> None:
        """Imports that stand in where others fail bind nothing: those of the body are what is installed."""
        self.block(node.body, scope)
        bound = {name: list(targets) for name, targets in scope.bindings.items()}
        for handler in node.handlers:
            self.visit(handler, scope)
        for name in _imported(node.body):
            scope.bindings[name] = bound[name]
        self.block([*node.orelse, *node.finalbody], scope)

    def except_(self, node: ast.ExceptHandler, scope: Scope) -> None:
        if node.name:
            scope.bind(node.name, _OTHER)
        self.children(node, scope)

    def outer(self, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
        scope.outer_names.update(node.names)

    def _arguments(self, args: ast.arguments, outside: Scope, inside: Scope) -> None:
        for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]:
            inside.bind(arg.arg, _OTHER)
            if arg.annotation:
                self.visit(arg.annotation, outside)
        for default in [*args.defaults, *filter(None, args.kw_defaults)]:
            self.visit(default, outside)

    def _qualified(self, node: FunctionNode | ast.ClassDef, scope: Scope) -> object:
        return f"{self.module.name}.{node.name}" if scope.parent is None else _OTHER

    def _use(self, node: ast.expr, dotted: str, scope: Scope) -> None:
        key = (node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)
        self.resolver.used.append(Use(dotted, key, scope))


def _imported(body: list[ast.stmt]) -> Iterator[str]:
    """Names that the import statements of a block bind."""
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in statement.names if alias.name != "*")


def _module_called(value: ast.expr) -> str | None:
    """The module of `importlib.import_module("x")` and `__import__("x")`."""
    if not (isinstance(value, ast.Call) and len(value.args) == 1 and isinstance(value.args[0], ast.Constant)):
        return None
    called, name = dotted_name(value.func), value.args[0].value
    known = called in ("importlib.import_module", "import_module", "__import__")
    return name if known and isinstance(name, str) and names.is_tf_root(name) else None


def _assigned(value: ast.expr, name: str) -> object:
    if isinstance(value, ast.Constant) and value.value is None:
        return None
    module = _module_called(value)
    if module is not None:
        return module
    dotted = dotted_name(value)
    if dotted is None or dotted.partition(".")[0] == name or dotted.endswith("flags.FLAGS"):
        return _OTHER  # absl's FLAGS is an object of its own, not a name of TensorFlow
    return Alias(dotted)


_VISITORS: dict[type, Any] = {
    ast.Name: _Builder.name,
    ast.Attribute: _Builder.attribute,
    ast.Import: _Builder.import_,
    ast.ImportFrom: _Builder.import_from,
    ast.Assign: _Builder.assign,
    ast.AnnAssign: _Builder.assign,
    ast.FunctionDef: _Builder.function,
    ast.AsyncFunctionDef: _Builder.function,
    ast.Lambda: _Builder.lambda_,
    ast.ClassDef: _Builder.class_,
    ast.ListComp: _Builder.comprehension,
    ast.SetComp: _Builder.comprehension,
    ast.DictComp: _Builder.comprehension,
    ast.GeneratorExp: _Builder.comprehension,
    ast.Try: _Builder.try_,
    ast.ExceptHandler: _Builder.except_,
    ast.Global: _Builder.outer,
    ast.Nonlocal: _Builder.outer,
}


def is_tensorflow(name: str) -> bool:
    """Whether a resolved dotted name belongs to TensorFlow."""
    return name.startswith("tf.") or name == "tf" or names.is_tf_root(name)


def tf_uses(resolver: Resolver) -> Iterator[tuple[str, Use]]:
    """Every use of a TensorFlow name, canonical, with where it stands.

    A use that may be TensorFlow or something else, because its name is bound to both or the module assigns
    to it, is told in words.
    """
    assigned = (resolver.resolve(use.dotted, use.scope) for use in resolver.changed)
    changed = {names.canonical(name) or name for name in assigned if name is not None and is_tensorflow(name)}
    for use in resolver.used:
        found = resolver.resolve(use.dotted, use.scope)
        if found is not None and is_tensorflow(found):
            name = names.canonical(found) or found
            yield (f"{name} (the file assigns to it)" if name in changed else name), use
        elif found is None and resolver.ambiguous(use.dotted, use.scope):
            yield f"{use.dotted} (`{use.dotted.partition('.')[0]}` is bound to several things)", use
