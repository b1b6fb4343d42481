"""`self.add_loss(x)`: an attribute with what the last call of a layer adds to the loss."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.model import Helper
from migrator.values import Tensor

ATTRIBUTE = "added_loss"
ADDED_LOSSES = Helper(
    "added_losses",
    '''def added_losses(model):
    """The sum of what the layers of `model` added to its loss in their last call."""
    return sum(module.added_loss for module in model.modules() if hasattr(module, "added_loss"))
''',
)
OFTEN = "a layer that adds to the loss is called more than once, and Keras counts each call"
_ADD = m.Call(func=m.Attribute(value=m.Name("self"), attr=m.Name("add_loss")))


def calls(methods: Mapping[str, cst.FunctionDef]) -> list[cst.Call]:
    """The calls of `self.add_loss` in a class."""
    return [call for method in methods.values() for call in find(method, _ADD) if isinstance(call, cst.Call)]


def argument(node: cst.BaseExpression) -> cst.BaseExpression | None:
    """What `self.add_loss(x)` adds, where it says nothing else."""
    if not m.matches(node, _ADD) or not isinstance(node, cst.Call) or len(node.args) != 1:
        return None
    arg = node.args[0]
    return arg.value if not arg.star and (arg.keyword is None or arg.keyword.value == "loss") else None


def problem(added: Sequence[cst.Call], qualname: str, ctx: Context) -> str:
    """Why what a class adds to the loss has no counterpart; "" where it has."""
    for call in added:
        value = argument(call)
        if value is None:
            return "`add_loss` in this form has no rule"
        known = ctx.value(value)
        if isinstance(known, Tensor) and known.rank not in (0, None):
            return "a loss that is no scalar is added"
    facts = ctx.facts.cls(qualname)
    uses = [ctx.facts.layer(module, span) for module, span in (facts.sites if facts is not None else ())]
    if any(use is not None and use.calls > 1 for use in uses):
        return OFTEN
    return ""


def once(added: Sequence[cst.Call], call: cst.FunctionDef | None) -> bool:
    """Whether the loss is added by one plain statement of `call`, so that nothing has to be summed up."""
    if len(added) != 1 or call is None:
        return False
    lines = [s for s in call.body.body if isinstance(s, cst.SimpleStatementLine)]
    return any(isinstance(p, cst.Expr) and p.value is added[0] for line in lines for p in line.body)


def adding(definitions: Mapping[str, ast.AST]) -> frozenset[str]:
    """Which classes and factories, by qualified name, add to the loss themselves or by what they make."""
    result = {q for q, node in definitions.items() if any(_adds(n) for n in ast.walk(node))}
    names = {q.rpartition(":")[2]: q for q in definitions}
    while more := {q for q, node in definitions.items() if q not in result and _makes(node, names, result)}:
        result |= more
    return frozenset(result)


def _adds(node: ast.AST) -> bool:
    """Whether a node is a call of `add_loss`, or makes a layer that only adds to the loss."""
    if not isinstance(node, ast.Call):
        return False
    tail = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return tail in ("add_loss", "ActivityRegularization")


def _makes(node: ast.AST, names: Mapping[str, str], which: set[str]) -> bool:
    made = (n.func for n in ast.walk(node) if isinstance(n, ast.Call))
    tails = (f.attr if isinstance(f, ast.Attribute) else f.id if isinstance(f, ast.Name) else "" for f in made)
    return any(names.get(tail) in which for tail in tails)
