"""Values on the wire: trees of JSON with arrays beside them, the same for both frameworks.

Trees that come in (arguments): {"k": "lit", "v"}, {"k": "arr", "key", "as", "grad"}, {"k": "text", "v"},
{"k": "seq", "t", "items"}, {"k": "map", "items"}, {"k": "dataset", "batches"}, {"k": "made", "label", "call"},
{"k": "name", "ref"}.
Calls: {"ref", "on", "args", "kwargs", "pick"}.
Trees that go out (results): {"t": "array", "as", "key", "dtype", "shape"}, {"t": "list" | "tuple", "items"} (a
torch.Size has "of": "sizes"),
{"t": "dict", "items"}, {"t": "namedtuple", "fields", "owner", "items"}, {"t": "scalar", "type", "v"},
{"t": "strings", "as", "v", "shape"}, {"t": "opaque", "type"}.
"""

from __future__ import annotations

import contextlib
import importlib
import random
import re
import zlib
from typing import Any, Callable, Dict, Iterator, List, Tuple

import numpy as np

from . import absent, placeholder

Tree = Dict[str, Any]
Arrays = Dict[str, np.ndarray]
MOST_ITEMS = 10000
ALONE = "alone:variable "
"""How the names begin of trained tensors that belong to no module."""


PROGRAM: List[str] = []  # the module that runs as a program, by its import name


def module_of(cls: type) -> str:
    """The import name of a class's module; what a program defines is its module's."""
    return PROGRAM[-1] if cls.__module__ == "__main__" and PROGRAM else cls.__module__


class ProgramError(Exception):
    """The program under test did something wrong; the cause is its exception, `stage` what was tried."""

    def __init__(self, stage: str) -> None:
        super().__init__(stage)
        self.stage = stage


@contextlib.contextmanager
def program(stage: str) -> Iterator[None]:
    """What is raised inside the block is the program's fault."""
    try:
        yield
    except ProgramError:
        raise
    except BaseException as error:
        raise ProgramError(stage) from error


def guard(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of the program under test; what it raises is its own fault."""
    with program(getattr(function, "__name__", "call")), placeholder.armed(), absent.armed():
        return function(*args, **kwargs)


def resolve(ref: str) -> Any:
    """The object called "package.module:attr.attr"; importing it is the program's business."""
    module, _, attributes = ref.partition(":")
    with program("import " + module):
        value = importlib.import_module(module)
    with program("find " + ref):
        for part in attributes.split(".") if attributes else []:
            value = getattr(value, part)
    return value


def import_modules(tree: Any) -> None:
    """Import every module that calls and names of a request refer to."""
    if isinstance(tree, dict):
        if isinstance(tree.get("ref"), str) and ":" in tree["ref"]:
            resolve(tree["ref"].partition(":")[0])
        tree = list(tree.values())
    for part in tree if isinstance(tree, list) else []:
        import_modules(part)


def pick(value: Any, path: str) -> Any:
    """A part of a value: dotted attributes, [index], ["key"], and plain keys of dicts."""
    for name, index in re.findall(r"([^.\[\]]+)|\[([^\]]*)\]", path):
        if name:
            value = value[name] if isinstance(value, dict) and name in value else getattr(value, name)
        else:
            key = index.strip("'\"")
            value = value[int(key)] if key.lstrip("-").isdigit() else value[key]
    return value


# --- arguments ----------------------------------------------------------------------------------------


class Program:
    """The program under test: makes its arguments and calls it. `tensor(array, as_, grad)` is the side's own."""

    def __init__(
        self, arrays: Arrays, tensor: Callable[[np.ndarray, str], Any], dataset: Callable[[List[Any]], Any]
    ) -> None:
        self.arrays, self.tensor, self.dataset = arrays, tensor, dataset
        self.made: Dict[str, Any] = {}
        self.inputs: Dict[str, Any] = {}
        self.given: List[Tuple[str, Any]] = []
        self.weighted: List[str] = []
        self.containers: List[Any] = []
        self.making = 0

    def fresh(self) -> None:
        """Forget the tensors handed out so far, so that the next call's are known apart."""
        self.inputs = {}
        self.given = []
        self.containers = []

    def written(self, passed: Callable[[Any], Any] = lambda value: value) -> List[str]:
        """Keys of the arrays that the program wrote into since `fresh`; `passed`: what it got in place of a value."""
        found = set()
        for key, value in self.given:
            before, after = self.arrays[key], plain(passed(value))
            if before.dtype.kind not in "OSU" and not same(before.astype(after.dtype), after):
                found.add(key)
        return sorted(found)

    def value(self, tree: Tree) -> Any:
        """An argument from its tree."""
        kind = tree["k"]
        if kind == "lit":
            return tree["v"]
        if kind == "arr":
            return self._array(tree)
        if kind == "text":
            texts = np.array(tree["v"], dtype=object)
            encoded = np.array([*(text.encode() for text in texts.reshape(-1)), None], dtype=object)[:-1]
            return self.tensor(encoded.reshape(texts.shape), "text")
        if kind == "seq":
            items = [self.value(item) for item in tree["items"]]
            return tuple(items) if tree["t"] == "tuple" else self._container(items)
        if kind == "map":
            return self._container({name: self.value(item) for name, item in tree["items"].items()})
        if kind == "dataset":
            return self.dataset([self.value(batch) for batch in tree["batches"]])
        if kind == "made":
            return self.object(tree)
        if kind == "name":
            return resolve(tree["ref"])
        raise ValueError("unknown kind of argument: %r" % kind)

    def _container(self, made: Any) -> Any:
        """A list or dict, kept where the call itself is given it: its caller sees what becomes of it."""
        if not self.making:
            self.containers.append(made)
        return made

    def _array(self, tree: Tree) -> Any:
        array = np.array(self.arrays[tree["key"]])
        made = array if tree["as"] == "numpy" else self.tensor(array, tree["as"])
        if tree["as"] != "numpy":
            self.inputs[tree["key"]] = made
        self.given.append((tree["key"], made))
        return made

    def object(self, tree: Tree) -> Any:
        """An object made once a label."""
        label = tree["label"]
        if label not in self.made:
            self.making += 1
            self.made[label] = self.call(tree["call"])
            if tree.get("build") is not None:
                self.call(dict(tree["build"], on={"k": "made", "label": label}))
            self.making -= 1
            if tree.get("weights"):
                self.weighted.append(label)
        return self.made[label]

    def hold(self, refs: List[str], weighted: Callable[[Any], bool]) -> None:
        """Models and layers that modules hold have weights as made objects do, under their names."""
        for ref in refs:
            module, _, name = ref.partition(":")
            value = getattr(resolve(module), name, None)
            if weighted(value) and all(value is not made for made in self.made.values()):
                self.made[ref] = value
                self.weighted.append(ref)

    def call(self, tree: Tree) -> Any:
        """Make the arguments, call, and pick the part of the result that counts."""
        return self.bind(tree)()

    def bind(self, tree: Tree, change: Callable[[Any], Any] = lambda value: value) -> Callable[[], Any]:
        """A call with its arguments already made, so that a tape can watch them; `change` is done to each."""
        if tree.get("on") is not None:
            self.value(tree["on"])
        args = [change(self.value(arg)) for arg in tree["args"]]
        kwargs = {name: change(self.value(arg)) for name, arg in tree["kwargs"].items()}

        return lambda: self.call_with(tree, args, kwargs)

    def call_with(self, tree: Tree, args: List[Any], kwargs: Dict[str, Any]) -> Any:
        """The call alone, its arguments made before."""
        on = tree.get("on")
        function = self._function(tree["ref"], None if on is None else self.value(on), on is not None)
        result = guard(function, *args, **kwargs)
        with program("pick %s" % tree.get("pick", "")):
            return pick(result, tree.get("pick") or "")

    def _function(self, ref: str, owner: Any, is_method: bool) -> Any:
        if not is_method:
            return resolve(ref)
        with program("find " + ref):
            return owner if ref == "__call__" else pick(owner, ref)


# --- results -------------------------------------------------------------------------------------------


class Sink:
    """Collects arrays under keys with a prefix."""

    def __init__(self, arrays: Arrays, prefix: str) -> None:
        self.arrays, self.prefix, self.count = arrays, prefix, 0

    def put(self, array: np.ndarray) -> str:
        key = "%s.%d" % (self.prefix, self.count)
        self.count += 1
        self.arrays[key] = array
        return key


def plain(value: Any) -> np.ndarray:
    """A tensor of either framework as an array that npz can hold; bfloat16 becomes float32."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
        array: np.ndarray = value.resolve_conj().numpy()
    elif isinstance(value, np.ndarray):
        array = value
    else:
        held = value.numpy() if hasattr(value, "numpy") else value
        # as an object: NumPy's own bytes end before the zeros at their end
        array = np.asarray(held, dtype=object) if isinstance(held, bytes) else np.asarray(held)
    if array.dtype.kind == "V" or "bfloat16" in str(array.dtype):
        array = array.astype("float32")
    return np.array(array)  # a copy: the tensor may be written to later


def same(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two arrays hold the same numbers, NaN for NaN."""
    if before.shape != after.shape:
        return False
    return bool(np.array_equal(before, after) or np.array_equal(before, after, equal_nan=before.dtype.kind in "fc"))


def dtype_name(value: Any) -> str:
    """ "float32", "int64", "bool", "string" …, without the framework's prefix."""
    name = str(getattr(value.dtype, "name", value.dtype))
    return name.split(".")[-1]


def tensor_kind(value: Any) -> str:
    """ "tensor", "numpy" or "" for what is neither."""
    if isinstance(value, (np.ndarray, np.generic)):
        return "numpy"
    if hasattr(value, "row_splits") or hasattr(value, "dense_shape") or getattr(value, "is_sparse", False) is True:
        return ""
    if hasattr(value, "detach") and hasattr(value, "requires_grad"):
        return "tensor"
    if hasattr(value, "numpy") and hasattr(value, "dtype") and hasattr(value, "shape"):
        return "tensor"
    return ""


def encode(value: Any, sink: Sink) -> Tree:
    """A result as a tree; its arrays go into the sink."""
    kind = tensor_kind(value)
    if kind:
        return _encode_array(value, kind, sink)
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return _encode_scalar(value)
    if isinstance(value, dict) or (hasattr(value, "keys") and hasattr(value, "items") and not isinstance(value, type)):
        return {"t": "dict", "items": {str(k): encode(v, sink) for k, v in list(value.items())[:MOST_ITEMS]}}
    if type(value).__name__ in ("PhysicalDevice", "LogicalDevice"):
        return {"t": "opaque", "type": type(value).__module__ + ":" + type(value).__qualname__}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        owner = type(value).__module__.split(".")[0]
        items = [encode(v, sink) for v in value]
        return {"t": "namedtuple", "fields": list(value._fields), "owner": owner, "items": items}
    if type(value).__name__ == "TensorShape" and value.rank is not None:
        value = tuple(value.as_list())  # torch.Size is a tuple
    if isinstance(value, (list, tuple)) or type(value).__name__ in ("ListWrapper", "TupleWrapper", "TrackedList"):
        name = "tuple" if isinstance(value, tuple) else "list"
        items = [encode(v, sink) for v in list(value)[:MOST_ITEMS]]
        return (
            {"t": name, "items": items, "of": "sizes"}
            if type(value).__name__ == "Size"
            else {"t": name, "items": items}
        )
    if type(value).__name__ in ("DType", "dtype", "TensorShape", "Size"):
        return _encode_scalar(str(getattr(value, "name", value)).replace("torch.", ""))
    return {"t": "opaque", "type": type(value).__module__ + ":" + type(value).__qualname__}


def constants(request: Dict[str, Any], sink: Sink) -> Tree:
    """The value that a request names, or those of the `names` that its module has."""
    with program("read"):
        value = pick(resolve(request["call"]["ref"]), request["call"]["pick"])
        if not request.get("names"):
            return encode(value, sink)
        found = {name: getattr(value, name) for name in request["names"] if hasattr(value, name)}
    return {"t": "dict", "items": {name: encode(_state(v), sink) for name, v in found.items()}}


def _state(value: Any) -> Any:
    """What a generator of random numbers will draw from, in place of the generator; anything else as it is."""
    if isinstance(value, np.random.RandomState):
        return value.get_state(legacy=True)
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        return value.getstate()
    return value.bit_generator.state if isinstance(value, np.random.Generator) else value


def _encode_scalar(value: Any) -> Tree:
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    if isinstance(text, float):
        return {"t": "scalar", "type": "float", "v": repr(text)}
    return {"t": "scalar", "type": type(text).__name__, "v": text}


def _encode_array(value: Any, kind: str, sink: Sink) -> Tree:
    array = plain(value)
    if array.dtype.kind in "OSU":
        flat = [
            item.decode(errors="replace") if isinstance(item, bytes) else str(item)
            for item in array.reshape(-1).tolist()
        ]
        return {"t": "strings", "as": kind, "v": flat, "shape": list(array.shape)}
    return {"t": "array", "as": kind, "key": sink.put(array), "dtype": dtype_name(value), "shape": list(array.shape)}


# --- float leaves, for gradients ---------------------------------------------------------------------


def float_leaves(value: Any, path: str = "") -> Iterator[Tuple[str, Any]]:
    """(path, tensor) of every float tensor in a result, containers walked."""
    if tensor_kind(value) == "tensor":
        if "float" in dtype_name(value):
            yield path, value
    elif isinstance(value, dict):
        for name in sorted(value, key=str):
            for leaf in float_leaves(value[name], "%s.%s" % (path, name)):
                yield leaf
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            for leaf in float_leaves(item, "%s[%d]" % (path, index)):
                yield leaf


def projection(path: str, shape: Any) -> np.ndarray:
    """A fixed random direction for the output at `path`: the same on both sides, from nothing but path and shape."""
    sizes = [int(n) for n in shape]
    seed = zlib.crc32(("%s %s" % (path, sizes)).encode())
    return np.random.RandomState(seed).normal(size=sizes)


def signature(value: Any) -> Any:
    """Parameters of a callable as [name, kind, default], or None where Python cannot tell."""
    import inspect

    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return None
    out = []
    for p in parameters:
        default = "" if p.default is inspect.Parameter.empty else repr(p.default)
        out.append([p.name, p.kind.name, default[:200]])
    return out
