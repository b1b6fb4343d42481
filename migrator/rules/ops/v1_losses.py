"""`tf.losses` of TensorFlow 1: unweighted means over all that is compared, the default reduction."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, declines, f32, i32, src, unit

if TYPE_CHECKING:
    import torch.nn.functional as F


@rule("tf.compat.v1.losses.mean_squared_error", samples=[S(f32(4, 1), f32(4, 1)), S(labels=f32(5), predictions=f32(5)),
      declines(f32(4), f32(4), weights=f32(4))])  # fmt: skip
def mean_squared_error(
    labels: Tensor,
    predictions: Tensor,
    weights=1.0,
    scope: Ignored = None,
    loss_collection: Ignored = "losses",
    reduction="weighted_sum_by_nonzero_weights",
):
    if weights != 1.0 or reduction != "weighted_sum_by_nonzero_weights":
        raise Decline("weights of the loss, or another reduction")
    return F.mse_loss(predictions, labels)


@rule("tf.compat.v1.losses.absolute_difference", samples=[S(f32(4, 3), f32(4, 3)),
      declines(f32(4), f32(4), weights=2.0)])  # fmt: skip
def absolute_difference(
    labels: Tensor,
    predictions: Tensor,
    weights=1.0,
    scope: Ignored = None,
    loss_collection: Ignored = "losses",
    reduction="weighted_sum_by_nonzero_weights",
):
    if weights != 1.0 or reduction != "weighted_sum_by_nonzero_weights":
        raise Decline("weights of the loss, or another reduction")
    return F.l1_loss(predictions, labels)


@rule("tf.compat.v1.losses.huber_loss", samples=[S(f32(4, 3), f32(4, 3)), S(f32(4, 3), f32(4, 3), delta=0.5)])
def huber_loss(
    labels: Tensor, predictions: Tensor, weights=1.0, delta=1.0, scope: Ignored = None,
    loss_collection: Ignored = "losses", reduction="weighted_sum_by_nonzero_weights",
):  # fmt: skip
    if weights != 1.0 or reduction != "weighted_sum_by_nonzero_weights":
        raise Decline("weights of the loss, or another reduction")
    return F.huber_loss(predictions, labels, delta=delta)


@rule("tf.compat.v1.losses.softmax_cross_entropy",
      samples=[S(src("tf.nn.softmax(y)", y=f32(4, 3)), f32(4, 3)),
               declines(f32(4, 3), f32(4, 3), label_smoothing=0.1)])  # fmt: skip
def softmax_cross_entropy(
    onehot_labels: Tensor, logits: Tensor, weights=1.0, label_smoothing=0, scope: Ignored = None,
    loss_collection: Ignored = "losses", reduction="weighted_sum_by_nonzero_weights", *, rank_logits,
):  # fmt: skip
    if weights != 1.0 or reduction != "weighted_sum_by_nonzero_weights" or label_smoothing != 0:
        raise Decline("weights of the loss, another reduction or smoothed labels")
    if rank_logits != 2:
        raise Decline("the rank of the logits is not known, or not 2")
    return F.cross_entropy(logits, onehot_labels.detach())


@rule("tf.compat.v1.losses.sparse_softmax_cross_entropy",
      samples=[S(i32(4, low=0, high=3), f32(4, 3)), S(labels=i32(4, low=0, high=3), logits=f32(4, 3))])  # fmt: skip
def sparse_softmax_cross_entropy(
    labels: Tensor, logits: Tensor, weights=1.0, scope: Ignored = None, loss_collection: Ignored = "losses",
    reduction="weighted_sum_by_nonzero_weights", *, rank_labels, rank_logits,
):  # fmt: skip
    if weights != 1.0 or reduction != "weighted_sum_by_nonzero_weights":
        raise Decline("weights of the loss, or another reduction")
    if rank_labels != 1 or rank_logits != 2:
        raise Decline("the ranks of labels and logits are not known, or not 1 and 2")
    return F.cross_entropy(logits, labels.long())


@rule("tf.compat.v1.losses.sigmoid_cross_entropy",
      samples=[S(unit(4, 3), f32(4, 3)), declines(unit(4, 3), f32(4, 3), label_smoothing=0.1)])  # fmt: skip
def sigmoid_cross_entropy(
    multi_class_labels: Tensor, logits: Tensor, weights=1.0, label_smoothing=0, scope: Ignored = None,
    loss_collection: Ignored = "losses", reduction="weighted_sum_by_nonzero_weights",
):  # fmt: skip
    if weights != 1.0 or reduction != "weighted_sum_by_nonzero_weights" or label_smoothing != 0:
        raise Decline("weights of the loss, another reduction or smoothed labels")
    return F.binary_cross_entropy_with_logits(logits, multi_class_labels)
