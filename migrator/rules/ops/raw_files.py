"""`tf.io` on whole files: bytes in and out, and what is in them."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator, call-overload"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.args import Code
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import method, rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad
from migrator.rules.ops.pieces import dtype_name

if TYPE_CHECKING:
    import numpy as np
    import torch

read_file = Helper(
    "read_file",
    '''def read_file(path):
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()
''',
)
write_file = Helper(
    "write_file",
    '''def write_file(path, contents):
    """Writes bytes or text to a file, its folders made where they are missing."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(contents.encode() if isinstance(contents, str) else contents)
''',
    ("import os",),
)
decode_png = Helper(
    "decode_png",
    '''def decode_png(contents, channels=0):
    """The pixels of a PNG of 8 bits as (height, width, channels); 0 channels are those of the file."""
    image = Image.open(io.BytesIO(contents))
    wanted = {0: image.mode, 1: "L", 3: "RGB", 4: "RGBA"}[channels]
    grays = wanted == "L" and image.mode in ("RGB", "RGBA")
    told = {"transparency"} | ({"gamma", "srgb", "icc_profile"} if grays else set())
    if image.mode not in ("L", "LA", "RGB", "RGBA") or told & set(image.info):
        raise ValueError(f"a PNG of mode {image.mode} is not read with {channels} channels")
    if grays:
        gray = np.array(image)[:, :, :3] @ [9797, 19234, 3737] >> 15  # libpng's weights of the colours
        return torch.from_numpy(gray.astype("uint8"))[:, :, None]
    pixels = torch.from_numpy(np.array(image.convert(wanted)))
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
''',
    ("import io", "import numpy as np", "import torch", "from PIL import Image"),
)


@rule(
    "tf.io.read_file",
    samples=[
        no_grad(block("with open('a', 'wb') as file:\n    file.write(b'x\\0y')\nreturn tf.io.read_file('a')")),
        no_grad(block("try:\n    return tf.io.read_file('none')\nexcept Exception:\n    return 0")),
        no_grad(block("with open('a', 'wb') as file:\n    pass\nreturn tf.io.read_file('a').numpy()")),
    ],
)
def read(filename, name=None):
    return read_file(filename)


@rule(
    "tf.io.write_file",
    samples=[
        no_grad(block("tf.io.write_file('a', b'x\\0y')\nreturn 1")),
        no_grad(block("tf.io.write_file('new/er/a.txt', contents='text')\nreturn 1")),
    ],
)
def write(filename, contents, name=None):
    return write_file(filename, contents)


@method("String.numpy", samples=[no_grad(block("tf.io.write_file('a', 'b')\nreturn tf.io.read_file('a').numpy()"))])
def as_bytes(self):
    return self


_PIXELS = """
from PIL import Image
pixels = np.arange(7 * 5 * 4, dtype='uint8').reshape(7, 5, 4) * 3
kinds = {'RGBA': pixels, 'RGB': pixels[:, :, :3], 'LA': pixels[:, :, :2], 'L': pixels[:, :, 0]}
for kind, array in kinds.items():
    Image.fromarray(np.ascontiguousarray(array)).save(kind + '.png')
"""


def _decoded(names: str, arguments: str) -> Sample:
    lines = [f"tf.io.decode_png(tf.io.read_file('{name}.png'){arguments})" for name in names.split()]
    return no_grad(block(f"{_PIXELS}\nreturn [{', '.join(lines)}]"))


@rule(
    "tf.io.decode_png",
    samples=[
        _decoded("RGBA RGB LA L", ""),
        _decoded("RGBA RGB LA L", ", channels=3"),
        _decoded("RGBA RGB LA L", ", 4"),
        _decoded("RGBA RGB LA L", ", 1"),
        declined_block("return tf.io.decode_png(tf.io.read_file('a'), dtype=tf.uint16)"),
    ],
    gaps=["palettes, 16 bits and colours with a gamma as gray raise ValueError"],
)
def png(contents, channels=0, dtype="uint8", name=None):
    if dtype_name(dtype) != "uint8":
        raise Decline("16 bits")
    return decode_png(contents, channels=channels)


_RAW = "with open('a', 'wb') as file:\n    file.write(bytes(range(24)))\nraw = tf.io.read_file('a')\n"


def _raw(api: str, kinds: str) -> list[Sample]:
    calls = [no_grad(block(f"{_RAW}return {api}(raw, {kind})")) for kind in kinds.split()]
    return [*calls, declined_block(f"{_RAW}return {api}(raw, tf.uint8, little_endian=False)")]


def one_text(rank: object, kind: object) -> None:
    """Declines several texts at a time."""
    if kind == "sequence" or rank not in (None, 0):
        raise Decline("several texts at a time")


@rule("tf.io.decode_raw", samples=_raw("tf.io.decode_raw", "tf.uint8 tf.int16 tf.float32 tf.int64 tf.float64"))
def decode_raw(input_bytes, out_type, little_endian=True, fixed_length=None, name=None, *, rank, kind):
    one_text(rank, kind)
    if not little_endian or fixed_length is not None:
        raise Decline("big-endian numbers, or a fixed length")
    return torch.from_numpy(np.frombuffer(input_bytes, little(out_type)).copy())


@rule("tf.compat.v1.decode_raw", samples=_raw("tf.compat.v1.decode_raw", "tf.uint8 tf.float32"))
def old_decode_raw(input_bytes=None, out_type=None, little_endian=True, name=None, bytes=None, *, rank, kind):
    one_text(rank, kind)
    if not little_endian or bytes is not None:
        raise Decline("big-endian numbers, or the old name of an argument")
    return torch.from_numpy(np.frombuffer(input_bytes, little(out_type)).copy())


_NUMBERS = {"uint8": "uint8", "int8": "int8", "int16": "<i2", "int32": "<i4", "int64": "<i8"}
_NUMBERS |= {"float16": "<f2", "float32": "<f4", "float64": "<f8"}


def little(dtype: object) -> Code:
    """NumPy's name of a little-endian dtype."""
    if not isinstance(dtype, str) or dtype not in _NUMBERS:
        raise Decline("a dtype that NumPy does not have, or that is not known")
    return Code(repr(_NUMBERS[dtype]).replace("'", '"'))
