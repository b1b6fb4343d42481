"""`tf.data.Options`, which says how a pipeline runs and not what it gives."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find

_OPTIONS = "tf.data.Options"


def only_tunes(line: cst.SimpleStatementLine, ctx: Context) -> bool:
    """Whether a line makes options or sets one, where nothing but `with_options` reads them."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Assign) or len(part.targets) > 1:
        return False
    target: cst.BaseExpression = part.targets[0].target
    while isinstance(target, cst.Attribute):
        target = target.value
    if not isinstance(target, cst.Name):
        return False
    return target.value in _option_names(ctx) and not find(part.value, m.Call(func=m.Name()))


def _option_names(ctx: Context) -> set[str]:
    """Names that are options wherever they are bound, and are read by `with_options` alone."""
    made: dict[str, int] = {}
    for node in find(ctx.tree, m.Assign()):
        if not isinstance(node, cst.Assign) or len(node.targets) > 1:
            continue
        if isinstance(target := node.targets[0].target, cst.Name):
            made[target.value] = made.get(target.value, 0) + (1 if _makes_options(node.value, ctx) else -1000)
    return {name for name, count in made.items() if 0 < count == _seen(name, ctx)}


def _seen(name: str, ctx: Context) -> int:
    """How often a name stands in the file, other than as the root of what is set or in `with_options`."""
    set_on = sum(
        isinstance(n, cst.Name) and n.value == name
        for node in find(ctx.tree, m.AssignTarget(target=m.Attribute()))
        for n in find(node, m.Name())
    )
    given = find(ctx.tree, m.Call(func=m.Attribute(attr=m.Name("with_options")), args=[m.Arg(value=m.Name(name))]))
    return len(find(ctx.tree, m.Name(name))) - set_on - len(given)


def _makes_options(node: cst.BaseExpression, ctx: Context) -> bool:
    if not isinstance(node, cst.Call) or node.args:
        return False
    text = ctx.code(node.func).strip()
    return text.replace(".", "").isidentifier() and ctx.here.canonical(text, ctx.spans.get(node.func)) == _OPTIONS
