"""Drafts of training code by the real facts and rules, and both sides run on the same data."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from migrator.codemods.context import Context, Draft, ModelTraits
from migrator.codemods.models import factory_unit, plan_models
from migrator.codemods.training import training_body
from migrator.facts import analyse
from migrator.model import UnitKind
from migrator.rules import rulebook
from migrator.rules.objects import Objects
from migrator.values import Span

HEAD = """import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

"""


def context(source: str) -> Context:
    """The context of a repository of one file, `m.py`."""
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    spans = {
        node: Span(at.start.line, at.start.column, at.end.line, at.end.column)
        for node, at in wrapper.resolve(PositionProvider).items()
    }
    facts = analyse({"m": source})
    models = plan_models(facts, {"m": ast.parse(source)})
    ctx = Context(
        "m.py",
        "m",
        wrapper.module,
        spans,
        facts,
        rulebook(3),
        changes=models.changes,
        class_names=models.class_names,
        objects=Objects(),
        layouts=models.layouts,
        penalised=models.penalised,
        constrained=models.constrained,
        adding=models.adding,
    )
    return replace(ctx, models=dict(_traits(ctx)))


def _traits(ctx: Context) -> Iterator[tuple[str, ModelTraits]]:
    """What training must know of the factories of the file, as their drafts have it."""
    for statement in ctx.tree.body:
        if isinstance(statement, cst.FunctionDef):
            qualname = f"m:{statement.name.value}"
            facts = ctx.facts.function(qualname)
            if facts is not None and facts.role == "model-factory":
                made, name = factory_unit(statement, ctx), ctx.class_names.get(qualname, "")
                yield (
                    qualname,
                    ModelTraits(
                        made.has_logits.get(name, ""),
                        name in made.has_penalty,
                        constrained=name in made.has_constraints,
                        adds=name in made.has_additions,
                        ends=made.has_ends.get(name),
                        parts=made.has_parts.get(name, ()),
                        masks=name in made.has_mask,
                    ),
                )


def draft(source: str, leave: tuple[str, ...] = ("build_model", "branch")) -> Draft:
    """The draft of a file's statements without its imports and the functions named in `leave`."""
    ctx = context(source)
    body = [
        s for s in ctx.tree.body if not _is_import(s) and getattr(getattr(s, "name", None), "value", "") not in leave
    ]
    return training_body(body, ctx, UnitKind.SCRIPT)


def _is_import(statement: cst.BaseStatement) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Import | cst.ImportFrom)


def migrated(text: str) -> str:
    """The torch text of a snippet under the usual imports; fails when anything is declined."""
    made = draft(HEAD + textwrap.dedent(text))
    assert made.declines == ()
    helpers = "\n\n".join(helper.source for helper in made.helpers)
    return (helpers + "\n\n" if helpers else "") + made.text


def reasons(text: str) -> str:
    """Why a snippet is declined; "" when it is not."""
    return "; ".join(decline.reason for decline in draft(HEAD + textwrap.dedent(text)).declines)


def torch_module(made: Draft, model: str) -> dict[str, Any]:
    """The migrated file as a namespace, with a torch model written by hand."""
    lines = [
        "import os",
        "import tempfile",
        "import numpy as np",
        "import torch",
        "import torch.nn.functional as F",
        "from torch import nn",
    ]
    lines += [*sorted(made.imports), 'device = torch.device("cpu")', model]
    scope: dict[str, Any] = {}
    exec("\n".join([*lines, *(helper.source for helper in made.helpers), made.text]), scope)
    return scope
