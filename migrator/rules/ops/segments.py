"""Sums, means and extremes over segments of rows."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, f32, i32, i64

_SEGMENTS = [S(f32(5, 2), i32(5, low=0, high=4), 4), S(f32(5), i64(5, low=0, high=3), num_segments=3)]
_RAISES = ["torch raises for a negative segment id, TensorFlow drops the row"]


def one_dimension(rank: int | None) -> None:
    """Declines segment ids of more than one dimension."""
    if rank is not None and rank != 1:
        raise Decline("segment ids of more than one dimension")


segment_sum = Helper(
    "segment_sum",
    '''def segment_sum(values, segment_ids, num_segments):
    """Sums of the rows of `values` with the same id; 0 where there is none."""
    total = values.new_zeros((num_segments, *values.shape[1:]))
    return total.index_add(0, segment_ids, values)
''',
    ("import torch",),
)
segment_mean = Helper(
    "segment_mean",
    '''def segment_mean(values, segment_ids, num_segments):
    """Means of the rows of `values` with the same id; 0 where there is none."""
    total = values.new_zeros((num_segments, *values.shape[1:])).index_add(0, segment_ids, values)
    counts = torch.bincount(segment_ids, minlength=num_segments).clamp(min=1)
    return total / counts.view(-1, *[1] * (values.dim() - 1))
''',
    ("import torch",),
)


@rule("tf.math.unsorted_segment_sum", samples=_SEGMENTS, gaps=_RAISES)
def unsorted_segment_sum(data: Tensor, segment_ids: Tensor, num_segments, name=None, *, rank_segment_ids):
    one_dimension(rank_segment_ids)
    return segment_sum(data, segment_ids, num_segments)


@rule("tf.math.unsorted_segment_mean", samples=_SEGMENTS, gaps=_RAISES)
def unsorted_segment_mean(data: Tensor, segment_ids: Tensor, num_segments, name=None, *, rank_segment_ids):
    one_dimension(rank_segment_ids)
    return segment_mean(data, segment_ids, num_segments)


segment_extreme = Helper(
    "segment_extreme",
    '''def segment_extreme(values, segment_ids, num_segments, reduce):
    """amax, amin or prod of the rows with the same id; the neutral element where there is none."""
    ends = torch.finfo(values.dtype) if values.is_floating_point() else torch.iinfo(values.dtype)
    neutral = {"amax": ends.min, "amin": ends.max, "prod": 1}[reduce]
    start = values.new_full((num_segments, *values.shape[1:]), neutral)
    ids = segment_ids.long().view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    return start.scatter_reduce(0, ids, values, reduce)
''',
    ("import torch",),
)
_WHOLE = [*_SEGMENTS, S(i32(6, 2), i32(6, low=0, high=3), 4)]


@rule("tf.math.unsorted_segment_max", samples=_WHOLE, gaps=_RAISES)
def unsorted_segment_max(data: Tensor, segment_ids: Tensor, num_segments, name=None, *, rank_segment_ids):
    one_dimension(rank_segment_ids)
    return segment_extreme(data, segment_ids, num_segments, "amax")


@rule("tf.math.unsorted_segment_min", samples=_WHOLE, gaps=_RAISES)
def unsorted_segment_min(data: Tensor, segment_ids: Tensor, num_segments, name=None, *, rank_segment_ids):
    one_dimension(rank_segment_ids)
    return segment_extreme(data, segment_ids, num_segments, "amin")


@rule("tf.math.unsorted_segment_prod", samples=_WHOLE, gaps=_RAISES)
def unsorted_segment_prod(data: Tensor, segment_ids: Tensor, num_segments, name=None, *, rank_segment_ids):
    one_dimension(rank_segment_ids)
    return segment_extreme(data, segment_ids, num_segments, "prod")


sorted_segments = Helper(
    "sorted_segments",
    '''def sorted_segments(values, segment_ids, reduce):
    """The rows with the same id reduced, ids in order; 0 (of a product 1) where there is none."""
    count = int(segment_ids[-1]) + 1 if len(segment_ids) else 0
    start = values.new_full((count, *values.shape[1:]), 1 if reduce == "prod" else 0)
    ids = segment_ids.long().view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    return start.scatter_reduce(0, ids, values, reduce, include_self=False)
''',
    ("import torch",),
)
_SORTED = [S(f32(5, 2), [0, 0, 1, 3, 3]), S(f32(4), [0, 1, 1, 2])]

for _name, _how in (("sum", "sum"), ("mean", "mean"), ("max", "amax"), ("min", "amin"), ("prod", "prod")):
    same(
        f"tf.math.segment_{_name}",
        f'sorted_segments(data, segment_ids, "{_how}")',
        "data: Tensor, segment_ids: Tensor, name=None",
        samples=_SORTED,
    )
