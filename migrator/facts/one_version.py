"""Tests of TensorFlow's version: a program runs on one, and what every TensorFlow 2 answers alike is known."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from packaging.version import InvalidVersion, Version

from migrator.facts.interpreter import Frame, Interpreter
from migrator.values import Api, External, Literal, ModuleRef

_NAMES = frozenset({"tf.__version__", "tf.version.VERSION", "tf.compat.v1.VERSION"})
_KNOWN = ("2.0.0", "2.4.1", "2.10.0", "2.15.1", "2.20.0", "2.21.0")
_COMPARE: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_CALLS: dict[str, Callable[[Any], Any]] = {
    "packaging.version.parse": Version,
    "packaging.version.Version": Version,
    "distutils.version.LooseVersion": Version,
    "distutils.version.StrictVersion": Version,
    "pkg_resources.parse_version": Version,
    "int": int,
    "float": float,
    "tuple": tuple,
    "list": list,
}
_METHODS = ("join", "split", "startswith")
_THERE = frozenset({"compat", "data", "distribute", "function", "keras", "version", "GradientTape", "Variable"})
_GONE = frozenset(
    {"app", "contrib", "get_variable", "layers", "placeholder", "variable_scope", "ConfigProto", "Session"}
)
"""Names of the package that every TensorFlow 2 has, and that none has."""


class _Unclear(Exception):
    """The expression is about something else as well."""


def decided(it: Interpreter, node: ast.expr, frame: Frame) -> Literal | None:
    """What a test of the version gives, where it is the same for every TensorFlow 2; None for all else."""
    if isinstance(node, ast.Call) and _asks_for_name(node):
        return _has(it, node, frame)
    if not any(_is_version(it, part, frame) for part in ast.walk(node)):
        return None
    try:
        found = {bool(_Evaluated(it, frame, version).value(node)) for version in _KNOWN}
    except (_Unclear, InvalidVersion, TypeError, ValueError, IndexError, AttributeError):
        return None
    return Literal(found.pop()) if len(found) == 1 else None


def may_test(node: ast.Call) -> bool:
    """Whether a call may be a test of the version: `tf.__version__.startswith("2")`, `hasattr(tf, "contrib")`."""
    return (isinstance(node.func, ast.Attribute) and node.func.attr == "startswith") or _asks_for_name(node)


def _asks_for_name(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "hasattr" and len(node.args) == 2 and not node.keywords


def _has(it: Interpreter, node: ast.Call, frame: Frame) -> Literal | None:
    """What `hasattr(tf, name)` gives, where it is the same for every TensorFlow 2."""
    asked, name = it.value(node.func, frame), it.value(node.args[1], frame)
    if (
        asked != External("hasattr")
        or it.value(node.args[0], frame) != ModuleRef("tf")
        or not isinstance(name, Literal)
    ):
        return None
    return Literal(name.value in _THERE) if name.value in _THERE | _GONE else None


def _is_version(it: Interpreter, node: ast.AST, frame: Frame) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr not in ("__version__", "VERSION"):
        return False
    value = it.value(node, frame)
    return isinstance(value, Api) and value.name in _NAMES


class _Evaluated:
    """An expression's value with one version."""

    def __init__(self, it: Interpreter, frame: Frame, version: str) -> None:
        self.it, self.frame, self.version = it, frame, version

    def value(self, node: ast.expr) -> Any:
        if _is_version(self.it, node, self.frame):
            return self.version
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Tuple):
            return tuple(map(self.value, node.elts))
        if isinstance(node, ast.List):
            return [*map(self.value, node.elts)]
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
            return _COMPARE[type(node.ops[0])](self.value(node.left), self.value(node.comparators[0]))
        if isinstance(node, ast.Subscript):
            return self.value(node.value)[self._index(node.slice)]
        if isinstance(node, ast.Call):
            return self._called(node)
        raise _Unclear

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            return slice(*(None if part is None else self.value(part) for part in (node.lower, node.upper, node.step)))
        return self.value(node)

    def _called(self, node: ast.Call) -> Any:
        if node.keywords:
            raise _Unclear
        args = node.args
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            return getattr(self.value(node.func.value), node.func.attr)(*map(self.value, args))
        if isinstance(node.func, ast.Name) and node.func.id == "map" and len(args) == 2:
            return [*map(self._function(args[0]), self.value(args[1]))]
        if len(args) != 1:
            raise _Unclear
        return self._function(node.func)(self.value(args[0]))

    def _function(self, node: ast.expr) -> Callable[[Any], Any]:
        known = self.it.value(node, self.frame)
        name = known.name if isinstance(known, External) else ""
        if name not in _CALLS:
            raise _Unclear
        return _CALLS[name]
