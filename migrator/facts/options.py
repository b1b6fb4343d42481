"""Options of the command line: what `args = parser.parse_args()` holds has the types that `argparse` gives it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from migrator.facts.calls import Arguments, Where
from migrator.facts.interpreter import Interpreter
from migrator.values import External, Scalar, Sequence, Sym, Unknown, Value

PARSER = "argparse.ArgumentParser()"
"""Name of the object that `argparse.ArgumentParser(...)` makes."""

NAMESPACE = "options of the command line"
"""Reason of the `Unknown` that `parse_args` gives."""

ANY = "*"
"""In place of a name: a file changes options of names that it computes."""

_TYPES = {"int": "int", "float": "float", "str": "str"}
_ACTIONS = {"store_true": "bool", "store_false": "bool", "count": "int"}


def make_parser(it: Interpreter, args: Arguments, where: Where) -> Value:
    """`argparse.ArgumentParser(...)`, or one of its groups."""
    return External(PARSER)


def parse(it: Interpreter, args: Arguments, where: Where) -> Value:
    """`parser.parse_args()`."""
    return Unknown(NAMESPACE)


def parse_known(it: Interpreter, args: Arguments, where: Where) -> Value:
    """`parser.parse_known_args()`: the options, and what else was said."""
    return Sequence("tuple", (Unknown(NAMESPACE), Sequence("list", None, Scalar("str"))))


def option(it: Interpreter, namespace: Unknown, name: str) -> Value:
    """An option by name: of a type where every parser of the repository agrees on one, and it cannot be None."""
    kinds = {kind for module in it.modules.values() for dest, kind in _declared(module.tree) if dest in (name, ANY)}
    sym = None if namespace.sym is None else Sym(f"{namespace.sym.text}.{name}")
    kind = kinds.pop() if len(kinds) == 1 else None
    return Unknown(sym=sym) if kind is None else Scalar(kind, sym)


@functools.lru_cache(maxsize=512)
def _declared(tree: ast.Module) -> tuple[tuple[str, str | None], ...]:
    """(name, type or None) of every option that a file declares, and of those that it changes by hand."""
    return tuple(pair for node in ast.walk(tree) for pair in _of_node(node))


def _of_node(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_other(node.value):
        yield node.attr, None  # `args.units = ...`
    if _changes_by_name(node):
        yield ANY, None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    if node.func.attr == "set_defaults":
        yield from ((k.arg, None) for k in node.keywords if k.arg)
    names = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if node.func.attr != "add_argument" or not names:
        return
    given = {k.arg: k.value for k in node.keywords}
    long = next((n for n in names if n.startswith("--")), names[0])
    dest = given.get("dest")
    name = dest.value if isinstance(dest, ast.Constant) else long.lstrip("-").replace("-", "_")
    yield str(name), _kind(given, positional=not long.startswith("-"))


def _changes_by_name(node: ast.AST) -> bool:
    """`setattr(args, name, x)`, and the dictionary of an object changed or kept: `d = vars(args)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr":
        return bool(node.args) and _is_other(node.args[0])
    if isinstance(node, ast.Attribute) and node.attr in ("update", "setdefault", "pop"):
        return _is_dictionary(node.value)
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return _is_dictionary(node.value)
    return isinstance(node, ast.Assign | ast.NamedExpr | ast.Return) and _is_dictionary(node.value)


def _is_dictionary(node: ast.AST | None) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "__dict__" and _is_other(node.value)
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "vars"
    return called and isinstance(node, ast.Call) and bool(node.args) and _is_other(node.args[0])


def _is_other(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id != "self"


def _kind(given: dict[str | None, ast.expr], positional: bool) -> str | None:
    """The type of an option that is never None; None where it may be, or where it is not known."""
    action = given.get("action")
    if isinstance(action, ast.Constant) and action.value != "store":
        return _ACTIONS.get(str(action.value))
    kind = given.get("type", ast.Name("str"))
    default = given.get("default")
    required = given.get("required")
    sure = (isinstance(required, ast.Constant) and required.value is True) or positional
    if "nargs" in given or "action" in given or not isinstance(kind, ast.Name) or kind.id not in _TYPES:
        return None
    if default is None:
        return _TYPES[kind.id] if sure else None
    return _TYPES[kind.id] if _fits(default, kind.id) else None


def _fits(default: ast.expr, kind: str) -> bool:
    """Whether a default is of the type that the option has: numbers are not turned into it."""
    try:
        value = ast.literal_eval(default)
    except ValueError:
        return False
    if isinstance(value, str):
        return True  # argparse turns it into the type
    return type(value).__name__ == kind


def is_namespace(value: Value) -> bool:
    """Whether a value holds the options of the command line."""
    return isinstance(value, Unknown) and value.reason == NAMESPACE
