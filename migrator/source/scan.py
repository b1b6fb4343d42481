"""Whether a file has to do with TensorFlow: a cheap test on bytes, then on its imports."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

_HINT = re.compile(rb"tensorflow|keras|tfx|tf_slim|tf_agents|tflearn")
_TF_ROOT = re.compile(r"((tensorflow|keras)(_\w+)?|tf_keras|tfx|tf_slim|tf_agents|tflearn)(\.|$)")


@dataclass(frozen=True)
class Import:
    """One import: `module` with `level` leading dots; `names` for `from` imports ("*" included)."""

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Broken:
    """Why a text is no Python 3 program."""

    why: str


def mentions_tf(data: bytes) -> bool:
    """Whether the bytes contain a TensorFlow or Keras name at all."""
    return _HINT.search(data) is not None


def parse(text: str) -> ast.Module | Broken:
    """The module's tree, or why there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        return Broken(_syntax(error))
    except (RecursionError, MemoryError):
        return Broken("nested too deeply to be parsed")
    except ValueError as error:
        return Broken(f"cannot be parsed: {error}")


def _syntax(error: SyntaxError) -> str:
    python2 = re.search(r"Missing parentheses in call to|multiple exception types|leading zeros", error.msg)
    kind = "Python 2" if python2 else "syntax error"
    return f"{kind} (line {error.lineno}: {error.msg})"


def imports(tree: ast.Module) -> tuple[Import, ...]:
    """Every import anywhere in the file, `importlib.import_module("x")` and `__import__("x")` included."""
    return tuple(found for node in ast.walk(tree) for found in _imports(node))


def _imports(node: ast.AST) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield Import(node.module or "", node.level, tuple(alias.name for alias in node.names))
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
            yield Import(node.args[0].value)


def imports_tf(found: Collection[Import]) -> bool:
    """Whether one of the imports is TensorFlow, Keras or a library on top of them."""
    return any(not i.level and _TF_ROOT.match(i.module) for i in found)


def spread(direct: Collection[str], uses: Mapping[str, Collection[str]]) -> frozenset[str]:
    """All files that reach TensorFlow: `direct` ones, and those that import one of them.

    A file that names no TF may still build a model of the repository and train it, or call a
    constructor whose arguments change. `uses` gives the files that a file imports.
    """
    importers: dict[str, set[str]] = {}
    for user, used in uses.items():
        for one in used:
            importers.setdefault(one, set()).add(user)
    reached, todo = set(direct), list(direct)
    while todo:
        for user in importers.get(todo.pop(), ()):
            if user not in reached:
                reached.add(user)
                todo.append(user)
    return frozenset(reached)
