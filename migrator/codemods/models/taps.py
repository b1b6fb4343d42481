"""Graphs that go on from a network of Keras: `base.output`, from `base.input` or from what it was built on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models.part import is_application
from migrator.codemods.nodes import find


def network_input(node: cst.BaseExpression, ctx: Context) -> str:
    """The name of the network in `base.input`; "" for any other expression."""
    if isinstance(node, cst.List) and len(node.elements) == 1:
        node = node.elements[0].value
    if not isinstance(node, cst.Attribute) or node.attr.value not in ("input", "inputs"):
        return ""
    return get_full_name_for_node(node.value) or "" if is_application(ctx.value(node.value)) else ""


def taps(nodes: Iterable[cst.CSTNode], inputs: Mapping[str, str], ctx: Context) -> dict[str, str]:
    """`base.output` as written → the tensor that goes into the network.

    `inputs`: networks whose input the model's own is, and its name.
    """
    found = {}
    for node in nodes:
        for attribute in find(node, m.Attribute(attr=m.Name("output"))):
            assert isinstance(attribute, cst.Attribute)
            owner = get_full_name_for_node(attribute.value) or ""
            if owner in inputs and is_application(ctx.value(attribute.value)):
                found[f"{owner}.output"] = inputs[owner]
    return found


def built_on(statements: Sequence[cst.BaseStatement], ctx: Context) -> dict[str, str]:
    """Networks that are made with `input_tensor=x`, and that name."""
    found = {}
    for assign in (a for s in statements for a in find(s, m.Assign(value=m.Call()))):
        assert isinstance(assign, cst.Assign)
        target, call = assign.targets[0].target, assign.value
        given = _input_tensor(call) if isinstance(call, cst.Call) and is_application(ctx.value(call)) else None
        if isinstance(target, cst.Name) and isinstance(given, cst.Name):
            found[target.value] = given.value
    return found


def _input_tensor(call: cst.Call) -> cst.BaseExpression | None:
    return next((a.value for a in call.args if a.keyword and a.keyword.value == "input_tensor"), None)
