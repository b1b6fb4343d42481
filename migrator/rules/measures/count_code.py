"""Metrics that count hits and misses, as helpers of migrated files."""

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.measures.pairs import paired

ratio: Any = Helper(
    "ratio",
    '''def ratio(part, whole):
    """part / whole, and 0 where there is nothing."""
    return torch.where(whole == 0, torch.zeros_like(part), part / whole)
''',
    ("import torch",),
)
confusion: Any = Helper(
    "ConfusionMetric",
    '''class ConfusionMetric:
    """Weighted counts of right and wrong answers above each threshold since the last reset."""

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None):
        self.name = name or self.name
        usual = 0.5 if top_k is None else -1e10
        thresholds = usual if thresholds is None else thresholds
        self.thresholds = list(thresholds) if isinstance(thresholds, (list, tuple)) else [thresholds]
        self.top_k, self.class_id = top_k, class_id
        steps = torch.arange(len(self.thresholds)) / max(len(self.thresholds) - 1, 1)
        self.even = len(steps) > 2 and torch.allclose(torch.tensor(self.thresholds), steps, atol=1e-7)
        self.reset_state()

    def reset_state(self):
        """True and false positives, true and false negatives, a column a threshold."""
        self.counts = torch.zeros(4, len(self.thresholds))

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = paired(y_true, torch.as_tensor(y_pred, dtype=torch.get_default_dtype()))
        y_pred = y_pred.detach()
        if self.top_k is not None:
            best = y_pred.argsort(dim=-1, descending=True, stable=True)[..., : self.top_k]
            y_pred = torch.full_like(y_pred, -1e10).scatter(-1, best, y_pred.gather(-1, best))
        if self.class_id is not None:
            y_true, y_pred = y_true[..., self.class_id, None], y_pred[..., self.class_id, None]
        weights = torch.ones_like(y_pred)
        if sample_weight is not None:
            weights = torch.as_tensor(sample_weight).to(y_pred)[..., None]
            weights = weights.squeeze(-1) if weights.dim() > y_true.dim() else weights
        self.count(y_true != 0, y_pred, torch.broadcast_to(weights, y_pred.shape))

    def count(self, actual, y_pred, weights):
        actual, y_pred, weights = self.arranged(actual), self.arranged(y_pred), self.arranged(weights)
        above, hits, others = self.above(y_pred), weights * actual, weights * ~actual
        found = torch.stack([above * hits, above * others, ~above * others, ~above * hits]).sum(dim=2)
        self.counts = self.counts.to(found.device) + found

    def arranged(self, x):
        return x.flatten()

    def above(self, y_pred):
        """Which predictions are above, a row a threshold; of even thresholds by rounding, as Keras does."""
        if not self.even:
            thresholds = torch.tensor(self.thresholds).to(y_pred)
            return y_pred > thresholds.reshape(-1, *[1] * y_pred.dim())
        steps = torch.arange(len(self.thresholds), device=y_pred.device).reshape(-1, *[1] * y_pred.dim())
        bins = torch.ceil(y_pred.clamp(0.0, 1.0) * (len(steps) - 1)) - 1
        return (bins.clamp(min=0.0) if self.thresholds[0] < 0 else bins) >= steps

    def result(self):
        figures = self.figures(*self.counts)
        return figures[0] if len(self.thresholds) == 1 else figures

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()
''',
    ("import torch",),
    (*paired.needs, paired),
)
_NEEDS = (*paired.needs, paired, ratio, confusion)


def _counting(name: str, default: str, doc: str, figures: str) -> Any:
    source = f'''class {name}(ConfusionMetric):
    """{doc}"""

    name = "{default}"

    def figures(self, tp, fp, tn, fn):
        return {figures}
'''
    return Helper(name, source, ("import torch",), _NEEDS)


Precision = _counting(
    "Precision",
    "precision",
    "The share of right answers among those above the threshold.",
    "ratio(tp, tp + fp)",
)
Recall = _counting(
    "Recall",
    "recall",
    "The share of those above the threshold among the right answers.",
    "ratio(tp, tp + fn)",
)
TruePositives = _counting("TruePositives", "true_positives", "Right answers above the threshold.", "tp")
FalsePositives = _counting("FalsePositives", "false_positives", "Wrong answers above the threshold.", "fp")
TrueNegatives = _counting("TrueNegatives", "true_negatives", "Wrong answers not above the threshold.", "tn")
FalseNegatives = _counting("FalseNegatives", "false_negatives", "Right answers not above the threshold.", "fn")

at_threshold: Any = Helper(
    "AtThreshold",
    '''class AtThreshold(ConfusionMetric):
    """The best figure among the thresholds at which another one is high enough."""

    def __init__(self, value, num_thresholds=200, class_id=None, name=None):
        steps = torch.linspace(0.0, 1.0, num_thresholds).tolist() if num_thresholds > 1 else 0.5
        super().__init__(steps, class_id=class_id, name=name)
        self.value, self.even = value, num_thresholds > 1

    def shares(self):
        """Recall, precision and specificity at each threshold."""
        tp, fp, tn, fn = self.counts
        return ratio(tp, tp + fn), ratio(tp, tp + fp), ratio(tn, tn + fp)

    def result(self):
        bound, figure = self.bounded(*self.shares())
        return torch.where(bound >= self.value, figure, torch.zeros_like(figure)).max()
''',
    ("import torch",),
    _NEEDS,
)


def _bounded(name: str, default: str, doc: str, figures: str) -> Any:
    source = f'''class {name}(AtThreshold):
    """{doc}"""

    name = "{default}"

    def bounded(self, recall, precision, specificity):
        return {figures}
'''
    return Helper(name, source, ("import torch",), (*_NEEDS, at_threshold))


SensitivityAtSpecificity = _bounded(
    "SensitivityAtSpecificity", "sensitivity_at_specificity", "Recall at a specificity.", "specificity, recall"
)
SpecificityAtSensitivity = _bounded(
    "SpecificityAtSensitivity", "specificity_at_sensitivity", "Specificity at a recall.", "recall, specificity"
)
PrecisionAtRecall = _bounded("PrecisionAtRecall", "precision_at_recall", "Precision at a recall.", "recall, precision")
RecallAtPrecision = _bounded("RecallAtPrecision", "recall_at_precision", "Recall at a precision.", "precision, recall")

AUC: Any = Helper(
    "AUC",
    '''class AUC(ConfusionMetric):
    """The area under the curve of recall over false alarms (ROC), or of precision over recall (PR)."""

    name = "auc"

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        thresholds=None,
        multi_label=False,
        label_weights=None,
        from_logits=False,
    ):
        inner = [i / (num_thresholds - 1) for i in range(1, num_thresholds - 1)] if thresholds is None else thresholds
        self.multi_label, self.from_logits = multi_label, from_logits
        super().__init__([0.0, *sorted(inner), 1.0], name=name)
        self.even = self.even or thresholds is None
        self.thresholds = [-1e-7, *self.thresholds[1:-1], 1.0 + 1e-7]
        self.curve, self.summation_method = curve.upper(), summation_method.lower()
        self.label_weights = None if label_weights is None else torch.as_tensor(label_weights).float()

    def reset_state(self):
        super().reset_state()
        self.counts = self.counts[..., None] if self.multi_label else self.counts

    def arranged(self, x):
        return x if self.multi_label else x.flatten()

    def above(self, y_pred):
        return super().above(torch.sigmoid(y_pred) if self.from_logits else y_pred)

    def result(self):
        tp, fp, tn, fn = self.counts
        recall = ratio(tp, tp + fn)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolated(tp, fp, fn)
        x, y = (ratio(fp, fp + tn), recall) if self.curve == "ROC" else (recall, ratio(tp, tp + fp))
        heights = {
            "interpolation": (y[:-1] + y[1:]) / 2,
            "minoring": torch.minimum(y[:-1], y[1:]),
            "majoring": torch.maximum(y[:-1], y[1:]),
        }[self.summation_method]
        return self.over_labels(((x[:-1] - x[1:]) * heights).sum(dim=0))

    def interpolated(self, tp, fp, fn):
        """Precision is interpolated by its counts, not by itself (Davis and Goadrich, 2006)."""
        rise, p = tp[:-1] - tp[1:], tp + fp
        slope = ratio(rise, (p[:-1] - p[1:]).clamp(min=0.0))
        start = tp[1:] - slope * p[1:]
        both = (p[:-1] > 0) & (p[1:] > 0)
        share = torch.where(both, ratio(p[:-1], p[1:]), torch.ones_like(start))
        return self.over_labels(ratio(slope * (rise + start * share.log()), tp[1:] + fn[1:]).sum(dim=0))

    def over_labels(self, areas):
        if self.label_weights is not None:
            weights = self.label_weights.to(areas)
            return (areas * weights).sum() / weights.sum()
        return areas.mean()
''',
    ("import torch",),
    _NEEDS,
)
