"""The values of parameters where a function or class is summed up: symbolic, but of the observed kind."""

from __future__ import annotations

import ast
import functools
from dataclasses import replace

from migrator.facts import classes, functions, roots, settings, signatures, stand_ins
from migrator.facts.interpreter import UNKNOWN, Frame, Interpreter
from migrator.facts.join import NONE, join_all
from migrator.facts.modules import FunctionNode
from migrator.facts.shapes import catalogue
from migrator.facts.survey import survey
from migrator.facts.words import words
from migrator.values import (
    Api,
    Choice,
    Dataset,
    Dict,
    Dim,
    DType,
    External,
    Instance,
    Literal,
    ModelValue,
    RepoClass,
    RepoFunction,
    RepoInstance,
    Scalar,
    Sequence,
    ShapeOf,
    Sym,
    Tensor,
    Unknown,
    Value,
)

_TYPES = {"int": "int", "float": "float", "str": "str", "bool": "bool"}
# Operations whose first argument is no tensor but a shape, a number or a name.
_MAKERS = frozenset(
    words("""tf.constant tf.convert_to_tensor tf.zeros tf.ones tf.fill tf.eye tf.range tf.linspace tf.random.normal
    tf.random.uniform tf.random.truncated_normal tf.Variable tf.keras.Input tf.keras.backend.variable
    tf.keras.backend.constant tf.compat.v1.placeholder tf.io.decode_jpeg tf.io.decode_png tf.io.decode_image tf.einsum
    tf.concat tf.stack tf.keras.backend.zeros tf.keras.backend.ones tf.scatter_nd""")
)


def symbolic(it: Interpreter, node: FunctionNode, qualname: str, module: str, named: bool = True) -> dict[str, Value]:
    """The parameters of a function for its summary; `named` gives scalars their own name as size."""
    seen = it.observed.get(qualname, [])
    defaults = functions.default_values(it, node, module)
    stable = roots.stable_names(node)
    said = signatures.declared(it, node, module, {})
    absent = stand_ins.left_out(it, node, module)
    found: dict[str, Value] = {}
    for arg in roots.all_arguments(node):
        if arg in (node.args.vararg, node.args.kwarg):
            found[arg.arg] = Dict(None) if arg is node.args.kwarg else Sequence("tuple", None)
            continue
        if arg.arg in said:
            found[arg.arg] = said[arg.arg]
            continue
        values = [localise(it, dict(call.args).get(arg.arg, UNKNOWN)) for call in seen]
        if arg.arg in absent and all(value == NONE for value in values):
            found[arg.arg] = NONE
            continue
        sym = Sym(arg.arg) if named and arg.arg in stable else None
        site = module, it.span(it.modules[module], arg)
        held = settings.named(it, values, sym, site) if arg.arg not in defaults else None
        value = held or one(values, defaults.get(arg.arg), _annotated(arg), sym)
        found[arg.arg] = _recognised(it, node, arg, value, module) if isinstance(value, Unknown) else value
    return found


_MODEL_USES = frozenset(
    {"trainable_variables", "trainable_weights", "save_weights", "load_weights", "non_trainable_weights"}
)
_FIT_ARGUMENTS = frozenset({"epochs", "validation_data", "callbacks", "optimizer", "loss"})
_ANNOTATIONS: dict[str, Value] = {
    "tf.Tensor": Tensor(),
    "tf.Variable": Tensor(origin="variable"),
    "numpy.ndarray": Tensor(origin="numpy"),
    "tf.keras.Model": ModelValue("tf.keras.Model"),
    "tf.keras.Sequential": ModelValue("tf.keras.Model"),
    "tf.data.Dataset": Dataset(),
}


def _recognised(it: Interpreter, node: FunctionNode, arg: ast.arg, value: Unknown, module: str) -> Value:
    """A parameter that nobody passes, by its annotation or by what only a Keras model can do."""
    if arg.annotation is not None:
        kind = it.value(arg.annotation, Frame(it.modules[module], it.root, {}))
        if isinstance(kind, RepoClass):
            return RepoInstance(kind.qualname, classes.kind_of(it, kind.qualname))
        if isinstance(kind, Api | External):
            return _ANNOTATIONS.get(kind.name, value)
    if arg.arg in _datasets(node):
        return Dataset()
    if arg.arg in roots.counted(node):
        return Scalar("int", value.sym)
    if arg.arg in _tokenizers(node):
        return Instance("tf.keras.preprocessing.text.Tokenizer", module)
    return ModelValue("tf.keras.Model") if arg.arg in _models(node) else value


_DATASET_USES = frozenset(
    {"prefetch", "unbatch", "padded_batch", "flat_map", "interleave", "as_numpy_iterator", "with_options"}
)


@functools.lru_cache(maxsize=2048)
def _datasets(node: FunctionNode) -> frozenset[str]:
    """Names on which the body calls what only datasets have, or both `take` and `skip`."""
    calls: dict[str, set[str]] = {}
    for call in survey(node).calls:
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            calls.setdefault(call.func.value.id, set()).add(call.func.attr)
    return frozenset(name for name, used in calls.items() if used & _DATASET_USES or used >= {"take", "skip"})


_TOKENIZER_USES = frozenset({"word_index", "index_word", "texts_to_sequences", "sequences_to_texts"})


@functools.lru_cache(maxsize=2048)
def _tokenizers(node: FunctionNode) -> frozenset[str]:
    """Names on which the body uses what only Keras's tokenizers have."""
    uses = (item for item in survey(node).attributes if item.attr in _TOKENIZER_USES)
    return frozenset(item.value.id for item in uses if isinstance(item.value, ast.Name))


@functools.lru_cache(maxsize=2048)
def _models(node: FunctionNode) -> frozenset[str]:
    """Names on which the body calls what only Keras models have."""
    below = survey(node)
    uses = (item for item in below.attributes if item.attr in _MODEL_USES)
    found = {item.value.id for item in uses if isinstance(item.value, ast.Name)}
    for call in below.calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("fit", "compile"):
            owner, given = call.func.value, {keyword.arg for keyword in call.keywords}
            if isinstance(owner, ast.Name) and given & _FIT_ARGUMENTS:
                found.add(owner.id)
    return frozenset(found)


def one(values: list[Value], default: Value | None, annotation: str | None, sym: Sym | None) -> Value:
    """One parameter: what callers pass and what stands as default, joined and made symbolic."""
    if default is not None and not (values and default == NONE):
        values = [*values, default]
    if not values:
        return Scalar(annotation, sym) if annotation else Unknown(sym=sym)
    objects = [value for value in values if value != NONE]
    joined = join_all(objects or values)
    if NONE in values and isinstance(joined, Literal | Scalar):
        return Scalar(None, sym, NONE)
    return _as_symbol(joined, default, sym)


def _as_symbol(joined: Value, default: Value | None, sym: Sym | None) -> Value:
    known = default if isinstance(default, Literal) else None
    if isinstance(joined, Literal):
        if isinstance(joined.value, int | float | str):
            return Scalar(type(joined.value).__name__, sym, known)
        return joined
    if isinstance(joined, Scalar):
        return Scalar(joined.type, sym, known)
    if isinstance(joined, Sequence) and isinstance(joined.element, Literal | Scalar | Unknown):
        return _symbolic_sequence(joined, sym)
    return Unknown(joined.reason, sym) if isinstance(joined, Unknown) else opened(joined)


def opened(value: Value) -> Value:
    """A value of a parameter of which only the kind is sure: no rule may take it for written there."""
    if isinstance(value, Literal) and value != NONE:
        return Scalar(type(value.value).__name__)
    if isinstance(value, DType):
        return replace(value, passed=True)
    if isinstance(value, Sequence):
        items = None if value.items is None else tuple(map(opened, value.items))
        return replace(value, items=items, element=opened(value.element))
    if isinstance(value, Dict):  # an empty one is a default that callers fill
        return Dict(tuple((key, opened(item)) for key, item in value.items) if value.items else None)
    return Choice(tuple(map(opened, value.options))) if isinstance(value, Choice) else value


def _symbolic_sequence(value: Sequence, sym: Sym | None) -> Value:
    kind = value.element
    if isinstance(kind, Literal):
        kind = Scalar(type(kind.value).__name__)
    items = None
    if value.items is not None and sym is not None:
        items = tuple(
            Scalar(_type(item), Sym(f"{sym.text}[{i}]"))
            if isinstance(item, Literal | Scalar) and item != NONE
            else item
            for i, item in enumerate(value.items)
        )
    return Sequence(value.kind, items, kind, sym)


def _type(item: Value) -> str | None:
    return type(item.value).__name__ if isinstance(item, Literal) else item.type if isinstance(item, Scalar) else None


def _annotated(arg: ast.arg) -> str | None:
    return _TYPES.get(arg.annotation.id) if isinstance(arg.annotation, ast.Name) else None


def localise(it: Interpreter, value: Value) -> Value:
    """A value without the symbols of another scope."""
    if isinstance(value, Tensor):
        shape = None if value.shape is None else tuple(map(_number, value.shape))
        return replace(value, shape=shape, last=_number(value.last))
    if isinstance(value, Scalar):
        return Scalar(value.type)
    if isinstance(value, Unknown):
        return Unknown(value.reason)
    if isinstance(value, Sequence):
        items = None if value.items is None or value.sym is not None else tuple(localise(it, i) for i in value.items)
        return Sequence(value.kind, items, localise(it, value.element))
    if isinstance(value, ShapeOf):
        sizes = None if value.dims is None else tuple(map(_number, value.dims))
        return ShapeOf(sizes, value.dynamic, _number(value.last))
    if isinstance(value, Dict):
        return Dict(None if value.items is None else tuple((key, localise(it, item)) for key, item in value.items))
    if isinstance(value, Dataset):
        return Dataset(localise(it, value.element), value.batched)
    if isinstance(value, Choice):
        return Choice(tuple(localise(it, option) for option in value.options))
    return _local_object(it, value)


def _number(dim: Dim) -> Dim:
    return dim if isinstance(dim, int) else None


def _local_object(it: Interpreter, value: Value) -> Value:
    if isinstance(value, Instance):
        return replace(value, args=tuple((name, localise(it, item)) for name, item in value.args))
    if isinstance(value, RepoInstance):
        clean = replace(value, args=tuple((name, localise(it, item)) for name, item in value.args))
        if clean != value and clean not in it.attrs and value in it.attrs:
            it.attrs[clean] = {}
            it.attrs[clean] = {name: localise(it, item) for name, item in it.attrs[value].items()}
        return clean
    if isinstance(value, ModelValue):
        return replace(
            value,
            layers=_all(it, value.layers),
            inputs=_all(it, value.inputs),
            outputs=_all(it, value.outputs),
            parts=_all(it, value.parts) or (),
        )
    return value


def _all(it: Interpreter, values: tuple[Value, ...] | None) -> tuple[Value, ...] | None:
    return None if values is None else tuple(localise(it, value) for value in values)


# Layers that work on data before any model sees it.
_PREPARING = frozenset(
    words("Normalization Discretization CategoryEncoding Hashing StringLookup IntegerLookup TextVectorization")
)


# Layers that only arrange what they are given: losses and metrics are written with them as well.
_ARRANGING = frozenset(words("Flatten Reshape Permute RepeatVector Activation Softmax Dot Concatenate"))


class Tensors:
    """Which parameters of a function nobody calls must be tensors, and which functions build layers."""

    def __init__(self, it: Interpreter) -> None:
        self.it = it
        self._params: dict[str, frozenset[str]] = {}
        self._builds: dict[str, bool] = {}
        self._arranges: dict[str, bool] = {}

    def parameters(self, qualname: str) -> frozenset[str]:
        """Names of the parameters that the body uses as tensors."""
        if qualname not in self._params:
            self._params[qualname] = frozenset()
            definition = self.it.definitions.get(qualname)
            if definition is not None and isinstance(definition.node, FunctionNode):
                names = {arg.arg for arg in roots.all_arguments(definition.node)}
                used = set(self._used(definition.node, definition.module))
                self._params[qualname] = frozenset(names & used)
        return self._params[qualname]

    def builds_layers(self, qualname: str) -> bool:
        """Whether a function creates layers, itself or through what it calls."""
        if qualname not in self._builds:
            self._builds[qualname] = False
            definition = self.it.definitions.get(qualname)
            if definition is not None:
                calls = survey(definition.node).calls
                self._builds[qualname] = any(self._is_layer(call, definition.module) for call in calls)
        return self._builds[qualname]

    def only_arranges(self, qualname: str) -> bool:
        """Whether none of the layers that a function makes, itself or through what it calls, has weights or a mode."""
        if qualname not in self._arranges:
            self._arranges[qualname] = True
            definition = self.it.definitions.get(qualname)
            if definition is not None:
                made = [c for c in survey(definition.node).calls if self._is_layer(c, definition.module)]
                self._arranges[qualname] = all(self._arranging(self._callee(c, definition.module)) for c in made)
        return self._arranges[qualname]

    def _arranging(self, callee: Value) -> bool:
        if isinstance(callee, RepoFunction):
            return self.only_arranges(callee.qualname)
        return isinstance(callee, Api) and callee.name.rpartition(".")[2] in _ARRANGING

    def _is_layer(self, call: ast.Call, module: str) -> bool:
        callee = self._callee(call, module)
        if isinstance(callee, Api):
            tail = callee.name.rsplit(".", 1)[1]
            layer = callee.name.startswith("tf.keras.layers.") and tail[:1].isupper()
            return (layer and tail not in _PREPARING) or callee.name in ("tf.keras.Sequential", "tf.keras.Model")
        if isinstance(callee, RepoClass):
            return classes.kind_of(self.it, callee.qualname) != "other"
        return isinstance(callee, RepoFunction) and self.builds_layers(callee.qualname)

    def _callee(self, call: ast.Call, module: str) -> Value:
        if isinstance(call.func, ast.Name | ast.Attribute):
            return self.it.value(call.func, Frame(self.it.modules[module], self.it.root, {}))
        return UNKNOWN

    def _used(self, node: FunctionNode, module: str) -> list[str]:
        below = survey(node)
        shapes = (item.value for item in below.attributes if item.attr == "shape")
        found = [value.id for value in shapes if isinstance(value, ast.Name)]
        if any(self._converts(call, module) for call in below.calls):
            found = []
        for call in below.calls:
            found.extend(self._arguments(call, module))
        return found

    def _converts(self, call: ast.Call, module: str) -> bool:
        """Whether a call makes a tensor of what some name holds in a program of TensorFlow 1: shapes there are those
        of arrays."""
        given = call.args[0] if call.args else None
        callee = self._callee(call, module) if isinstance(given, ast.Name) else UNKNOWN
        return isinstance(callee, Api) and callee.name == "tf.compat.v1.constant"

    def _arguments(self, call: ast.Call, module: str) -> list[str]:
        if isinstance(call.func, ast.Call):
            return [n for arg in call.args for n in _names(arg)]
        callee = self._callee(call, module)
        if isinstance(callee, Api):
            if callee.name not in catalogue.OPS or callee.name in _MAKERS:
                return []
            count = 2 if callee.name in ("tf.matmul", "tf.where", "tf.add", "tf.multiply", "tf.subtract") else 1
            return [n for arg in call.args[:count] for n in _names(arg)]
        if isinstance(callee, RepoFunction):
            return self._passed(call, callee.qualname)
        return []

    def _passed(self, call: ast.Call, qualname: str) -> list[str]:
        definition = self.it.definitions.get(qualname)
        if definition is None or not isinstance(definition.node, FunctionNode):
            return []
        tensors = self.parameters(qualname)
        names = [arg.arg for arg in definition.node.args.args]
        pairs = [*zip(names, call.args, strict=False), *((k.arg or "", k.value) for k in call.keywords)]
        return [n for name, arg in pairs if name in tensors for n in _names(arg)]


def _names(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.List | ast.Tuple):
        return [item.id for item in node.elts if isinstance(item, ast.Name)]
    return []
