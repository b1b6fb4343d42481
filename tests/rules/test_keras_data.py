"""Data sets of Keras, read from files of the same form: what comes out is the same on both sides."""

from __future__ import annotations

import gzip
import importlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from programs import Program
from running import difference, flat, to_numpy

from migrator.rules import rulebook

rulebook()
RNG = np.random.default_rng(0)


def _texts(count: int) -> Any:
    texts = np.empty(count, dtype=object)
    texts[:] = [RNG.integers(1, 50, RNG.integers(1, 12)).tolist() for _ in range(count)]
    return texts


def _images(folder: Path) -> Path:
    arrays = {f"x_{k}": RNG.integers(0, 256, (n, 28, 28)).astype("uint8") for k, n in (("train", 7), ("test", 3))}
    labels = {f"y_{k}": RNG.integers(0, 10, n).astype("uint8") for k, n in (("train", 7), ("test", 3))}
    np.savez(folder / "data.npz", **arrays, **labels)
    return folder / "data.npz"


def _gzipped(folder: Path) -> Path:
    for kind, count in (("train", 5), ("t10k", 2)):
        images, labels = bytes(16) + RNG.bytes(count * 784), bytes(8) + RNG.bytes(count)
        (folder / f"{kind}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{kind}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    return folder


def _batches(folder: Path) -> Path:
    inner = folder / "cifar-10-batches-py"
    inner.mkdir()
    for name in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"):
        data = RNG.integers(0, 256, (10000, 3072)).astype("uint8")
        batch = {b"data": data, b"labels": RNG.integers(0, 10, 10000).tolist()}
        (inner / name).write_bytes(pickle.dumps(batch))
    return folder


def _reviews(folder: Path) -> Path:
    data = {
        "x_train": _texts(20),
        "y_train": RNG.integers(0, 2, 20),
        "x_test": _texts(9),
        "y_test": RNG.integers(0, 2, 9),
    }
    np.savez(folder / "data.npz", **data)
    return folder / "data.npz"


def _news(folder: Path) -> Path:
    np.savez(folder / "data.npz", x=_texts(23), y=RNG.integers(0, 46, 23))
    return folder / "data.npz"


def _houses(folder: Path) -> Path:
    np.savez(folder / "data.npz", x=RNG.normal(size=(31, 13)), y=RNG.normal(size=31))
    return folder / "data.npz"


_TEXT_CALLS = (
    "",
    "num_words=30",
    "maxlen=8",
    "None or 'x.npz', 20, 3, 9",
    "oov_char=None, skip_top=4",
    "start_char=None",
)
CASES = [
    ("mnist", _images, ("", "'other.npz'", "path='other.npz'")),
    ("fashion_mnist", _gzipped, ("",)),
    ("cifar10", _batches, ("",)),
    ("imdb", _reviews, (*_TEXT_CALLS, "seed=5, index_from=0")),
    ("reuters", _news, (*_TEXT_CALLS, "test_split=0.5, seed=5")),
    ("boston_housing", _houses, ("", "test_split=0.4", "'x.npz', 0.1, 7")),
]


@pytest.mark.parametrize(
    ("name", "make", "arguments"),
    [pytest.param(n, m, a, id=f"{n}({a})") for n, m, arguments in CASES for a in arguments],
)
def test_both_sides_read_the_same(
    name: str, make: Any, arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(tmp_path)

    def cached(fname: str = "", *_: object, **__: object) -> str:
        return str(made / fname if (made / fname).is_file() else made)

    monkeypatch.setattr(importlib.import_module(f"keras.src.datasets.{name}"), "get_file", cached)
    program = Program(
        f"import tensorflow as tf\ndef f():\n    return tf.keras.datasets.{name}.load_data({arguments})\n", {}, True
    )
    source, rewritten = program.rewritten()
    assert not rewritten.declines
    imports = "\n".join(line for helper in rewritten.helpers for line in helper.imports)
    both = []
    for text in (program.source, "\n".join([imports, source, *(h.source for h in rewritten.helpers)])):
        scope: dict[str, Any] = {}
        exec(text.replace("import tensorflow as tf\n", "") if text is not program.source else text, scope)
        scope["get_file"] = cached
        both.append([_leaf(v) for v in flat(scope["f"]())])
    assert difference(*both, widening=False) == ""


def _leaf(value: Any) -> Any:
    array = to_numpy(value)
    return np.array([str(item) for item in array]) if array.dtype == object else array
