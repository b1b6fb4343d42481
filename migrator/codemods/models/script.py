"""Models built by statements of a script or of a function that does more than that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context, Draft
from migrator.codemods.models.build import render
from migrator.codemods.models.ends import MODEL
from migrator.codemods.models.factory import construction, draft_of, find_model, graph_of
from migrator.codemods.models.functional import Shape, module
from migrator.codemods.models.graph import assigned
from migrator.codemods.models.naming import class_name
from migrator.codemods.models.of_object import of_object
from migrator.codemods.models.text import names
from migrator.codemods.nodes import ancestors, find
from migrator.model import Decline, InterfaceChange, UnitKind
from migrator.values import Api


def model_statements(statements: Sequence[cst.BaseStatement], ctx: Context, name_hint: str = "") -> Draft | None:
    """The draft of statements that build one model, for which a class goes to the top level.

    `statements` begin with the first that belongs to the model (an `Input`, or the `Sequential`) and
    end with the last. `hoisted` is the class; `text` the statement that makes it. None when no
    model is built here.
    """
    found = find_model(statements, ctx)
    if found is None or found.name is None:
        return None
    held = found.name
    found, own = of_object(found, statements, ctx)
    inside = {name for s in found.before for name in assigned(s)} | {held}
    outside = {
        name: name for s in found.before for name in names(s) if name not in inside and _is_local(name, ctx, statements)
    }
    graph = graph_of(found, ctx, outside | {name: name for name in own})
    if isinstance(graph, Decline):
        return Draft("".join(ctx.code(s) for s in statements), UnitKind.SCRIPT, declines=(graph,))
    number = "" if name_hint else _number(held, found.call, ctx)
    name = _free(class_name(name_hint or held) + number, ctx)
    made = module(ctx, graph, Shape(name, f"{ctx.module}:{name}"))
    made = replace(made, params=tuple(own.get(name, name) for name in made.params))
    text = f"{held} = {construction(made)}.to(device)\n"
    hoisted = render(made.build)
    gone = inside - {held} if any(s in ctx.tree.body for s in statements) else set()
    changes = [
        InterfaceChange(f"{ctx.module}:{each}", "renames", f"{each} belonged to the layer graph, which is {name} now")
        for each in sorted(gone)
        if each not in _bound_elsewhere(ctx, statements)
    ]
    draft = draft_of(made, hoisted + text, UnitKind.SCRIPT, changes)
    return replace(draft, text=text, hoisted=hoisted, needs_device=True)


def _bound_elsewhere(ctx: Context, statements: Sequence[cst.BaseStatement]) -> set[str]:
    return {name for s in ctx.tree.body if s not in statements for name in assigned(s)}


def _is_local(name: str, ctx: Context, statements: Sequence[cst.BaseStatement]) -> bool:
    """Whether a name belongs to the function around the statements, not to the module."""
    if any(statement in ctx.tree.body for statement in statements):
        return False
    return name not in _module_names(ctx)


def _module_names(ctx: Context) -> set[str]:
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


def _number(name: str, call: cst.Call, ctx: Context) -> str:
    """What tells a class from those of models that other statements of the file build under the same name."""
    made = []
    for node in find(ctx.tree, m.Assign(targets=[m.AssignTarget(target=m.Name())], value=m.Call())):
        assert isinstance(node, cst.Assign)
        target, callee = (
            node.targets[0].target,
            ctx.value(node.value.func) if isinstance(node.value, cst.Call) else None,
        )
        same = isinstance(target, cst.Name) and class_name(target.value) == class_name(name)
        if same and isinstance(callee, Api) and callee.name in MODEL and not _in_factory(node, ctx):
            made.append(node.value)
    index = next((i for i, other in enumerate(made) if other is call), 0)
    return str(index + 1) if index else ""


def _in_factory(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a node belongs to a function whose model has a class by the function's name."""
    around = (n.name.value for n in ancestors(node, ctx.tree) if isinstance(n, cst.FunctionDef))
    return any(f"{ctx.module}:{name}" in ctx.class_names for name in around)


def _free(name: str, ctx: Context) -> str:
    taken = _module_names(ctx) | set(ctx.class_names.values()) | names(ctx.tree).keys()
    while name in taken:
        name = f"{name}Net" if not name.endswith("Net") else f"{name}Module"
    return name
