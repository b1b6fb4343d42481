"""Parts of images: crops, borders, turns, patches."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.args import NOTHING, Arg, Code, literal
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, f32, no_grad, random, u8
from migrator.rules.ops.pieces import elements, on_arguments, text

if TYPE_CHECKING:
    import torch

crop_to = Helper(
    "crop_to",
    '''def crop_to(image, top, left, height, width):
    """The block of images (…, H, W, C) with this corner and size."""
    return image[..., top : top + height, left : left + width, :]
''',
)
_BOXES = [S(f32(5, 7, 3), 1, 2, 3, 4), S(f32(2, 5, 7, 3), 0, 3, target_height=4, target_width=4)]


@rule("tf.image.crop_to_bounding_box", samples=_BOXES)
def crop_to_bounding_box(image: Tensor, offset_height, offset_width, target_height, target_width):
    return crop_to(image, offset_height, offset_width, target_height, target_width)


pad_to = Helper(
    "pad_to",
    '''def pad_to(image, top, left, height, width):
    """Images (…, H, W, C) at this corner of a black image of the given size."""
    h, w = image.shape[-3:-1]
    return F.pad(image, (0, 0, left, width - left - w, top, height - top - h))
''',
    ("import torch.nn.functional as F",),
)


@rule(
    "tf.image.pad_to_bounding_box",
    samples=[S(f32(2, 3, 3), 1, 2, 5, 6), S(f32(2, 2, 3, 3), 0, 1, 4, 4), no_grad(S(u8(2, 3, 3), 1, 2, 5, 6))],
)
def pad_to_bounding_box(image: Tensor, offset_height, offset_width, target_height, target_width):
    return pad_to(image, offset_height, offset_width, target_height, target_width)


crop_or_pad = Helper(
    "crop_or_pad",
    '''def crop_or_pad(image, height, width):
    """The centre of images (…, H, W, C) in this size, with black borders where they are smaller."""
    h, w = image.shape[-3:-1]
    top, left = max((h - height) // 2, 0), max((w - width) // 2, 0)
    image = image[..., top : top + height, left : left + width, :]
    above, before = max((height - h) // 2, 0), max((width - w) // 2, 0)
    rest_h, rest_w = height - above - image.shape[-3], width - before - image.shape[-2]
    return F.pad(image, (0, 0, before, rest_w, above, rest_h))
''',
    ("import torch.nn.functional as F",),
)


@rule(
    "tf.image.resize_with_crop_or_pad",
    samples=[
        *(S(f32(5, 7, 3), 3, 4), S(f32(5, 7, 3), 8, 10), S(f32(2, 5, 7, 3), 8, 4), S(f32(5, 6, 3), 4, 9)),
        *(no_grad(S(u8(4, 4, 3), 7, 3)), S(f32(6, 6, 1), 3, 3), S(f32(5, 5, 1), 2, 2)),
    ],
)
def resize_with_crop_or_pad(image: Tensor, target_height, target_width):
    return crop_or_pad(image, target_height, target_width)


central_crop = Helper(
    "central_crop",
    '''def central_crop(image, fraction):
    """The middle of images (…, H, W, C), this fraction of each side."""
    h, w = image.shape[-3:-1]
    top, left = int((h - h * fraction) / 2), int((w - w * fraction) / 2)
    return image[..., top : h - top, left : w - left, :]
''',
)


@rule(
    "tf.image.central_crop",
    samples=[
        S(f32(8, 9, 3), 0.5),
        S(f32(2, 7, 11, 3), central_fraction=0.875),
        S(f32(5, 5, 3), 1.0),
        S(f32(9, 9, 1), 0.3),
    ],
)
def central_crop_rule(image: Tensor, central_fraction):
    return central_crop(image, central_fraction)


random_crop = Helper(
    "random_crop",
    '''def random_crop(value, size):
    """A block of this size at a random place."""
    starts = [int(torch.randint(n - int(s) + 1, ())) for n, s in zip(value.shape, size, strict=True)]
    return value[tuple(slice(start, start + int(s)) for start, s in zip(starts, size, strict=True))]
''',
    ("import torch",),
)


@rule("tf.image.random_crop", samples=[random(f32(52, 60, 3), [50, 58, 3]), random(f32(4000), size=(3999,))])
def random_crop_rule(value: Tensor, size, seed: Ignored = None, name=None):
    return random_crop(value, size)


random_flip = Helper(
    "random_flip",
    '''def random_flip(image, dim):
    """One image (H, W, C), or each of several (N, H, W, C), flipped along `dim` with probability 1/2."""
    if image.dim() == 3:
        return image.flip(dim) if torch.rand(()) < 0.5 else image
    chosen = torch.rand(image.shape[0], device=image.device) > 0.5
    return torch.where(chosen.view(-1, 1, 1, 1), image.flip(dim), image)
''',
    ("import torch",),
)
for _name, _dim in (("left_right", -2), ("up_down", -3)):
    same(
        f"tf.image.random_flip_{_name}",
        f"random_flip(image, {_dim})",
        "image: Tensor, seed: Ignored = None",
        samples=[random(f32(20, 30, 3)), random(f32(5, 20, 10, 3))],
    )


@rule("tf.image.rot90", samples=[S(f32(3, 4, 2)), S(f32(3, 4, 2), 2), S(f32(2, 3, 4, 2), k=3), S(f32(3, 4, 2), -1)])
def rot90(image: Tensor, k=1, name=None):
    return torch.rot90(image, k, dims=(-3, -2))


same(
    "tf.image.transpose",
    "image.transpose(-3, -2)",
    "image: Tensor, name=None",
    samples=[S(f32(3, 4, 2)), S(f32(2, 3, 4, 2))],
)

extract_patches = Helper(
    "extract_patches",
    '''def extract_patches(images, size, stride, rate=1, same=False):
    """Patches of NHWC images, each flattened (row, column, channel): (N, rows, columns, size * size * C)."""
    n, h, w, c = images.shape
    x = images.permute(0, 3, 1, 2)
    (kh, kw), (sh, sw), (dh, dw) = ((v, v) if isinstance(v, int) else v for v in (size, stride, rate))
    if same:
        down = max((-(-h // sh) - 1) * sh + (kh - 1) * dh + 1 - h, 0)
        over = max((-(-w // sw) - 1) * sw + (kw - 1) * dw + 1 - w, 0)
        x = F.pad(x, (over // 2, over - over // 2, down // 2, down - down // 2))
    rows = (x.shape[2] - (kh - 1) * dh - 1) // sh + 1
    patches = F.unfold(x, (kh, kw), dilation=(dh, dw), stride=(sh, sw))
    return patches.view(n, c, kh * kw, -1).permute(0, 3, 2, 1).reshape(n, rows, -1, kh * kw * c)
''',
    ("import torch.nn.functional as F",),
)


@on_arguments
def inner(amount: object) -> object:
    """The two spatial numbers of `[1, a, b, 1]`, as one where they are the same."""
    found = _four(amount)
    if found is None or not isinstance(amount, Arg):
        raise Decline("sizes that are not written out")
    return Code(found[1] if found[1] == found[2] else f"({found[1]}, {found[2]})", covers=(amount.name,))


@on_arguments
def ones(amount: object) -> bool:
    """Whether it is `[1, 1, 1, 1]`."""
    return _four(amount) == ["1"] * 4


def _four(amount: object) -> list[str] | None:
    """The source of the four numbers of a list, which is written out or known."""
    written = elements(amount)
    known = literal(amount.node, amount.value) if isinstance(amount, Arg) else NOTHING
    found = [text(node) for node in written] if written is not None else None
    if found is None and isinstance(known, list | tuple):
        found = [repr(number) for number in known]
    return found if found is not None and len(found) == 4 else None


@rule(
    "tf.image.extract_patches",
    samples=[
        S(f32(2, 7, 9, 3), [1, 3, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"),
        S(f32(1, 7, 9, 2), sizes=[1, 3, 2, 1], strides=[1, 3, 2, 1], rates=[1, 1, 1, 1], padding="SAME"),
        S(f32(1, 9, 9, 1), [1, 3, 3, 1], [1, 1, 1, 1], [1, 2, 2, 1], padding="VALID"),
    ],
)
def patches(images: Tensor, sizes, strides, rates, padding, name=None):
    size = inner(sizes)
    stride = inner(strides)
    rate = inner(rates)
    if padding == "SAME":
        return extract_patches(images, size, stride, rate, same=True)
    if padding != "VALID":
        raise Decline("a padding that is not known")
    return extract_patches(images, size, stride) if ones(rates) else extract_patches(images, size, stride, rate)


image_gradients = Helper(
    "image_gradients",
    '''def image_gradients(image):
    """Differences of NHWC images to the pixel below and to the right; 0 in the last row and column."""
    down = F.pad(image[:, 1:] - image[:, :-1], (0, 0, 0, 0, 0, 1))
    return down, F.pad(image[:, :, 1:] - image[:, :, :-1], (0, 0, 0, 1))
''',
    ("import torch.nn.functional as F",),
)


@rule("tf.image.image_gradients", samples=[S(f32(2, 4, 5, 3))])
def gradients(image: Tensor):
    return image_gradients(image)


sobel_edges = Helper(
    "sobel_edges",
    '''def sobel_edges(image):
    """Sobel filters down and across of NHWC images, borders reflected: (N, H, W, C, 2)."""
    n, h, w, c = image.shape
    x = F.pad(image.permute(0, 3, 1, 2).reshape(n * c, 1, h, w), (1, 1, 1, 1), mode="reflect")
    down = torch.tensor([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]], dtype=x.dtype, device=x.device)
    edges = F.conv2d(x, torch.stack([down, down.T])[:, None])
    return edges.view(n, c, 2, h, w).permute(0, 3, 4, 1, 2)
''',
    ("import torch", "import torch.nn.functional as F"),
)


@rule("tf.image.sobel_edges", samples=[S(f32(2, 4, 5, 3))])
def sobel(image: Tensor):
    return sobel_edges(image)


total_variation = Helper(
    "total_variation",
    '''def total_variation(image):
    """Sum of the absolute differences of neighbouring pixels, for each image (…, H, W, C)."""
    down, across = image.diff(dim=-3).abs(), image.diff(dim=-2).abs()
    return down.sum(dim=(-3, -2, -1)) + across.sum(dim=(-3, -2, -1))
''',
)


@rule("tf.image.total_variation", samples=[S(f32(4, 5, 3)), S(f32(2, 4, 5, 3))])
def variation(images: Tensor, name=None):
    return total_variation(images)


psnr = Helper(
    "psnr",
    '''def psnr(a, b, max_val):
    """Peak signal-to-noise ratio in decibels, for each image (…, H, W, C)."""
    mse = (a.float() - b.float()).square().mean(dim=(-3, -2, -1))
    return 20.0 * math.log10(max_val) - 10.0 * torch.log10(mse)
''',
    ("import math", "import torch"),
)


@rule(
    "tf.image.psnr",
    samples=[S(f32(4, 5, 3), f32(4, 5, 3), 1.0), no_grad(S(u8(2, 4, 5, 3), u8(2, 4, 5, 3), max_val=255))],
)
def psnr_rule(a: Tensor, b: Tensor, max_val, name=None):
    return psnr(a, b, max_val)


ssim = Helper(
    "ssim",
    '''def ssim(a, b, max_val, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03):
    """Structural similarity of floating NHWC images with a Gaussian window, for each image."""
    c, steps = a.shape[-1], torch.arange(filter_size, dtype=a.dtype, device=a.device) - (filter_size - 1) / 2
    bell = torch.softmax(-steps.square() / (2 * filter_sigma**2), dim=0)
    window = (bell[:, None] * bell).expand(c, 1, filter_size, filter_size)

    def blur(x):
        return F.conv2d(x.permute(0, 3, 1, 2), window, groups=c)

    mean_a, mean_b = blur(a), blur(b)
    both, each = 2.0 * mean_a * mean_b, mean_a.square() + mean_b.square()
    luminance = (both + (k1 * max_val) ** 2) / (each + (k1 * max_val) ** 2)
    c2 = (k2 * max_val) ** 2
    structure = (2.0 * blur(a * b) - both + c2) / (blur(a.square() + b.square()) - each + c2)
    return (luminance * structure).mean(dim=(-2, -1)).mean(dim=-1)
''',
    ("import torch", "import torch.nn.functional as F"),
)


@rule(
    "tf.image.ssim",
    samples=[
        no_grad(S(f32(2, 13, 15, 3), f32(2, 13, 15, 3), 1.0)),
        no_grad(S(f32(1, 8, 9, 1), f32(1, 8, 9, 1), max_val=2.0, filter_size=7, filter_sigma=1.0, k2=0.05)),
    ],
)
def ssim_rule(
    img1: Tensor,
    img2: Tensor,
    max_val,
    filter_size=11,
    filter_sigma=1.5,
    k1=0.01,
    k2=0.03,
    return_index_map=False,
    *,
    rank,
):
    if return_index_map or rank != 4:
        raise Decline("a map, or a single image")
    return ssim(img1, img2, max_val, filter_size=filter_size, filter_sigma=filter_sigma, k1=k1, k2=k2)
