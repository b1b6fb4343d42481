"""What names TensorFlow in a unit and is no expression: imports in functions, type comments, quoted code."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from migrator.codemods.tf_imports import global_reads, imported_modules, is_tf_module
from migrator.model import Decline, UnitKind

_TYPES = {"Tensor": "torch.Tensor", "Variable": "torch.Tensor"}
_TYPE_COMMENT = re.compile(r"#\s*type:(?!\s*ignore).*$", re.MULTILINE)


@dataclass(frozen=True)
class Tidied:
    """A unit's text without what names TensorFlow beside its expressions, or why it cannot be so."""

    text: str
    declines: tuple[Decline, ...] = ()
    imports: frozenset[str] = frozenset()


def tidy(text: str, kind: UnitKind, is_main: bool, bindings: Collection[str]) -> Tidied:
    """Removes imports of TensorFlow inside of functions, and renames types in comments and quotes.

    `text` is a unit all of whose expressions are rewritten; `bindings` are the file's names for TensorFlow.
    """
    if not _may_name(text, bindings):
        return Tidied(text)
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return Tidied(text)
    declines = [*_quoted_code(tree, bindings), *_imports_left(tree, kind, is_main)]
    new, unknown = _renamed_types(_without_imports(text, tree), bindings)
    declines += [Decline(f"`{name}` in a type that is quoted or in a comment") for name in unknown]
    if declines:
        return Tidied(text, tuple(declines))
    return Tidied(new, imports=frozenset({"import torch"} if new.count("torch.") > text.count("torch.") else ()))


def _may_name(text: str, bindings: Collection[str]) -> bool:
    quoted = any(f'"{name}' in text or f"'{name}" in text for name in bindings)
    return quoted or any(word in text for word in ("import ", "eval(", "exec(", "# type:", "#type:"))


# --- imports ----------------------------------------------------------------------------------------------


def _local_imports(tree: ast.Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, list[ast.stmt]]]:
    """Imports of TensorFlow and the block that each stands in."""
    for node in ast.walk(tree):
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            for statement in block if isinstance(block, list) else ():
                if isinstance(statement, ast.Import | ast.ImportFrom) and any(map(is_tf_module, _modules(statement))):
                    yield statement, block  # type: ignore[misc]


def _modules(statement: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    return [] if statement.level else [statement.module or ""]


def _imports_left(tree: ast.Module, kind: UnitKind, is_main: bool) -> Iterator[Decline]:
    inside = kind in (UnitKind.FUNCTION, UnitKind.CLASS, UnitKind.LAYER, UnitKind.MODEL) or is_main
    for statement, _ in _local_imports(tree):
        names = [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
        if not inside and not _in_function(tree, statement):
            yield Decline("an import of TensorFlow beside other code")
        elif any(name == "*" or _is_read(tree, name) for name in names):
            yield Decline("a name that an import in a function binds is still used")


def _in_function(tree: ast.Module, statement: ast.stmt) -> bool:
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(statement in ast.walk(function) for function in functions)


def _is_read(tree: ast.Module, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(tree))


def _without_imports(text: str, tree: ast.Module) -> str:
    lines = text.splitlines(keepends=True)
    for statement, block in sorted(_local_imports(tree), key=lambda found: -found[0].lineno):
        kept = _kept(statement)
        first, last = statement.lineno - 1, (statement.end_lineno or statement.lineno) - 1
        if any(other is not statement and _shares(other, statement) for other in block):
            continue  # `import a; b()` on one line: it stays, and so is found by whoever looks for imports
        indent = lines[first][: statement.col_offset]
        alone = all(other is statement for other in block) and not kept
        lines[first : last + 1] = [f"{indent}{kept}\n"] if kept else [f"{indent}pass\n"] if alone else []
    return "".join(lines)


def _shares(other: ast.stmt, statement: ast.stmt) -> bool:
    return other.lineno <= (statement.end_lineno or 0) and (other.end_lineno or 0) >= statement.lineno


def _kept(statement: ast.Import | ast.ImportFrom) -> str:
    """The statement with its other modules."""
    if isinstance(statement, ast.ImportFrom):
        return ""
    others = [alias for alias in statement.names if not is_tf_module(alias.name)]
    return ast.unparse(ast.Import(others)) if others else ""


# --- text that names TensorFlow -------------------------------------------------------------------------------


def _quoted_code(tree: ast.Module, bindings: Collection[str]) -> Iterator[Decline]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec")):
            continue
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and _names(part.value, bindings):
                yield Decline(f"`{node.func.id}` of text that names TensorFlow")


def _names(text: str, bindings: Collection[str]) -> list[str]:
    """Dotted names in a text that begin with a binding."""
    found = re.findall(r"(?<![\w.])[A-Za-z_][\w.]*", text)
    return [name for name in found if name.partition(".")[0] in bindings]


def _renamed_types(text: str, bindings: Collection[str]) -> tuple[str, list[str]]:
    """The text with `torch.Tensor` in type comments and quoted annotations, and names that have no torch spelling."""
    unknown: list[str] = []

    def rename(match: re.Match[str]) -> str:
        head, _, tail = match[0].partition(".")
        if head not in bindings:
            return match[0]
        if tail not in _TYPES:
            unknown.append(match[0])
        return _TYPES.get(tail, match[0])

    def renamed(piece: str) -> str:
        return re.sub(r"(?<![\w.])[A-Za-z_][\w.]*", rename, piece)

    lines = text.encode().splitlines(keepends=True)
    for node in sorted(_quoted_types(ast.parse(text)), key=lambda n: (-n.lineno, -n.col_offset)):
        line = lines[node.lineno - 1]
        start, end = node.col_offset, node.end_col_offset or 0
        lines[node.lineno - 1] = line[:start] + renamed(line[start:end].decode()).encode() + line[end:]
    joined = b"".join(lines).decode()
    return _TYPE_COMMENT.sub(lambda match: "# type:" + renamed(match[0].partition("type:")[2]), joined), unknown


def _quoted_types(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        for part in _annotations(node):
            for leaf in ast.walk(part):
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str) and leaf.lineno == leaf.end_lineno:
                    yield leaf


def _annotations(node: ast.AST) -> Sequence[ast.expr]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.returns] if node.returns else []
    if isinstance(node, ast.arg):
        return [node.annotation] if node.annotation else []
    return [node.annotation] if isinstance(node, ast.AnnAssign) else []


# --- names that helpers take for granted -----------------------------------------------------------------------


def hidden_builtins(helpers: Sequence[str], module_names: Collection[str]) -> list[Decline]:
    """Declines where the file's top level gives a builtin another meaning that a helper (source) reads."""
    reads = set().union(*map(global_reads, helpers))
    hidden = sorted(name for name in reads if name in module_names and hasattr(builtins, name))
    return [Decline(f"`{name}` means something else in this file, and a helper needs it") for name in hidden]


def handed_to_protobuf(helpers: Collection[str], file: cst.Module) -> list[Decline]:
    """Declines records that are plain classes now, where the file hands messages to `google.protobuf`."""
    if "Example" not in helpers:
        return []
    if any(module.startswith("google.protobuf") for module in imported_modules(ast.parse(file.code))):
        return [Decline("the file uses google.protobuf on TensorFlow's messages")]
    return []
