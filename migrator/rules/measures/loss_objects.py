"""Losses as objects: called with labels, predictions and weights of any kind, reduced as they say."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import block, declined_block, f32, i32, no_grad, pos, unit
from migrator.rules.measures.keeping import how, kept
from migrator.rules.measures.pairs import paired
from migrator.rules.measures.table import EACH, class_source
from migrator.rules.ops.nn import OPEN_SUM

loss_base: Any = Helper(
    "Loss",
    '''class Loss:
    """A loss of each sample, times its weight, reduced to a mean over all, a sum, or not."""

    def __init__(self, reduction="sum_over_batch_size"):
        self.reduction = reduction

    def __call__(self, y_true, y_pred, sample_weight=None):
        y_pred = torch.as_tensor(y_pred, dtype=torch.get_default_dtype())
        losses = self.call(*paired(y_true, y_pred))
        weights = None
        if sample_weight is not None:
            losses, weights = same_rank(losses, torch.as_tensor(sample_weight).to(losses))
            losses = losses * weights
        if self.reduction in ("none", None) or losses.dim() == 0:
            return losses
        if self.reduction == "mean_with_sample_weight" and weights is not None:
            return losses.sum() / weights.sum()
        return losses.sum() if self.reduction == "sum" else losses.mean()
''',
    ("import torch",),
    (*paired.needs, paired),
)


def _loss(name: str, each: str) -> Any:
    record = EACH[each]
    source = class_source(f"{name}Loss", "Loss", "call", record)
    source = source.replace("    return F.cosine", "    return -F.cosine").replace("The cosine", "Minus the cosine")
    return Helper(f"{name}Loss", source, record.imports, (*loss_base.needs, *record.helpers, loss_base))


ASKED = (how, kept)  # by the spellings below
_REDUCED = "reduction='sum_over_batch_size', name=None, dtype=None"
_SMOOTH = "from_logits=False, label_smoothing=0.0, axis=-1, "
_ONE_HOT = "y = tf.one_hot(y, 3)\n"


def _samples(name: str, arguments: str, labels: Any, scores: Any, before: str = "", weights: bool = True) -> list[Any]:
    call = f"tf.keras.losses.{name}"
    more = f", {arguments}" if arguments else ""
    found = [
        block(f"{before}return {call}({arguments})(y, p)", y=labels, p=scores),
        no_grad(block(f"{before}return {call}(reduction='sum'{more})(y, p)", y=labels, p=scores)),
        no_grad(block(f"{before}return {call}(reduction='none'{more})(y, p)", y=labels, p=scores)),
    ]
    if weights:
        text = f"{before}l = {call}({arguments})\nreturn l(y, p, sample_weight=w), l(y, p, [0.5, 0.0, 2.0, 1.0])"
        found.append(no_grad(block(text, y=labels, p=scores, w=unit(4))))
        text = f"{before}l = {call}(reduction='none'{more})\nreturn l(y, p, w)"
        found.append(no_grad(block(text, y=labels, p=scores, w=unit(4, 1))))
    return found


_SAME = (f32(4, 3), f32(4, 3))
_SHARES = (pos(4, 3), pos(4, 3))
_YES = (i32(4, 3, low=0, high=2), unit(4, 3))
_IDS = i32(4, low=0, high=3)
# name, own parameters, what is handed on, the figure, arguments of samples, labels and predictions, lines before
_LOSSES: tuple[tuple[str, str, str, str, tuple[str, ...], tuple[Any, Any], str], ...] = (
    ("MeanSquaredError", "", "", "mean_squared_error", ("",), _SAME, ""),
    ("MeanAbsoluteError", "", "", "mean_absolute_error", ("",), _SAME, ""),
    ("MeanAbsolutePercentageError", "", "", "mean_absolute_percentage_error", ("",), _SAME, ""),
    ("MeanSquaredLogarithmicError", "", "", "mean_squared_logarithmic_error", ("",), _SHARES, ""),
    ("Huber", "delta=1.0, ", "delta=delta, ", "huber", ("", "delta=0.5"), _SAME, ""),
    ("LogCosh", "", "", "log_cosh", ("",), _SAME, ""),
    ("KLDivergence", "", "", "kl_divergence", ("",), (unit(4, 3), unit(4, 3)), ""),
    ("Poisson", "", "", "poisson", ("",), _SHARES, ""),
    ("CosineSimilarity", "axis=-1, ", "axis=axis, ", "cosine_similarity", ("",), _SAME, ""),
    ("Hinge", "", "", "hinge", ("",), (i32(4, 3, low=0, high=2), f32(4, 3)), ""),
    ("SquaredHinge", "", "", "squared_hinge", ("",), _SAME, ""),
    ("CategoricalHinge", "", "", "categorical_hinge", ("",), _SAME, ""),
    (
        "BinaryCrossentropy",
        _SMOOTH,
        "from_logits=kept(from_logits, axis=axis), label_smoothing=label_smoothing, ",
        "binary_crossentropy",
        ("", "from_logits=True", "label_smoothing=0.2"),
        _YES,
        "",
    ),
    (
        "CategoricalCrossentropy",
        _SMOOTH,
        "from_logits=kept(from_logits, axis=axis), label_smoothing=label_smoothing, ",
        "categorical_crossentropy",
        ("", "from_logits=True", "label_smoothing=0.2", "from_logits=True, label_smoothing=0.1"),
        (_IDS, unit(4, 3)),
        _ONE_HOT,
    ),
    (
        "BinaryFocalCrossentropy",
        f"apply_class_balancing=False, alpha=0.25, gamma=2.0, {_SMOOTH}",
        "apply_class_balancing=apply_class_balancing, alpha=alpha, gamma=gamma, "
        "from_logits=kept(from_logits, axis=axis), label_smoothing=label_smoothing, ",
        "binary_focal_crossentropy",
        ("", "apply_class_balancing=True, alpha=0.4", "gamma=1.5, from_logits=True, label_smoothing=0.1"),
        _YES,
        "",
    ),
    (
        "CategoricalFocalCrossentropy",
        f"alpha=0.25, gamma=2.0, {_SMOOTH}",
        "alpha=alpha, gamma=gamma, from_logits=kept(from_logits, axis=axis), label_smoothing=label_smoothing, ",
        "categorical_focal_crossentropy",
        ("", "alpha=[0.1, 0.2, 0.7]", "gamma=1.5, from_logits=True, label_smoothing=0.1"),
        (_IDS, unit(4, 3)),
        _ONE_HOT,
    ),
)
for _name, _own, _given, _each, _arguments, _arrays, _before in _LOSSES:
    globals()[f"{_name}Loss"] = _loss(_name, _each)
    same(
        f"tf.keras.losses.{_name}",
        f"{_name}Loss({_given}reduction=how(reduction, dtype=dtype))",
        f"{_own}{_REDUCED}",
        samples=[s for text in _arguments for s in _samples(_name, text, *_arrays, _before)],
        gaps=[OPEN_SUM] if _name == "CategoricalCrossentropy" else (),
    )

SparseCategoricalCrossentropyLoss = _loss("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy")
_CALL = "tf.keras.losses.SparseCategoricalCrossentropy"
same(
    _CALL,
    "SparseCategoricalCrossentropyLoss(from_logits=kept(from_logits, ignore_class=ignore_class, axis=axis), "
    "reduction=how(reduction, dtype=dtype))",
    "from_logits=False, ignore_class=None, reduction='sum_over_batch_size', axis=-1, name=None, dtype=None",
    samples=[
        *_samples("SparseCategoricalCrossentropy", "", _IDS, unit(4, 3)),
        *_samples("SparseCategoricalCrossentropy", "from_logits=True", i32(4, 1, low=0, high=3), f32(4, 3)),
        no_grad(block(f"return {_CALL}()(y, p)", y=i32(2, 4, low=0, high=3), p=unit(2, 4, 3))),
        no_grad(block(f"return {_CALL}()(np.array([1, 2]), np.array([[0.05, 0.95, 0], [0.1, 0.8, 0.1]]))")),
        declined_block(f"return {_CALL}(ignore_class=0)(y, p, None)", y=_IDS, p=unit(4, 3)),
    ],
)
DiceLoss, TverskyLoss, CTCLoss = _loss("Dice", "dice"), _loss("Tversky", "tversky"), _loss("CTC", "ctc")
_SHAPE = "reduction='sum_over_batch_size', name=None, axis=None, dtype=None"
_AREAS = (i32(4, 5, 3, 1, low=0, high=2), unit(4, 5, 3, 1))
same(
    "tf.keras.losses.Dice",
    "DiceLoss(axis=axis, reduction=how(reduction, dtype=dtype))",
    _SHAPE,
    samples=[
        *_samples("Dice", "", *_AREAS, weights=False),
        *_samples("Dice", "axis=(1, 2, 3)", *_AREAS, weights=False),
    ],
)
same(
    "tf.keras.losses.Tversky",
    "TverskyLoss(alpha=alpha, beta=beta, axis=axis, reduction=how(reduction, dtype=dtype))",
    f"alpha=0.5, beta=0.5, {_SHAPE}",
    samples=[
        *_samples("Tversky", "", *_AREAS, weights=False),
        *_samples("Tversky", "alpha=0.3, beta=0.7, axis=(1, 2, 3)", *_AREAS, weights=False),
    ],
)
same(
    "tf.keras.losses.CTC",
    "CTCLoss(reduction=how(reduction, dtype=dtype))",
    _REDUCED,
    samples=_samples("CTC", "", i32(4, 3, low=1, high=5), f32(4, 9, 5), weights=False),
)
CategoricalGeneralizedCrossEntropyLoss = _loss(
    "CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy"
)
same(
    "tf.keras.losses.CategoricalGeneralizedCrossEntropy",
    "CategoricalGeneralizedCrossEntropyLoss(q=q, reduction=how(reduction, dtype=dtype))",
    f"q=0.5, {_REDUCED}",
    samples=_samples("CategoricalGeneralizedCrossEntropy", "q=0.7", _IDS, unit(4, 3), weights=False),
)
CircleLoss = _loss("Circle", "circle")
_UNIT_LONG = "p = tf.math.l2_normalize(p, axis=-1)\n"
_TWO_ALIKE = i32(4, low=0, high=2)


@rule(
    "tf.keras.losses.Circle",
    samples=[
        *_samples("Circle", "", _TWO_ALIKE, f32(4, 3), _UNIT_LONG),
        *_samples("Circle", "gamma=2.0, margin=0.1", i32(4, 1, low=0, high=3), f32(4, 3), _UNIT_LONG, weights=False),
        no_grad(
            block(f"{_UNIT_LONG}return tf.keras.losses.Circle(4, remove_diagonal=False)(y, p)", y=_IDS, p=f32(4, 5))
        ),
        block(f"{_UNIT_LONG}return tf.keras.losses.Circle()(np.array([0, 0, 1, 2, 1]), p)", p=f32(5, 4)),
        declined_block("return tf.keras.losses.Circle(reduction='mean_with_sample_weight')"),
    ],
)
def circle(gamma=80.0, margin=0.4, remove_diagonal=True, reduction="sum_over_batch_size", name="circle", dtype=None):
    if reduction == "mean_with_sample_weight":
        raise Decline("a mean over the weights of the rows that have a pair")
    return CircleLoss(
        gamma=gamma, margin=margin, remove_diagonal=remove_diagonal, reduction=how(reduction, dtype=dtype)
    )
