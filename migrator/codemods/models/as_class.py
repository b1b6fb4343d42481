"""A `Sequential` in an attribute that is more than a chain of modules: a class of its own."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.models.build import ModuleBuild, render
from migrator.codemods.models.create import Maker, result_layout
from migrator.codemods.models.functional import Graph, Shape, module
from migrator.codemods.models.layout import LAST
from migrator.codemods.models.naming import class_name
from migrator.codemods.models.part import Part
from migrator.codemods.models.sequence import INPUT, call_of, calls
from migrator.codemods.models.text import names
from migrator.model import LayerCode
from migrator.values import ModelValue


def as_class(
    attribute: str, node: cst.Call, adds: Sequence[cst.Call], build: ModuleBuild, maker: Maker, ctx: Context
) -> Part | None:
    """The part that a class for the layers is, which stands before the class that holds it; None where it cannot be.

    `adds`: calls of `add` behind the creation. The class takes and gives images as Keras does, [N, H, W, C].
    """
    statements = calls(node, ctx)
    more = [call_of(add.args[0].value, (), ctx) for add in adds]
    lines = [*(statements or ()), *(line for line in more if line is not None)]
    read = {name for line in lines for name in names(line)}
    if statements is None or not lines or "self" in read:
        return None
    params = {name: name for name in sorted(maker.scope)}  # those that the layers read stay
    if INPUT in params:
        return None
    name = f"{build.name}{class_name(attribute)}"
    made = module(
        ctx,
        Graph(lines, (INPUT,), cst.Name(INPUT), params, sequential=True),
        Shape(name, f"{ctx.module}:{name}", whole=False),
    )
    inner = made.build
    if inner.needs.declines:
        return None
    build.needs.absorb(inner.needs)
    build.records += inner.records
    build.hoisted[name] = render(inner)
    code = LayerCode(
        f"{name}({', '.join(made.params)})",
        "{self}({x})",
        attribute,
        penalty=("{self}.regularization_loss()",) if inner.penalties else (),
        constraint=("{self}.constrain_weights()",) if inner.constraints else (),
        adds=inner.adds,
    )
    value = ctx.value(node)
    output = value.outputs[0] if isinstance(value, ModelValue) and value.outputs else None
    return Part(f"{ctx.module}:{name}", code, LAST, result_layout(output, LAST), output=output)
