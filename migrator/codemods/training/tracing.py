"""What TensorFlow evaluates once, when it traces a function: numbers that Python or NumPy draws."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, find
from migrator.values import Api, Dataset, External

REASON = "`{}` is drawn once in TensorFlow, when the function is traced, and at every call in PyTorch"
_DRAWS = ("numpy.random.", "random.")
_MAPPING = m.Call(func=m.Attribute(attr=m.OneOf(*map(m.Name, ("map", "flat_map", "interleave", "filter")))))
_UNTRACED = ("tf.py_function", "tf.numpy_function", "tf.compat.v1.py_func")


def drawn_once(node: cst.CSTNode, ctx: Context) -> list[str]:
    """The calls that draw a number when a traced function below a node is traced, as source."""
    found = [call for traced in _traced(node, ctx) for call in find(traced, m.Call()) if _draws(call, traced, ctx)]
    return list(dict.fromkeys(ctx.code(call).strip() for call in found))


def _traced(node: cst.CSTNode, ctx: Context) -> Iterator[cst.CSTNode]:
    """Functions under `@tf.function`, and those that a dataset is mapped by."""
    for function in find(node, m.FunctionDef()):
        assert isinstance(function, cst.FunctionDef)
        if any(_is_function(d.decorator, ctx) for d in function.decorators):
            yield function
    for call in find(node, _MAPPING):
        assert isinstance(call, cst.Call)
        assert isinstance(call.func, cst.Attribute)
        if call.args and isinstance(ctx.value(call.func.value), Dataset):
            yield from _mapped(call.args[0].value, ctx)


def _mapped(function: cst.BaseExpression, ctx: Context) -> Iterator[cst.CSTNode]:
    if isinstance(function, cst.Lambda):
        yield function
    elif isinstance(function, cst.Name):
        yield from find(ctx.tree, m.FunctionDef(name=m.Name(function.value)))


def _is_function(decorator: cst.BaseExpression, ctx: Context) -> bool:
    value = ctx.value(decorator.func if isinstance(decorator, cst.Call) else decorator)
    return value == Api("tf.function")


def _draws(call: cst.CSTNode, traced: cst.CSTNode, ctx: Context) -> bool:
    value = ctx.value(call.func) if isinstance(call, cst.Call) else None
    if not isinstance(value, External) or not value.name.startswith(_DRAWS):
        return False
    around = (ctx.value(a.func) for a in ancestors(call, traced) if isinstance(a, cst.Call))
    return not any(isinstance(v, Api) and v.name in _UNTRACED for v in around)
