"""Calls of TensorFlow and Keras names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from migrator.facts import datasets, records, saved, summaries_to
from migrator.facts.calls import Arguments, Where, bind_api
from migrator.facts.interpreter import UNKNOWN, Interpreter
from migrator.facts.shapes import applications, catalogue, ops
from migrator.values import (
    Api,
    Dict,
    Instance,
    LayerOutput,
    Literal,
    ModelValue,
    Repeated,
    RepoFunction,
    RepoInstance,
    Scalar,
    Sequence,
    Tensor,
    Unknown,
    Value,
)

_OBJECTS = (
    "tf.keras.layers.",
    "tf.keras.losses.",
    "tf.keras.metrics.",
    "tf.keras.optimizers.",
    "tf.keras.regularizers.",
    "tf.keras.initializers.",
    "tf.keras.callbacks.",
    "tf.keras.constraints.",
    "tf.keras.preprocessing.",
    "tf.keras.optimizers.schedules.",
    "tf.train.",
    "tf.distribute.",
    "tf.summary.",
    "tf.lookup.",
    "tf.compat.v1.train.",
)
_OF_ARRAYS = ("tf.keras.utils.", "tf.keras.preprocessing.")  # NumPy in, NumPy out
_SINGLES = frozenset(
    {
        "tf.GradientTape",
        "tf.Graph",
        "tf.TensorArray",
        "tf.keras.Model",
        "tf.TensorSpec",
        "tf.io.FixedLenFeature",
        "tf.io.VarLenFeature",
        "tf.constant_initializer",
        "tf.random_normal_initializer",
        "tf.zeros_initializer",
        "tf.ones_initializer",
        "tf.random_uniform_initializer",
    }
)


def call_api(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    """The result of calling a TF function or class by canonical name."""
    special = _SPECIAL.get(api)
    if special is not None:
        return special(it, api, args, where)
    if api in summaries_to.WRITES:
        return summaries_to.written(api, where)
    if api in ops.OPS:
        return _op(it, api, args)
    if api.startswith("tf.data."):
        return datasets.create(it, api, args, where)
    if api in datasets.LOADERS:
        return datasets.loaded(api, args)
    if api.startswith("tf.keras.datasets.") and api.endswith(".load_data"):
        return datasets.known(api)
    if api.startswith("tf.keras.applications."):
        return _application(it, api, args, where)
    made = api.startswith(_OBJECTS) and api.rsplit(".", 1)[1][:1].isupper()
    if made or api in _SINGLES or (api.startswith("tf.keras.initializers.") and not api.endswith(("get", "serialize"))):
        return instance(it, api, args, where)
    return UNKNOWN


def _op(it: Interpreter, api: str, args: Arguments) -> Value:
    if args.open:
        return UNKNOWN
    bound = bind_api(api, args)
    if bound is None:
        bound = {str(position): value for position, value in enumerate(args.positional)} | args.keywords
    it.note_positions(bound.get(_POSITIONS.get(api, ""), UNKNOWN))
    result = catalogue.op_result(api, bound)
    return result if api.startswith(_OF_ARRAYS) else _as_tensors(result)


_POSITIONS = {"tf.gather": "indices", "tf.nn.embedding_lookup": "ids", "tf.one_hot": "indices"}


def _as_tensors(value: Value) -> Value:
    """What TensorFlow computes of arrays is tensors."""
    if isinstance(value, Tensor) and value.origin == "numpy":
        return replace(value, origin="tf")
    if isinstance(value, Sequence):
        items = None if value.items is None else tuple(map(_as_tensors, value.items))
        return replace(value, items=items, element=_as_tensors(value.element))
    return value


def instance(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    """An object of a TF class, with its arguments by name."""
    bound = {} if args.open else bind_api(api, args) or {}
    it.site_scope[(where.module, where.span)] = where.frame.scope
    return Instance(api, where.module, where.span, tuple(bound.items()))


def _sequential(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    it.site_scope[(where.module, where.span)] = where.frame.scope
    layers = args.positional[0] if args.positional else args.keywords.get("layers", Sequence("list", ()))
    model = ModelValue(api, where.module, where.span, (), parts=())
    if layers == Literal(None):
        return model
    if not isinstance(layers, Sequence):
        return ModelValue(api, where.module, where.span)
    if layers.items is not None:
        parts = layers.items
    else:
        parts = (Repeated((layers.element,)),)
    return with_parts(it, model, parts, where)


def with_parts(it: Interpreter, model: ModelValue, parts: tuple[Value, ...], where: Where) -> ModelValue:
    """A Sequential with these layers; its input is worked out where the first layer declares one."""
    from migrator.facts import apply

    known = not any(isinstance(part, Repeated | Unknown) for part in parts)
    first = parts[0] if parts else None
    declared = first if isinstance(first, Tensor) else None
    if isinstance(first, Instance):
        declared = catalogue.declared_input(first)
    if isinstance(first, ModelValue) and first.inputs and isinstance(first.inputs[0], Tensor):
        declared = first.inputs[0]
    layers = tuple(part for part in parts if not isinstance(part, Tensor)) if known else None
    model = ModelValue(model.api, model.module, model.site, layers, None, None, parts)
    if declared is None:
        if model.site is not None:
            it.unfed[(model.module, model.site)] = model
        return model
    inside = replace(where, call=(model.module, model.site or where.span))
    output = apply.chain(it, parts, (declared,), inside)
    outputs = output.items if isinstance(output, Sequence) and output.items is not None else (output,)
    return ModelValue(model.api, model.module, model.site, layers, (declared,), outputs, parts)


def _model(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    it.site_scope[(where.module, where.span)] = where.frame.scope
    positional = args.positional
    inputs = args.keywords.get("inputs", args.keywords.get("input", positional[0] if positional else None))
    outputs = args.keywords.get("outputs", args.keywords.get("output", positional[1] if len(positional) > 1 else None))
    goes_in, comes_out = _tensors(inputs), _tensors(outputs)
    of_layers = _of_layers(goes_in, comes_out if comes_out is not None else (getattr(outputs, "element", UNKNOWN),))
    kind = applications.FEATURES if of_layers else "tf.keras.Model"
    return ModelValue(kind, where.module, where.span, None, goes_in, comes_out)


def _of_layers(inputs: tuple[Value, ...] | None, outputs: tuple[Value, ...]) -> bool:
    """Whether a model gives what layers of one application give, from what goes into that."""
    networks = {value.network if isinstance(value, LayerOutput) else value for value in outputs}
    network = networks.pop() if len(networks) == 1 else None
    return isinstance(network, ModelValue) and inputs is not None and inputs == network.inputs


def _tensors(value: Value | None) -> tuple[Value, ...] | None:
    if isinstance(value, Sequence):
        return value.items
    if isinstance(value, Dict):
        return None if value.items is None else tuple(item for _, item in value.items)
    return (value,) if isinstance(value, Tensor) else None


def _variable(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    bound = bind_api(api, args) or {}
    made = catalogue.op_result(api, bound)
    return Tensor(made.shape, made.dtype, "variable") if isinstance(made, Tensor) else made


def _input(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    return _op(it, "tf.keras.Input", args)


def _application(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    """A model with the shapes of its architecture, where that is known; what prepares images keeps their shape."""
    name = applications.name_of(api)
    if api.endswith(".preprocess_input"):
        given = args.positional[0] if args.positional else args.keywords.get("x", UNKNOWN)
        return replace(given, dtype="float32") if isinstance(given, Tensor) else UNKNOWN
    if not api.rsplit(".", 1)[1][:1].isupper():
        return UNKNOWN
    it.site_scope[(where.module, where.span)] = where.frame.scope
    bound = None if args.open else bind_api(api, args)
    if not name or bound is None:
        return ModelValue("tf.keras.Model", where.module, where.span)
    images = applications.input_of(name, bound)
    outputs = (applications.output_of(name, bound, images),)
    said = tuple(sorted(bound.items()))
    return ModelValue(applications.PREFIX + name, where.module, where.span, None, (images,), outputs, given=said)


def _load_model(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    path = args.positional[0] if args.positional else args.keywords.get("filepath", UNKNOWN)
    return saved.loaded(it, path)


def _got(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    """`get` gives back an object or function, and makes one of a name; None stays None.

    What only the run names is an instance of `get` itself, but for penalties and constraints, which may be None.
    """
    value = args.positional[0] if args.positional else args.keywords.get("identifier", UNKNOWN)
    if isinstance(value, Instance | Api | RepoFunction | RepoInstance) or value == Literal(None):
        return value
    kind = api.removesuffix(".get")
    if isinstance(value, Literal) and isinstance(value.value, str):
        return Instance(f"{kind}.{''.join(word.capitalize() for word in value.value.split('_'))}")
    return Instance(api) if kind.endswith("initializers") and not _may_be_none(value) else UNKNOWN


def _may_be_none(value: Value) -> bool:
    return not isinstance(value, Scalar) or value.default == Literal(None)


def _activation(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    """`get` gives back a function and finds one by its name; what only the run names is an instance of `get`."""
    value = args.positional[0] if args.positional else args.keywords.get("identifier", UNKNOWN)
    if isinstance(value, Instance | Api | RepoFunction | RepoInstance):
        return value
    if isinstance(value, Literal) and isinstance(value.value, str | None):
        return Api(f"tf.keras.activations.{value.value or 'linear'}")
    return Instance(api)


def _function(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    """`tf.function(f)` is `f`."""
    return args.positional[0] if args.positional else UNKNOWN


def _floatx(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    return Literal("float32")


def _image_format(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    return Literal("channels_last")


def _writer(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    return Instance(summaries_to.WRITER, where.module, where.span)


def _file(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    return Tensor((), "string")


def _plain_instance(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    return Instance(api, where.module, where.span)


def _generator(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    return Instance("tf.random.Generator", where.module, where.span)


def _checkpoint(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    """A checkpoint: its arguments are the objects in it, by the names that they have there."""
    return Instance(api, where.module, where.span, tuple(args.keywords.items()))


def _scope(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    return Instance(summaries_to.SCOPED, where.module, where.span)


def _parsed(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    return records.parsed({} if args.open else bind_api(api, args) or {})


def _epsilon(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    return Literal(1e-7)


_SPECIAL: dict[str, Callable[[Interpreter, str, Arguments, Where], Value]] = {
    "tf.keras.Sequential": _sequential,
    "tf.keras.Model": _model,
    "tf.keras.models.Model": _model,
    "tf.Variable": _variable,
    "tf.keras.backend.variable": _variable,
    "tf.keras.Input": _input,
    "tf.keras.layers.Input": _input,
    "tf.keras.models.load_model": _load_model,
    "tf.function": _function,
    "tf.keras.backend.floatx": _floatx,
    "tf.keras.backend.image_data_format": _image_format,
    "tf.keras.backend.epsilon": _epsilon,
    "tf.io.parse_single_example": _parsed,
    "tf.summary.create_file_writer": _writer,
    "tf.io.read_file": _file,
    "tf.get_logger": _plain_instance,
    "tf.distribute.get_strategy": _plain_instance,
    "tf.random.Generator.from_seed": _generator,
    "tf.train.Checkpoint": _checkpoint,
    "tf.name_scope": _scope,
    "tf.compat.v1.name_scope": _scope,
    "tf.keras.backend.name_scope": _scope,
    "tf.compat.v1.parse_single_example": _parsed,
    "tf.keras.regularizers.get": _got,
    "tf.keras.initializers.get": _got,
    "tf.keras.constraints.get": _got,
    "tf.keras.activations.get": _activation,
}
