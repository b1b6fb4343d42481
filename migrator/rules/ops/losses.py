"""Losses and accuracies of Keras as functions: one value for each row, means over the last axis."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.rules.engine.args import Arg, Code, Dynamic
from migrator.rules.engine.asked import dtype as dtype_of
from migrator.rules.engine.asked import is_float
from migrator.rules.engine.asked import rank as rank_of
from migrator.rules.engine.asked import shape as shape_of
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.plain import is_plain
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, declines, f32, i32, i64, known_gap, no_grad, pos, src, unit
from migrator.rules.measures.functions import each_function
from migrator.rules.objects.losses import LOG_PROBABILITIES, SIGNED
from migrator.rules.ops.nn import OPEN_SUM, softmax_loss
from migrator.rules.ops.pieces import on_arguments

if TYPE_CHECKING:
    import torch.nn.functional as F

log_probabilities: Any = LOG_PROBABILITIES
signed_labels: Any = SIGNED


@on_arguments
def aligned(y_true: Arg, y_pred: Arg) -> Any:
    """`y_true` in the dtype and shape of the prediction; Keras lines [N] up with [N, 1]."""
    labels, scores = rank_of(Dynamic(y_true)), rank_of(Dynamic(y_pred))
    if labels is not None and labels == scores:
        return alike(y_true, y_pred)
    if scores is None or scores < 2:
        raise Decline("the ranks of what the loss compares are not known to agree")
    if labels is not None and (labels, scores, (shape_of(Dynamic(y_pred)) or (None,))[-1]) != (1, 2, 1):
        raise Decline("the ranks of what the loss compares differ")
    return Code(_typed(y_true, y_pred) + ".view_as({p})", (("y", y_true), ("p", y_pred)))


@on_arguments
def alike(y_true: Arg, y_pred: Arg) -> Any:
    """`y_true` in the dtype of the prediction, for losses that line nothing up."""
    if rank_of(Dynamic(y_true)) is None or rank_of(Dynamic(y_true)) != rank_of(Dynamic(y_pred)):
        raise Decline("the ranks of what the loss compares are not known to agree")
    return Code(_typed(y_true, y_pred), (("y", y_true), ("p", y_pred)))


@on_arguments
def same_shape(y_true: Arg, y_pred: Arg) -> Any:
    """`y_true` in the dtype of the prediction, where Keras takes no other shape than the prediction's."""
    ranks = {rank_of(Dynamic(y_true)), rank_of(Dynamic(y_pred))} - {None}
    if len(ranks) > 1:
        raise Decline("the ranks of what the loss compares differ")
    return Code(_typed(y_true, y_pred), (("y", y_true), ("p", y_pred)))


def _typed(y_true: Arg, y_pred: Arg) -> str:
    labels, scores = dtype_of(Dynamic(y_true)), dtype_of(Dynamic(y_pred))
    if scores is not None and not is_float(scores):
        raise Decline("predictions that are not floating")
    return "{y}" if scores is not None and labels == scores else "{y}.to({p}.dtype)"


@on_arguments
def class_ids(y_true: Arg, y_pred: Arg) -> Any:
    """Labels as torch takes them: int64, without the last axis of size one that Keras allows."""
    labels, scores = Dynamic(y_true), Dynamic(y_pred)
    text = "{y}" if dtype_of(labels) == "int64" else "{y}.long()"
    if rank_of(labels) is None or rank_of(scores) is None:
        text += ".reshape({p}.shape[:-1])"
    elif rank_of(labels) == rank_of(scores):
        text += ".squeeze(-1)"
    return Code(text, (("y", y_true), ("p", y_pred)))


each_mse, each_mae, each_mape = (
    each_function(f"mean_{kind}_error") for kind in ("squared", "absolute", "absolute_percentage")
)
each_msle, each_huber = each_function("mean_squared_logarithmic_error"), each_function("huber")
each_log_cosh, each_kl, each_poisson = (each_function(n) for n in ("log_cosh", "kl_divergence", "poisson"))
each_cosine, each_hinge = each_function("cosine_similarity"), each_function("hinge")
each_squared_hinge, each_categorical_hinge = each_function("squared_hinge"), each_function("categorical_hinge")
each_binary, each_categorical = each_function("binary_crossentropy"), each_function("categorical_crossentropy")


@on_arguments
def open_ranks(y_true: Arg, y_pred: Arg) -> bool:
    """Whether a function has to line labels and predictions up when it runs; or one of them is worked out there."""
    labels, scores = rank_of(Dynamic(y_true)), rank_of(Dynamic(y_pred))
    same = labels is not None and labels == scores
    floats = dtype_of(Dynamic(y_pred)) is None or is_float(dtype_of(Dynamic(y_pred)))
    return not (same and floats and is_plain(y_true.node) and is_plain(y_pred.node))


_FLOATS = [S(f32(4, 3), f32(4, 3)), S(i32(5, 2), f32(5, 2)), S(f32(2, 3, 4), f32(2, 3, 4)), S(f32(4), f32(4, 1))]
_POSITIVE = [S(pos(4, 3), pos(4, 3)), S(i32(5, 2, low=0, high=4), pos(5, 2))]
_BINARY = [S(i32(4, 3, low=0, high=2), unit(4, 3)), S(unit(2, 3, 2), unit(2, 3, 2))]
_ONE_HOT = src("tf.one_hot(y, 3)", y=i32(4, low=0, high=3))


@rule("tf.keras.losses.mean_squared_error", samples=_FLOATS)
def mean_squared_error(y_true: Tensor, y_pred: Tensor):
    if open_ranks(y_true, y_pred):
        return each_mse(y_true, y_pred)
    return F.mse_loss(y_pred, aligned(y_true, y_pred), reduction="none").mean(dim=-1)


@rule("tf.keras.losses.mean_absolute_error", samples=_FLOATS)
def mean_absolute_error(y_true: Tensor, y_pred: Tensor):
    if open_ranks(y_true, y_pred):
        return each_mae(y_true, y_pred)
    return F.l1_loss(y_pred, aligned(y_true, y_pred), reduction="none").mean(dim=-1)


@rule("tf.keras.losses.huber", samples=[*_FLOATS, S(f32(4, 3), f32(4, 3), 0.5), S(f32(4, 3), f32(4, 3), delta=2.0)])
def huber(y_true: Tensor, y_pred: Tensor, delta=1.0):
    if open_ranks(y_true, y_pred):
        return each_huber(y_true, y_pred, delta=delta)
    return F.huber_loss(y_pred, aligned(y_true, y_pred), reduction="none", delta=delta).mean(dim=-1)


@rule("tf.keras.losses.poisson", samples=[*_POSITIVE, S(pos(4), pos(4, 1))])
def poisson(y_true: Tensor, y_pred: Tensor):
    if open_ranks(y_true, y_pred):
        return each_poisson(y_true, y_pred)
    y = alike(y_true, y_pred)
    return F.poisson_nll_loss(y_pred, y, log_input=False, eps=1e-7, reduction="none").mean(dim=-1)


@rule("tf.keras.losses.mean_absolute_percentage_error", samples=_FLOATS)
def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor):
    if open_ranks(y_true, y_pred):
        return each_mape(y_true, y_pred)
    y = aligned(y_true, y_pred)
    return 100.0 * ((y - y_pred) / y.abs().clamp(min=1e-7)).abs().mean(dim=-1)


@rule(
    "tf.keras.losses.mean_squared_logarithmic_error",
    samples=[*_POSITIVE, S(pos(4), pos(4, 1)), no_grad(S(f32(4, 3), f32(4, 3)))],
)
def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor):
    if open_ranks(y_true, y_pred):
        return each_msle(y_true, y_pred)
    y = aligned(y_true, y_pred)
    return (y_pred.clamp(min=1e-7).log1p() - y.clamp(min=1e-7).log1p()).square().mean(dim=-1)


@rule("tf.keras.losses.logcosh", samples=_FLOATS)
def log_cosh(y_true: Tensor, y_pred: Tensor):
    if open_ranks(y_true, y_pred):
        return each_log_cosh(y_true, y_pred)
    error = y_pred - aligned(y_true, y_pred)
    return (error + F.softplus(-2.0 * error) - 0.6931471805599453).mean(dim=-1)


@rule("tf.keras.losses.KLD", samples=[S(unit(4, 3), unit(4, 3)), S(unit(2, 3, 4), unit(2, 3, 4))])
def kl_divergence(y_true: Tensor, y_pred: Tensor):
    if open_ranks(y_true, y_pred):
        return each_kl(y_true, y_pred)
    y = alike(y_true, y_pred)
    return F.kl_div(y_pred.clamp(1e-7, 1.0).log(), y.clamp(1e-7, 1.0), reduction="none").sum(dim=-1)


@rule(
    "tf.keras.losses.cosine_similarity",
    samples=[S(f32(4, 3), f32(4, 3)), S(f32(2, 3, 4), f32(2, 3, 4), axis=1), S(f32(2, 3), f32(2, 3), -1)],
)
def cosine_similarity(y_true: Tensor, y_pred: Tensor, axis=-1):
    if open_ranks(y_true, y_pred):
        return -each_cosine(y_true, y_pred, axis=axis)
    return -F.cosine_similarity(y_pred, aligned(y_true, y_pred), dim=axis)


@rule("tf.keras.losses.hinge", samples=[S(i32(5, 3, low=0, high=2), f32(5, 3)), S(f32(4, 3), f32(4, 3))])
def hinge(y_true: Tensor, y_pred: Tensor):
    if open_ranks(y_true, y_pred):
        return each_hinge(y_true, y_pred)
    return F.relu(1.0 - signed_labels(alike(y_true, y_pred)) * y_pred).mean(dim=-1)


@rule("tf.keras.losses.squared_hinge", samples=[S(i32(5, 3, low=0, high=2), f32(5, 3)), S(f32(4, 3), f32(4, 3))])
def squared_hinge(y_true: Tensor, y_pred: Tensor):
    if open_ranks(y_true, y_pred):
        return each_squared_hinge(y_true, y_pred)
    return F.relu(1.0 - signed_labels(alike(y_true, y_pred)) * y_pred).square().mean(dim=-1)


@rule(
    "tf.keras.losses.categorical_hinge", samples=[S(f32(2, 4, 3), f32(2, 4, 3)), S(i32(4, 3, low=0, high=2), f32(4, 3))]
)
def categorical_hinge(y_true: Tensor, y_pred: Tensor):
    if open_ranks(y_true, y_pred):
        return each_categorical_hinge(y_true, y_pred)
    y = alike(y_true, y_pred)
    return F.relu(((1.0 - y) * y_pred).amax(dim=-1) - (y * y_pred).sum(dim=-1) + 1.0)


def smooth(smoothing: object) -> float:
    """A smoothing that is known when rewriting."""
    if isinstance(smoothing, bool) or not isinstance(smoothing, (int, float)):
        raise Decline("`label_smoothing` is not a constant")
    return float(smoothing)


@rule(
    "tf.keras.losses.binary_crossentropy",
    samples=[
        *_BINARY,
        S(i32(4, 3, low=0, high=2), f32(4, 3), True),
        S(unit(4, 1), f32(4, 1), from_logits=True, label_smoothing=0.2),
        S(unit(4, 3), unit(4, 3), label_smoothing=0.1),
        declines(unit(4, 3), unit(4, 3), axis=0),
    ],
)
def binary_crossentropy(y_true: Tensor, y_pred: Tensor, from_logits=False, label_smoothing=0.0, axis=-1):
    if axis != -1:
        raise Decline("a mean over another axis than the last")
    if open_ranks(y_true, y_pred):
        return each_binary(y_true, y_pred, from_logits=from_logits, label_smoothing=label_smoothing)
    y = same_shape(y_true, y_pred)
    if smooth(label_smoothing) > 0:
        y = y * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        return F.binary_cross_entropy_with_logits(y_pred, y, reduction="none").mean(dim=-1)
    return F.binary_cross_entropy(y_pred.clamp(1e-7, 1 - 1e-7), y, reduction="none").mean(dim=-1)


@rule(
    "tf.keras.losses.categorical_crossentropy",
    samples=[
        S(_ONE_HOT, unit(4, 3)),
        S(_ONE_HOT, f32(4, 3), from_logits=True),
        S(src("tf.nn.softmax(y)", y=f32(2, 4, 3)), f32(2, 4, 3), True),
        S(_ONE_HOT, f32(4, 3), from_logits=True, label_smoothing=0.1),
        S(_ONE_HOT, unit(4, 3), label_smoothing=0.1),
        declines(_ONE_HOT, unit(4, 3), axis=0),
        known_gap(OPEN_SUM, S(unit(4, 3), f32(4, 3), from_logits=True)),
    ],
    gaps=[OPEN_SUM],
)
def categorical_crossentropy(y_true: Tensor, y_pred: Tensor, from_logits=False, label_smoothing=0.0, axis=-1, *, exact):
    if axis != -1:
        raise Decline("classes on another axis than the last")
    shares = from_logits is False and smooth(label_smoothing) > 0
    if shares or (open_ranks(y_true, y_pred) and not (exact and from_logits)):
        return each_categorical(y_true, y_pred, from_logits=from_logits, label_smoothing=label_smoothing)
    y = same_shape(y_true, y_pred)
    if not from_logits:
        if smooth(label_smoothing) > 0:
            raise Decline("smoothed labels over probabilities")
        return -(y * log_probabilities(y_pred)).sum(dim=-1)
    if smooth(label_smoothing) > 0:
        return F.cross_entropy(
            y_pred.movedim(-1, 1), y.movedim(-1, 1), reduction="none", label_smoothing=label_smoothing
        )
    if exact:
        return softmax_loss(y, y_pred)
    return -(y * F.log_softmax(y_pred, dim=-1)).sum(dim=-1)


@rule(
    "tf.keras.losses.sparse_categorical_crossentropy",
    samples=[
        S(i32(4, low=0, high=3), unit(4, 3)),
        S(i64(4, 1, low=0, high=3), f32(4, 3), from_logits=True),
        S(i64(2, 4, low=0, high=3), f32(2, 4, 3), True),
        S(i32(2, 4, low=0, high=3), unit(2, 4, 3)),
        declines(i32(4, low=0, high=3), unit(4, 3), ignore_class=0),
    ],
)
def sparse_categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits=False, ignore_class=None, axis=-1, *, rank_y_pred
):
    if axis != -1 or ignore_class is not None:
        raise Decline("another class axis than the last, or a class that is ignored")
    y = class_ids(y_true, y_pred)
    if from_logits:
        if rank_y_pred == 2:
            return F.cross_entropy(y_pred, y, reduction="none")
        return F.cross_entropy(y_pred.movedim(-1, 1), y, reduction="none")
    if rank_y_pred == 2:
        return F.nll_loss(log_probabilities(y_pred), y, reduction="none")
    return F.nll_loss(log_probabilities(y_pred).movedim(-1, 1), y, reduction="none")


@rule(
    "tf.keras.metrics.categorical_accuracy",
    samples=[no_grad(S(_ONE_HOT, unit(4, 3))), no_grad(S(unit(2, 4, 3), f32(2, 4, 3)))],
)
def categorical_accuracy(y_true: Tensor, y_pred: Tensor):
    return (y_true.argmax(dim=-1) == y_pred.argmax(dim=-1)).float()


@rule(
    "tf.keras.metrics.sparse_categorical_accuracy",
    samples=[
        no_grad(S(i32(4, low=0, high=3), unit(4, 3))),
        no_grad(S(i64(4, 1, low=0, high=3), f32(4, 3))),
        no_grad(S(i32(2, 4, low=0, high=3), unit(2, 4, 3))),
        declines(i64(4, 2, 1, low=0, high=3), f32(4, 2, 3)),
    ],
)
def sparse_categorical_accuracy(y_true: Tensor, y_pred: Tensor, *, rank_y_true, rank_y_pred):
    if rank_y_pred is None or (rank_y_pred > 2 and rank_y_true != rank_y_pred - 1):
        raise Decline("the ranks of labels and predictions are not known to fit")
    return (class_ids(y_true, y_pred) == y_pred.argmax(dim=-1)).float()


@rule(
    "tf.keras.metrics.binary_accuracy",
    samples=[no_grad(S(i32(4, 3, low=0, high=2), unit(4, 3))), no_grad(S(unit(4, 3), unit(4, 3), threshold=0.3))],
    keras=3,
)
def binary_accuracy(y_true: Tensor, y_pred: Tensor, threshold=0.5):
    return (aligned(y_true, y_pred) == (y_pred > threshold)).float()
