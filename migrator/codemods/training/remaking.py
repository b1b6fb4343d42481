"""Another model of the class that statements of the file became."""

from __future__ import annotations

import ast

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.tf_imports import global_reads
from migrator.codemods.training.built import class_of_statements
from migrator.codemods.training.calls import constant
from migrator.codemods.units import bound_names
from migrator.values import ModelValue


def made_again(model: ModelValue, ctx: Context) -> str:
    """The expression that makes such a model once more, wherever it stands; "" where it may not be the same."""
    draft = class_of_statements(model, ctx)
    made = draft.text.strip().partition(" = ")[2] if draft is not None else ""
    if draft is None or not made.endswith(".to(device)") or not _without_names(made):
        return ""
    return made if all(_keeps_its_value(name, ctx) for name in global_reads(draft.hoisted)) else ""


def _without_names(made: str) -> bool:
    """Whether a construction `Model(4).to(device)` reads nothing but the class and the device."""
    call = ast.parse(made, mode="eval").body
    read = [n.id for n in ast.walk(call) if isinstance(n, ast.Name)]
    return len(read) == 2


def _keeps_its_value(name: str, ctx: Context) -> bool:
    """Whether a name of the file is an import, a function or a class, or is bound once, to a constant."""
    binding = [s for s in ctx.tree.body for bound in bound_names(s) if bound == name]
    if len(binding) != 1 or find(ctx.tree, m.NameItem(m.Name(name))):
        return not binding
    line = binding[0].body[0] if isinstance(binding[0], cst.SimpleStatementLine) else binding[0]
    if isinstance(line, cst.Assign):
        return constant(line.value, ctx) is not None
    return isinstance(line, cst.Import | cst.ImportFrom | cst.FunctionDef | cst.ClassDef)
