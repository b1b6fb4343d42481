"""Values of a running source program as argument trees of `cases.Arg`, plus what cannot be one.

A tree is JSON: `{"kind": "literal" | "array" | "list" | "tuple" | "dict" | "dataset" | "made" |
"name" | "text" | "spec" | "opaque", …}`. "spec" is a symbolic tensor: a shape and a dtype without values.
"""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import tensorflow as tf

MAX_BYTES = 8 * 2**20  # one array; larger ones are opaque
MAX_ITEMS = 64
MAX_TEXTS = 4096
BATCHES = 3  # of a data set
DTYPES = frozenset(("float16", "bfloat16", "float32", "float64", "complex64", "complex128", "bool"))
DTYPES |= {"uint8", "int8", "int16", "int32", "int64"}
"""Types of elements that torch has by the same name."""


def _text(value: Any, as_: str) -> Any:
    """Text by its characters, where all of it is UTF-8."""
    items = value.reshape(-1).tolist()
    if len(items) > MAX_TEXTS or not all(isinstance(item, bytes) for item in items):
        return None
    try:
        texts = np.array([item.decode() for item in items], dtype=object).reshape(value.shape)
    except UnicodeDecodeError:
        return None
    return {"kind": "text", "as": as_, "shape": list(value.shape), "values": texts.tolist()}


def recording_now() -> bool:
    """Calls made while a function is traced have no values; a graph of TensorFlow 1 is built by plain ones."""
    return bool(tf.executing_eagerly()) or type(tf.compat.v1.get_default_graph()) is tf.Graph


def opaque(tree: dict[str, Any]) -> bool:
    """Does something in this tree have no recipe?"""
    if tree["kind"] in ("opaque", "spec"):
        return True
    items = tree.get("items", ())
    children = items.values() if isinstance(items, dict) else items
    element = [tree["element"]] if tree["kind"] == "dataset" else []
    return any(opaque(child) for child in [*children, *element])


class Encoder:
    """Turns values into trees; arrays go to `arrays` by name."""

    def __init__(self, made_by: Any) -> None:
        self.arrays: dict[str, Any] = {}
        self._made_by = made_by
        self._quiet = False

    def encode(self, value: Any, depth: int = 0) -> dict[str, Any]:
        """The tree of a value as it is now."""
        if value is None or isinstance(value, (bool, int, float, str)):
            return {"kind": "literal", "value": value}
        if depth > 6:
            return self._opaque(value)
        made = self._made_by(value)
        if made is not None:
            return {"kind": "made", "label": made[0], "path": made[1]}
        for encode in (self._array, self._container, self._symbolic, self._dataset, self._element_type, self._name):
            tree: dict[str, Any] | None = encode(value, depth)
            if tree is not None:
                return tree
        return self._opaque(value)

    def signature(self, value: Any) -> str:
        """Types, shapes and small constants: calls of equal signature tell nothing new."""
        if value is None or isinstance(value, (bool, str)):
            return repr(value)[:80]
        if isinstance(value, (int, float)):
            return repr(value)[:80]
        if isinstance(value, (list, tuple)):
            return f"{type(value).__name__}({','.join(self.signature(v) for v in value[:8])};{min(len(value), 9)})"
        if isinstance(value, dict):
            return "{" + ",".join(f"{k}:{self.signature(v)}" for k, v in list(value.items())[:16]) + "}"
        shape = getattr(value, "shape", None)
        if shape is not None:
            return f"{type(value).__name__}{shape}{getattr(value, 'dtype', '')}"
        if isinstance(value, tf.DType):
            return repr(value)
        return getattr(value, "__dict__", {}).get("__migrator_name__") or type(value).__name__

    def describe(self, value: Any) -> dict[str, Any]:
        """What a result is, without its values: {"type": …} and the parts of containers."""
        if isinstance(value, (tuple, list)) and len(value) <= 16:
            return {"type": type(value).__name__, "items": [self.describe(v) for v in value]}
        if isinstance(value, dict) and len(value) <= MAX_ITEMS:
            return {"type": "dict", "items": {str(k): self.describe(v) for k, v in value.items()}}
        shape = getattr(value, "shape", None)
        out: dict[str, Any] = {"type": _kind(value)}
        if out["type"] in ("array", "tensor", "spec") and shape is not None:
            out.update(shape=_dims(shape), dtype=_dtype(value))
        if out["type"] == "model":
            out["inputs"] = self._inputs(value)
        if out["type"] == "object":
            out["class"] = type(value).__name__
        return out

    def is_object(self, value: Any) -> bool:
        """Can this be an object that a later call is given? Not constants, arrays or containers."""
        return _kind(value) in ("model", "layer", "object", "optimizer", "dataset")

    def traced(self, value: Any) -> bool:
        """Is a tensor of a graph among these? It has no values and belongs to nobody's call."""
        if isinstance(value, (list, tuple)):
            return any(self.traced(v) for v in value)
        if isinstance(value, dict):
            return any(self.traced(v) for v in value.values())
        return isinstance(value, tf.Tensor) and not hasattr(value, "numpy")

    # one kind each

    def _array(self, value: Any, depth: int) -> Any:
        if isinstance(value, (np.ndarray, np.generic)):
            return self._store(np.asarray(value), "numpy")
        if isinstance(value, tf.Variable) or type(value).__name__ == "KerasVariable":
            return self._store(np.asarray(value), "variable")
        if isinstance(value, tf.Tensor) and hasattr(value, "numpy"):
            return self._store(np.asarray(value), "tensor")
        return None

    def _store(self, value: Any, as_: str) -> Any:
        if value.dtype.kind == "O":
            return _text(value, as_)
        if value.dtype.kind not in "fiub" or value.nbytes > MAX_BYTES:
            return None
        name = f"a{len(self.arrays)}"
        self.arrays[name] = np.array(value)
        return {"kind": "array", "as": as_, "shape": list(value.shape), "dtype": str(value.dtype), "npz": name}

    def _container(self, value: Any, depth: int) -> Any:
        if type(value) in (list, tuple) and len(value) <= MAX_ITEMS:
            return {"kind": type(value).__name__, "items": [self.encode(v, depth + 1) for v in value]}
        if type(value) is list and all(isinstance(v, (int, float, str)) for v in value) and len(value) <= 4096:
            return {"kind": "literal", "value": value}
        if type(value) is dict and len(value) <= MAX_ITEMS and all(isinstance(k, str) for k in value):
            return {"kind": "dict", "items": {k: self.encode(v, depth + 1) for k, v in value.items()}}
        return None

    def _symbolic(self, value: Any, depth: int) -> Any:
        if type(value).__name__ == "KerasTensor":
            return {"kind": "spec", "shape": _dims(value.shape), "dtype": _dtype(value)}
        return None

    def _dataset(self, value: Any, depth: int) -> Any:
        if not isinstance(value, tf.data.Dataset) or self._quiet:
            return None
        self._quiet = True  # what runs inside the pipeline while we look is not the program's doing
        try:
            batches = list(value.take(BATCHES))
            sizes = [int(tf.nest.flatten(b)[0].shape[0]) for b in batches]
            whole = tf.nest.map_structure(lambda *parts: np.concatenate([np.asarray(p) for p in parts]), *batches)
            return {"kind": "dataset", "element": self._tensors(whole), "sizes": sizes}
        except Exception:
            return None
        finally:
            self._quiet = False

    def _tensors(self, tree: Any) -> Any:
        encoded = self.encode(tree)
        stack = [encoded]
        while stack:
            node = stack.pop()
            if node["kind"] == "array":
                node["as"] = "tensor"
            items = node.get("items", ())
            stack.extend(items.values() if isinstance(items, dict) else items)
        return encoded

    def _element_type(self, value: Any, depth: int) -> Any:
        if not isinstance(value, tf.DType) or value.name not in DTYPES:
            return None
        return {"kind": "name", "source": f"tensorflow:{value.name}", "target": f"torch:{value.name}"}

    def _name(self, value: Any, depth: int) -> Any:
        value = getattr(value, "python_function", value)  # what tf.function made
        name = getattr(value, "__dict__", {}).get("__migrator_name__")
        return {"kind": "name", "source": name} if isinstance(value, (types.FunctionType, type)) and name else None

    def _opaque(self, value: Any) -> dict[str, Any]:
        return {"kind": "opaque", "type": f"{type(value).__module__}.{type(value).__name__}"}

    def _inputs(self, model: Any) -> Any:
        try:
            inputs = model.inputs
            return [{"kind": "spec", "shape": _dims(i.shape), "dtype": _dtype(i)} for i in inputs]
        except Exception:
            return None


def _dims(shape: Any) -> list[Any]:
    try:
        return [None if d is None else int(d) for d in shape]
    except (TypeError, ValueError):
        return []


def _dtype(value: Any) -> str:
    dtype = getattr(value, "dtype", "")
    return str(getattr(dtype, "name", dtype))


def _kind(value: Any) -> str:
    """One word for what a value is."""
    if value is None:
        return "none"
    if isinstance(value, (bool, int, float, str)):
        return "literal"
    if isinstance(value, (np.ndarray, np.generic)):
        return "array"
    if type(value).__name__ == "KerasTensor":
        return "spec"
    if isinstance(value, (tf.Tensor, tf.Variable, tf.RaggedTensor, tf.SparseTensor)):
        return "tensor"
    if isinstance(value, tf.data.Dataset):
        return "dataset"
    names = {c.__name__ for c in type(value).__mro__ if c.__module__.split(".")[0] in ("keras", "tf_keras")}
    for name, kind in (("Model", "model"), ("Layer", "layer"), ("BaseOptimizer", "optimizer"), ("History", "history")):
        if name in names:
            return kind
    if isinstance(value, (list, tuple, dict, set)):
        return "container"
    if isinstance(value, types.GeneratorType):
        return "generator"
    return "callable" if isinstance(value, types.FunctionType) else "object"
