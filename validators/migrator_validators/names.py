"""Static rungs over a migrated file: it parses, nothing of TensorFlow is left, every torch name exists."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

FRAMEWORKS = frozenset(
    {
        "tensorflow",
        "keras",
        "tf_keras",
        "tf_slim",
        "tensorflow_addons",
        "tensorflow_probability",
        "tensorflow_datasets",
        "tensorflow_hub",
    }
)
_IMPORTERS = frozenset({"import_module", "__import__", "find_spec", "LazyLoader"})


@dataclass(frozen=True)
class Found:
    """A name and its line."""

    name: str
    line: int


def syntax_error(text: str) -> str | None:
    """Where a text does not parse, or None."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return f"line {getattr(error, 'lineno', '?')}: {error}"
    return None


def frameworks_left(tree: ast.AST) -> tuple[Found, ...]:
    """Imports of TensorFlow or Keras, direct or by a string; and bare `tf` names that nothing binds."""
    return tuple(_imports(tree)) + tuple(_unbound(tree))


def _imports(tree: ast.AST) -> Iterator[Found]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _is_framework(alias.name):
                    yield Found(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom) and not node.level and _is_framework(node.module or ""):
            yield Found(node.module or "", node.lineno)
        elif isinstance(node, ast.Call) and _last(node.func) in _IMPORTERS:
            for argument in [*node.args, *(k.value for k in node.keywords)]:
                if (
                    isinstance(argument, ast.Constant)
                    and isinstance(argument.value, str)
                    and _is_framework(argument.value)
                ):
                    yield Found(argument.value, node.lineno)


def _unbound(tree: ast.AST) -> Iterator[Found]:
    bound = _bound_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in ("tf", "keras", "tensorflow") and node.id not in bound:
            yield Found(node.id, node.lineno)


def _bound_names(tree: ast.AST) -> set[str]:
    out: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            out.add(node.id)
        elif isinstance(node, ast.arg):
            out.add(node.arg)
        elif isinstance(node, ast.alias):
            out.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            out.add(node.name)
    return out


def _is_framework(name: str) -> bool:
    return name.split(".")[0] in FRAMEWORKS


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


# --- torch names ------------------------------------------------------------------------------------------


def torch_names(tree: ast.AST) -> tuple[Found, ...]:
    """Every dotted name of torch that a file uses, spelled from its import ("torch.nn.functional.relu")."""
    aliases, out = _torch_aliases(tree)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner:
            parts = _dotted(node)
            if parts and parts[0] in aliases:
                out.append(Found(".".join([aliases[parts[0]], *parts[1:]]), node.lineno))
    unique = {found.name: found for found in reversed(out)}
    return tuple(sorted(unique.values(), key=lambda f: (f.line, f.name)))


def _torch_aliases(tree: ast.AST) -> tuple[dict[str, str], list[Found]]:
    """Local name → torch name, and what the imports themselves name."""
    aliases: dict[str, str] = {}
    found: list[Found] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "torch":
                    aliases[alias.asname or "torch"] = alias.name if alias.asname else "torch"
                    found.append(Found(alias.name, node.lineno))
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "torch":
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                aliases[alias.asname or alias.name] = name
                found.append(Found(name, node.lineno))
    rebound = _rebound(tree)
    return {local: name for local, name in aliases.items() if local not in rebound}, [
        f for f in found if not f.name.endswith("*")
    ]


def _rebound(tree: ast.AST) -> set[str]:
    """Names that are also variables or parameters somewhere: nothing is claimed of them."""
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}


def _dotted(node: ast.expr) -> list[str]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else []


# --- public names ---------------------------------------------------------------------------------------


def public_names(text: str) -> tuple[str, ...]:
    """Top-level names of a module that others may import: functions, classes and assignments without an underscore."""
    out: dict[str, None] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            out[node.name] = None
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            out.update(dict.fromkeys(n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)))
    return tuple(name for name in out if not name.startswith("_"))
