"""Input pipelines of tf.data as map-style datasets and loaders."""

from migrator.codemods.data.pipeline import DataPlan, plan_data

__all__ = ["DataPlan", "plan_data"]
