"""Which codemod takes a unit."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context, Draft
from migrator.codemods.models import class_unit, factory_unit, keeps_data
from migrator.codemods.models.extraction import extracts
from migrator.codemods.models.part import is_application
from migrator.codemods.models.sizes import size_change
from migrator.codemods.nodes import find
from migrator.codemods.training import function_unit, script_unit, step_unit, training_body
from migrator.codemods.training.calls import calls_in, model_call
from migrator.codemods.units import Segment
from migrator.model import UnitKind
from migrator.values import Api

_LAYERS = (
    *("tf.keras.layers.", "tf.keras.Model", "tf.keras.Sequential", "tf.keras.applications."),
    *("tf.keras.models.Model", "tf.keras.models.clone_model"),
)
FACTORIES = frozenset({"model-factory", "layer-factory", "module-factory"})


def is_model_unit(segment: Segment, ctx: Context) -> bool:
    """Whether the unit is a layer, a model, or a function that makes some."""
    statement = segment.statements[0]
    qualname = f"{ctx.module}:{segment.unit.name}"
    if isinstance(statement, cst.ClassDef):
        facts = ctx.facts.cls(qualname)
        return facts is not None and facts.kind in ("layer", "model")
    if isinstance(statement, cst.FunctionDef):
        known = ctx.facts.function(qualname)
        makes = known is not None and known.role in FACTORIES
        makes = makes and not _makes_networks(statement, ctx)
        return makes and not _trains_what_another_made(statement, ctx) and not keeps_data(statement, ctx)
    return False


def _after_building(statements: Sequence[cst.BaseStatement], ctx: Context) -> Draft:
    """What a builder does with its model: compile it, load weights."""
    return training_body(statements, ctx, UnitKind.TRAINING)


def _trains_what_another_made(function: cst.FunctionDef, ctx: Context) -> bool:
    """Whether a function that returns a model only gets it from elsewhere, and compiles or trains it."""
    if size_change(ctx.facts, f"{ctx.module}:{function.name.value}") is not None:
        return False
    calls = calls_in(function)
    made = any(isinstance(v := ctx.value(call.func), Api) and v.name.startswith(_LAYERS) for call in calls)
    return not made and any(model_call(call, ctx, frozenset()) for call in calls)


def _makes_networks(function: cst.FunctionDef, ctx: Context) -> bool:
    """Whether all that a function makes are networks of Keras, and models of their layers or frozen ones."""
    calls = [c for c in calls_in(function) if isinstance(v := ctx.value(c.func), Api) and v.name.startswith(_LAYERS)]
    alone = bool(calls) and all(is_application(ctx.value(call)) for call in calls)
    frozen = find(function.body, m.AssignTarget(m.Attribute(attr=m.Name("trainable"))))
    return alone and (bool(frozen) or any(extracts(call, ctx) for call in calls))


def draft_unit(segment: Segment, ctx: Context) -> Draft | None:
    """The draft of a unit, or None for imports, which are decided once all units are."""
    unit = segment.unit
    if unit.kind is UnitKind.IMPORTS:
        return None
    statement = segment.statements[0]
    if is_model_unit(segment, ctx):
        if isinstance(statement, cst.ClassDef):
            return class_unit(statement, ctx, steps=step_unit)
        assert isinstance(statement, cst.FunctionDef)
        return factory_unit(statement, ctx, rest=_after_building)
    if isinstance(statement, cst.FunctionDef):
        return function_unit(statement, ctx)
    return script_unit(segment.statements, ctx, unit.kind)
