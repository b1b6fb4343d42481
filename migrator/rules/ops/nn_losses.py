"""Losses and averages of `tf.nn` that are more than one call."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, f32, i32, pos, src

if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F


@rule(
    "tf.nn.ctc_loss",
    samples=[
        S(
            i32(2, 3, low=1, high=5),
            f32(7, 2, 5),
            src("tf.constant([3, 2])"),
            src("tf.constant([7, 6])"),
            blank_index=0,
        ),
        S(
            labels=i32(2, 3, low=0, high=4),
            logits=f32(2, 7, 5),
            label_length=src("tf.constant([3, 1])"),
            logit_length=src("tf.constant([7, 6])"),
            logits_time_major=False,
            blank_index=4,
        ),
    ],
)
def ctc_loss(
    labels: Tensor,
    logits: Tensor,
    label_length: Tensor,
    logit_length: Tensor,
    logits_time_major=True,
    unique: Ignored = None,
    blank_index=None,
    name=None,
):
    if label_length is None or logit_length is None:
        raise Decline("sparse labels")
    if not isinstance(blank_index, int) or blank_index < 0:
        raise Decline("the index of the blank is not given as a number")
    scores = logits if logits_time_major else logits.transpose(0, 1)
    return F.ctc_loss(
        F.log_softmax(scores, dim=-1), labels, logit_length, label_length, blank=blank_index, reduction="none"
    )


@rule(
    "tf.nn.log_poisson_loss",
    samples=[S(pos(2, 3), f32(2, 3)), S(targets=src("a * 4.0", a=pos(6)), log_input=f32(6), compute_full_loss=True)],
)
def log_poisson_loss(targets: Tensor, log_input: Tensor, compute_full_loss=False, name=None):
    return F.poisson_nll_loss(log_input, targets, full=compute_full_loss, reduction="none")


@rule("tf.nn.compute_average_loss", samples=[S(f32(4)), S(f32(3), global_batch_size=8), S(f32(3), pos(3))])
def compute_average_loss(per_example_loss: Tensor, sample_weight=None, global_batch_size=None, *, rank):
    if rank == 0:
        raise Decline("a loss that is a scalar already")
    if sample_weight is not None:
        if global_batch_size is None:
            return torch.sum(per_example_loss * sample_weight) / per_example_loss.shape[0]
        return torch.sum(per_example_loss * sample_weight) / global_batch_size
    if global_batch_size is None:
        return torch.sum(per_example_loss) / per_example_loss.shape[0]
    return torch.sum(per_example_loss) / global_batch_size


same(
    "tf.nn.scale_regularization_loss",
    "torch.sum(regularization_loss)",
    "regularization_loss: Tensor",
    samples=[S(f32()), S(f32(3))],
)
