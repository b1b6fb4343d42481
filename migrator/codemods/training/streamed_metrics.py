"""Metrics of a `compile` that are objects: made for each pass, shown every batch, asked for their figure at its end."""

from __future__ import annotations

import re

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.callback_classes import METRIC, base_of, derives_directly
from migrator.codemods.training.calls import bind, constant
from migrator.codemods.training.place import embed
from migrator.codemods.training.scope import bound_at_top, names_in
from migrator.model import Decline, MetricCode
from migrator.values import Instance, Literal, RepoInstance, Value

_VECTORS = {"F1Score": "average", "FBetaScore": "average", "R2Score": "class_aggregation"}
_BASE_INIT = m.Call(func=m.Attribute(value=m.Call(func=m.Name("super")), attr=m.Name("__init__")))


def streamed(node: cst.BaseExpression, ctx: Context) -> MetricCode | Decline:
    """The object that an expression makes, as a metric of the pass over the data."""
    value = ctx.value(node)
    if not isinstance(node, cst.Call):
        return Decline("a metric object that is kept outside of the training")
    own = isinstance(value, RepoInstance) and base_of(value, ctx) == METRIC
    api = value.api if isinstance(value, Instance) else ""
    if not own and not api.startswith("tf.keras.metrics."):
        return Decline(f"`{ctx.code(node).strip()}` is not known")
    if not names_in(node) <= {*bound_at_top(ctx.tree), "True", "False", "None"}:
        return Decline("a metric object that is made of variables of a function")
    name = _own_key(node, value, ctx) if isinstance(value, RepoInstance) else _key(value)
    if not name:
        return Decline("what Keras calls a metric is not known")
    if isinstance(value, Instance) and not _is_number(value):
        return Decline(f"a figure of {api} that is no single number", api)
    rewritten = embed(node, {}, ctx)
    if rewritten.declines:
        return rewritten.declines[0]
    made = cst.Module([]).code_for_node(rewritten.node).strip()
    return MetricCode(name, "", imports=tuple(rewritten.imports), helpers=tuple(rewritten.helpers), made=made)


def _is_number(value: Instance) -> bool:
    """Whether the figure of a metric is one number, which those of several classes must be told to be."""
    name = value.api.rpartition(".")[2]
    given = value.arg(_VECTORS[name]) if name in _VECTORS else Literal("")
    return name == "R2Score" if given is None else isinstance(given, Literal) and given.value is not None


def _argument(call: cst.Call, name: str) -> cst.BaseExpression | None:
    return next((a.value for a in call.args if a.keyword is not None and a.keyword.value == name), None)


def _key(value: Value) -> str:
    """The key of the history: what `name` says, or the name of the class with underscores."""
    assert isinstance(value, Instance)
    given = value.arg("name")
    if given is None:
        return _underscored(value.api.rpartition(".")[2])
    return _text(given if isinstance(given, Literal) else None)


def _underscored(name: str) -> str:
    """As Keras makes a name of that of a class."""
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()


def _own_key(call: cst.Call, value: RepoInstance, ctx: Context) -> str:
    """The key of a metric of the repository's own: what its class tells Keras's; "" where that is not known."""
    title = value.qualname.rpartition(":")[2]
    classes = [s for s in ctx.tree.body if isinstance(s, cst.ClassDef) and s.name.value == title]
    inits = find(classes[0], m.FunctionDef(name=m.Name("__init__"))) if len(classes) == 1 else []
    if len(classes) != 1 or not derives_directly(classes[0], ctx) or len(inits) > 1:
        return ""
    given = _argument(call, "name")
    told = constant(given, ctx)
    if not inits:
        return _text(told) if given is not None else _underscored(title)
    init = inits[0]
    assert isinstance(init, cst.FunctionDef)
    base = [c for c in find(init, _BASE_INIT) if isinstance(c, cst.Call)]
    if len(base) != 1:
        return ""
    said = _argument(base[0], "name")
    if isinstance(said, cst.Name):
        return _of_parameter(call, init, said.value, ctx)
    if said is not None:
        return _text(constant(said, ctx))
    return _text(told) if given is not None else _underscored(title)


def _of_parameter(call: cst.Call, init: cst.FunctionDef, name: str, ctx: Context) -> str:
    """What a parameter of the constructor is: given by the call, or its default."""
    params = list(init.params.params)[1:]
    bound = bind(call, [p.name.value for p in params])
    if isinstance(bound, Decline):
        return ""
    default = next((p.default for p in params if p.name.value == name), None)
    return _text(constant(bound.get(name, default), ctx))


def _text(known: Literal | None) -> str:
    return known.value if known is not None and isinstance(known.value, str) else ""
