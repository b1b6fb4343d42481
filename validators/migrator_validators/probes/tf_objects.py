"""TensorFlow side: the weights and layers of an object, whatever it is."""

from __future__ import annotations

import functools
import re
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

import numpy as np
import tensorflow as tf
from tensorflow.python.client.session import BaseSession

from . import wire
from .tf_stamps import ordinal

Described = Dict[str, Any]
_kept: List[Any] = []  # keeps ids from being used again

INFERENCE = [False]
"""Whether a method was called that means inference, whatever was done to the model before."""


def note_inference() -> None:
    """From now on `predict`, `evaluate` and calls of whole models with `training=False` are noted in INFERENCE.

    So is a session that runs: what a graph computes depends on what it is fed, never on a mode left behind.
    """
    owner = next(c for c in tf.keras.Model.__mro__ if "predict" in c.__dict__)
    for name in ("predict", "evaluate", "predict_on_batch", "test_on_batch"):
        setattr(owner, name, _noted(getattr(owner, name)))
    tf.keras.Model.__call__ = _noted_call(tf.keras.Model.__call__)
    BaseSession.run = _noted(BaseSession.run)


ESTIMATED = [False]
"""Whether TensorFlow's gradient of what it computed is an estimate: of turned or zoomed images it turns them back."""


def note_estimates() -> None:
    """From now on transformed images are noted in ESTIMATED."""
    original = tf.raw_ops.ImageProjectiveTransformV3

    @functools.wraps(original)
    def noting(*args: Any, **kwargs: Any) -> Any:
        ESTIMATED[0] = True
        return original(*args, **kwargs)

    tf.raw_ops.ImageProjectiveTransformV3 = noting


def _noted_call(original: Any) -> Any:
    """Only of the outermost model: inside one, a part that is told so stays in inference mode by itself."""
    depth = [0]

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not depth[0] and kwargs.get("training") is False:
            INFERENCE[0] = True
        depth[0] += 1
        try:
            return original(self, *args, **kwargs)
        finally:
            depth[0] -= 1

    return call


def _noted(original: Any) -> Any:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        INFERENCE[0] = True
        return original(self, *args, **kwargs)

    return call


def is_layer(value: Any) -> bool:
    return isinstance(value, tf.keras.layers.Layer)


def penalties(layer: Any) -> List[Any]:
    """What the regularisers of a layer's weights, and of those inside it, give."""
    kept = [r() for inner in layer._flatten_layers() for r in getattr(inner, "_callable_losses", ())]  # Keras 2
    regularized = [w for w in layer.trainable_weights if getattr(w, "regularizer", None) is not None]
    return kept + [w.regularizer(w) for w in regularized]


def is_variable(value: Any) -> bool:
    return isinstance(value, tf.Variable) or (
        hasattr(value, "assign") and hasattr(value, "numpy") and hasattr(value, "trainable")
    )


def children(value: Any) -> Iterator[Tuple[str, Any]]:
    """(path step, value) below an object: layers of a Sequential by index, attributes, items."""
    if isinstance(value, (list, tuple)) or type(value).__name__ in ("ListWrapper", "TrackedList", "_TupleWrapper"):
        for index, item in enumerate(value):
            yield str(index), item
    elif isinstance(value, dict):
        for name, item in value.items():
            yield str(name), item
    else:
        for name, item in list(getattr(value, "__dict__", {}).items()):
            if not name.startswith("_") or is_layer(item):
                yield name, item
        if (
            isinstance(value, tf.keras.Model)
            and hasattr(value, "layers")
            and type(value).__name__ in ("Sequential", "Functional")
        ):
            for index, layer in enumerate(value.layers):
                yield "#%d" % index, layer


def is_module(value: Any) -> bool:
    """Whether an object is a module of the program's own that is no layer."""
    if not isinstance(value, tf.Module) or is_layer(value) or is_variable(value):
        return False
    return wire.module_of(type(value)).split(".")[0] not in ("keras", "tf_keras", "tensorflow")


def inner_layers(layer: Any) -> List[Any]:
    """The layers and modules below one, itself apart."""
    if is_layer(layer):
        return list(layer._flatten_layers(include_self=False))
    return [item for _, item in walk(layer) if is_layer(item) or is_module(item)]


def walk(root: Any) -> Iterator[Tuple[str, Any]]:
    """(attribute path, layer or variable) of everything below an object, each once, breadth first."""
    seen, queue = {id(root)}, [("", root)]
    while queue:
        path, value = queue.pop(0)
        for step, item in children(value):
            plain = isinstance(item, (str, bytes, int, float, bool, type(None), np.ndarray))
            if (
                plain
                or id(item) in seen
                or isinstance(item, type)
                or (callable(item) and not hasattr(item, "__dict__"))
            ):
                continue
            seen.add(id(item))
            name = step if not path else path + "." + step
            if is_layer(item) or is_variable(item) or is_module(item):
                yield name, item
            known = is_layer(item) or isinstance(item, (tf.Module, list, tuple, dict))
            if known or type(item).__module__.split(".")[0] not in (
                "tensorflow",
                "keras",
                "tf_keras",
                "numpy",
                "builtins",
            ):
                queue.append((name, item))


class GraphWeight:
    """A variable of a TensorFlow 1 graph, read and written through the session of its object."""

    def __init__(self, variable: Any, session: Any, trainable: bool) -> None:
        self.variable, self.session = variable, session
        self.name, self.shape, self.dtype = variable.name, variable.shape, variable.dtype.base_dtype
        self.trainable = trainable
        self.last: Optional[np.ndarray] = None  # its value when the session was closed

    def numpy(self) -> np.ndarray:
        return np.asarray(self.session.run(self.variable)) if self.last is None else self.last

    def assign(self, value: np.ndarray) -> None:
        self.variable.load(value, self.session)


_graph_weights: Dict[int, List[GraphWeight]] = {}
_session_weights: Dict[Tuple[int, str], GraphWeight] = {}


class SessionRoot:
    """Stands for the variables of a session that no object of the program keeps; `part`: names of those that are meant,
    or all; `place`: of the part among all."""

    def __init__(self, session: Any, part: Optional[Set[str]] = None, place: int = 0) -> None:
        self.session, self.part, self.place = session, part, place


def session_weight(variable: Any, session: Any) -> GraphWeight:
    """The weight that a variable is in this session, always the same object."""
    key = (id(session), variable.name)
    if key not in _session_weights:
        _kept.append(session)
        trained = session.graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES)
        _session_weights[key] = GraphWeight(variable, session, any(v.name == variable.name for v in trained))
    return _session_weights[key]


def session_weights(session: Any) -> List[GraphWeight]:
    """The weights of a session: trainable ones, then moving averages."""
    keys = tf.compat.v1.GraphKeys
    trained = session.graph.get_collection(keys.TRAINABLE_VARIABLES)
    names = {v.name for v in trained}
    every = session.graph.get_collection(keys.GLOBAL_VARIABLES)
    moving = [v for v in every if "moving_" in v.name and v.name not in names]
    return [session_weight(v, session) for v in [*trained, *moving]]


def _session_of(root: Any) -> Any:
    """The session that an object keeps; None for others."""
    v1 = tf.compat.v1
    held = getattr(root, "__dict__", {}).values()
    return next((v for v in held if isinstance(v, (v1.Session, v1.InteractiveSession))), None)


def graph_weights(root: Any) -> List[GraphWeight]:
    """The weights of an object that keeps a session."""
    if id(root) not in _graph_weights:
        session = _session_of(root)
        _kept.append(root)
        found = [] if session is None else session_weights(session)
        part = root.part if isinstance(root, SessionRoot) else None
        _graph_weights[id(root)] = [w for w in found if part is None or w.variable.name in part]
    return _graph_weights[id(root)]


def give_first_values(root: Any) -> None:
    """Initialise the variables of an object's session that have no value: it may do so in another method than the one
    that is called."""
    session = _session_of(root)
    if session is None:
        return
    with session.graph.as_default():
        for variable in session.graph.get_collection(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES):
            if not session.run(tf.compat.v1.is_variable_initialized(variable)):
                session.run(variable.initializer)


def weights_of(root: Any) -> List[Any]:
    """The weights in the framework's own order; of a plain object, of all it holds."""
    if graph_weights(root):
        return list(graph_weights(root))
    if is_layer(root):
        return list(root.weights)
    if isinstance(root, tf.Module):
        return list(root.variables)
    if is_variable(root):
        return [root]
    out: List[Any] = []
    for _, item in walk(root):
        for weight in weights_of(item):
            if all(weight is not other for other in out):
                out.append(weight)
    return out


_unadapted: Set[int] = set()


def unadapted(root: Any) -> List[Any]:
    """Normalization that no data and no constants were given to: it reads its weights, as trained networks have it."""
    found = []
    for _, layer in walk(root):
        if not isinstance(layer, tf.keras.layers.Normalization) or getattr(layer, "input_mean", None) is not None:
            continue
        mean, variance = getattr(layer, "adapt_mean", None), getattr(layer, "adapt_variance", None)
        if mean is None or variance is None:
            continue
        if not np.any(mean.numpy()) and np.all(variance.numpy() == 1):
            _unadapted.add(id(layer))
        if id(layer) in _unadapted:
            found.append(layer)
    return found


def is_weighted(value: Any) -> bool:
    """Whether an object can have weights of a model: not an optimizer, a loss or a metric."""
    keras = tf.keras
    return not isinstance(value, (keras.optimizers.Optimizer, keras.losses.Loss, keras.metrics.Metric))


def describe(root: Any, sources: List[str]) -> Described:
    """Weights, layers that hold them, and where the explicit `sources` of a weight map point (index or None)."""
    weights = weights_of(root)
    index = {id(w): i for i, w in enumerate(weights)}
    paths = {id(item): path for path, item in walk(root)}
    return {
        "weights": [_weight(w, paths.get(id(w), "")) for w in weights],
        "layers": [_layer(layer, paths, index, root) for layer in layers_of(root)],
        "sources": {source: _find(root, source, weights, index) for source in sources},
        "class": _class_name(type(root)),
    }


def _weight(weight: Any, attribute: str) -> Described:
    path = str(getattr(weight, "path", None) or weight.name)
    dtype = weight.dtype if isinstance(weight.dtype, str) else weight.dtype.name
    shape = [int(n) for n in weight.shape]
    trainable = bool(getattr(weight, "trainable", True))
    return {"name": path, "attribute": attribute, "shape": shape, "dtype": dtype, "trainable": trainable}


def layers_of(root: Any) -> List[Any]:
    found: List[Any] = []
    below = [root, *(item for _, item in walk(root))]
    found += [item for item in below if is_module(item)]
    tops = [root] if is_layer(root) else [item for item in below if is_layer(item)]
    for top in tops:
        for layer in top._flatten_layers():
            if all(layer is not other for other in found):
                found.append(layer)
    return sorted(found, key=ordinal)


def _class_name(cls: type) -> str:
    module = wire.module_of(cls)
    if module.split(".")[0] in ("keras", "tf_keras", "tensorflow"):
        return "tf.keras.layers." + cls.__name__
    return module + ":" + cls.__qualname__


def _layer(layer: Any, paths: Dict[int, str], index: Dict[int, int], root: Any) -> Described:
    own = _own_names(layer)
    held = [w for w in weights_of(layer) if id(w) in index]
    inner = inner_layers(layer)
    below = {id(w) for sub in inner for w in weights_of(sub)}
    return {
        "ordinal": ordinal(layer),
        "path": "" if layer is root else paths.get(id(layer)),
        "classes": [_class_name(cls) for cls in type(layer).__mro__ if cls is not object],
        "name": layer.name,
        "holds": len(inner),
        "weights": [index[id(w)] for w in held],
        "own": [index[id(w)] for w in held if id(w) not in below],
        "attributes": {str(index[id(w)]): own[id(w)].lstrip("_") for w in held if id(w) in own},
    }


def _own_names(layer: Any) -> Dict[int, str]:
    """The attributes that hold weights, by the weight: "kernel", and "kernels.0" for those in a list."""
    found: Dict[int, str] = {}
    for name, value in layer.__dict__.items():
        if is_variable(value):
            found[id(value)] = name
        elif isinstance(value, (list, tuple)) and not name.startswith("_"):
            for number, item in enumerate(value):
                if is_variable(item):
                    found.setdefault(id(item), "%s.%d" % (name, number))
    return found


def _find(root: Any, source: str, weights: List[Any], index: Dict[int, int]) -> Optional[int]:
    """The index of the weight that a path like `get_layer(stem).kernel` or `weights[3]` points at."""
    match = re.fullmatch(r"weights\[(\d+)\]", source)
    if match:
        return int(match.group(1)) if int(match.group(1)) < len(weights) else None
    match = re.fullmatch(r"variable\((.+)\)", source)
    if match:
        return next((i for i, w in enumerate(weights) if w.name.split(":")[0] == match.group(1)), None)
    try:
        value = follow(root, source)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return index.get(id(value))


def follow(value: Any, path: str) -> Any:
    """Attributes, [index], ["key"] and (argument) of a path, from an object."""
    for name, key, argument in re.findall(r"([^.\[\]()]+)|\[([^\]]*)\]|\(([^)]*)\)", path):
        if name:
            value = getattr(value, name) if hasattr(value, name) else getattr(value, "_" + name)
        elif argument:
            value = value(argument.strip("'\""))
        else:
            text = key.strip("'\"")
            value = value[int(text)] if text.lstrip("-").isdigit() else value[text]
    return value


# --- values --------------------------------------------------------------------------------------------


def randomised(value: np.ndarray, name: str, trainable: bool, index: int) -> np.ndarray:
    """A weight moved off its trivial values: biases off zero, scales off one, variances positive."""
    if value.dtype.kind != "f" or value.size == 0:
        return value
    rng = np.random.RandomState(1000 + index)
    last = name.split("/")[-1].lower()
    if "variance" in last or last.startswith("var"):
        moved = rng.uniform(0.5, 1.5, size=value.shape)
    elif value.size == 1 or np.all(value == value.flat[0]):
        near_one = value.flat[0] != 0
        moved = value + (
            rng.uniform(-0.5, 0.5, size=value.shape) * abs(value.flat[0])
            if near_one
            else 0.2 * rng.normal(size=value.shape)
        )
    elif trainable:
        moved = value + 0.1 * value.std() * rng.normal(size=value.shape)
    else:
        return value
    return np.asarray(moved, dtype=value.dtype)
