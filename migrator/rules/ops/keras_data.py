"""`tf.keras.datasets`: the same files, read with NumPy. Their places are those of `keras/src/datasets`."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.registry import rule
from migrator.rules.ops.keras_files import get_file

_PLACE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

load_mnist = Helper(
    "load_mnist",
    f'''def load_mnist(path="mnist.npz"):
    """MNIST: images of bytes (28, 28) and digits, for training and for tests."""
    origin = "{_PLACE}mnist.npz"
    digest = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    with np.load(get_file(path, origin, file_hash=digest)) as data:
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
''',
    ("import numpy as np",),
    (get_file,),
)
load_fashion_mnist = Helper(
    "load_fashion_mnist",
    f'''def load_fashion_mnist():
    """Fashion-MNIST: images of bytes (28, 28) and classes, for training and for tests."""
    place = "{_PLACE}"

    def read(name, offset):
        path = get_file(name, place + name, cache_subdir=os.path.join("datasets", "fashion-mnist"))
        with gzip.open(path, "rb") as file:
            return np.frombuffer(file.read(), np.uint8, offset=offset)

    def pair(kind):
        labels = read(f"{{kind}}-labels-idx1-ubyte.gz", 8)
        return read(f"{{kind}}-images-idx3-ubyte.gz", 16).reshape(len(labels), 28, 28), labels

    return pair("train"), pair("t10k")
''',
    ("import gzip", "import numpy as np", "import os"),
    (get_file,),
)
load_cifar10 = Helper(
    "load_cifar10",
    '''def load_cifar10():
    """CIFAR-10: images of bytes (32, 32, 3) and classes (n, 1), for training and for tests."""
    digest = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
    origin = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    folder = get_file("cifar-10-batches-py-target", origin, extract=True, file_hash=digest)

    def read(name):
        with open(os.path.join(folder, "cifar-10-batches-py", name), "rb") as file:
            batch = pickle.load(file, encoding="bytes")
        return batch[b"data"].reshape(-1, 3, 32, 32), np.array(batch[b"labels"], dtype="uint8")

    parts = [read(f"data_batch_{number}") for number in range(1, 6)]
    images, labels = (np.concatenate(column) for column in zip(*parts))
    test_images, test_labels = read("test_batch")
    train = images.transpose(0, 2, 3, 1), labels.reshape(-1, 1)
    return train, (test_images.transpose(0, 2, 3, 1), test_labels.reshape(-1, 1))
''',
    ("import numpy as np", "import os", "import pickle"),
    (get_file,),
)
_OPTIONS = "num_words=None, skip_top=0, maxlen=None"
_MARKS = "seed=113, start_char=1, oov_char=2, index_from=3"

encode_texts = Helper(
    "encode_texts",
    '''def shuffled(texts, labels, seed):
    """Both in one random order."""
    order = np.arange(len(texts))
    np.random.RandomState(seed).shuffle(order)
    return texts[order], labels[order]


def marked(texts, labels, maxlen, start_char, index_from):
    """Texts with their words counted from `index_from`, a mark in front; those of `maxlen` words or more are gone."""
    start = [] if start_char is None else [start_char]
    texts = [start + [word + (index_from or 0) for word in text] for text in texts]
    kept = [index for index, text in enumerate(texts) if not maxlen or len(text) < maxlen]
    return [texts[index] for index in kept], (labels if not maxlen else [labels[index] for index in kept])


def encode_texts(texts, num_words, skip_top, oov_char):
    """Texts in which words out of range are `oov_char`, or left out where that is None."""
    top = num_words or max(max(text) for text in texts)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < top] for text in texts]
    return [[word if skip_top <= word < top else oov_char for word in text] for text in texts]
''',
    ("import numpy as np",),
)
load_imdb = Helper(
    "load_imdb",
    f'''def load_imdb(path="imdb.npz", {_OPTIONS}, {_MARKS}):
    """Film reviews as lists of word numbers, and whether they are positive, for training and for tests."""
    origin = "{_PLACE}imdb.npz"
    digest = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
    with np.load(get_file(path, origin, file_hash=digest), allow_pickle=True) as data:
        train, test = (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
    random = np.random.RandomState(seed)
    parts = []
    for texts, labels in (train, test):
        order = np.arange(len(texts))
        random.shuffle(order)
        parts.append(marked(texts[order], labels[order], maxlen, start_char, index_from))
    count = len(parts[0][0])
    texts = encode_texts(parts[0][0] + parts[1][0], num_words, skip_top, oov_char)
    labels = np.concatenate([parts[0][1], parts[1][1]])
    train = np.array(texts[:count], dtype="object"), labels[:count]
    return train, (np.array(texts[count:], dtype="object"), labels[count:])
''',
    ("import numpy as np",),
    (get_file, encode_texts),
)
load_reuters = Helper(
    "load_reuters",
    f'''def load_reuters(path="reuters.npz", {_OPTIONS}, test_split=0.2, {_MARKS}):
    """News as lists of word numbers, and their topics, for training and for tests."""
    origin = "{_PLACE}reuters.npz"
    digest = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
    with np.load(get_file(path, origin, file_hash=digest), allow_pickle=True) as data:
        texts, labels = shuffled(data["x"], data["y"], seed)
    texts, labels = marked(texts, labels, maxlen, start_char, index_from)
    texts = encode_texts(texts, num_words, skip_top, oov_char)
    count = int(len(texts) * (1 - test_split))
    train = np.array(texts[:count], dtype="object"), np.array(labels[:count])
    return train, (np.array(texts[count:], dtype="object"), np.array(labels[count:]))
''',
    ("import numpy as np",),
    (get_file, encode_texts),
)
load_boston_housing = Helper(
    "load_boston_housing",
    f'''def load_boston_housing(path="boston_housing.npz", test_split=0.2, seed=113):
    """House prices and 13 measures of each place, for training and for tests."""
    origin = "{_PLACE}boston_housing.npz"
    digest = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
    with np.load(get_file(path, origin, file_hash=digest)) as data:
        x, y = data["x"], data["y"]
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    train, test = np.split(order, [int(len(x) * (1 - test_split))])
    return (x[train], y[train]), (x[test], y[test])
''',
    ("import numpy as np",),
    (get_file,),
)


@rule("tf.keras.datasets.mnist.load_data", samples=())
def mnist(path="mnist.npz"):
    return load_mnist() if path == "mnist.npz" else load_mnist(path)


@rule("tf.keras.datasets.fashion_mnist.load_data", samples=())
def fashion_mnist():
    return load_fashion_mnist()


@rule("tf.keras.datasets.cifar10.load_data", samples=())
def cifar10():
    return load_cifar10()


@rule("tf.keras.datasets.imdb.load_data", samples=())
def imdb(
    path="imdb.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
):
    return load_imdb(
        path=path,
        num_words=num_words,
        skip_top=skip_top,
        maxlen=maxlen,
        seed=seed,
        start_char=start_char,
        oov_char=oov_char,
        index_from=index_from,
    )


@rule("tf.keras.datasets.reuters.load_data", samples=())
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
    return load_reuters(
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


@rule("tf.keras.datasets.boston_housing.load_data", samples=())
def boston_housing(path="boston_housing.npz", test_split=0.2, seed=113):
    return load_boston_housing(path=path, test_split=test_split, seed=seed)
