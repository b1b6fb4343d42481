"""TensorFlow side of carrying trained weights over: where a file keeps each weight of an object.

Request: as of a check (`call`, `batches` and so on), `do`: "layout" (the places of each weight in files of `format`
"h5", "legacy" or "checkpoint"), "load" (Keras itself loads the file: its weights) or "read" (the tensors of a
checkpoint, which needs no object). `name`: the file's name; arrays `file.<name>` are its bytes. Nothing in a file
is unpickled and no code of it runs: weights alone are loaded.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Tuple

import numpy as np
import tensorflow as tf

from . import tf_check, wire
from . import tf_objects as objects

FOLDER = "weights-of-the-user"
ATTRIBUTES = "/.ATTRIBUTES/VARIABLE_VALUE"


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    """Answer a request; see the module's docstring."""
    files = {name[5:]: arrays.pop(name) for name in list(arrays) if name.startswith("file.")}
    place = _stored(files, request.get("name", ""))
    if request["do"] == "read":
        return _tensors(place)
    tf_check.prepare(request)
    check = tf_check.Check(request, arrays)
    check.build(request["seeds"][0])
    root = check.program.made[tf_check.SELF]
    weights = objects.weights_of(root)
    if request["do"] == "load":
        with wire.program("load " + request["name"]):
            _load(root, place)
        return {}, {"w.%d" % i: wire.plain(weight) for i, weight in enumerate(weights)}
    described = [
        {"name": _path(w), "shape": [int(n) for n in w.shape], "dtype": wire.plain(w).dtype.name} for w in weights
    ]
    return {"weights": described, "places": _places(root, weights, request["format"])}, {}


def _stored(files: wire.Arrays, name: str) -> str:
    os.makedirs(FOLDER, exist_ok=True)
    for file, content in files.items():
        with open(os.path.join(FOLDER, os.path.basename(file)), "wb") as out:
            out.write(content.tobytes())
    return os.path.join(FOLDER, os.path.basename(name))


def _load(root: Any, place: str) -> None:
    if os.path.exists(place):
        root.load_weights(place)
        return
    saved = [name for name, _ in tf.train.list_variables(place)]
    prefix = _prefix(saved, [key for key, _ in _checkpoint(root, objects.weights_of(root))])
    holder = tf.train.Checkpoint(**{prefix.rstrip("/"): root}) if prefix else tf.train.Checkpoint(root)
    holder.restore(place).expect_partial()  # what it loaded is compared


def _prefix(saved: List[str], keys: List[str]) -> str:
    """What stands before the keys of an object that was saved under a name ("model/")."""
    found = {name[: -len(keys[0])] for name in saved if name.endswith("/" + keys[0])} if keys else set()
    return min(found, key=len) if found and keys[0] not in saved else ""


def _path(weight: Any) -> str:
    return str(getattr(weight, "path", None) or weight.name)


def _places(root: Any, weights: List[Any], format: str) -> List[Tuple[str, Any]]:
    """(key in a file, index of the weight or None for state that is no weight), in the file's order."""
    if format == "legacy":
        return _legacy(root, weights)
    if format == "checkpoint":
        return _checkpoint(root, weights)
    _mark(weights)
    import h5py

    path = os.path.join(FOLDER, "template.weights.h5")
    root.save_weights(path)
    found: List[Tuple[str, Any]] = []
    with h5py.File(path, "r") as file:
        file.visititems(
            lambda name, item: found.append((name, _marked(item, weights))) if hasattr(item, "shape") else None
        )
    return found


def _mark(weights: List[Any]) -> None:
    """Every weight holds its own number, so that it is known where it is met again."""
    for i, weight in enumerate(weights):
        value = wire.plain(weight)
        if value.dtype.kind in "fiu":
            weight.assign(np.full(value.shape, i + 1).astype(value.dtype))


def _marked(dataset: Any, weights: List[Any]) -> Any:
    value = np.asarray(dataset)
    if value.size == 0 or value.dtype.kind not in "fiu" or not np.all(value == value.flat[0]):
        return None
    index = int(value.flat[0]) - 1
    fits = 0 <= index < len(weights) and tuple(int(n) for n in weights[index].shape) == value.shape
    return index if fits else None


def _legacy(root: Any, weights: List[Any]) -> List[Tuple[str, Any]]:
    """Files of Keras 2 keep the weights of each layer of the model together: its trainable ones, then the others."""
    index = {id(w): i for i, w in enumerate(weights)}
    found: List[Tuple[str, Any]] = []
    for layer in root.layers:
        found += [(layer.name, index.get(id(w))) for w in layer.trainable_weights + layer.non_trainable_weights]
    known = {i for _, i in found}
    own = [w for w in root.trainable_weights + root.non_trainable_weights if index.get(id(w)) not in known]
    return found + [("top_level_model_weights", index.get(id(w))) for w in own]


def _checkpoint(root: Any, weights: List[Any]) -> List[Tuple[str, Any]]:
    _mark(weights)
    path = tf.train.Checkpoint(root).write(os.path.join(FOLDER, "template"))
    reader = tf.train.load_checkpoint(path)
    names = sorted(name for name in reader.get_variable_to_shape_map() if name.endswith(ATTRIBUTES))
    return [(name, _marked(reader.get_tensor(name), weights)) for name in names]


def _tensors(place: str) -> Tuple[Dict[str, Any], wire.Arrays]:
    with wire.program("read the checkpoint"):
        reader = tf.train.load_checkpoint(place)
        names = sorted(reader.get_variable_to_shape_map())
        values = [np.asarray(reader.get_tensor(name)) for name in names]
    kept = [(n, v) for n, v in zip(names, values) if v.dtype.kind in "fiub"]
    return {"names": [n for n, _ in kept]}, {"k.%d" % i: value for i, (_, value) in enumerate(kept)}
