"""Functions that take NumPy arrays and only compute with them: torch wants them to be tensors from the start.

TensorFlow turns an array into a tensor at every operation, torch only where told, so that `x - tf.reduce_mean(x)`
of an array has no spelling that leaves `x` as it is.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from dataclasses import replace

from migrator.facts import roots
from migrator.facts.calls import decorators
from migrator.facts.interpreter import Frame, Interpreter
from migrator.facts.modules import FunctionNode
from migrator.facts.survey import survey
from migrator.values import Api, Tensor, Value

_FLOATS = frozenset({"float16", "float32", "float64"})


def converted(it: Interpreter, qualname: str, node: FunctionNode, module: str) -> tuple[str, ...]:
    """The parameters of a function that it had better make tensors first: arrays for some caller."""
    if not decorators(node) <= {"function"} or not _computes(it, node, module):
        return ()
    found = (arg.arg for arg in roots.all_arguments(node) if arg not in (node.args.vararg, node.args.kwarg))
    return tuple(name for name in found if _is_converted(it, qualname, node, module, name))


def with_origin(params: dict[str, Value], names: Iterable[str], origin: str) -> dict[str, Value]:
    """Parameters with the given ones as arrays ("numpy") or tensors ("tf")."""
    given = {name: value for name in names if isinstance(value := params.get(name), Tensor)}
    return params | {name: replace(value, origin=origin) for name, value in given.items()}


def _is_converted(it: Interpreter, qualname: str, node: FunctionNode, module: str, name: str) -> bool:
    given = [dict(call.args).get(name) for call in it.observed.get(qualname, [])]
    arrays = [value for value in given if isinstance(value, Tensor) and value.origin == "numpy"]
    uses = _uses(node, name)
    if not arrays or uses is None or not all(isinstance(value, Tensor) for value in given):
        return False
    calls, computed = uses
    if not all(isinstance(_callee(it, call, module), Api) for call in calls):
        return False
    # NumPy and torch promote integers differently, where the function computes with them by itself
    return computed > 0 and all(value.dtype in _FLOATS for value in arrays)


def _computes(it: Interpreter, node: FunctionNode, module: str) -> bool:
    return any(isinstance(_callee(it, call, module), Api) for call in survey(node).calls)


def _callee(it: Interpreter, call: ast.Call, module: str) -> Value | None:
    if isinstance(call.func, ast.Name | ast.Attribute):
        return it.value(call.func, Frame(it.modules[module], it.root, {}))
    return None


@functools.lru_cache(maxsize=4096)
def _uses(node: FunctionNode, name: str) -> tuple[tuple[ast.Call, ...], int] | None:
    """The calls that take the name as it is and the number of operators on it; None for any other use."""
    calls: list[ast.Call] = []
    computed = 0
    for parent in ast.walk(node):
        for child in ast.iter_child_nodes(parent):
            if not (isinstance(child, ast.Name) and child.id == name):
                continue
            if isinstance(parent, ast.Call) and child is not parent.func:
                calls.append(parent)
            elif _is_operator(parent, child):
                computed += 1
            elif not _is_shape(parent):
                return None
    keywords = [call for call in survey(node).calls if any(_is_name(k.value, name) for k in call.keywords)]
    return (*calls, *keywords), computed


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_operator(parent: ast.AST, child: ast.AST) -> bool:
    if isinstance(parent, ast.BinOp | ast.UnaryOp):
        return True
    if isinstance(parent, ast.Compare):
        return not any(isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot) for op in parent.ops)
    if isinstance(parent, ast.Subscript) and child is parent.value:
        steps = [s.step for s in ast.walk(parent.slice) if isinstance(s, ast.Slice)]
        return isinstance(parent.ctx, ast.Load) and not any(steps)
    return False


def _is_shape(parent: ast.AST) -> bool:
    return isinstance(parent, ast.keyword) or (isinstance(parent, ast.Attribute) and parent.attr == "shape")
