"""The data sets that Keras downloads: the same files, kept in the same place, read with NumPy."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad

_BASE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_CIFAR = "https://www.cs.toronto.edu/~kriz/"

keras_file = Helper(
    "keras_file",
    '''def keras_file(name, origin, digest=None):
    """The path of a file among Keras's data sets (`~/.keras/datasets`); it is downloaded where it is not there yet."""
    home = os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras"))
    path = os.path.join(home, "datasets", name)
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        print(f"Downloading data from {origin}")
        urllib.request.urlretrieve(origin, path + ".part")
        with open(path + ".part", "rb") as file:
            if digest is not None and hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise ValueError(f"what {origin} sent is not the file that is expected")
        os.replace(path + ".part", path)
    return path
''',
    ("import hashlib", "import os", "import urllib.request"),
)
read_mnist = Helper(
    "read_mnist",
    f'''def read_mnist(path="mnist.npz"):
    """Digits of 28 x 28 pixels, uint8, and their labels: (x_train, y_train), (x_test, y_test)."""
    origin = "{_BASE}mnist.npz"
    digest = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    with np.load(keras_file(path, origin, digest)) as data:
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
''',
    ("import numpy as np",),
    (keras_file,),
)
read_fashion_mnist = Helper(
    "read_fashion_mnist",
    f'''def read_fashion_mnist():
    """Clothes of 28 x 28 pixels, uint8, and their labels: (x_train, y_train), (x_test, y_test)."""
    base = "{_BASE}"

    def read(name, offset):
        with gzip.open(keras_file(f"fashion-mnist/{{name}}", base + name)) as file:
            return np.frombuffer(file.read(), np.uint8, offset=offset)

    pairs = []
    for part in ("train", "t10k"):
        labels = read(f"{{part}}-labels-idx1-ubyte.gz", 8)
        pairs.append((read(f"{{part}}-images-idx3-ubyte.gz", 16).reshape(len(labels), 28, 28).copy(), labels.copy()))
    return tuple(pairs)
''',
    ("import gzip", "import numpy as np"),
    (keras_file,),
)
cifar_batch = Helper(
    "cifar_batch",
    '''class ArrayUnpickler(pickle.Unpickler):
    """Reads arrays and plain values, and makes nothing else."""

    def find_class(self, module, name):
        if module.startswith("numpy") and name in ("_reconstruct", "ndarray", "dtype"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a data set")


def cifar_batch(archive, name, labels):
    """The images of a file of CIFAR, uint8 (N, 32, 32, 3), and its labels (N, 1)."""
    batch = ArrayUnpickler(archive.extractfile(name), encoding="bytes").load()
    images = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return images, np.reshape(batch[labels], (-1, 1))
''',
    ("import pickle", "import numpy as np"),
)
read_cifar10 = Helper(
    "read_cifar10",
    f'''def read_cifar10():
    """Images of ten classes: (x_train, y_train), (x_test, y_test)."""
    digest = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
    path = keras_file("cifar-10-batches-py-target_archive", "{_CIFAR}cifar-10-python.tar.gz", digest)
    with tarfile.open(path) as archive:
        parts = [cifar_batch(archive, f"cifar-10-batches-py/data_batch_{{i}}", b"labels") for i in range(1, 6)]
        test = cifar_batch(archive, "cifar-10-batches-py/test_batch", b"labels")
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts))
    return (images, labels.astype("uint8")), (test[0], test[1].astype("uint8"))
''',
    ("import tarfile", "import numpy as np"),
    (keras_file, cifar_batch),
)
read_cifar100 = Helper(
    "read_cifar100",
    f'''def read_cifar100(label_mode="fine"):
    """Images of a hundred classes, or of twenty coarse ones: (x_train, y_train), (x_test, y_test)."""
    digest = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
    path = keras_file("cifar-100-python-target_archive", "{_CIFAR}cifar-100-python.tar.gz", digest)
    labels = f"{{label_mode}}_labels".encode()
    with tarfile.open(path) as archive:
        return tuple(cifar_batch(archive, f"cifar-100-python/{{part}}", labels) for part in ("train", "test"))
''',
    ("import tarfile",),
    (keras_file, cifar_batch),
)
shuffled = Helper(
    "shuffled",
    '''def shuffled(seed, *arrays):
    """The rows of all arrays in one random order."""
    order = np.arange(len(arrays[0]))
    np.random.RandomState(seed).shuffle(order)
    return tuple(array[order] for array in arrays)
''',
    ("import numpy as np",),
)
split_rows = Helper(
    "split_rows",
    '''def split_rows(x, y, test_split):
    """The first rows for training and the last ones for testing."""
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])
''',
)
read_boston_housing = Helper(
    "read_boston_housing",
    f'''def read_boston_housing(path="boston_housing.npz", test_split=0.2, seed=113):
    """Thirteen figures of each of 506 places and the price of houses there: (x_train, y_train), (x_test, y_test)."""
    origin = "{_BASE}boston_housing.npz"
    digest = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
    with np.load(keras_file(path, origin, digest)) as data:
        return split_rows(*shuffled(seed, data["x"], data["y"]), test_split)
''',
    ("import numpy as np",),
    (keras_file, shuffled, split_rows),
)
read_california_housing = Helper(
    "read_california_housing",
    f'''def read_california_housing(version="large", path="california_housing.npz", test_split=0.2, seed=113):
    """Eight figures of each of 20640 places and the price of houses there: (x_train, y_train), (x_test, y_test)."""
    origin = "{_BASE}california_housing.npz"
    digest = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
    rows = 600 if version == "small" else None
    with np.load(keras_file(path, origin, digest)) as data:
        return split_rows(*shuffled(seed, data["x"][:rows], data["y"][:rows]), test_split)
''',
    ("import numpy as np",),
    (keras_file, shuffled, split_rows),
)
word_filters = Helper(
    "known_words",
    '''def known_words(texts, num_words, skip_top, oov_char):
    """Texts in which the rarest and the `skip_top` most frequent words are `oov_char`, or gone where that is None."""
    num_words = num_words or max(map(max, texts))
    if oov_char is None:
        return [[word for word in text if skip_top <= word < num_words] for text in texts]
    return [[word if skip_top <= word < num_words else oov_char for word in text] for text in texts]


def marked(texts, start_char, index_from):
    """Texts with their words counted from `index_from`, after `start_char`."""
    start = [] if start_char is None else [start_char]
    return [start + [word + (index_from or 0) for word in text] for text in texts]


def shorter(texts, labels, maxlen):
    """The texts of less than `maxlen` words, with their labels."""
    kept = [i for i, text in enumerate(texts) if not maxlen or len(text) < maxlen]
    return [texts[i] for i in kept], labels[kept]
''',
)
_OPTIONS = "num_words=None, skip_top=0, maxlen=None"
_MARKS = "start_char=1, oov_char=2, index_from=3"
read_imdb = Helper(
    "read_imdb",
    f'''def read_imdb(path="imdb.npz", {_OPTIONS}, seed=113, {_MARKS}):
    """Reviews as lists of word ids, and whether they are good: (x_train, y_train), (x_test, y_test)."""
    origin = "{_BASE}imdb.npz"
    digest = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
    with np.load(keras_file(path, origin, digest), allow_pickle=True) as data:
        parts = [(data[f"x_{{part}}"], data[f"y_{{part}}"]) for part in ("train", "test")]
    random = np.random.RandomState(seed)
    pairs = []
    for texts, labels in parts:
        order = np.arange(len(texts))
        random.shuffle(order)
        pairs.append(shorter(marked(texts[order], start_char, index_from), labels[order], maxlen))
    count = len(pairs[0][0])
    texts = known_words(pairs[0][0] + pairs[1][0], num_words, skip_top, oov_char)
    train, test = (np.array(part, dtype="object") for part in (texts[:count], texts[count:]))
    return (train, pairs[0][1]), (test, pairs[1][1])
''',
    ("import numpy as np",),
    (keras_file, word_filters),
)
read_reuters = Helper(
    "read_reuters",
    f'''def read_reuters(path="reuters.npz", {_OPTIONS}, test_split=0.2, seed=113, {_MARKS}):
    """News as lists of word ids, and their topics: (x_train, y_train), (x_test, y_test)."""
    origin = "{_BASE}reuters.npz"
    digest = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
    with np.load(keras_file(path, origin, digest), allow_pickle=True) as data:
        texts, labels = shuffled(seed, data["x"], data["y"])
    texts, labels = shorter(marked(texts, start_char, index_from), labels, maxlen)
    return split_rows(np.array(known_words(texts, num_words, skip_top, oov_char), dtype="object"), labels, test_split)
''',
    ("import numpy as np",),
    (keras_file, shuffled, split_rows, word_filters),
)
read_word_index = Helper(
    "read_word_index",
    f'''def read_word_index(name, path=None):
    """The ids of the words of the data set `name`."""
    path = path or f"{{name}}_word_index.json"
    with open(keras_file(path, f"{_BASE}{{name}}_word_index.json"), encoding="utf-8") as file:
        return json.load(file)
''',
    ("import json",),
    (keras_file,),
)

# --- rules ------------------------------------------------------------------------------------------------

_STAND_IN = """
import gzip, hashlib, io, json, os, pathlib, pickle, shutil, sys, tarfile
rng = np.random.RandomState(0)
os.environ['KERAS_HOME'] = os.getcwd()
read_once = sys.modules.get('keras.src.backend.config')
if read_once is not None:
    read_once._KERAS_DIR, kept = os.getcwd(), read_once._KERAS_DIR
folder = pathlib.Path('datasets')
folder.mkdir()
{files}


class Trusting:  # the files of the test are not the ones that Keras knows
    def __init__(self, *args):
        pass

    def update(self, data):
        pass

    def hexdigest(self):
        return {digest!r}


real = hashlib.sha256, hashlib.md5
hashlib.sha256 = hashlib.md5 = Trusting
try:
    found = tf.keras.datasets.{call}
finally:
    hashlib.sha256, hashlib.md5 = real
    del os.environ['KERAS_HOME']
    if read_once is not None:
        read_once._KERAS_DIR = kept
    shutil.rmtree(folder)
return found
"""
_TEXTS = """texts = np.empty(40, dtype=object)
texts[:] = [rng.randint(1, 90, rng.randint(2, 30)).tolist() for _ in range(40)]
labels = rng.randint(0, 46, 40)
"""
_TABLE = "np.savez(folder / '{}.npz', x=rng.normal(size=({}, 8)), y=rng.normal(size={}))"
_FILES = {
    "mnist": """images, labels = rng.randint(0, 256, (9, 28, 28)).astype('uint8'), rng.randint(0, 10, 9).astype('uint8')
np.savez(folder / 'mnist.npz', x_train=images[:6], y_train=labels[:6], x_test=images[6:], y_test=labels[6:])""",
    "fashion_mnist": """(folder / 'fashion-mnist').mkdir()
for part, rows in (('train', 6), ('t10k', 3)):
    for kind, skipped, size in (('images-idx3', 16, 784), ('labels-idx1', 8, 1)):
        data = gzip.compress(bytes(skipped) + rng.bytes(rows * size))
        (folder / 'fashion-mnist' / f'{part}-{kind}-ubyte.gz').write_bytes(data)""",
    "cifar10": """with tarfile.open(folder / 'cifar-10-batches-py-target_archive', 'w') as archive:
    for part, rows in [*((f'data_batch_{i}', 10000) for i in range(1, 6)), ('test_batch', 4)]:
        data = np.full((rows, 3072), rng.randint(256), 'uint8')
        data[:3] = rng.randint(0, 256, (3, 3072))
        blob = pickle.dumps({b'data': data, b'labels': rng.randint(0, 10, rows).tolist()}, protocol=4)
        info = tarfile.TarInfo(f'cifar-10-batches-py/{part}')
        info.size = len(blob)
        archive.addfile(info, io.BytesIO(blob))""",
    "cifar100": """with tarfile.open(folder / 'cifar-100-python-target_archive', 'w:gz') as archive:
    for part in ('train', 'test'):
        lists = {name: rng.randint(0, 100, 5).tolist() for name in (b'fine_labels', b'coarse_labels')}
        blob = pickle.dumps({b'data': rng.randint(0, 256, (5, 3072)).astype('uint8'), **lists}, protocol=4)
        info = tarfile.TarInfo(f'cifar-100-python/{part}')
        info.size = len(blob)
        archive.addfile(info, io.BytesIO(blob))""",
    "imdb": _TEXTS
    + "np.savez(folder / 'imdb.npz', x_train=texts[:25], y_train=labels[:25], x_test=texts[25:], y_test=labels[25:])\n"
    + "(folder / 'imdb_word_index.json').write_text(json.dumps({'good': 1, 'bad': 2}))",
    "reuters": _TEXTS
    + "np.savez(folder / 'reuters.npz', x=texts, y=labels)\n"
    + "(folder / 'reuters_word_index.json').write_text(json.dumps({'oil': 3}))",
    "boston_housing": _TABLE.format("boston_housing", 41, 41),
    "california_housing": _TABLE.format("california_housing", 701, 701),
}


def _read(call: str, helper: Helper) -> Sample:
    """A call on files that stand in for the downloaded ones."""
    digest = helper.source.partition('digest = "')[2].partition('"')[0]
    files = _FILES[call.partition(".")[0]]
    text = _STAND_IN.replace("{digest!r}", repr(digest)).replace("{call}", call).replace("{files}", files)
    return no_grad(block(text))


_INDEXED = "bfafd718b763782e994055a2d397834f", "4d44cc38712099c9e383dc6e5f11a921"


def _index(call: str, digest: str) -> Sample:
    files = _FILES[call.partition(".")[0]]
    text = _STAND_IN.replace("{digest!r}", repr(digest)).replace("{call}", call).replace("{files}", files)
    return no_grad(block(text))


@rule("tf.keras.datasets.mnist.load_data", samples=[_read("mnist.load_data()", read_mnist)])
def mnist(path="mnist.npz"):
    return read_mnist(path=path)


@rule("tf.keras.datasets.fashion_mnist.load_data", samples=[_read("fashion_mnist.load_data()", read_fashion_mnist)])
def fashion_mnist():
    return read_fashion_mnist()


@rule("tf.keras.datasets.cifar10.load_data", keras=3, samples=[_read("cifar10.load_data()", read_cifar10)])
def cifar10():
    return read_cifar10()


@rule(
    "tf.keras.datasets.cifar100.load_data",
    keras=3,
    samples=[
        _read("cifar100.load_data()", read_cifar100),
        _read("cifar100.load_data(label_mode='coarse')", read_cifar100),
    ],
)
def cifar100(label_mode="fine"):
    return read_cifar100(label_mode=label_mode)


@rule(
    "tf.keras.datasets.boston_housing.load_data",
    samples=[
        _read("boston_housing.load_data()", read_boston_housing),
        _read("boston_housing.load_data(test_split=0.35, seed=7)", read_boston_housing),
    ],
)
def boston_housing(path="boston_housing.npz", test_split=0.2, seed=113):
    return read_boston_housing(path=path, test_split=test_split, seed=seed)


@rule(
    "tf.keras.datasets.california_housing.load_data",
    keras=3,
    samples=[
        _read("california_housing.load_data()", read_california_housing),
        _read("california_housing.load_data('small', test_split=0.5)", read_california_housing),
    ],
)
def california_housing(version="large", path="california_housing.npz", test_split=0.2, seed=113):
    return read_california_housing(version=version, path=path, test_split=test_split, seed=seed)


@rule(
    "tf.keras.datasets.imdb.load_data",
    samples=[
        _read("imdb.load_data()", read_imdb),
        _read("imdb.load_data(num_words=50)", read_imdb),
        _read("imdb.load_data('imdb.npz', 60, 5, maxlen=20, oov_char=None)", read_imdb),
        _read("imdb.load_data(start_char=None, index_from=0, seed=3)", read_imdb),
        declined_block("return tf.keras.datasets.imdb.load_data(nb_words=10)"),
    ],
)
def imdb(path="imdb.npz", num_words=None, skip_top=0, maxlen=None, seed=113, start_char=1, oov_char=2, index_from=3):
    return read_imdb(
        path=path,
        num_words=num_words,
        skip_top=skip_top,
        maxlen=maxlen,
        seed=seed,
        start_char=start_char,
        oov_char=oov_char,
        index_from=index_from,
    )


@rule(
    "tf.keras.datasets.reuters.load_data",
    samples=[
        _read("reuters.load_data()", read_reuters),
        _read("reuters.load_data(num_words=50, test_split=0.3)", read_reuters),
        _read("reuters.load_data(maxlen=20, skip_top=4, oov_char=None, start_char=None)", read_reuters),
    ],
)
def reuters(
    path="reuters.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    test_split=0.2,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
):
    return read_reuters(
        path=path,
        num_words=num_words,
        skip_top=skip_top,
        maxlen=maxlen,
        test_split=test_split,
        seed=seed,
        start_char=start_char,
        oov_char=oov_char,
        index_from=index_from,
    )


@rule("tf.keras.datasets.imdb.get_word_index", samples=[_index("imdb.get_word_index()", _INDEXED[0])])
def imdb_words(path="imdb_word_index.json"):
    return read_word_index("imdb") if path == "imdb_word_index.json" else read_word_index("imdb", path)


@rule("tf.keras.datasets.reuters.get_word_index", samples=[_index("reuters.get_word_index()", _INDEXED[1])])
def reuters_words(path="reuters_word_index.json"):
    return read_word_index("reuters") if path == "reuters_word_index.json" else read_word_index("reuters", path)
