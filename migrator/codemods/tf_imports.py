"""Top-level statements that do nothing but bind modules: they go or stay with what uses the names."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Callable, Iterator
from functools import lru_cache

import libcst as cst
from libcst.helpers import get_full_name_for_node

_TF_ROOT = re.compile(r"(tensorflow|keras|tf_keras|tensorflow_addons)(\.|$)")
_MODULE_CALLS = frozenset({"importlib.import_module", "import_module", "__import__"})

IsModule = Callable[[cst.BaseExpression], bool]


def is_tf_module(dotted: str) -> bool:
    """Whether an import name belongs to TensorFlow."""
    return _TF_ROOT.match(dotted) is not None


def binds_only(statement: cst.BaseStatement, is_module: IsModule) -> bool:
    """Whether a statement is imports and aliases of TensorFlow's modules (`K = keras.backend`) alone.

    An `if` or `try` counts when all it imports is TensorFlow; `is_module` tells an expression that is a module of it.
    """
    if isinstance(statement, cst.SimpleStatementLine):
        return all(
            isinstance(part, cst.Import | cst.ImportFrom) or alias_of(part, is_module) for part in statement.body
        )
    if not isinstance(statement, cst.If | cst.Try):
        return False
    leaves = list(_leaves(statement))
    return any(map(_imports_tf, leaves)) and all(_imports_tf(leaf) or _stands_in(leaf, is_module) for leaf in leaves)


def alias_of(part: cst.BaseSmallStatement, is_module: IsModule = lambda value: True) -> str | None:
    """The name that `K = keras.backend` or `tf = importlib.import_module("tensorflow")` binds."""
    if not isinstance(part, cst.Assign) or len(part.targets) > 1 or not isinstance(part.targets[0].target, cst.Name):
        return None
    value = part.value
    module = isinstance(value, cst.Name | cst.Attribute) and is_module(value)
    return part.targets[0].target.value if module or _is_module_call(value) else None


def _is_module_call(value: cst.BaseExpression) -> bool:
    if not isinstance(value, cst.Call) or get_full_name_for_node(value.func) not in _MODULE_CALLS or not value.args:
        return False
    name = value.args[0].value
    return isinstance(name, cst.SimpleString) and is_tf_module(str(name.evaluated_value))


def _leaves(statement: cst.CSTNode) -> Iterator[cst.BaseSmallStatement]:
    for child in statement.children:
        if isinstance(child, cst.BaseSmallStatement):
            yield child
        elif not isinstance(child, cst.BaseExpression):
            yield from _leaves(child)


def _imports_tf(part: cst.BaseSmallStatement) -> bool:
    if isinstance(part, cst.Import):
        return all(is_tf_module(get_full_name_for_node(alias.name) or "") for alias in part.names)
    if isinstance(part, cst.ImportFrom) and part.module is not None and not part.relative:
        return is_tf_module(get_full_name_for_node(part.module) or "")
    return False


def _stands_in(part: cst.BaseSmallStatement, is_module: IsModule) -> bool:
    """What belongs to a conditional import: `tf = None`, an alias, `pass`, an error."""
    if isinstance(part, cst.Pass | cst.Raise):
        return True
    if isinstance(part, cst.Assign) and isinstance(part.value, cst.Name) and part.value.value == "None":
        return all(isinstance(target.target, cst.Name) for target in part.targets)
    return alias_of(part, is_module) is not None


@lru_cache(4096)
def global_reads(text: str) -> frozenset[str]:
    """Names of the module that a text reads, its own scopes told apart; all names where it does not parse."""
    try:
        table = symtable.symtable(text, "text", "exec")
    except SyntaxError:
        return frozenset(re.findall(r"[A-Za-z_]\w*", text))
    return frozenset(_reads(table))


def _reads(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _reads(child)


def unbound(text: str, imported: frozenset[str] = frozenset()) -> frozenset[str]:
    """Names that a whole file reads and nothing but a star import can bind; `imported` are bound elsewhere."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return frozenset({"?"})
    bound = set(dir(builtins)) | {"__file__", "__name__", "__doc__", "torch", "F", "nn"} | imported
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return global_reads(text) - bound


def imports_tensorflow(text: str) -> bool:
    """Whether a text has an import of TensorFlow left."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return False
    return any(map(is_tf_module, imported_modules(tree)))


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """The modules of all import statements below a node."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
