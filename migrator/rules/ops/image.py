"""Images, NHWC as the callers have them."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_float
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import constant, rule, same
from migrator.rules.engine.samples import S, declines, f32, no_grad, u8

if TYPE_CHECKING:
    import torch.nn.functional as F

for _method in ("BILINEAR", "NEAREST_NEIGHBOR"):
    constant(f"tf.image.ResizeMethod.{_method}", f'"{"nearest" if _method.startswith("N") else "bilinear"}"')


resize_images = Helper(
    "resize_images",
    '''def resize_images(images, size):
    """Bilinear resizing of NHWC images, or of one HWC image."""
    batch = images if images.dim() == 4 else images[None]
    batch = F.interpolate(batch.permute(0, 3, 1, 2), size=size, mode="bilinear").permute(0, 2, 3, 1)
    return batch if images.dim() == 4 else batch[0]
''',
    ("import torch.nn.functional as F",),
)


def method_name(method: object) -> str:
    """TF's name of the method, from a string or from `ResizeMethod.BILINEAR`."""
    name = str(method).lower().strip('"')
    if name not in ("bilinear", "nearest"):
        raise Decline(f"torch has no exact {name} resizing")
    return name


@rule(
    "tf.image.resize",
    samples=[
        S(f32(2, 5, 7, 3), [8, 4]),
        S(f32(2, 5, 7, 3), (3, 9), method="nearest"),
        S(f32(5, 7, 3), [8, 4]),
        S(f32(2, 9, 8, 3), [4, 5], antialias=True),
        no_grad(S(u8(2, 5, 7, 3), (6, 4))),
        declines(f32(2, 5, 7, 3), [8, 4], method="bicubic"),
    ],
)
def resize(
    images: Tensor, size, method="bilinear", preserve_aspect_ratio=False, antialias=False, name=None, *, rank, dtype
):
    if preserve_aspect_ratio:
        raise Decline("`preserve_aspect_ratio`")
    mode = method_name(method)
    if mode == "nearest":
        if not is_float(dtype) or rank != 4:
            raise Decline("nearest resizing of integers")
        return F.interpolate(images.permute(0, 3, 1, 2), size=size, mode="nearest-exact").permute(0, 2, 3, 1)
    floats = images if dtype == "float32" else images.float()
    if rank is None and not antialias:
        return resize_images(floats, size)
    if rank == 4 and antialias:
        return F.interpolate(floats.permute(0, 3, 1, 2), size=size, mode="bilinear", antialias=True).permute(0, 2, 3, 1)
    if antialias:
        raise Decline("antialias of a single image")
    if rank == 4:
        return F.interpolate(floats.permute(0, 3, 1, 2), size=size, mode="bilinear").permute(0, 2, 3, 1)
    return F.interpolate(floats.permute(2, 0, 1)[None], size=size, mode="bilinear")[0].permute(1, 2, 0)


same("tf.image.flip_left_right", "image.flip(-2)", "image: Tensor", samples=[S(f32(2, 3, 4, 3)), S(f32(3, 4, 3))])
same("tf.image.flip_up_down", "image.flip(-3)", "image: Tensor", samples=[S(f32(2, 3, 4, 3)), S(f32(3, 4, 3))])
