"""Parameters for which a builder makes an `Input` of its own where callers leave them out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.facts.interpreter import Frame, Interpreter
from migrator.facts.modules import FunctionNode
from migrator.values import Api


def left_out(it: Interpreter, node: FunctionNode, module: str) -> frozenset[str]:
    """Names that default to None and are asked about where the function makes an `Input`.

    `if inputs is None: inputs = Input(...)`, `inputs = inputs or Input(...)`, or the same as an expression.
    """
    spec = node.args
    pairs = zip(reversed([*spec.posonlyargs, *spec.args]), reversed(spec.defaults), strict=False)
    keyword = ((arg, default) for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if default)
    optional = {a.arg for a, d in (*pairs, *keyword) if isinstance(d, ast.Constant) and d.value is None}
    if not optional:
        return frozenset()
    chosen = (
        name
        for part in ast.walk(node)
        if isinstance(part, ast.If | ast.IfExp | ast.BoolOp)
        for name in _asked(part)
        if name in optional and any(_is_input(it, call, module) for call in ast.walk(part))
    )
    return frozenset(chosen)


def _asked(node: ast.If | ast.IfExp | ast.BoolOp) -> Iterator[str]:
    """The names that a choice asks for being None."""
    test = node.values[0] if isinstance(node, ast.BoolOp) else node.test
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test = test.operand
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is | ast.IsNot):
        test = test.left
    if isinstance(test, ast.Name):
        yield test.id


def _is_input(it: Interpreter, node: ast.AST, module: str) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return False
    callee = it.value(node.func, Frame(it.modules[module], it.root, {}))
    return isinstance(callee, Api) and callee.name == "tf.keras.Input"
