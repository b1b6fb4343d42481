"""Keras layers and models as `nn.Module`s."""

from migrator.codemods.models.calls import rewrite_call
from migrator.codemods.models.factory import factory_unit, keeps_data
from migrator.codemods.models.plan import ModelPlan, class_names, plan_changes, plan_models
from migrator.codemods.models.script import model_statements
from migrator.codemods.models.shapes import shapes_asked
from migrator.codemods.models.subclassed import class_unit

__all__ = [
    "ModelPlan",
    "class_names",
    "class_unit",
    "factory_unit",
    "keeps_data",
    "model_statements",
    "plan_changes",
    "plan_models",
    "rewrite_call",
    "shapes_asked",
]
