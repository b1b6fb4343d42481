"""Colours of images: dtypes, brightness, contrast, hue, and spaces of colour."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_float
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, f32, no_grad, random, src, u8, unit
from migrator.rules.ops.pieces import torch_dtype

if TYPE_CHECKING:
    import torch

convert_image_dtype = Helper(
    "convert_image_dtype",
    '''def convert_image_dtype(image, dtype, saturate=False):
    """An image in another dtype: floats are 0 to 1, integers 0 to their greatest value."""
    if image.dtype == dtype:
        return image
    if image.dtype.is_floating_point and dtype.is_floating_point:
        return image.to(dtype)
    if dtype.is_floating_point:
        return image.to(dtype) * (1.0 / torch.iinfo(image.dtype).max)
    ends = torch.iinfo(dtype)
    if image.dtype.is_floating_point:
        scaled = image * (ends.max + 0.5)
        return (scaled.clamp(ends.min, ends.max) if saturate else scaled).to(dtype)
    largest = torch.iinfo(image.dtype).max
    if largest > ends.max:
        return (image // ((largest + 1) // (ends.max + 1))).to(dtype)
    return image.to(dtype) * ((ends.max + 1) // (largest + 1))
''',
    ("import torch",),
)


@rule(
    "tf.image.convert_image_dtype",
    samples=[
        *(no_grad(S(u8(4, 5, 3), src("tf.float32"))), S(unit(4, 5, 3), src("tf.float32"))),
        *(no_grad(S(unit(4, 5, 3), src("tf.uint8"))), no_grad(S(f32(4, 5, 3), dtype=src("tf.uint8"), saturate=True))),
        *(
            no_grad(S(u8(4, 5, 3), src("tf.int16"))),
            no_grad(S(src("tf.cast(a, tf.int16) * 100", a=u8(9)), src("tf.uint8"))),
        ),
    ],
)
def convert_dtype(image: Tensor, dtype, saturate=False, name=None):
    target = torch_dtype(dtype)
    if saturate:
        return convert_image_dtype(image, target, saturate=True)
    return convert_image_dtype(image, target)


def floats(dtype: str | None) -> None:
    """Declines what is not known to be a floating image: integers are converted, changed and converted back."""
    if not is_float(dtype):
        raise Decline("the image is not known to be floating")


@rule("tf.image.adjust_brightness", samples=[S(f32(4, 5, 3), 0.2), S(f32(2, 4, 5, 3), delta=-0.1)])
def adjust_brightness(image: Tensor, delta, *, dtype):
    floats(dtype)
    return image + delta


adjust_contrast = Helper(
    "adjust_contrast",
    '''def adjust_contrast(image, factor):
    """Images (…, H, W, C) with the distance to the mean of each channel scaled."""
    mean = image.mean(dim=(-3, -2), keepdim=True)
    return (image - mean) * factor + mean
''',
)


@rule(
    "tf.image.adjust_contrast",
    samples=[no_grad(S(f32(4, 5, 3), 1.5)), no_grad(S(f32(2, 4, 5, 3), contrast_factor=0.3))],
)
def adjust_contrast_rule(images: Tensor, contrast_factor, *, dtype):
    floats(dtype)
    return adjust_contrast(images, contrast_factor)


adjust_saturation = Helper(
    "adjust_saturation",
    '''def adjust_saturation(image, factor):
    """RGB images (…, 3) with their saturation scaled, at most to 1."""
    high, low = image.amax(dim=-1, keepdim=True), image.amin(dim=-1, keepdim=True)
    saturation = torch.where(high > 0, (high - low) / torch.where(high > 0, high, 1.0), 0.0)
    scaled = (saturation * factor).clamp(0.0, 1.0)
    return high - (high - image) * scaled / torch.where(saturation > 0, saturation, 1.0)
''',
    ("import torch",),
)


@rule(
    "tf.image.adjust_saturation",
    samples=[
        no_grad(S(unit(4, 5, 3), 0.5)),
        no_grad(S(unit(2, 4, 5, 3), saturation_factor=3.0)),
        no_grad(S(src("tf.zeros([2, 2, 3])"), 2.0)),
    ],
)
def adjust_saturation_rule(image: Tensor, saturation_factor, name=None, *, dtype):
    if dtype is not None:
        floats(dtype)
    return adjust_saturation(image, saturation_factor)


rgb_to_hsv = Helper(
    "rgb_to_hsv",
    '''def rgb_to_hsv(image):
    """Hue, saturation and value (…, 3), each from 0 to 1."""
    r, g, b = image.unbind(-1)
    value, low = image.amax(dim=-1), image.amin(dim=-1)
    spread = value - low
    safe = torch.where(spread > 0, spread, 1.0)
    hue = torch.where(value == r, (g - b) / safe, torch.where(value == g, 2.0 + (b - r) / safe, 4.0 + (r - g) / safe))
    hue = torch.where(spread > 0, hue / 6.0 % 1.0, 0.0)
    saturation = torch.where(value > 0, spread / torch.where(value > 0, value, 1.0), 0.0)
    return torch.stack([hue, saturation, value], dim=-1)
''',
    ("import torch",),
)
hsv_to_rgb = Helper(
    "hsv_to_rgb",
    '''def hsv_to_rgb(image):
    """RGB (…, 3) of hue, saturation and value."""
    hue, saturation, value = (part.unsqueeze(-1) for part in image.unbind(-1))
    k = (torch.tensor([5.0, 3.0, 1.0], dtype=image.dtype, device=image.device) + hue * 6.0) % 6.0
    return value - value * saturation * torch.minimum(torch.minimum(k, 4.0 - k), torch.ones_like(k)).clamp(min=0.0)
''',
    ("import torch",),
)
adjust_hue = Helper(
    "adjust_hue",
    '''def adjust_hue(image, delta):
    """RGB images (…, 3) with their hue turned by `delta` of the circle."""
    r, g, b = image.unbind(-1)
    value, low = image.amax(dim=-1), image.amin(dim=-1)
    spread = value - low
    safe = torch.where(spread > 0, spread, 1.0)
    hue = torch.where(value == r, (g - b) / safe, torch.where(value == g, 2.0 + (b - r) / safe, 4.0 + (r - g) / safe))
    turned = (hue / 6.0 + delta) * 6.0
    k = (torch.tensor([5.0, 3.0, 1.0], dtype=image.dtype, device=image.device) + turned.unsqueeze(-1)) % 6.0
    part = torch.minimum(torch.minimum(k, 4.0 - k), torch.ones_like(k)).clamp(min=0.0)
    return value.unsqueeze(-1) - spread.unsqueeze(-1) * part
''',
    ("import torch",),
)
_COLOURS = [no_grad(S(unit(4, 5, 3))), no_grad(S(unit(2, 3, 4, 3))), no_grad(S(src("tf.zeros([2, 2, 3])")))]


@rule("tf.image.rgb_to_hsv", samples=_COLOURS)
def rgb_to_hsv_rule(images: Tensor, name=None):
    return rgb_to_hsv(images)


@rule("tf.image.hsv_to_rgb", samples=_COLOURS)
def hsv_to_rgb_rule(images: Tensor, name=None):
    return hsv_to_rgb(images)


@rule("tf.image.adjust_hue", samples=[no_grad(S(unit(4, 5, 3), 0.3)), no_grad(S(unit(2, 4, 5, 3), delta=-0.7))])
def adjust_hue_rule(image: Tensor, delta, name=None, *, dtype):
    floats(dtype)
    return adjust_hue(image, delta)


@rule("tf.image.adjust_gamma", samples=[S(unit(4, 5, 3), 2.0), S(unit(4, 5, 3), gamma=0.5, gain=1.5)])
def adjust_gamma(image: Tensor, gamma=1, gain=1, *, dtype):
    floats(dtype)
    return gain * image**gamma


rgb_to_grayscale = Helper(
    "rgb_to_grayscale",
    '''def rgb_to_grayscale(image):
    """Gray images (…, 1) of RGB images (…, 3) in the same dtype."""
    weights = torch.tensor([0.2989, 0.587, 0.114], device=image.device)
    if image.dtype.is_floating_point:
        return (image * weights.to(image.dtype)).sum(dim=-1, keepdim=True)
    largest = torch.iinfo(image.dtype).max
    gray = (image.float() / largest * weights).sum(dim=-1, keepdim=True)
    return (gray * (largest + 0.5)).to(image.dtype)
''',
    ("import torch",),
)


@rule("tf.image.rgb_to_grayscale", samples=[S(f32(4, 5, 3)), S(f32(2, 4, 5, 3)), no_grad(S(u8(4, 5, 3)))])
def grayscale(images: Tensor, name=None):
    return rgb_to_grayscale(images)


same(
    "tf.image.grayscale_to_rgb",
    "torch.cat([images] * 3, dim=-1)",
    "images: Tensor, name=None",
    samples=[S(f32(4, 5, 1)), no_grad(S(u8(2, 4, 5, 1)))],
)
for _name, _rows in (
    (
        "rgb_to_yuv",
        "[[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]",
    ),
    ("yuv_to_rgb", "[[1.0, 1.0, 1.0], [0.0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0.0]]"),
):
    same(
        f"tf.image.{_name}",
        f"images @ torch.tensor({_rows}, dtype=images.dtype, device=images.device)",
        "images: Tensor",
        samples=[S(unit(4, 5, 3)), S(unit(2, 4, 5, 3))],
    )

_SEED = ["the seed is dropped: random streams differ anyway"]
_LARGE = unit(40, 50, 3)


@rule("tf.image.random_brightness", samples=[random(_LARGE, 0.001)], gaps=_SEED)
def random_brightness(image: Tensor, max_delta, seed: Ignored = None, *, dtype):
    floats(dtype)
    return image + torch.empty((), device=image.device).uniform_(-max_delta, max_delta)


@rule("tf.image.random_contrast", samples=[random(_LARGE, 0.99, 1.01)], gaps=_SEED)
def random_contrast(image: Tensor, lower, upper, seed: Ignored = None, *, dtype):
    floats(dtype)
    return adjust_contrast(image, torch.empty(()).uniform_(lower, upper).item())


@rule("tf.image.random_saturation", samples=[random(_LARGE, 0.99, 1.01)], gaps=_SEED)
def random_saturation(image: Tensor, lower, upper, seed: Ignored = None, *, dtype):
    floats(dtype)
    return adjust_saturation(image, torch.empty(()).uniform_(lower, upper).item())


@rule("tf.image.random_hue", samples=[random(_LARGE, 0.01)], gaps=_SEED)
def random_hue(image: Tensor, max_delta, seed: Ignored = None, *, dtype):
    floats(dtype)
    return adjust_hue(image, torch.empty(()).uniform_(-max_delta, max_delta).item())


per_image_standardization = Helper(
    "per_image_standardization",
    '''def per_image_standardization(image):
    """Images (…, H, W, C) with mean 0 and variance 1; the deviation is at least 1/sqrt(elements)."""
    image = image if image.dtype.is_floating_point else image.float()
    std, mean = torch.std_mean(image, dim=(-3, -2, -1), correction=0, keepdim=True)
    return (image - mean) / std.clamp(min=image.shape[-3:].numel() ** -0.5)
''',
    ("import torch",),
)


@rule(
    "tf.image.per_image_standardization",
    samples=[S(f32(4, 5, 3)), S(f32(2, 4, 5, 3)), no_grad(S(u8(4, 5, 3))), no_grad(S(src("tf.ones([2, 2, 3])")))],
)
def standardization(image: Tensor):
    return per_image_standardization(image)
