"""Imports the repository's own modules with a decorator on each of their functions and classes."""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import os
import sys
import tokenize
import types
from typing import Any

QUIET = frozenset(("build", "get_config", "from_config", "compute_output_shape", "compute_mask", "compute_output_spec"))


class Instrument(ast.NodeTransformer):
    """Adds the decorators. Functions inside functions are left: nobody else can call them."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.inside: list[str] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        if not self._quiet(node):
            # innermost, so that staticmethod, tf.function and the like stay outside
            node.decorator_list.append(self._mark("__migrator_function__", node))
        return node

    def visit_AsyncFunctionDef(self, node: Any) -> Any:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        self.inside.append(node.name)
        self.generic_visit(node)
        self.inside.pop()
        node.decorator_list.insert(0, self._mark("__migrator_class__", node))
        return node

    def _quiet(self, node: ast.FunctionDef) -> bool:
        special = node.name.startswith("__") and node.name.endswith("__") and node.name != "__call__"
        names = [d.id if isinstance(d, ast.Name) else getattr(d, "attr", "") for d in node.decorator_list]
        accessor = any(name in ("property", "setter", "cached_property") for name in names)
        return bool(self.inside) and (special or accessor or node.name in QUIET)

    def _mark(self, decorator: str, node: Any) -> ast.expr:
        name = ".".join([*self.inside, node.name])
        call = ast.parse(f"{decorator}({self.module + ':' + name!r})", mode="eval").body
        for each in ast.walk(call):
            ast.copy_location(each, node)
        return call


def instrumented(path: str, module: str) -> types.CodeType:
    """The code of a file with its decorators; line numbers are the file's own."""
    with tokenize.open(path) as file:
        tree = ast.parse(file.read(), path)
    code: types.CodeType = compile(ast.fix_missing_locations(Instrument(module).visit(tree)), path, "exec")
    return code


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, recorded_as: str) -> None:
        super().__init__(fullname, path)
        self.recorded_as = recorded_as

    def get_code(self, fullname: str) -> types.CodeType:
        return instrumented(self.path, self.recorded_as)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, root: str, modules: dict[str, str]) -> None:
        self.root = os.path.realpath(root)
        self.modules = modules

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        origin = os.path.realpath(spec.origin) if spec is not None and spec.origin else ""
        if spec is None or not origin.endswith(".py") or not origin.startswith(self.root + os.sep):
            return None
        spec.loader = _Loader(fullname, origin, self.name_of(origin))
        return spec

    def name_of(self, path: str) -> str:
        """The name under which a file's definitions are recorded."""
        relative = os.path.relpath(path, self.root).replace(os.sep, "/")
        if relative in self.modules:
            return self.modules[relative]
        parts = relative[: -len(".py")].split("/")
        return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


_FINDERS: list[_Finder] = []


def install(root: str, modules: dict[str, str]) -> None:
    """Instrument everything imported from below `root` from now on."""
    finder = _Finder(root, modules)
    _FINDERS[:] = [finder]
    sys.meta_path.insert(0, finder)
    sys.dont_write_bytecode = True


def name_of(entry: str) -> str:
    """The import name of a file, given relative to the root."""
    return _FINDERS[0].name_of(os.path.join(_FINDERS[0].root, entry))


def run_main(path: str) -> None:
    """Run a file as `__main__`, its definitions recorded under its import name."""
    name = _FINDERS[0].name_of(os.path.realpath(path))
    main = types.ModuleType("__main__")
    main.__file__ = path
    main.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    package = name.rpartition(".")[0]
    if package and _is_relative(path):  # as `python -m` would run it
        importlib.import_module(package)
        main.__package__ = package
    exec(instrumented(path, name), main.__dict__)


def _is_relative(path: str) -> bool:
    with open(path, "rb") as stream:
        tree = ast.parse(stream.read())
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
