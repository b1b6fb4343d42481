"""Metrics of areas that overlap, and scores over classes and regressors."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.engine.registry import same
from migrator.rules.engine.samples import block, f32, i32, no_grad, unit
from migrator.rules.measures.keeping import kept, titled
from migrator.rules.measures.means import RUN, WEIGHED
from migrator.rules.measures.pairs import paired

_UNNAMED = RUN.replace(", m.name", "")
_STARTED = _UNNAMED.replace("empty = m.result()\n", "").replace("return empty, ", "return ")
ASKED: tuple[Any, ...] = (kept, titled)  # by the spellings below
iou: Any = Helper(
    "IoU",
    '''class IoU:
    """Intersection over union of classes since the last reset, the mean over those of interest."""

    name = "io_u"

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        self.name = name or self.name
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.reset_state()

    def reset_state(self):
        self.total = torch.zeros(self.num_classes, self.num_classes, dtype=torch.long)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Counts pixels by class and prediction; weights are whole numbers, other ones are cut."""
        y_true, y_pred = torch.as_tensor(y_true), torch.as_tensor(y_pred)
        y_true = (y_true if self.sparse_y_true else y_true.argmax(dim=self.axis)).long().flatten()
        y_pred = (y_pred if self.sparse_y_pred else y_pred.argmax(dim=self.axis)).long().flatten()
        weights = torch.as_tensor(1 if sample_weight is None else sample_weight, device=y_true.device).long()
        weights = torch.broadcast_to(weights.flatten() if weights.dim() > 1 else weights, y_true.shape)
        inside = (y_true >= 0) & (y_true < self.num_classes) & (y_pred >= 0) & (y_pred < self.num_classes)
        inside = inside if self.ignore_class is None else inside & (y_true != self.ignore_class)
        places = (y_true * self.num_classes + y_pred)[inside]
        found = torch.zeros(self.num_classes**2, dtype=torch.long, device=y_true.device)
        found = found.index_add(0, places, weights[inside]).reshape(self.total.shape)
        self.total = self.total.to(found.device) + found

    def result(self):
        both = self.total.diagonal()
        union = (self.total.sum(dim=0) + self.total.sum(dim=1) - both)[self.target_class_ids].float()
        there = (union > 1e-9).float()
        return (both[self.target_class_ids] / (union + 1e-7) * there).sum() / (there.sum() + 1e-7)

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()
''',
    ("import torch",),
)
binary_iou: Any = Helper(
    "BinaryIoU",
    '''class BinaryIoU(IoU):
    """Intersection over union of what is at or above the threshold, and of the rest."""

    name = "binary_io_u"

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None):
        super().__init__(2, target_class_ids, name)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(y_true, torch.as_tensor(y_pred) >= self.threshold, sample_weight)
''',
    ("import torch",),
    (iou,),
)
fbeta_score: Any = Helper(
    "FBetaScore",
    '''class FBetaScore:
    """The weighted harmonic mean of precision and recall of each class since the last reset."""

    name = "fbeta_score"

    def __init__(self, average=None, beta=1.0, threshold=None, name=None):
        self.name = name or self.name
        self.average, self.beta, self.threshold = average, beta, threshold
        self.counts = torch.zeros(3, 1)

    def reset_state(self):
        self.counts = torch.zeros_like(self.counts)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = paired(y_true, torch.as_tensor(y_pred, dtype=torch.get_default_dtype()))
        if self.threshold is None:  # the best class, where it is not zero
            chosen = (y_pred >= y_pred.amax(dim=-1, keepdim=True)) & (y_pred.abs() > 1e-9)
        else:
            chosen = y_pred > self.threshold
        chosen = chosen.to(y_true)
        counts = torch.stack([chosen * y_true, chosen * (1 - y_true), (1 - chosen) * y_true])
        counts = counts if sample_weight is None else counts * torch.as_tensor(sample_weight).to(y_true)[:, None]
        counts = counts.sum(dim=(1, 2))[:, None] if self.average == "micro" else counts.sum(dim=1)
        self.counts = self.counts.to(counts.device) + counts

    def result(self):
        hits, false, missed = self.counts
        precision, recall = hits / (hits + false + 1e-7), hits / (hits + missed + 1e-7)
        both = self.beta**2 * precision + recall + 1e-7
        scores = precision * recall / both * (1 + self.beta**2)
        if self.average == "weighted":
            actual = hits + missed
            return (scores * actual / (actual.sum() + 1e-7)).sum()
        return scores if self.average is None else scores.mean()

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()
''',
    ("import torch",),
    (*paired.needs, paired),
)
f1_score: Any = Helper(
    "F1Score",
    '''class F1Score(FBetaScore):
    """The harmonic mean of precision and recall of each class."""

    name = "f1_score"

    def __init__(self, average=None, threshold=None, name=None):
        super().__init__(average, 1.0, threshold, name)
''',
    ("import torch",),
    (*paired.needs, paired, fbeta_score),
)
r2_score: Any = Helper(
    "R2Score",
    '''class R2Score:
    """The share of the variance that the predictions explain, of each regressor since the last reset."""

    name = "r2_score"

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name=None):
        self.name = name or self.name
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.sums, self.samples = torch.zeros(4, 1), 0

    def reset_state(self):
        self.sums, self.samples = torch.zeros_like(self.sums), 0

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = paired(y_true, torch.as_tensor(y_pred, dtype=torch.get_default_dtype()))
        weights = torch.as_tensor(1.0 if sample_weight is None else sample_weight).to(y_true)
        weights = torch.broadcast_to(weights[:, None] if weights.dim() == 1 else weights, y_true.shape)
        parts = [y_true, y_true.square(), (y_true - y_pred).square(), torch.ones_like(y_true)]
        self.sums = self.sums.to(y_true.device) + (torch.stack(parts).detach() * weights).sum(dim=1)
        self.samples += y_true.numel()

    def result(self):
        total, squares, errors, count = self.sums
        variance = squares - total * total / count
        scores = 1 - errors / variance
        scores = torch.where(scores.isinf(), torch.zeros_like(scores), scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (variance * scores).sum() / variance.sum()
        if 0 < self.num_regressors < self.samples - 1:
            return 1 - (1 - scores) * (self.samples - 1) / (self.samples - self.num_regressors - 1)
        return scores

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()
''',
    ("import torch",),
    (*paired.needs, paired),
)


IoU, BinaryIoU, FBetaScore, F1Score, R2Score = iou, binary_iou, fbeta_score, f1_score, r2_score


def every(num_classes: object) -> object:
    """All classes, where their number is known when rewriting."""
    return list(range(num_classes)) if isinstance(num_classes, int) else kept(None, num_labels=num_classes)


ASKED += (every,)
_AREAS = (i32(4, 3, low=-1, high=3), i32(4, 3, low=-1, high=3))
_MORE = "ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1"
_HANDED = "ignore_class=ignore_class, sparse_y_true=sparse_y_true, sparse_y_pred=sparse_y_pred, axis=axis"


def _tried(made: str, arrays: tuple[Any, Any], before: str = "", text: str = _UNNAMED) -> Any:
    return no_grad(block(before + text.format(made), y=arrays[0], p=arrays[1]))


_WEIGHTS = "m = tf.keras.metrics.{}\nm.update_state(y, p, sample_weight=[[1, 2, 0], [1, 1, 1], [3, 0, 0], [1, 1, 5]])\n"
same(
    "tf.keras.metrics.IoU",
    f"IoU(num_classes, target_class_ids, name=kept(name, whole_dtype=dtype), {_HANDED})",
    f"num_classes, target_class_ids, name=None, dtype=None, {_MORE}",
    samples=[
        _tried("IoU(3, [0, 2])", _AREAS),
        _tried("IoU(num_classes=3, target_class_ids=[1], ignore_class=0, name='i')", _AREAS),
        _tried("IoU(3, [0, 1])", _AREAS, text=_WEIGHTS + "return m.result()"),
        _tried("IoU(3, [0, 1], sparse_y_pred=False)", (i32(4, 2, low=0, high=3), f32(4, 2, 3))),
    ],
)
same(
    "tf.keras.metrics.MeanIoU",
    f"IoU(num_classes, every(num_classes), name=kept(name, whole_dtype=dtype), {_HANDED})",
    f"num_classes, name=None, dtype=None, {_MORE}",
    samples=[
        _tried("MeanIoU(3)", _AREAS),
        _tried("MeanIoU(num_classes=3, ignore_class=1)", _AREAS),
        no_grad(
            block(
                "m = tf.keras.metrics.MeanIoU(num_classes=2)\n"
                "m.update_state([0, 0, 1, 1], [0, 1, 0, 1])\nreturn m.result()"
            )
        ),
    ],
)
for _name, _ids, _given in (
    ("OneHotIoU", "target_class_ids, ", "target_class_ids"),
    ("OneHotMeanIoU", "", "every(num_classes)"),
):
    same(
        f"tf.keras.metrics.{_name}",
        f"IoU(num_classes, {_given}, name=kept(name, whole_dtype=dtype), ignore_class=ignore_class, "
        "sparse_y_true=False, sparse_y_pred=sparse_y_pred, axis=axis)",
        f"num_classes, {_ids}name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1",
        samples=[_tried(f"{_name}(3{', [0, 2]' if _ids else ''})", (f32(4, 2, 3), f32(4, 2, 3)))],
    )
same(
    "tf.keras.metrics.BinaryIoU",
    "BinaryIoU(target_class_ids=target_class_ids, threshold=threshold, name=kept(name, whole_dtype=dtype))",
    "target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None",
    samples=[
        _tried("BinaryIoU()", (i32(4, 3, low=0, high=2), unit(4, 3))),
        _tried("BinaryIoU(target_class_ids=[1], threshold=0.3)", (i32(4, 3, low=0, high=2), unit(4, 3))),
    ],
)
_CLASSES = (i32(4, 3, low=0, high=2), unit(4, 3))
_SCORED = WEIGHED.format("{}", "[0.5, 0.0, 2.0, 1.0]").replace("sample_weight=w", "[1.0, 1.0, 0.5, 2.0]")
same(
    "tf.keras.metrics.FBetaScore",
    "FBetaScore(average=average, beta=beta, threshold=threshold, name=kept(titled(name, 'fbeta_score'), dtype=dtype))",
    "average=None, beta=1.0, threshold=None, name='fbeta_score', dtype=None",
    samples=[
        *(
            _tried(f"FBetaScore(average={a}, beta=2.0)", _CLASSES, text=_STARTED)
            for a in ("None", "'micro'", "'macro'", "'weighted'")
        ),
        _tried("FBetaScore(threshold=0.4)", _CLASSES, text=_STARTED),
        _tried("FBetaScore(threshold=0.4)", _CLASSES, text=_SCORED),
    ],
)
same(
    "tf.keras.metrics.F1Score",
    "F1Score(average=average, threshold=threshold, name=kept(titled(name, 'f1_score'), dtype=dtype))",
    "average=None, threshold=None, name='f1_score', dtype=None",
    samples=[
        _tried("F1Score()", _CLASSES, text=_STARTED),
        _tried("F1Score('macro', threshold=0.5)", _CLASSES, text=_STARTED),
    ],
)
_NUMBERS = (f32(4, 3), f32(4, 3))
_FIGURES = _SCORED.replace("\nm.update", "\nm.update_state(p, y)\nm.update", 1)
same(
    "tf.keras.metrics.R2Score",
    "R2Score(class_aggregation=class_aggregation, num_regressors=num_regressors, "
    "name=kept(titled(name, 'r2_score'), dtype=dtype))",
    "class_aggregation='uniform_average', num_regressors=0, name='r2_score', dtype=None",
    samples=[
        _tried("R2Score()", _NUMBERS, text=_FIGURES),
        _tried("R2Score(class_aggregation=None)", _NUMBERS, text=_FIGURES),
        _tried("R2Score(class_aggregation='variance_weighted_average', num_regressors=2)", _NUMBERS, text=_FIGURES),
    ],
)
