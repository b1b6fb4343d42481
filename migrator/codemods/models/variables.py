"""`tf.Variable` that a module keeps: a parameter, or a buffer where it is not trained."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.values import Api, Tensor

_FRESH = frozenset(
    f"torch.{name}"
    for name in ("arange", "empty", "eye", "full", "linspace", "ones", "rand", "randint", "randn", "tensor", "zeros")
)
_TRAINED = m.Call(func=m.Attribute(attr=m.Name("requires_grad_")), args=[])
_COPIED = m.Call(
    func=m.Attribute(value=m.Call(func=m.Attribute(attr=m.Name("detach")), args=[]), attr=m.Name("clone")), args=[]
)
_CODE = cst.Module([])


def is_variable(node: cst.BaseExpression, ctx: Context) -> bool:
    """Whether an expression makes a `tf.Variable`."""
    value = ctx.value(node.func) if isinstance(node, cst.Call) else None
    return isinstance(value, Api) and value.name == "tf.Variable"


def is_fixed_tensor(node: cst.BaseExpression, ctx: Context) -> bool:
    """Whether an expression makes a tensor with axes that no optimizer trains (a table of positions, a kernel)."""
    value = ctx.value(node)
    made = isinstance(value, Tensor) and value.origin == "tf" and bool(value.shape)
    return made and not isinstance(node, cst.Name | cst.Attribute)


def kept_variable(name: str, made: str) -> list[str]:
    """The lines that keep a variable under its name; `made`: what the rules made of it, a tensor."""
    node = cst.parse_expression(made)
    if m.matches(node, _TRAINED):
        assert isinstance(node, cst.Call)
        assert isinstance(node.func, cst.Attribute)
        return [f"{name} = nn.Parameter({_text(_own(node.func.value))})"]
    if isinstance(node, cst.Call) and (plain := [a for a in node.args if not _asks_gradient(a)]) != list(node.args):
        plain[-1] = plain[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return [f"{name} = nn.Parameter({_text(node.with_changes(args=plain))})"]
    return [f'self.register_buffer("{name.removeprefix("self.")}", {_text(_own(node))})']


def _asks_gradient(arg: cst.Arg) -> bool:
    return arg.keyword is not None and arg.keyword.value == "requires_grad"


def _own(node: cst.BaseExpression) -> cst.BaseExpression:
    """The tensor without the copy that one which nobody else holds does not need."""
    if not m.matches(node, _COPIED):
        return node
    assert isinstance(node, cst.Call)
    assert isinstance(node.func, cst.Attribute)
    detached = node.func.value
    assert isinstance(detached, cst.Call)
    assert isinstance(detached.func, cst.Attribute)
    inner = detached.func.value
    return inner if _is_fresh(inner) else node


def _is_fresh(node: cst.BaseExpression) -> bool:
    """Whether an expression is a new tensor that no gradient leads through."""
    if isinstance(node, cst.BinaryOperation):
        return all(_is_fresh(side) or _is_number(side) for side in (node.left, node.right))
    return isinstance(node, cst.Call) and get_full_name_for_node(node.func) in _FRESH


def _is_number(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Integer | cst.Float)


def _text(node: cst.BaseExpression) -> str:
    return _CODE.code_for_node(node.with_changes(lpar=[], rpar=[]) if hasattr(node, "lpar") else node)
