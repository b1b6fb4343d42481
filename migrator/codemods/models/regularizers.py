"""Regularisers and constraints that a constructor takes: written out where every construction leaves the default."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.models import named_sizes
from migrator.codemods.nodes import find
from migrator.values import Facts, Instance, Literal, RepoInstance, Scalar, Span, Sym, Value


def agreed(facts: Facts, qualname: str, params: Iterable[str]) -> dict[str, Value]:
    """The regulariser and constraint parameters of a class that every construction leaves at their default, with that.

    One that is given something stays a parameter, also where all give the same: who leaves it out gets the default.
    """
    known = facts.cls(qualname)
    if known is None or known.related:
        return {}
    found: dict[str, Value] = {}
    for name in params:
        if not name.endswith(("regularizer", "constraint")):
            continue
        default = _default(dict(known.init).get(name))
        given = {_given(facts, module, site, qualname, name) for module, site in known.sites}
        value = default if given <= {default} else None
        if value is not None:
            found[name] = value
    return found


LATE = {kind: Instance(f"tf.keras.{kind}s.get") for kind in ("regularizer", "constraint")}
"""What is known of a regulariser or constraint that the caller chooses: nothing, not even whether there is one."""


def said(value: Value, node: cst.BaseExpression, source: str) -> Value:
    """A regulariser with its factors as the call says them: the constant of the file in `l2(WEIGHT_DECAY)`."""
    if not isinstance(value, Instance) or not isinstance(node, cst.Call) or not value.api.startswith(_REGULARIZERS):
        return value
    order = ("l1", "l2") if value.api.endswith("L1L2") else tuple(name for name, _ in value.args)
    texts = {a.keyword.value if a.keyword else name: a.value for name, a in zip(order, node.args, strict=False)}
    args = tuple((name, _by_name(given, texts.get(name), source)) for name, given in value.args)
    return replace(value, args=args)


def _by_name(given: Value, node: cst.BaseExpression | None, source: str) -> Value:
    if node is None or not isinstance(given, Literal) or not isinstance(given.value, int | float):
        return given
    text = cst.Module([]).code_for_node(node)
    return Scalar(type(given.value).__name__, Sym(text)) if named_sizes.constant(text, source) else given


_REGULARIZERS = "tf.keras.regularizers."


def chosen(methods: Sequence[cst.FunctionDef], params: Collection[str]) -> frozenset[str]:
    """Parameters, and the attributes that hold one: `self.penalty = regularizers.get(kernel_regularizer)`."""
    found = set(params)
    for node in (n for method in methods for n in find(method, m.Assign())):
        assert isinstance(node, cst.Assign)
        given = node.value
        if isinstance(given, cst.Call) and m.matches(given.func, _GET) and len(given.args) == 1:
            given = given.args[0].value
        if isinstance(given, cst.Name) and given.value in params:
            names = [get_full_name_for_node(t.target) or "" for t in node.targets]
            found |= {name.removeprefix("self.") for name in names}
    return frozenset(found)


_GET = m.Attribute(attr=m.Name("get")) | m.Name("get")


def _default(value: Value | None) -> Value | None:
    """The default of a parameter where that is None."""
    return value.default if isinstance(value, Scalar) and value.default == Literal(None) else None


def _given(facts: Facts, module: str, site: Span, qualname: str, name: str) -> Value | None:
    """What one construction gives: a regulariser or constraint, None as a literal, or nothing that is known."""
    made = facts.modules[module].at(site)
    if not isinstance(made, RepoInstance) or made.qualname != qualname:
        return None
    value = dict(made.args).get(name, Literal(None))
    if isinstance(value, Instance) and value.api.startswith(("tf.keras.regularizers.", "tf.keras.constraints.")):
        return Instance(value.api, args=value.args)
    return value if isinstance(value, Literal) else None
