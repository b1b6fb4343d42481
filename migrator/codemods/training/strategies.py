"""Distribution strategies of one machine: the program runs on one device, so that a strategy's scope is no scope."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find, variables
from migrator.values import STRATEGIES, Instance, Literal, Sequence, Value

NOTE = "the distribution strategy is gone: the program trains on one device, of which there is one replica"
_METHODS = ("run", "reduce", "experimental_distribute_dataset", "experimental_local_results")
_REPLICAS = "num_replicas_in_sync"


def is_strategy(node: cst.BaseExpression, ctx: Context) -> bool:
    value = ctx.value(node)
    return isinstance(value, Instance) and value.api in STRATEGIES and _of_one(value.arg("devices"))


def _of_one(devices: Value | None) -> bool:
    """Whether a strategy is not told to use several devices, each of which would be a replica."""
    if isinstance(devices, Sequence):
        return devices.items is not None and len(devices.items) <= 1
    return devices in (None, Literal(None))


def makes_strategy(line: cst.SimpleStatementLine, ctx: Context) -> bool:
    """`strategy = tf.distribute.MirroredStrategy()` that is read for what one replica makes plain code of."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Assign) or len(part.targets) > 1:
        return False
    target = part.targets[0].target
    if not isinstance(target, cst.Name) or not is_strategy(part.value, ctx):
        return False
    name = m.Name(target.value)
    scope = m.Call(func=m.Attribute(value=name, attr=m.Name("scope")), args=[])
    scopes = find(ctx.tree, m.With(items=[m.WithItem(item=scope, asname=None)]))
    replicas = find(ctx.tree, m.Attribute(value=name, attr=m.Name(_REPLICAS)))
    methods = m.OneOf(*map(m.Name, _METHODS))
    called = find(ctx.tree, m.Call(func=m.Attribute(value=name, attr=methods)))
    bound = find(ctx.tree, m.AssignTarget(target=name))
    return variables(ctx.tree).count(target.value) == len(scopes) + len(replicas) + len(called) + len(bound)


def is_scope(node: cst.CSTNode, ctx: Context) -> bool:
    """`with strategy.scope():`"""
    call = m.Call(func=m.Attribute(attr=m.Name("scope")), args=[])
    if not isinstance(node, cst.With) or not m.matches(node, m.With(items=[m.WithItem(item=call, asname=None)])):
        return False
    inner = node.items[0].item
    assert isinstance(inner, cst.Call)
    assert isinstance(inner.func, cst.Attribute)
    return is_strategy(inner.func.value, ctx)


def is_replicas(node: cst.Attribute, ctx: Context) -> bool:
    """`strategy.num_replicas_in_sync`, which is 1."""
    return node.attr.value == _REPLICAS and is_strategy(node.value, ctx)
