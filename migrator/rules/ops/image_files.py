"""Images in files: JPEG exactly as TensorFlow decodes it, GIF, BMP, and whatever `decode_image` is given.

TensorFlow's JPEG is libjpeg-turbo's with its fast integer transform, which simplejpeg offers and Pillow does not:
their pixels differ by up to 16 levels.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator, call-overload"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad
from migrator.rules.ops.pieces import dtype_name
from migrator.rules.ops.raw_files import decode_png

if TYPE_CHECKING:
    import torch

decode_jpeg = Helper(
    "decode_jpeg",
    '''def decode_jpeg(contents, channels=0, fastdct=True):
    """The pixels of a JPEG as (height, width, channels); 0 channels are those of the file."""
    gray = channels == 1 or (channels == 0 and simplejpeg.decode_jpeg_header(contents)[2] == "Gray")
    return torch.from_numpy(simplejpeg.decode_jpeg(contents, "gray" if gray else "rgb", fastdct=fastdct))
''',
    ("import simplejpeg", "import torch"),
)
decode_image = Helper(
    "decode_image",
    '''def decode_image(contents, channels=0, expand_animations=True):
    """The pixels of a JPEG, PNG, BMP or GIF as (height, width, channels); of a GIF a stack of frames."""
    if contents[:2] == b"\\xff\\xd8":
        return decode_jpeg(contents, channels)
    if contents[:4] == b"\\x89PNG":
        return decode_png(contents, channels)
    image = Image.open(io.BytesIO(contents))
    if image.format == "GIF" and expand_animations:
        frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
        return torch.from_numpy(np.stack(frames))
    if image.format not in ("GIF", "BMP") or channels not in (0, 3):
        raise ValueError(f"{image.format} is not read with {channels} channels")
    return torch.from_numpy(np.array(image.convert("RGB")))
''',
    ("import io", "import numpy as np", "import torch", "from PIL import Image, ImageSequence"),
    (decode_jpeg, decode_png),
)
encode_image = Helper(
    "encode_image",
    '''def encode_image(image, kind, **options):
    """The bytes of an image file of (height, width, channels) of uint8."""
    pixels, file = image.cpu().numpy(), io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, kind, **options)
    return file.getvalue()
''',
    ("import io", "from PIL import Image"),
)

_SHADES = "y, x = np.mgrid[:33, :47]\npixels = np.stack([x * 5 + y, y * 7, x * y], -1).astype('uint8')\n"
_SAVED = f"from PIL import Image\n{_SHADES}"


def _jpegs(*calls: str) -> list[Sample]:
    """The calls on files of three qualities and samplings, and on a gray one."""
    save = (
        "for quality, sampling in ((50, 0), (75, 2), (95, 1)):\n"
        "    Image.fromarray(pixels).save(f'{quality}.jpg', quality=quality, subsampling=sampling)\n"
        "Image.fromarray(pixels[:, :, 0]).save('gray.jpg')\nfound = []\n"
        "for name in ('50', '75', '95', 'gray'):\n    raw = tf.io.read_file(f'{name}.jpg')\n"
    )
    return [no_grad(block(f"{_SAVED}{save}    found.append({call})\nreturn found")) for call in calls]


@rule(
    "tf.io.decode_jpeg",
    samples=[
        *_jpegs("tf.io.decode_jpeg(raw)", "tf.io.decode_jpeg(raw, channels=3)", "tf.io.decode_jpeg(raw, 1)"),
        *_jpegs("tf.io.decode_jpeg(raw, channels=3, dct_method='INTEGER_ACCURATE')"),
        *_jpegs("tf.image.decode_jpeg(raw, 3, dct_method='INTEGER_FAST')"),
        declined_block("return tf.io.decode_jpeg(tf.io.read_file('a'), ratio=2)"),
    ],
)
def jpeg(
    contents,
    channels=0,
    ratio=1,
    fancy_upscaling=True,
    try_recover_truncated: Ignored = False,
    acceptable_fraction: Ignored = 1,
    dct_method="",
    name=None,
):
    if ratio != 1 or not fancy_upscaling:
        raise Decline("a smaller size, or plain upscaling of colours")
    if dct_method == "INTEGER_ACCURATE":
        return decode_jpeg(contents, channels=channels, fastdct=False)
    return decode_jpeg(contents, channels=channels)


@rule(
    "tf.io.decode_and_crop_jpeg",
    samples=_jpegs(
        "tf.io.decode_and_crop_jpeg(raw, [3, 5, 16, 20], channels=3)", "tf.io.decode_and_crop_jpeg(raw, [0, 0, 33, 47])"
    ),
)
def cropped_jpeg(
    contents,
    crop_window,
    channels=0,
    ratio=1,
    fancy_upscaling=True,
    try_recover_truncated: Ignored = False,
    acceptable_fraction: Ignored = 1,
    dct_method="",
    name=None,
):
    if ratio != 1 or not fancy_upscaling or dct_method not in ("", "INTEGER_FAST"):
        raise Decline("a smaller size, plain upscaling of colours, or another transform")
    return cropped(decode_jpeg(contents, channels=channels), *crop_window)


cropped = Helper(
    "cropped",
    '''def cropped(image, y, x, height, width):
    """A window of an image."""
    return image[y : y + height, x : x + width]
''',
)


@rule("tf.io.extract_jpeg_shape", samples=_jpegs("tf.io.extract_jpeg_shape(raw)"))
def jpeg_shape(contents, output_type="int32", name=None):
    if dtype_name(output_type) != "int32":
        raise Decline("another dtype than int32")
    return torch.tensor(decode_jpeg(contents).shape, dtype=torch.int32)


_FILES = f"""{_SAVED}
Image.fromarray(pixels).save('a.jpg', quality=80)
Image.fromarray(pixels).save('a.png')
Image.fromarray(pixels).save('a.bmp')
Image.fromarray(pixels[:, :, 0]).save('gray.png')
frames = [Image.fromarray(pixels), Image.fromarray(pixels[::-1].copy())]
frames[0].save('a.gif', save_all=True, append_images=frames[1:])
found = []
"""


def _decoded(names: str, call: str) -> Sample:
    loop = f"for name in {names.split()}:\n    raw = tf.io.read_file(name)\n    found.append({call})\nreturn found"
    return no_grad(block(_FILES + loop))


@rule(
    "tf.io.decode_image",
    gaps=["a BMP or GIF with other than three channels raises ValueError"],
    samples=[
        _decoded("a.jpg a.png a.bmp gray.png a.gif", "tf.io.decode_image(raw)"),
        _decoded("a.jpg a.png a.bmp gray.png a.gif", "tf.io.decode_image(raw, channels=3, expand_animations=False)"),
        _decoded("a.jpg a.png", "tf.image.decode_image(raw, 3, dtype=tf.float32)"),
        declined_block("return tf.io.decode_image(tf.io.read_file('a'), dtype=tf.uint16)"),
    ],
)
def image(contents, channels=None, dtype="uint8", name=None, expand_animations=True):
    if dtype_name(dtype) not in ("uint8", "float32"):
        raise Decline("a dtype other than uint8 and float32")
    wanted = 0 if channels is None else channels
    if dtype_name(dtype) == "float32":
        return decode_image(contents, channels=wanted, expand_animations=expand_animations) / 255.0
    return decode_image(contents, channels=wanted, expand_animations=expand_animations)


@rule("tf.io.decode_bmp", samples=[_decoded("a.bmp", "tf.io.decode_bmp(raw)")])
def bmp(contents, channels=0, name=None):
    return decode_image(contents, channels=channels)


@rule("tf.io.decode_gif", samples=[_decoded("a.gif", "tf.io.decode_gif(raw)")])
def gif(contents, name=None):
    return decode_image(contents)


@rule("tf.io.is_jpeg", samples=[_decoded("a.jpg a.png a.gif", "tf.io.is_jpeg(raw)")])
def is_jpeg(contents, name=None):
    return torch.tensor(contents[:3] == b"\xff\xd8\xff")


def _encoded(call: str, channels: str) -> Sample:
    text = f"{_SHADES}image = tf.constant(pixels[:, :, :{channels}])\nreturn tf.io.decode_image({call})"
    return no_grad(block(text))


@rule(
    "tf.io.encode_png",
    gaps=["the bytes of the file differ, its pixels do not"],
    samples=[
        _encoded("tf.io.encode_png(image)", "3"),
        _encoded("tf.image.encode_png(image, compression=9)", "1"),
    ],
)
def encoded_png(image: Tensor, compression: Ignored = -1, name=None):
    return encode_image(image, "PNG")


@rule(
    "tf.io.encode_jpeg",
    gaps=["the bytes of the file differ, its pixels do not"],
    samples=[
        _encoded("tf.io.encode_jpeg(image)", "3"),
        _encoded("tf.image.encode_jpeg(image, quality=60)", "3"),
        _encoded("tf.io.encode_jpeg(image, 'grayscale', 80)", "1"),
        _encoded("tf.io.encode_jpeg(image, quality=90, chroma_downsampling=False)", "3"),
    ],
)
def encoded_jpeg(
    image: Tensor,
    format: Ignored = "",
    quality=95,
    progressive: Ignored = False,
    optimize_size: Ignored = False,
    chroma_downsampling=True,
    density_unit: Ignored = "in",
    x_density: Ignored = 300,
    y_density: Ignored = 300,
    xmp_metadata: Ignored = "",
    name=None,
):
    return encode_image(image, "JPEG", quality=quality, subsampling=2 if chroma_downsampling else 0)
