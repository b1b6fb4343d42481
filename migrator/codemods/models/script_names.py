"""Names of the classes of models that statements of a script or function build."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models.ends import MODEL
from migrator.codemods.models.graph import assigned
from migrator.codemods.models.naming import class_name
from migrator.codemods.models.text import names
from migrator.codemods.nodes import ancestors, find
from migrator.values import Api


def class_of(call: cst.Call, ctx: Context) -> str:
    """The class of the model that a call makes: by what holds it, or by the function that returns it."""
    stem = _stem(call, ctx)
    before = [c for c in _made(ctx) if class_name(_stem(c, ctx)) == class_name(stem)]
    index = next((i for i, other in enumerate(before) if other is call), 0)
    return free_name(class_name(stem) + (str(index + 1) if index else ""), ctx)


def _made(ctx: Context) -> list[cst.Call]:
    """The calls of the file that make a model under a name, or return one, in order."""
    found = []
    for node in find(ctx.tree, m.Assign(targets=[m.AssignTarget()], value=m.Call()) | m.Return(value=m.Call())):
        call = node.value  # type: ignore[attr-defined]
        callee = ctx.value(call.func)
        if isinstance(callee, Api) and callee.name in MODEL and not _in_factory(node, ctx):
            found.append(call)
    return found


def _stem(call: cst.Call, ctx: Context) -> str:
    line, *around = ancestors(call, ctx.tree)[1:]
    function = next((n.name.value for n in around if isinstance(n, cst.FunctionDef)), "")
    target = line.targets[0].target if isinstance(line, cst.Assign) else None
    held = (get_full_name_for_node(target) or "") if target is not None else ""
    builds = held and class_name(held) == "Model" and _is_returned(held, around)
    return (held.rpartition(".")[2] if not builds else "") or function or "model"


def _is_returned(name: str, around: Sequence[cst.CSTNode]) -> bool:
    """Whether the function around ends with what holds the model."""
    body = next((n.body.body for n in around if isinstance(n, cst.FunctionDef)), ())
    return bool(body) and m.matches(body[-1], m.SimpleStatementLine([m.Return(m.Name(name))]))


def module_names(ctx: Context) -> set[str]:
    found = {"None", "True", "False", "range", "len", "enumerate", "zip", "list", "tuple", "int", "float", "max", "min"}
    for statement in ctx.tree.body:
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            found.add(statement.name.value)
        elif isinstance(statement, cst.SimpleStatementLine):
            found |= set(assigned(statement))
            for small in statement.body:
                if isinstance(small, cst.Import | cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
                    for alias in small.names:
                        found.add(alias.evaluated_alias or alias.evaluated_name.split(".")[0])
        else:
            found |= set(assigned(statement))
    return found


def _in_factory(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a node belongs to a function whose model has a class by the function's name."""
    around = (n.name.value for n in ancestors(node, ctx.tree) if isinstance(n, cst.FunctionDef))
    return any(f"{ctx.module}:{name}" in ctx.class_names for name in around)


def free_name(name: str, ctx: Context) -> str:
    """The name, or one behind it that nothing has."""
    taken = module_names(ctx) | set(ctx.class_names.values()) | names(ctx.tree).keys()
    while name in taken:
        name = f"{name}Net" if not name.endswith("Net") else f"{name}Module"
    return name
