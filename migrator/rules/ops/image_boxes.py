"""Boxes in images: [top, left, bottom, right], unlike torchvision's."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import legacy, rule
from migrator.rules.engine.samples import S, declines, f32, i32, no_grad, src, unit
from migrator.rules.ops.pieces import given

non_max_suppression = Helper(
    "non_max_suppression",
    '''def non_max_suppression(boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=float("-inf")):
    """Indices of the best boxes (N, 4), in the order of their scores, none overlapping a better one too much."""
    top, left = torch.minimum(boxes[:, 0], boxes[:, 2]), torch.minimum(boxes[:, 1], boxes[:, 3])
    bottom, right = torch.maximum(boxes[:, 0], boxes[:, 2]), torch.maximum(boxes[:, 1], boxes[:, 3])
    area = (bottom - top) * (right - left)
    kept = []
    for i in torch.argsort(scores, descending=True, stable=True).tolist():
        if len(kept) >= max_output_size or not scores[i] > score_threshold:
            break
        high = (torch.minimum(bottom[i], bottom[kept]) - torch.maximum(top[i], top[kept])).clamp(min=0)
        wide = (torch.minimum(right[i], right[kept]) - torch.maximum(left[i], left[kept])).clamp(min=0)
        union = area[i] + area[kept] - high * wide
        overlap = torch.where((area[i] > 0) & (area[kept] > 0), high * wide / union, 0.0)
        if not (overlap > iou_threshold).any():
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)
''',
    ("import torch",),
)
_BOXES = src("tf.concat([a, a + b], 1)", a=unit(12, 2), b=unit(12, 2))


@rule(
    "tf.image.non_max_suppression",
    samples=[
        *(no_grad(S(_BOXES, unit(12), 5)), no_grad(S(_BOXES, unit(12), 12, 0.2)), no_grad(S(f32(9, 4), f32(9), 4))),
        no_grad(S(_BOXES, scores=unit(12), max_output_size=9, iou_threshold=0.7, score_threshold=0.4)),
    ],
)
def suppression(boxes: Tensor, scores: Tensor, max_output_size, iou_threshold=0.5, score_threshold="-inf", name=None):
    if given(score_threshold):
        return non_max_suppression(boxes, scores, max_output_size, iou_threshold, score_threshold)
    return non_max_suppression(boxes, scores, max_output_size, iou_threshold)


non_max_suppression_with_scores = Helper(
    "non_max_suppression_with_scores",
    '''def non_max_suppression_with_scores(
    boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=float("-inf"), soft_nms_sigma=0.0
):
    """Indices and scores of the best boxes (N, 4), best first.

    A box that overlaps a better one too much is left out; with a sigma the overlaps lower its score instead.
    """
    near, far = torch.minimum(boxes[:, :2], boxes[:, 2:]), torch.maximum(boxes[:, :2], boxes[:, 2:])
    area = (far - near).prod(dim=1)

    def overlaps(i, others):
        sides = torch.minimum(far[i], far[others]) - torch.maximum(near[i], near[others])
        shared = sides.clamp(min=0).prod(dim=1)
        return torch.where((area[i] > 0) & (area[others] > 0), shared / (area[i] + area[others] - shared), 0.0)

    kept, kept_scores = [], []
    candidates = torch.nonzero(scores > score_threshold).flatten().tolist()
    queue = [(-scores[i].item(), i, 0) for i in candidates]
    heapq.heapify(queue)
    while queue and len(kept) < max_output_size:
        negative, i, seen = heapq.heappop(queue)
        overlap, score = overlaps(i, kept[seen:]), -negative
        if soft_nms_sigma > 0:
            lowered = score * torch.exp(-0.5 / soft_nms_sigma * overlap.square()).prod().item()
        elif (overlap > iou_threshold).any():
            continue
        else:
            lowered = score
        if lowered == score:  # nothing kept since it was queued touches it
            kept.append(i)
            kept_scores.append(score)
        elif lowered > score_threshold:
            heapq.heappush(queue, (-lowered, i, len(kept)))
    return (
        torch.tensor(kept, dtype=torch.int64, device=boxes.device),
        torch.tensor(kept_scores, dtype=scores.dtype, device=boxes.device),
    )
''',
    ("import heapq", "import torch"),
)


@rule(
    "tf.image.non_max_suppression_with_scores",
    samples=[
        no_grad(S(_BOXES, unit(12), 5)),
        no_grad(S(_BOXES, unit(12), 12, 0.2, 0.3)),
        no_grad(S(_BOXES, unit(12), 12, soft_nms_sigma=0.5)),
        no_grad(S(f32(9, 4), f32(9), 4, soft_nms_sigma=0.3)),
        no_grad(
            S(
                boxes=_BOXES,
                scores=unit(12),
                max_output_size=9,
                iou_threshold=0.7,
                score_threshold=0.4,
                soft_nms_sigma=1.0,
            )
        ),
    ],
)
def suppression_with_scores(
    boxes: Tensor,
    scores: Tensor,
    max_output_size,
    iou_threshold=0.5,
    score_threshold="-inf",
    soft_nms_sigma=0.0,
    name=None,
):
    if not given(score_threshold) and soft_nms_sigma == 0:
        return non_max_suppression_with_scores(boxes, scores, max_output_size, iou_threshold)
    if not given(score_threshold):
        return non_max_suppression_with_scores(
            boxes, scores, max_output_size, iou_threshold, soft_nms_sigma=soft_nms_sigma
        )
    if soft_nms_sigma == 0:
        return non_max_suppression_with_scores(boxes, scores, max_output_size, iou_threshold, score_threshold)
    return non_max_suppression_with_scores(
        boxes, scores, max_output_size, iou_threshold, score_threshold, soft_nms_sigma
    )


crop_and_resize = Helper(
    "crop_and_resize",
    '''def crop_and_resize(image, boxes, box_indices, crop_size, nearest=False, fill=0.0):
    """Crops (boxes, height, width, C) of NHWC images; boxes are fractions of height - 1 and width - 1."""
    n, h, w, _ = image.shape
    boxes, height, width = boxes.float(), int(crop_size[0]), int(crop_size[1])

    def places(start, end, size, count):
        if count == 1:
            return (0.5 * (start + end) * (size - 1))[:, None]
        steps = torch.arange(count, dtype=boxes.dtype, device=boxes.device)
        return (start * (size - 1))[:, None] + steps * ((end - start) * (size - 1) / (count - 1))[:, None]

    y, x = places(boxes[:, 0], boxes[:, 2], h, height), places(boxes[:, 1], boxes[:, 3], w, width)
    inside = ((y >= 0) & (y <= h - 1))[:, :, None] & ((x >= 0) & (x <= w - 1))[:, None, :]
    batch = box_indices.long()[:, None, None]

    def pick(rows, columns):
        return image[batch, rows.long().clamp(0, h - 1)[:, :, None], columns.long().clamp(0, w - 1)[:, None, :]].float()

    if nearest:
        crops = pick(torch.floor(y + 0.5), torch.floor(x + 0.5))
    else:
        top, left = y.floor(), x.floor()
        down, over = (y - top)[:, :, None, None], (x - left)[:, None, :, None]
        upper = pick(top, left) * (1 - over) + pick(top, x.ceil()) * over
        crops = upper * (1 - down) + (pick(y.ceil(), left) * (1 - over) + pick(y.ceil(), x.ceil()) * over) * down
    return torch.where(inside[..., None], crops, fill)
''',
    ("import torch",),
)
_IMAGES, _INDICES = f32(2, 7, 9, 3), i32(4, low=0, high=2)


@rule(
    "tf.image.crop_and_resize",
    samples=[
        no_grad(
            S(_IMAGES, src("tf.concat([a * 0.4, 0.5 + b * 0.5], 1)", a=unit(4, 2), b=unit(4, 2)), _INDICES, [4, 5])
        ),
        no_grad(S(_IMAGES, f32(4, 4), box_indices=_INDICES, crop_size=(3, 1), extrapolation_value=-1.0)),
        no_grad(S(_IMAGES, unit(4, 4), _INDICES, [3, 4], "nearest")),
        declines(_IMAGES, unit(4, 4), _INDICES, [3, 4], "area"),
    ],
)
def crop_and_resize_rule(
    image: Tensor, boxes: Tensor, box_indices: Tensor, crop_size, method="bilinear", extrapolation_value=0.0, name=None
):
    if method not in ("bilinear", "nearest"):
        raise Decline("another method of resizing")
    if method == "nearest":
        return crop_and_resize(image, boxes, box_indices, crop_size, nearest=True, fill=extrapolation_value)
    if extrapolation_value == 0:
        return crop_and_resize(image, boxes, box_indices, crop_size)
    return crop_and_resize(image, boxes, box_indices, crop_size, fill=extrapolation_value)


legacy(
    "tf.compat.v1.image.crop_and_resize",
    "image, boxes, box_ind=None, crop_size=None, method='bilinear', extrapolation_value=0, name=None, box_indices=None",
    of="tf.image.crop_and_resize",
    old={"box_ind": "box_indices"},
    samples=[no_grad(S(_IMAGES, unit(4, 4), box_ind=_INDICES, crop_size=[3, 4]))],
)
