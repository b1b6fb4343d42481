"""`tf.keras.utils` around files, images and sequences: NumPy, Pillow and the standard library."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.asked import kind as kind_of
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad
from migrator.rules.ops.pieces import given

get_file = Helper(
    "get_file",
    '''def get_file(fname=None, origin=None, extract=False, cache_subdir="datasets", cache_dir=None, file_hash=None):
    """The path of a file that is downloaded from `origin` once; with `extract` that of the unpacked folder."""
    base = os.path.expanduser(cache_dir or os.environ.get("KERAS_HOME", "~/.keras"))
    folder = os.path.join(base, cache_subdir)
    os.makedirs(folder, exist_ok=True)
    name = fname or os.path.basename(urllib.parse.urlsplit(origin).path)
    archive = fname and "." in fname
    path = os.path.join(folder, name if archive or not extract else f"{name}_archive")
    if not os.path.exists(path) or not has_hash(path, file_hash):
        print(f"Downloading data from {origin}")
        urllib.request.urlretrieve(origin, path)
        if not has_hash(path, file_hash):
            raise ValueError(f"{path} does not have the hash {file_hash}")
    if not extract:
        return path
    unpacked = os.path.join(folder, f"{name.partition('.')[0]}_extracted" if archive else name)
    if zipfile.is_zipfile(path):
        shutil.unpack_archive(path, unpacked, "zip")
    else:
        shutil.unpack_archive(path, unpacked, "tar", filter="data")
    return unpacked


def has_hash(path, expected):
    """Whether a file has the MD5 or SHA-256 that is expected of it, if any."""
    if expected is None:
        return True
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256" if len(expected) == 64 else "md5").hexdigest() == expected
''',
    (
        "import hashlib",
        "import os",
        "import shutil",
        "import urllib.parse",
        "import urllib.request",
        "import zipfile",
    ),
)

_ARCHIVES = """
import shutil, pathlib
os.makedirs('source/inner')
pathlib.Path('source/inner/a.txt').write_text('one')
for kind in ('zip', 'tar', 'gztar'):
    shutil.make_archive(kind, kind, 'source')
here = pathlib.Path.cwd()
"""


def _fetched(call: str) -> Sample:
    return no_grad(
        block(
            f"{_ARCHIVES}\npath = tf.keras.utils.get_file({call}, cache_dir=str(here))\n"
            "found = os.path.relpath(path), sorted(str(p) for p in pathlib.Path('.').rglob('*'))\n"
            "for name in os.listdir():\n    shutil.rmtree(name) if os.path.isdir(name) else os.remove(name)\n"
            "return found"
        )
    )


_DOWNLOADS = [
    _fetched("'b.txt', (here / 'source/inner/a.txt').as_uri()"),
    _fetched("origin=(here / 'source/inner/a.txt').as_uri()"),
    _fetched("'b.txt', (here / 'source/inner/a.txt').as_uri(), cache_subdir='x/y'"),
    _fetched("'b.txt', (here / 'source/inner/a.txt').as_uri(), file_hash='f97c5d29941bfb1b2fdab0874906ab82'"),
]
_UNPACKED = [
    _fetched("'b.zip', (here / 'zip.zip').as_uri(), extract=True"),
    _fetched("'b', (here / 'gztar.tar.gz').as_uri(), extract=True"),
    _fetched("fname='b.tar.gz', origin=(here / 'gztar.tar.gz').as_uri(), untar=True"),
    _fetched("origin=(here / 'tar.tar').as_uri(), extract=True"),
]


@rule(
    "tf.keras.utils.get_file",
    keras=3,
    samples=[*_DOWNLOADS, *_UNPACKED, declined_block("tf.keras.utils.get_file('a', 'b', force_download=True)")],
)
def download(
    fname=None,
    origin=None,
    untar=False,
    md5_hash=None,
    file_hash=None,
    cache_subdir="datasets",
    hash_algorithm: Ignored = "auto",
    extract=False,
    archive_format: Ignored = "auto",
    cache_dir=None,
    force_download=False,
):
    if force_download:
        raise Decline("`force_download` is given")
    digest = md5_hash if given(md5_hash) else file_hash
    unpacks = True if untar else extract
    return get_file(fname, origin, extract=unpacks, cache_subdir=cache_subdir, cache_dir=cache_dir, file_hash=digest)


@rule("tf.keras.utils.get_file", keras=2, samples=_DOWNLOADS)
def old_download(
    fname=None,
    origin=None,
    untar=False,
    md5_hash=None,
    file_hash=None,
    cache_subdir="datasets",
    hash_algorithm: Ignored = "auto",
    extract=False,
    archive_format: Ignored = "auto",
    cache_dir=None,
    force_download=False,
):
    if force_download or untar or extract:
        raise Decline("Keras 2 unpacks archives beside themselves")
    digest = md5_hash if given(md5_hash) else file_hash
    return get_file(fname, origin, cache_subdir=cache_subdir, cache_dir=cache_dir, file_hash=digest)


pad_sequences = Helper(
    "pad_sequences",
    '''def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    """An array with a row for each sequence, cut or filled with `value` to `maxlen`."""
    if maxlen is None:
        maxlen = max(map(len, sequences))
    rest = next((np.asarray(sequence).shape[1:] for sequence in sequences if len(sequence)), ())
    padded = np.full((len(sequences), maxlen, *rest), value, dtype=dtype)
    for row, sequence in zip(padded, sequences):
        kept = sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen]
        if len(kept):
            row[len(row) - len(kept) if padding == "pre" else 0 :][: len(kept)] = kept
    return padded
''',
    ("import numpy as np",),
)
_SEQUENCES = "[[1, 2, 3], [], [4, 5, 6, 7, 8], [9]]"


def _padded(arguments: str, sequences: str = _SEQUENCES) -> Sample:
    return no_grad(block(f"return tf.keras.utils.pad_sequences({sequences}{arguments})"))


@rule(
    "tf.keras.utils.pad_sequences",
    samples=[
        _padded(""),
        _padded(", maxlen=3"),
        _padded(", maxlen=10"),
        _padded(", 3, padding='post'"),
        _padded(", 3, truncating='post'"),
        _padded(", 4, 'float32', 'post', 'post', -1.5"),
        _padded(", maxlen=2, value=-1", "[[[1, 2]], [[3, 4], [5, 6], [7, 8]], []]"),
        _padded(", maxlen=4", "[np.arange(6), np.arange(2)]"),
        declined_block("return tf.keras.utils.pad_sequences([[1]], padding='both')"),
    ],
)
def pad(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    check_side(padding)
    check_side(truncating)
    return pad_sequences(sequences, maxlen=maxlen, dtype=dtype, padding=padding, truncating=truncating, value=value)


def check_side(value: object) -> None:
    """Declines a literal that is neither of the two sides."""
    if isinstance(value, str) and value not in ("pre", "post"):
        raise Decline(f"`{value}` is no side")


load_img = Helper(
    "load_img",
    '''def load_img(path, color_mode="rgb", target_size=None, interpolation="nearest"):
    """An image as Pillow reads it, in a mode, resized to (height, width)."""
    image = Image.open(path)
    mode = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}[color_mode]
    if image.mode != mode and not (mode == "L" and image.mode in ("I;16", "I")):
        image = image.convert(mode)
    if target_size is not None and image.size != (target_size[1], target_size[0]):
        image = image.resize((target_size[1], target_size[0]), getattr(Image.Resampling, interpolation.upper()))
    return image
''',
    ("from PIL import Image",),
)
img_to_array = Helper(
    "img_to_array",
    '''def img_to_array(image, dtype="float32"):
    """The pixels of an image as (height, width, channels)."""
    array = np.asarray(image, dtype=dtype)
    return array[:, :, None] if array.ndim == 2 else array
''',
    ("import numpy as np",),
)
array_to_img = Helper(
    "array_to_img",
    '''def array_to_img(array, scale=True):
    """An image of (height, width, channels); with `scale` its values are spread over 0 to 255."""
    array = np.asarray(array, dtype="float32")
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ValueError(f"an image has three axes and 1, 3 or 4 channels, not the shape {array.shape}")
    if scale:
        array = array - array.min()
        top = array.max()
        array = (array / top if top != 0 else array) * 255
    if array.shape[2] > 1:
        return Image.fromarray(array.astype("uint8"))
    return Image.fromarray(array[:, :, 0].astype("int32" if array.max() > 255 else "uint8"))
''',
    ("import numpy as np", "from PIL import Image"),
)

_IMAGES = """
from PIL import Image
pixels = np.arange(7 * 5 * 4, dtype='uint8').reshape(7, 5, 4) * 3
Image.fromarray(pixels).save('rgba.png')
Image.fromarray(pixels[:, :, :3]).save('rgb.png')
Image.fromarray(pixels[:, :, 0]).save('gray.png')
Image.fromarray(pixels[:, :, 0].astype('uint16') * 250).save('deep.png')
"""


def _image(text: str) -> Sample:
    return no_grad(block(f"{_IMAGES}\n{text}"))


_LOADED = "return [np.asarray(tf.keras.utils.load_img(p{})) for p in ('rgb.png', 'rgba.png', 'gray.png')]"


@rule(
    "tf.keras.utils.load_img",
    samples=[
        _image(_LOADED.format("")),
        _image(_LOADED.format(", color_mode='grayscale'")),
        _image(_LOADED.format(", 'rgba', (3, 4)")),
        _image(_LOADED.format(", target_size=(9, 11), interpolation='bilinear'")),
        _image("return np.asarray(tf.keras.utils.load_img('deep.png', 'grayscale'))"),
        declined_block("return tf.keras.utils.load_img('a', keep_aspect_ratio=True)"),
    ],
)
def open_image(path, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False):
    if keep_aspect_ratio:
        raise Decline("`keep_aspect_ratio` is given")
    if isinstance(interpolation, str) and interpolation not in _INTERPOLATIONS:
        raise Decline("an interpolation that Pillow does not have")
    return load_img(path, color_mode=color_mode, target_size=target_size, interpolation=interpolation)


_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


@rule(
    "tf.keras.utils.img_to_array",
    samples=[
        _image("return tf.keras.utils.img_to_array(Image.open('rgb.png'))"),
        _image("return tf.keras.utils.img_to_array(Image.open('gray.png'), dtype='uint8')"),
        _image("return tf.keras.utils.img_to_array(tf.keras.utils.load_img('rgba.png', target_size=(3, 3)))"),
        declined_block("return tf.keras.utils.img_to_array(1, 'channels_first')"),
    ],
)
def pixels_of(img, data_format=None, dtype=None):
    if data_format is not None and data_format != "channels_last":
        raise Decline("channels first")
    return img_to_array(img) if dtype is None else img_to_array(img, dtype=dtype)


_ARRAYS = "np.asarray(tf.keras.utils.array_to_img(pixels[:, :, :{}]{}))"


@rule(
    "tf.keras.utils.array_to_img",
    samples=[
        _image("return " + _ARRAYS.format(3, "")),
        _image("return " + _ARRAYS.format(4, ", scale=False")),
        _image("return " + _ARRAYS.format(1, "")),
        _image("return np.asarray(tf.keras.utils.array_to_img(pixels[:, :, :1] * 300.0, scale=False))"),
        _image("return np.asarray(tf.keras.utils.array_to_img(np.zeros((2, 3, 3))))"),
        _image(
            "x = np.random.RandomState(0).normal(size=(4, 3, 3))\nreturn np.asarray(tf.keras.utils.array_to_img(x))"
        ),
        declined_block("return tf.keras.utils.array_to_img(1, 'channels_first')"),
    ],
)
def image_of(x, data_format=None, scale=True, dtype=None):
    if (data_format is not None and data_format != "channels_last") or dtype is not None:
        raise Decline("channels first, or a dtype")
    if kind_of(x) == "tensor":
        raise Decline("a tensor, which may be on a GPU")
    return array_to_img(x, scale=scale)


@rule(
    "tf.keras.utils.save_img",
    samples=[
        _image("tf.keras.utils.save_img('out.png', pixels[:, :, :3])\nreturn np.asarray(Image.open('out.png'))"),
        _image(
            "tf.keras.utils.save_img('a.bmp', pixels[:, :, :3], scale=False)\nreturn np.asarray(Image.open('a.bmp'))"
        ),
        declined_block("return tf.keras.utils.save_img('a.png', 1, file_format='png')"),
    ],
)
def save(path, x, data_format=None, file_format=None, scale=True):
    if (data_format is not None and data_format != "channels_last") or file_format is not None:
        raise Decline("channels first, or a format")
    if kind_of(x) == "tensor":
        raise Decline("a tensor, which may be on a GPU")
    return array_to_img(x, scale=scale).save(path)
