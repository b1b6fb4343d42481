"""Recurrent layers that keep their states from batch to batch start again from zeros."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.training.models import model_text
from migrator.codemods.training.writer import Code, Writer
from migrator.model import Helper
from migrator.values import Instance, Literal, Value

RESET_STATES = Helper(
    "reset_states",
    '''def reset_states(model):
    """Recurrent layers that keep their states from batch to batch start again from zeros."""
    for module in model.modules():
        if hasattr(module, "reset_states"):
            module.reset_states()
''',
)
RESETS = ("reset_states", "reset_state")
_METHODS = m.Name("reset_states") | m.Name("reset_state")


def keeps_states(layer: Value) -> bool:
    """Whether a layer, or the one that it wraps, is known to be `stateful`."""
    inner = layer.arg("layer") if isinstance(layer, Instance) else None
    own = isinstance(layer, Instance) and layer.arg("stateful") == Literal(True)
    return own or (inner is not None and keeps_states(inner))


def reset_text(model: str, writer: Writer) -> str:
    """The call that resets all layers of a model."""
    name = writer.plan.name(RESET_STATES.name)
    writer.sink.help((Helper(name, RESET_STATES.source.replace("def reset_states", f"def {name}")),))
    return f"{name}({model})"


def reset_states(call: cst.Call, model: str, writer: Writer) -> Code:
    """`model.reset_states()` of Keras 2."""
    writer.bound(call, "reset_states", frozenset())
    return Code("", reset_text(model, writer))


def reset_loop(node: cst.CSTNode, ctx: Context, models: frozenset[str]) -> cst.BaseExpression | None:
    """The model of a loop over `model.layers` that does nothing but reset those that keep states."""
    if not m.matches(node, m.For(target=m.Name(), iter=m.Attribute(attr=m.Name("layers")), orelse=None)):
        return None
    assert isinstance(node, cst.For)
    assert isinstance(node.target, cst.Name)
    assert isinstance(node.iter, cst.Attribute)
    layer = m.Name(node.target.value)
    inner = node.body.body[0] if len(node.body.body) == 1 else None
    if isinstance(inner, cst.If) and inner.orelse is None and len(inner.body.body) == 1 and _keeps(inner.test, layer):
        inner = inner.body.body[0]
    reset = m.Expr(m.Call(func=m.Attribute(value=layer, attr=_METHODS), args=[]))
    known = m.matches(inner, m.SimpleStatementLine(body=[reset])) if inner is not None else False
    owner = node.iter.value
    return owner if known and model_text(owner, ctx, models) is not None else None


def _keeps(test: cst.BaseExpression, layer: m.Name) -> bool:
    """Whether a condition asks no more than whether a layer keeps states."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return _keeps(test.left, layer) and _keeps(test.right, layer)
    has = m.Call(func=m.Name("hasattr"), args=[m.Arg(layer), m.Arg(m.SimpleString())])
    asked = m.Call(func=m.Name("getattr"), args=[m.Arg(layer), m.Arg(m.SimpleString()), m.Arg(m.Name("False"))])
    if m.matches(test, has | asked):
        assert isinstance(test, cst.Call)
        word = test.args[1].value
        words = RESETS if m.matches(test, has) else ("stateful",)
        return isinstance(word, cst.SimpleString) and word.evaluated_value in words
    return m.matches(test, m.Attribute(value=layer, attr=m.Name("stateful")))
