"""The repository's modules parsed, with their import graph and the functions and classes in them."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from migrator.facts.survey import survey

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Definition:
    """A function or class of the repository; `owner` is the class that a method belongs to."""

    qualname: str
    module: str
    node: FunctionNode | ast.ClassDef
    owner: str | None = None
    nested: bool = False  # defined inside a function


@dataclass
class Module:
    """One parsed file. `tree` is empty where the text does not parse."""

    name: str
    is_package: bool
    tree: ast.Module
    lines: list[str]
    definitions: dict[str, Definition] = field(default_factory=dict)
    imports: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def absolute(self, level: int, target: str | None) -> str:
        """The import name that `from <dots><target>` means here."""
        if level == 0:
            return target or ""
        parts = self.package.split(".") if self.package else []
        base = parts[: len(parts) - (level - 1)]
        return ".".join([*base, *([target] if target else [])])


def parse(sources: Mapping[str, str], packages: Collection[str] = ()) -> dict[str, Module]:
    """All modules by import name; a text that is no Python 3 gives an empty module."""
    modules = {name: _parse_one(name, text, name in packages) for name, text in sources.items()}
    for module in modules.values():
        module.imports = tuple(dict.fromkeys(_imports(module, modules)))
        module.definitions = {d.qualname: d for d in _definitions(module.tree.body, module.name, "", None, False)}
    return modules


def leaf_first(modules: Mapping[str, Module]) -> list[Module]:
    """The modules in an order where what is imported comes first, as far as cycles allow."""
    done: dict[str, Module] = {}
    for name in modules:
        _visit(name, modules, done, set())
    return list(done.values())


def _visit(name: str, modules: Mapping[str, Module], done: dict[str, Module], open_: set[str]) -> None:
    stack = [(name, iter(modules[name].imports))]
    open_.add(name)
    while stack:
        current, rest = stack[-1]
        for target in rest:
            if target not in open_ and target not in done:
                open_.add(target)
                stack.append((target, iter(modules[target].imports)))
                break
        else:
            stack.pop()
            done.setdefault(current, modules[current])


def _parse_one(name: str, text: str, is_package: bool) -> Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = ast.Module(body=[], type_ignores=[])
    return Module(name, is_package, tree, text.splitlines() if not text.isascii() else [])


def _imports(module: Module, modules: Mapping[str, Module]) -> Iterator[str]:
    nodes = sorted(survey(module.tree).imports, key=lambda node: (node.lineno, node.col_offset))
    for node in nodes:
        if isinstance(node, ast.Import):
            candidates = [alias.name for alias in node.names]
        else:
            base = module.absolute(node.level, node.module)
            candidates = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        yield from (name for name in candidates if name in modules and name != module.name)


def _definitions(
    body: list[ast.stmt], module: str, prefix: str, owner: str | None, nested: bool
) -> Iterator[Definition]:
    for node in _statements(body):
        if not isinstance(node, FunctionNode | ast.ClassDef):
            continue
        path = f"{prefix}{node.name}"
        qualname = f"{module}:{path}"
        yield Definition(qualname, module, node, owner, nested)
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, module, f"{path}.", qualname, nested)
        else:
            yield from _definitions(node.body, module, f"{path}.", None, True)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements below, without entering functions and classes."""
    for node in body:
        yield node
        if isinstance(node, FunctionNode | ast.ClassDef):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, name, []))
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body)
