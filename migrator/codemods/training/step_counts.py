"""`optimizer.iterations`, which PyTorch's optimizers do not count, and `optimizer.build`, which they do not need."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, find
from migrator.codemods.training.calls import api_of, constant
from migrator.codemods.training.definitions import Definition, definition
from migrator.model import Helper
from migrator.values import Instance, Span

COUNT_STEPS = Helper(
    "count_steps",
    '''def count_steps(optimizer):
    """The optimizer, which counts its steps in `iterations`."""

    def count(*_):
        optimizer.iterations += 1

    optimizer.iterations = 0
    optimizer.register_step_post_hook(count)
    return optimizer
''',
)
_READS = m.Attribute(attr=m.Name("iterations"))


def counts_steps(found: Definition, ctx: Context) -> bool:
    """Whether the file reads how many steps an optimizer has done."""
    readers = (node for node in find(ctx.tree, _READS) if isinstance(node, cst.Attribute))
    return any(_is(node.value, found, ctx) for node in readers)


def reads_count(node: cst.Attribute, ctx: Context) -> bool:
    """Whether an attribute is the number of steps of an optimizer that this file makes and names."""
    return m.matches(node, _READS) and _made_here(node.value, ctx)


def _made_here(owner: cst.BaseExpression, ctx: Context) -> bool:
    """Whether an expression is an optimizer that lines of this file make, and nothing else."""
    name = ctx.code(owner).strip()
    lines = [line for line in find(ctx.tree, m.SimpleStatementLine()) if isinstance(line, cst.SimpleStatementLine)]
    made = [found for line in lines if (found := definition(line, ctx)) is not None and found.kind == "optimizer"]
    named = [found for found in made if ctx.code(found.target).strip() == name]
    bound = [t for t in find(ctx.tree, m.AssignTarget()) if ctx.code(t.children[0]).strip() == name]
    given = find(ctx.tree, m.Param(name=m.Name(name)))
    return any(_is(owner, found, ctx) for found in made) and (
        _site(owner, ctx) is not None or (len(bound) == len(named) and not given)
    )


def _is(owner: cst.BaseExpression, found: Definition, ctx: Context) -> bool:
    """Whether an expression may be what a line makes: by where it was made, or by its name."""
    value = ctx.value(owner)
    if not isinstance(value, Instance) or value.api != found.api or value.module not in ("", ctx.module):
        return False
    same = ctx.code(owner).strip() == ctx.code(found.target).strip()
    return value.site == ctx.spans[found.call] if value.site is not None else same


def _site(owner: cst.BaseExpression, ctx: Context) -> Span | None:
    value = ctx.value(owner)
    return value.site if isinstance(value, Instance) else None


def is_remainder(call: cst.Call, ctx: Context) -> bool:
    """Whether a call compares the remainder of such a number, which is a plain one here."""
    known = api_of(ctx.value(call.func)) == "tf.math.mod" and len(call.args) == 2
    if not known or not isinstance(call.args[0].value, cst.Attribute) or not reads_count(call.args[0].value, ctx):
        return False
    return isinstance(ancestors(call, ctx.tree)[1], cst.Comparison) and constant(call.args[1].value, ctx) is not None


def builds_optimizer(line: cst.CSTNode, ctx: Context) -> bool:
    """`optimizer.build(variables)`: its states are there with the first step anyway."""
    build = m.Call(func=m.Attribute(attr=m.Name("build")), args=[m.Arg()])
    if not m.matches(line, m.SimpleStatementLine(body=[m.Expr(build)])):
        return False
    call = find(line, build)[0]
    assert isinstance(call, cst.Call)
    assert isinstance(call.func, cst.Attribute)
    return _made_here(call.func.value, ctx)
