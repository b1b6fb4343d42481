"""Attributes of modules, tensors, layers, instances and classes of the repository."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.facts import calls, names, options, own_optimizers, settled, tables
from migrator.facts.interpreter import UNKNOWN, Frame, Interpreter
from migrator.facts.join import join_all
from migrator.facts.modules import FunctionNode
from migrator.facts.shapes import applications
from migrator.facts.words import words
from migrator.values import (
    STRATEGIES,
    Api,
    Choice,
    Dict,
    DType,
    External,
    Instance,
    LayerOf,
    Literal,
    ModelValue,
    ModuleRef,
    RepoClass,
    RepoFunction,
    RepoInstance,
    Scalar,
    Sequence,
    Shape,
    ShapeOf,
    Sym,
    Tensor,
    Unknown,
    Value,
)

_DTYPES = frozenset(
    words(
        """float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128
        string"""
    )
)
_NUMPY_DTYPES = _DTYPES | {"bool_", "float_", "int_", "str_"}
_VOCABULARIES = {"word_index": "int", "index_word": "str", "word_counts": "int", "word_docs": "int"}  # of a Tokenizer
_ALIASES = {"bool_": "bool", "float_": "float64", "int_": "int64", "str_": "string"}


def attribute(it: Interpreter, base: Value, name: str, frame: Frame) -> Value:
    """The value of `base.name`."""
    if isinstance(base, ModuleRef):
        return of_module(it, base.name, name)
    if isinstance(base, External):
        return external(f"{base.name}.{name}")
    if isinstance(base, Tensor):
        return _tensor(base, name)
    if isinstance(base, RepoInstance):
        return _instance(it, base, name, frame)
    if isinstance(base, RepoClass):
        return of_class(it, base.qualname, name, None)
    if isinstance(base, Api):
        return api(f"{base.name}.{name}")
    if isinstance(base, ModelValue):
        return _model(base, name)
    if isinstance(base, Instance):
        return _layer(base, name)
    if isinstance(base, LayerOf):
        return applications.layer_output(base) if name == "output" else UNKNOWN
    if isinstance(base, ShapeOf):
        return _shape(base, name)
    if isinstance(base, Choice):
        found = join_all(attribute(it, option, name, frame) for option in base.options)
        return found if isinstance(found, Tensor) else UNKNOWN
    if isinstance(base, Unknown) and options.is_namespace(base):
        return options.option(it, base, name)
    if isinstance(base, Unknown) and base.sym is not None:
        return Unknown(sym=Sym(f"{base.sym.text}.{name}"))
    return UNKNOWN


def of_module(it: Interpreter, module: str, name: str) -> Value:
    """A member of a module: of TensorFlow, of the repository or of another library."""
    dotted = f"{module}.{name}"
    if module == "tf" or module.startswith("tf."):
        return api(dotted)
    if module in it.modules:
        frame = it.frames.get(module)
        if frame is not None and name in frame.env:
            return settled.visible(it.ever[module].get(name, frame.env[name]), None)
        return ModuleRef(dotted) if _is_package(it, dotted) else Unknown(f"{dotted} is not defined")
    if _is_package(it, dotted):
        return ModuleRef(dotted)
    return imported(it, dotted)


def imported(it: Interpreter, dotted: str) -> Value:
    """What a dotted import name stands for."""
    if dotted in it.modules or _is_package(it, dotted):
        return ModuleRef(dotted)
    canonical = names.canonical(dotted) if names.is_tf_root(dotted) else None
    return api(canonical) if canonical is not None else external(dotted)


def _is_package(it: Interpreter, dotted: str) -> bool:
    return dotted in it.modules or any(name.startswith(dotted + ".") for name in it.modules)


def api(dotted: str) -> Value:
    """A TensorFlow name as a value: module, dtype or anything else."""
    name = names.canonical(dotted) or dotted
    head, _, tail = name.rpartition(".")
    if head == "tf" and tail in _DTYPES:
        return DType(tail)
    if name == "tf.newaxis":
        return Literal(None)
    if name == "tf.compat.v1.flags.FLAGS":
        return External("absl.flags.FLAGS")
    return ModuleRef(name) if names.is_module(name) else Api(name)


def external(dotted: str) -> Value:
    """A name of another library; numpy's dtypes are known."""
    head, _, tail = dotted.rpartition(".")
    if head == "numpy" and tail in _NUMPY_DTYPES:
        return DType(_ALIASES.get(tail, tail), numpy=True)
    if head == "numpy" and tail == "newaxis":
        return Literal(None)
    if head in ("math", "numpy") and tail in ("pi", "e", "inf"):
        return Scalar("float")
    return tables.MEMBERS.get(dotted) or External(dotted)


def of_class(it: Interpreter, qualname: str, name: str, bound: Value | None) -> Value:
    """A class attribute or method, looked for along the bases."""
    for cls in calls.linear_bases(it, qualname):
        member = it.class_attrs.get(cls, {}).get(name)
        if isinstance(member, RepoFunction) and bound is not None:
            return _bound(it, member, bound)
        if member is not None:
            return member
    return UNKNOWN


def _bound(it: Interpreter, member: RepoFunction, bound: Value) -> Value:
    definition = it.definitions.get(member.qualname)
    node = definition.node if definition is not None else None
    marks = calls.decorators(node) if isinstance(node, FunctionNode) else set()
    if "staticmethod" in marks:
        return member
    return RepoFunction(member.qualname, bound)


def _tensor(base: Tensor, name: str) -> Value:
    if name == "shape":
        return ShapeOf(base.shape, last=base.last)
    if name == "dtype":
        return DType(base.dtype, base.origin == "numpy") if base.dtype else UNKNOWN
    if name == "ndim":
        return Scalar("int") if base.shape is None else Literal(len(base.shape))
    if name == "T":
        return Tensor(None if base.shape is None else base.shape[::-1], base.dtype, base.origin)
    if name == "size" and base.origin == "numpy":
        return Scalar("int")
    return UNKNOWN


def _shape(base: ShapeOf, name: str) -> Value:
    if name in ("rank", "ndims"):
        return Scalar("int") if base.dims is None else Literal(len(base.dims))
    return UNKNOWN


def _instance(it: Interpreter, base: RepoInstance, name: str, frame: Frame) -> Value:
    if name == "__class__":
        return RepoClass(base.qualname)
    found = it.attribute(base, name, frame)
    if found is not None:
        return found
    member = of_class(it, base.qualname, name, base)
    if isinstance(member, RepoFunction):
        definition = it.definitions.get(member.qualname)
        if definition is not None and isinstance(definition.node, FunctionNode) and _is_property(definition.node):
            return calls.invoke(it, member, [], {}, None, frame)
        return member
    if member != UNKNOWN:
        return member
    if own_optimizers.is_optimizer(it, base.qualname):
        return own_optimizers.attribute(name) or UNKNOWN
    if name == "dtype" and any("tf.keras.metrics.Metric" in bases for bases in _api_bases(it, base)):
        return DType("float32")
    return _keras_attribute(base, name)


def _api_bases(it: Interpreter, base: RepoInstance) -> Iterator[list[str]]:
    """The names of TensorFlow's classes among the bases of a class and of those that it derives from."""
    for cls in calls.linear_bases(it, base.qualname):
        yield [found.name for found in it.bases.get(cls, ()) if isinstance(found, Api)]


def _is_property(node: ast.AST) -> bool:
    return isinstance(node, FunctionNode) and bool(calls.decorators(node) & {"property", "cached_property"})


def _keras_attribute(base: RepoInstance, name: str) -> Value:
    if base.kind == "other":
        return UNKNOWN
    if name in ("trainable_variables", "trainable_weights", "weights", "variables", "non_trainable_weights"):
        return Sequence("list", None, Tensor(None, "float32", "variable"))
    return Scalar("str") if name == "name" else UNKNOWN


def _static_shape(shape: Shape | None) -> Value:
    """A model's own shape: a tuple, the batch None, where all other sizes are numbers."""
    if not shape or shape[0] is not None or not all(isinstance(dim, int) for dim in shape[1:]):
        return ShapeOf(shape)
    items = tuple(map(Literal, shape))
    return Sequence("tuple", items, join_all(items))


def _model(base: ModelValue, name: str) -> Value:
    if name in ("output", "input"):
        tensors = base.outputs if name == "output" else base.inputs
        if not tensors:
            return UNKNOWN
        return tensors[0] if len(tensors) == 1 else Sequence("list", tensors, join_all(tensors))
    if name in ("outputs", "inputs"):
        found = base.outputs if name == "outputs" else base.inputs
        return Sequence("list", found, join_all(found or ()))
    if name == "layers" and base.api.startswith(applications.PREFIX):
        layers = applications.layers(base)
        return Sequence("list", layers, join_all(layers or ()))
    if name == "layers":
        return Sequence("list", base.layers, join_all(base.layers or ()))
    if name in ("input_shape", "output_shape"):
        tensors = base.outputs if name == "output_shape" else base.inputs
        first = tensors[0] if tensors and len(tensors) == 1 else None
        return _static_shape(first.shape) if isinstance(first, Tensor) else UNKNOWN
    if name in ("trainable_variables", "trainable_weights", "weights", "variables"):
        return Sequence("list", None, Tensor(None, "float32", "variable"))
    return Scalar("str") if name == "name" else UNKNOWN


def _layer(base: Instance, name: str) -> Value:
    if name == "num_replicas_in_sync" and base.api in STRATEGIES:
        return Literal(1)
    if name in ("trainable_variables", "trainable_weights", "weights", "variables"):
        return Sequence("list", None, Tensor(None, "float32", "variable"))
    if name == "iterations" and base.api.startswith("tf.keras.optimizers."):
        return Scalar("int")
    if name in ("kernel", "bias", "gamma", "beta", "embeddings") and base.api.startswith("tf.keras.layers."):
        return Tensor(None, "float32", "variable")
    if base.api == "tf.keras.preprocessing.text.Tokenizer" and name in _VOCABULARIES:
        return Dict(None, Scalar(_VOCABULARIES[name]))
    given = base.arg(name)
    if base.api == "tf.train.Checkpoint" and given is not None:
        return given
    return given if isinstance(given, Literal | Scalar) else UNKNOWN
