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

for _method in ("BILINEAR", "NEAREST_NEIGHBOR", "AREA", "BICUBIC"):
    constant(f"tf.image.ResizeMethod.{_method}", f'"{_method.partition("_")[0].lower()}"')


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


resize_nearest = Helper(
    "resize_nearest",
    '''def resize_nearest(images, size):
    """Images (…, H, W, C) of any dtype with the pixel nearest to each centre."""
    h, w = images.shape[-3:-1]
    rows = ((torch.arange(size[0], device=images.device) + 0.5) * (h / size[0])).floor().long().clamp(max=h - 1)
    columns = ((torch.arange(size[1], device=images.device) + 0.5) * (w / size[1])).floor().long().clamp(max=w - 1)
    return images.index_select(-3, rows).index_select(-2, columns)
''',
    ("import torch",),
)
resize_area = Helper(
    "resize_area",
    '''def resize_area(images, size):
    """Means of the pixels (…, H, W, C) that each new pixel covers, in parts where it covers parts."""

    def shares(old, new):
        edges = torch.arange(new + 1, dtype=torch.float64, device=images.device) * (old / new)
        pixels = torch.arange(old, dtype=torch.float64, device=images.device)
        covered = torch.minimum(edges[1:, None], pixels + 1) - torch.maximum(edges[:-1, None], pixels)
        return (covered.clamp(min=0) / (old / new)).float()

    rows, columns = shares(images.shape[-3], int(size[0])), shares(images.shape[-2], int(size[1]))
    return torch.einsum("ih,jw,...hwc->...ijc", rows, columns, images.float())
''',
    ("import torch",),
)


def method_name(method: object) -> str:
    """TF's name of the method, from a string or from `ResizeMethod.BILINEAR`."""
    name = str(method).lower().strip('"')
    if name not in ("bilinear", "nearest", "area", "bicubic"):
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
        no_grad(S(u8(5, 7, 3), (6, 3), "nearest")),
        no_grad(S(u8(2, 5, 7, 3), [11, 4], method="nearest")),
        no_grad(S(f32(2, 5, 7, 3), [3, 4], "area")),
        no_grad(S(f32(5, 7, 3), [8, 3], method="area")),
        no_grad(S(f32(2, 9, 8, 3), [4, 5], method="bicubic", antialias=True)),
        declines(f32(2, 5, 7, 3), [8, 4], method="bicubic"),
        declines(f32(2, 5, 7, 3), [8, 4], preserve_aspect_ratio=True),
    ],
)
def resize(
    images: Tensor, size, method="bilinear", preserve_aspect_ratio=False, antialias=False, name=None, *, rank, dtype
):
    if preserve_aspect_ratio:
        raise Decline("`preserve_aspect_ratio`")
    mode = method_name(method)
    if mode == "nearest":
        if is_float(dtype) and rank == 4:
            return F.interpolate(images.permute(0, 3, 1, 2), size=size, mode="nearest-exact").permute(0, 2, 3, 1)
        return resize_nearest(images, size)
    if mode == "area":
        return resize_area(images, size)
    floats = images if dtype == "float32" else images.float()
    if mode == "bicubic" and not (antialias and rank == 4):
        raise Decline("torch has no exact bicubic resizing without antialias")
    if antialias and rank != 4:
        raise Decline("antialias of a single image")
    if antialias:
        return F.interpolate(floats.permute(0, 3, 1, 2), size=size, mode=mode, antialias=True).permute(0, 2, 3, 1)
    if rank is None:
        return resize_images(floats, size)
    if rank == 4:
        return F.interpolate(floats.permute(0, 3, 1, 2), size=size, mode="bilinear").permute(0, 2, 3, 1)
    return F.interpolate(floats.permute(2, 0, 1)[None], size=size, mode="bilinear")[0].permute(1, 2, 0)


resize_with_pad = Helper(
    "resize_with_pad",
    '''def resize_with_pad(image, height, width, antialias=False):
    """Images (…, H, W, C) resized as a whole to fit, in the middle of a black image of this size."""
    batch = (image if image.dim() == 4 else image[None]).float().permute(0, 3, 1, 2)
    h, w = batch.shape[2:]
    ratio = torch.tensor(max(w / width, h / height), dtype=torch.float32)
    tall, wide = (torch.tensor([h, w], dtype=torch.float32) / ratio).tolist()
    above, before = max(int((height - tall) / 2), 0), max(int((width - wide) / 2), 0)
    batch = F.interpolate(batch, size=(int(tall), int(wide)), mode="bilinear", antialias=antialias)
    pads = (before, width - before - int(wide), above, height - above - int(tall))
    batch = F.pad(batch, pads).permute(0, 2, 3, 1)
    return batch if image.dim() == 4 else batch[0]
''',
    ("import torch", "import torch.nn.functional as F"),
)


@rule(
    "tf.image.resize_with_pad",
    samples=[
        *(S(f32(5, 7, 3), 8, 8), S(f32(2, 9, 4, 3), 6, 10), no_grad(S(u8(8, 6, 3), 4, 9)), S(f32(6, 6, 1), 12, 5)),
        S(f32(9, 8, 3), target_height=4, target_width=5, antialias=True),
    ],
)
def resize_with_pad_rule(image: Tensor, target_height, target_width, method="bilinear", antialias=False):
    if method_name(method) != "bilinear":
        raise Decline("another method of resizing")
    if antialias:
        return resize_with_pad(image, target_height, target_width, antialias=True)
    return resize_with_pad(image, target_height, target_width)


resize_legacy = Helper(
    "resize_bilinear_legacy",
    '''def resize_bilinear_legacy(images, size):
    """Bilinear resizing of NHWC images as TensorFlow 1 does it: pixel `i` is read at `i * old / new`."""

    def blend(x, dim, new):
        old = x.shape[dim]
        place = torch.arange(new, dtype=torch.float32, device=x.device) * (old / new)
        low = place.floor().long().clamp(max=old - 1)
        shape = [1] * x.dim()
        shape[dim] = -1
        part = (place - low).to(x.dtype).view(shape)
        first, second = x.index_select(dim, low), x.index_select(dim, (low + 1).clamp(max=old - 1))
        return first + (second - first) * part

    return blend(blend(images.float(), 1, int(size[0])), 2, int(size[1]))
''',
    ("import torch",),
)
resize_bilinear_legacy = resize_legacy


@rule(
    "tf.compat.v1.image.resize_bilinear",
    samples=[
        *(
            S(f32(2, 5, 7, 3), [8, 4]),
            S(f32(2, 5, 7, 3), (3, 9), align_corners=True),
            no_grad(S(u8(1, 4, 4, 1), [7, 3])),
        ),
        S(f32(2, 5, 7, 3), [8, 4], half_pixel_centers=True),
    ],
)
def resize_bilinear(images: Tensor, size, align_corners=False, name=None, half_pixel_centers=False, *, dtype):
    floats = images if dtype == "float32" else images.float()
    if align_corners:
        return F.interpolate(floats.permute(0, 3, 1, 2), size=size, mode="bilinear", align_corners=True).permute(
            0, 2, 3, 1
        )
    if half_pixel_centers:
        return F.interpolate(floats.permute(0, 3, 1, 2), size=size, mode="bilinear").permute(0, 2, 3, 1)
    return resize_bilinear_legacy(images, size)


@rule(
    "tf.compat.v1.image.resize_nearest_neighbor",
    samples=[
        S(f32(2, 5, 7, 3), [8, 4]),
        S(f32(2, 5, 7, 3), (3, 9)),
        declines(f32(2, 5, 7, 3), [3, 4], align_corners=True),
    ],
)
def resize_nearest_neighbor(images: Tensor, size, align_corners=False, name=None, half_pixel_centers=False, *, dtype):
    if align_corners:
        raise Decline("aligned corners")
    if half_pixel_centers:
        return resize_nearest(images, size)
    if not is_float(dtype):
        raise Decline("the images are not known to be floating")
    return F.interpolate(images.permute(0, 3, 1, 2), size=size, mode="nearest").permute(0, 2, 3, 1)


same("tf.image.flip_left_right", "image.flip(-2)", "image: Tensor", samples=[S(f32(2, 3, 4, 3)), S(f32(3, 4, 3))])
same("tf.image.flip_up_down", "image.flip(-3)", "image: Tensor", samples=[S(f32(2, 3, 4, 3)), S(f32(3, 4, 3))])
