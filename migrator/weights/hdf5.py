"""HDF5 files of Keras: `.weights.h5`, the one inside `.keras`, and the `.h5` of Keras 2. Read a tensor at a time."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from migrator.errors import EnvironmentMissing, UsageError
from migrator.weights.entries import Entry, Opened

INSIDE = "model.weights.h5"
OLD_LAYERS = "_layer_checkpoint_dependencies"


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """The tensors of a file. Raises UsageError where it is none of Keras's, and EnvironmentMissing without h5py."""
    try:
        import h5py
    except ImportError as error:
        raise EnvironmentMissing("reading weights needs h5py (pip install h5py)") from error
    with tempfile.TemporaryDirectory(prefix="migrator-") as folder:
        plain = _unpacked(path, Path(folder)) if path.suffix == ".keras" else path
        try:
            file = h5py.File(plain, "r")
        except OSError as error:
            raise UsageError(f"{path}: it cannot be read as HDF5; it may be cut off ({error})") from error
        with file:
            yield _legacy(path, file) if _is_legacy(file) else _structured(file)


def _unpacked(path: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(INSIDE) as packed, open(folder / INSIDE, "wb") as out:
            shutil.copyfileobj(packed, out)
    except (KeyError, zipfile.BadZipFile, OSError) as error:
        raise UsageError(f"{path}: it is no .keras archive with weights in it ({error})") from error
    return folder / INSIDE


def _is_legacy(file: Any) -> bool:
    return "layer_names" in file.attrs or "model_weights" in file


def _structured(file: Any) -> Opened:
    """Files of Keras 3, and of Keras 2 since 2.13: the key is the path through the model's parts."""
    import h5py

    found: list[Entry] = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            key = name.replace(OLD_LAYERS + "\\", "layers/").replace(OLD_LAYERS, "layers")
            found.append(Entry(key, tuple(item.shape), str(item.dtype), name))

    file.visititems(visit)
    return Opened("h5", tuple(found), lambda entry: np.asarray(file[entry.place]))


def _legacy(path: Path, file: Any) -> Opened:
    """Files of Keras 2: layers in their order, each with its weights in order; names say little."""
    group = file.get("model_weights", file)
    found: list[Entry] = []
    for layer in [*_names(path, group, "layer_names"), "top_level_model_weights"]:
        if layer not in group:
            continue
        for weight in _names(path, group[layer], "weight_names"):
            item = group[layer][weight]
            found.append(Entry(f"{layer}/{weight}", tuple(item.shape), str(item.dtype), item.name))
    return Opened("legacy", tuple(found), lambda entry: _read(file, entry))


def _read(file: Any, entry: Entry) -> npt.NDArray[Any]:
    return np.asarray(file[entry.place])


def _names(path: Path, group: Any, name: str) -> list[str]:
    """Names in an attribute, which is in parts where it is long."""
    if name in group.attrs:
        parts = [group.attrs[name]]
    else:
        keys = sorted((k for k in group.attrs if k.startswith(name)), key=lambda k: int(k.removeprefix(name) or 0))
        parts = [group.attrs[key] for key in keys]
    try:
        return [n.decode() if isinstance(n, bytes) else str(n) for part in parts for n in part]
    except (TypeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: it is no file of Keras weights ({error})") from error
