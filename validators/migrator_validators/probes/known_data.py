"""Stand-ins for the data sets that Keras downloads: a few rows of the right shapes, the same on both sides.

On the source's side Keras's own loaders read them; on the target's they lie where a program finds what was
downloaded before. CIFAR, whose loader counts on all of its rows, is handed out by a loader of ours.
"""

from __future__ import annotations

import gzip
import importlib
import io
import itertools
import json
import os
import pickle
import tarfile
import zlib
from typing import Any, Callable, Dict, Iterator, Tuple

import numpy as np

Arrays = Dict[str, Any]
ROWS = 96
BASE = "tf-keras-datasets/"
CIFAR = "~kriz/"
TRAINED = "keras-applications/"
"""In the address of trained weights."""
NETWORKS = b"def read_weights(path):"
"""In the modules that stand for Keras's applications."""
PARTS = (("train", ROWS), ("test", ROWS // 3))


def _rng(name: str) -> Any:
    return np.random.RandomState(zlib.crc32(name.encode()))


def _images(name: str, rows: int, size: Tuple[int, ...], classes: int) -> Tuple[Any, Any]:
    rng = _rng(name)
    return rng.randint(0, 256, (rows, *size)).astype("uint8"), rng.randint(0, classes, rows).astype("uint8")


def _texts(name: str, rows: int, classes: int) -> Tuple[Any, Any]:
    rng = _rng(name)
    texts = np.empty(rows, dtype=object)
    texts[:] = [np.minimum(rng.zipf(1.3, rng.randint(5, 120)), 20000).tolist() for _ in range(rows)]
    return texts, rng.randint(0, classes, rows).astype("int64")


def _npz(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _pairs(make: Callable[[str, int], Tuple[Any, Any]]) -> Arrays:
    found: Arrays = {}
    for part, rows in PARTS:
        found["x_" + part], found["y_" + part] = make(part, rows)
    return found


def _table(name: str, columns: int) -> bytes:
    rng = _rng(name)
    return _npz({"x": rng.standard_normal((ROWS, columns)), "y": rng.uniform(5, 50, ROWS)})


def _reuters() -> bytes:
    texts, labels = _texts("reuters", ROWS, 46)
    return _npz({"x": texts, "y": labels})


def _words() -> bytes:
    letters = itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=2)
    return json.dumps({"".join(pair): i + 1 for i, pair in enumerate(letters)}).encode()


def _idx(part: str, rows: int, images: bool) -> bytes:
    x, y = _images("fashion" + part, rows, (28, 28), 10)
    return gzip.compress(bytes(16) + x.tobytes() if images else bytes(8) + y.tobytes())


def _cifar(name: str, part: str, rows: int) -> Arrays:
    x, y = _images(name + part, rows, (3072,), 100 if name == "cifar100" else 10)
    fine = y.tolist()
    return {"data": x, "labels": fine, "fine_labels": fine, "coarse_labels": [label // 5 for label in fine]}


def _parts(name: str) -> Iterator[Tuple[str, str, int]]:
    """(file in the archive, "train" or "test", rows)."""
    if name == "cifar100":
        for part, rows in PARTS:
            yield "cifar-100-python/" + part, part, rows
        return
    for number in range(1, 6):
        yield "cifar-10-batches-py/data_batch_%d" % number, "train", 20
    yield "cifar-10-batches-py/test_batch", "test", ROWS // 3


def _archive(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, _, rows in _parts(name):
            blob = pickle.dumps({k.encode(): v for k, v in _cifar(name, path, rows).items()}, protocol=4)
            info = tarfile.TarInfo(path)
            info.size = len(blob)
            archive.addfile(info, io.BytesIO(blob))
    return buffer.getvalue()


def cifar(name: str, labels: str) -> Any:
    """What Keras's `load_data` makes of a whole archive."""
    found: Dict[str, Any] = {}
    for part in ("train", "test"):
        batches = [_cifar(name, path, rows) for path, which, rows in _parts(name) if which == part]
        x = np.concatenate([b["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) for b in batches])
        y = np.concatenate([np.reshape(b[labels], (-1, 1)) for b in batches])
        found[part] = x, y.astype("uint8") if name == "cifar10" else y
    return found["train"], found["test"]


FILES: Dict[str, Tuple[str, Callable[[], bytes]]] = {
    "mnist.npz": ("mnist.npz", lambda: _npz(_pairs(lambda p, n: _images("mnist" + p, n, (28, 28), 10)))),
    "imdb.npz": ("imdb.npz", lambda: _npz(_pairs(lambda p, n: _texts("imdb" + p, n, 2)))),
    "reuters.npz": ("reuters.npz", _reuters),
    "boston_housing.npz": ("boston_housing.npz", lambda: _table("boston", 13)),
    "california_housing.npz": ("california_housing.npz", lambda: _table("california", 8)),
    "imdb_word_index.json": ("imdb_word_index.json", _words),
    "reuters_word_index.json": ("reuters_word_index.json", _words),
    "cifar-10-python.tar.gz": ("cifar-10-batches-py-target_archive", lambda: _archive("cifar10")),
    "cifar-100-python.tar.gz": ("cifar-100-python-target_archive", lambda: _archive("cifar100")),
}
"""Last part of the address → (place below Keras's data sets, what stands there)."""
for _part, (_key, _rows) in zip(("train", "t10k"), PARTS):
    for _kind in ("images-idx3", "labels-idx1"):
        _name = "%s-%s-ubyte.gz" % (_part, _kind)
        FILES[_name] = ("fashion-mnist/" + _name, lambda k=_key, n=_rows, i=_kind[0] == "i": _idx(k, n, i))  # type: ignore[misc]


def place(address: str) -> str:
    """The path of the file that stands in for what would come from an address; "" where there is none."""
    name = address.rpartition("/")[2]
    if name not in FILES or not (BASE in address or CIFAR in address):
        return ""
    where, make = FILES[name]
    path = os.path.join(os.path.expanduser("~"), ".keras", "datasets", where)
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(make())
    return path


def prepare(side: str, root: str) -> None:
    """Make the stand-ins known to a program that is about to run, where it asks for any."""
    text = b"".join(_sources(root))
    if side == "torch" and NETWORKS in text:
        importlib.import_module(__package__ + ".torch_known_weights").install()
    if side == "torch" and (BASE.encode() in text or CIFAR.encode() in text):
        _lay_out(text)
    elif side != "torch" and (b"datasets" in text or b"applications" in text):
        importlib.import_module(__package__ + ".tf_known_data").install()


def _lay_out(text: bytes) -> None:
    """Put the files whose addresses a program names where it looks for them."""
    for name, (where, _) in FILES.items():
        named = name.encode() in text or (where.startswith("fashion-mnist/") and b"fashion-mnist" in text)
        if named or (name.endswith("_word_index.json") and b"_word_index.json" in text):
            place((CIFAR if "cifar" in name else BASE) + name)


def _sources(root: str) -> Iterator[bytes]:
    for folder, _, names in os.walk(root):
        for name in names:
            if name.endswith(".py"):
                with open(os.path.join(folder, name), "rb") as file:
                    yield file.read()
