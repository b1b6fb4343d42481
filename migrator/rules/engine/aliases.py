"""Local names for modules of TensorFlow: `mnist = tf.keras.datasets.mnist` inside of a function."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from migrator.rules.engine.names import is_tf_module
from migrator.syntax import known_index
from migrator.values import ModuleRef, Value


def module_named(assign: cst.Assign, value: Callable[[cst.BaseExpression], Value]) -> bool:
    """Whether a statement of a function names a module that every other use of the name means too.

    The name stands only for what is looked up in the module then, which is rewritten as if it were written out.
    """
    meant = value(assign.value)
    if len(assign.targets) != 1 or not isinstance(assign.value, cst.Name | cst.Attribute) or not is_tf_module(meant):
        return False
    target, index = assign.targets[0].target, known_index(assign)
    function = None if index is None else _function(assign, index.parents)
    if index is None or function is None or not isinstance(target, cst.Name):
        return False
    assert isinstance(meant, ModuleRef)
    names = (n for n in index.below(function, cst.Name) if isinstance(n, cst.Name) and n.value == target.value)
    others = [n for n in names if n is not target and n not in index.words]
    return all(value(n) == meant and isinstance(index.parents[n], cst.Attribute) for n in others)


def _function(node: cst.CSTNode, parents: dict[cst.CSTNode, cst.CSTNode]) -> cst.FunctionDef | None:
    """The function whose variable a statement binds."""
    while node in parents:
        node = parents[node]
        if isinstance(node, cst.FunctionDef):
            return node
        if isinstance(node, cst.ClassDef):
            return None
    return None
