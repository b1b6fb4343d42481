"""What metrics are asked: updates, figures, resets, names."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc"

from __future__ import annotations

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import attribute, method
from migrator.rules.measures.keeping import absent

MEANS = (
    *("Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "MeanSquaredError"),
    *("MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "RootMeanSquaredError"),
    *("CosineSimilarity", "LogCoshError", "KLDivergence", "Poisson", "Hinge", "SquaredHinge", "CategoricalHinge"),
    *("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "PearsonCorrelation"),
    *("ConcordanceCorrelation", "TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy"),
    *("MeanMetricWrapper", "MeanRelativeError"),
)
COUNTS = (
    *("AUC", "Precision", "Recall", "TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"),
    *("SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall", "RecallAtPrecision"),
    *("IoU", "BinaryIoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU", "FBetaScore", "F1Score", "R2Score"),
)
for _name in (*MEANS, *COUNTS):
    _api = f"tf.keras.metrics.{_name}"
    attribute(f"{_api}.name", "x.name")

    @method(f"{_api}.result", samples=())
    def result(self):
        return self.result()

    @method(f"{_api}.reset_state", samples=())
    def reset_state(self):
        return self.reset_state()

    @method(f"{_api}.reset_states", samples=())
    def reset_states(self):
        return self.reset_state()

    @method(f"{_api}.update_state", samples=(), keras=3)
    def update_state(self, y_true, y_pred, sample_weight=None):
        if absent(sample_weight):
            return self.update_state(y_true, y_pred)
        return self.update_state(y_true, y_pred, sample_weight)

    @method(f"{_api}.update_state", samples=(), keras=2)
    def update_state_2(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            raise Decline("weighted labels")
        return self.update_state(y_true, y_pred)
