"""Method calls: on tensors, models, optimizers, lists and instances of the repository."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from migrator.facts import (
    apply,
    arithmetic,
    attributes,
    classes,
    datasets,
    functions,
    image_batches,
    observed,
    own_optimizers,
    saved,
    strategies,
    summaries_to,
    targets,
    tensorflow,
)
from migrator.facts.calls import Arguments, Where, bind_api, literal
from migrator.facts.interpreter import UNKNOWN, Applied, Interpreter
from migrator.facts.join import join, join_all, type_name
from migrator.facts.shapes import applications, arrays
from migrator.facts.shapes.ops import dtype_of
from migrator.values import (
    IMAGE_BATCHES,
    ITERATOR,
    STRATEGIES,
    Dataset,
    Dict,
    History,
    Instance,
    LayerOf,
    Literal,
    ModelValue,
    RepoInstance,
    Scalar,
    Sequence,
    ShapeOf,
    Tensor,
    Unknown,
    Value,
)


@dataclass(frozen=True)
class Found:
    """What an attribute call calls, and its result where that is decided already."""

    callee: Value
    result: Value | None = None


def method(it: Interpreter, base: Value, func: ast.Attribute, args: Arguments, where: Where) -> Found:
    """The callee of `base.name(...)` and, for known kinds of object, its result."""
    name = func.attr
    handler = _BY_TYPE.get(type(base))
    if handler is not None:
        result = handler(it, base, func, args, where)
        if result is not None:
            return Found(UNKNOWN, result)
    if isinstance(base, Unknown):
        _suspected(it, func.attr, args, where)
    return Found(attributes.attribute(it, base, name, where.frame))


def _suspected(it: Interpreter, name: str, args: Arguments, where: Where) -> None:
    """Training shows by its calls even where the receiver is not known."""
    if name == "compile" and {"optimizer", "loss"} & set(args.keywords):
        it.effect("compiles", where.frame.scope)
    elif name in ("fit", "fit_generator") and {"epochs", "validation_data", "callbacks"} & set(args.keywords):
        it.effect("fits", where.frame.scope)
    elif name == "apply_gradients":
        it.effect("applies-gradients", where.frame.scope)


def _tensor(it: Interpreter, base: Tensor, func: ast.Attribute, args: Arguments, where: Where) -> Value | None:
    return arrays.method(base, func.attr, args.positional, args.keywords)


def _sequence(it: Interpreter, base: Sequence, func: ast.Attribute, args: Arguments, where: Where) -> Value | None:
    name, first = func.attr, args.positional[0] if args.positional else UNKNOWN
    if name == "append":
        items = None if base.items is None or base.sym else (*base.items, first)
        element = first if base.items == () else join(base.element, first)
        targets.update(it, func.value, Sequence(base.kind, items, element), where.frame)
        return Literal(None)
    if name in ("extend", "insert", "add"):
        more = arithmetic.as_sequence(first) if name == "extend" else None
        if name == "extend" and more is not None and base.items is not None and more.items is not None and not base.sym:
            items = base.items + more.items
            targets.update(it, func.value, Sequence(base.kind, items, join_all(items)), where.frame)
        else:
            added = args.positional[-1] if args.positional else UNKNOWN
            element = arithmetic.element(first) if name == "extend" else added
            element = element if base.items == () else join(base.element, element)
            targets.update(it, func.value, Sequence(base.kind, None, element), where.frame)
        return Literal(None)
    if name in ("pop",):
        targets.update(it, func.value, Sequence(base.kind, None, base.element), where.frame)
        return base.element
    if name in ("reverse", "sort", "remove", "clear"):
        targets.update(it, func.value, Sequence(base.kind, None, base.element), where.frame)
        return Literal(None)
    if name in ("index", "count"):
        return Scalar("int")
    return replace(base) if name == "copy" else None


def _dict(it: Interpreter, base: Dict, func: ast.Attribute, args: Arguments, where: Where) -> Value | None:
    name = func.attr
    if name in ("items", "values", "keys"):
        return _dict_view(base, name)
    if name in ("get", "pop"):
        key = literal(args.positional[0] if args.positional else None, ...)
        default = args.positional[1] if len(args.positional) > 1 else Literal(None)
        return UNKNOWN if base.items is None or key is ... else dict(base.items).get(key, default)
    if name == "update":
        other = args.positional[0] if args.positional else Dict(tuple(args.keywords.items()))
        known = base.items is not None and isinstance(other, Dict) and other.items is not None
        merged = {**dict(base.items or ()), **dict(other.items or ())} if isinstance(other, Dict) else {}
        targets.update(it, func.value, Dict(tuple(merged.items()) if known else None), where.frame)
        return Literal(None)
    return None


def _dict_view(base: Dict, name: str) -> Value:
    if base.items is None:
        element: Value = UNKNOWN
        if name == "items":
            element = Sequence("tuple", (UNKNOWN, UNKNOWN))
        return Sequence("list", None, element)
    views: dict[str, Callable[[object, Value], Value]] = {
        "keys": lambda key, value: Literal(key),
        "values": lambda key, value: value,
        "items": lambda key, value: Sequence("tuple", (Literal(key), value), join(Literal(key), value)),
    }
    items = tuple(views[name](key, value) for key, value in base.items)
    return Sequence("list", items, join_all(items))


def _model(it: Interpreter, base: ModelValue, func: ast.Attribute, args: Arguments, where: Where) -> Value | None:
    if func.attr == "add" and base.api == "tf.keras.Sequential":
        layer = args.positional[0] if args.positional else args.keywords.get("layer", UNKNOWN)
        if base.layers is None and not base.parts:
            return Literal(None)
        added = tensorflow.with_parts(it, base, (*base.parts, layer), where)
        targets.update(it, func.value, added, where.frame)
        return Literal(None)
    if func.attr == "pop" and base.parts:
        targets.update(it, func.value, tensorflow.with_parts(it, base, base.parts[:-1], where), where.frame)
        return Literal(None)
    if func.attr == "call":
        return apply.apply(it, base, args, where)
    if func.attr == "build":
        shape = _build_shape(args)
        if shape is not None:
            apply.model(it, base, (Tensor(shape, "float32", "keras"),), where)
        return Literal(None)
    if func.attr == "get_layer":
        return _layer(base, args)
    return _keras_model(it, base, func.attr, args, where)


def _layer(base: ModelValue, args: Arguments) -> Value:
    """The layer of the name that the code gave it."""
    name = args.positional[0] if args.positional else args.keywords.get("name", UNKNOWN)
    if base.api.startswith(applications.PREFIX) and "index" not in args.keywords:
        return LayerOf(base, name.value if isinstance(name, Literal) and isinstance(name.value, str) else "")
    named = [layer for layer in base.layers or () if isinstance(layer, Instance) and layer.arg("name") == name]
    return named[0] if isinstance(name, Literal) and len(named) == 1 else UNKNOWN


def _keras_model(it: Interpreter, base: Value, name: str, args: Arguments, where: Where) -> Value | None:
    if name in ("fit", "fit_generator"):
        it.effect("fits", where.frame.scope)
        saved.note_callbacks(it, base, args)
        _observe_data(it, base, args, where)
        return History()
    if name in ("evaluate", "evaluate_generator"):
        _observe_data(it, base, args, where)
        return Sequence("list", None, Scalar("float"))
    if name in ("predict", "predict_on_batch", "predict_generator"):
        return _predicted(_observe_data(it, base, args, where))
    if name in ("train_on_batch", "test_on_batch"):
        it.effect("fits", where.frame.scope)
        _observe_data(it, base, args, where)
        return UNKNOWN
    if name == "compile":
        it.effect("compiles", where.frame.scope)
        return Literal(None)
    if name == "save":
        saved.note(it, base, args.positional[0] if args.positional else args.keywords.get("filepath", UNKNOWN))
        return Literal(None)
    if name in ("summary", "save_weights", "load_weights", "export", "build", "reset_states", "set_weights"):
        return Literal(None)
    if name in ("count_params",):
        return Scalar("int")
    return None


def _observe_data(it: Interpreter, base: Value, args: Arguments, where: Where) -> Value:
    """Call the model on one batch of what it is fitted on or asked about."""
    data = args.positional[0] if args.positional else args.keywords.get("x", UNKNOWN)
    if isinstance(data, Dataset) or (isinstance(data, Instance) and data.api == IMAGE_BATCHES):
        element = arithmetic.element(data)
        data = element.items[0] if isinstance(element, Sequence) and element.items else element
    inputs = data.items if isinstance(data, Sequence) and data.items is not None else (data,)
    inputs = observed.arrays(it, base, args, inputs, where.frame)
    if not all(isinstance(value, Tensor) and (value.shape or value.last is not None) for value in inputs):
        return UNKNOWN
    batch = [_one_batch(value) for value in inputs if isinstance(value, Tensor)]
    given: Value = batch[0] if len(batch) == 1 else Sequence("list", tuple(batch), join_all(batch))
    return apply.apply(it, base, Arguments([given]), where)


def _one_batch(value: Tensor) -> Tensor:
    shape = (None, *value.shape[1:]) if value.shape else None
    dtype = "float32" if value.dtype in ("float64", None) else value.dtype
    return Tensor(shape, dtype, "tf", last=None if shape else value.last)


def _predicted(output: Value) -> Value:
    if isinstance(output, Tensor):
        shape = (None, *output.shape[1:]) if output.shape else output.shape
        return Tensor(shape, output.dtype or "float32", "numpy", None, output.last)
    if isinstance(output, Sequence) and output.items is not None:
        items = tuple(map(_predicted, output.items))
        return Sequence("list", items, join_all(items))
    return Tensor(None, None, "numpy")


def _build_shape(args: Arguments) -> Any:
    given = args.positional[0] if args.positional else args.keywords.get("input_shape")
    return arithmetic.dims_of(given)


def _instance(it: Interpreter, base: Instance, func: ast.Attribute, args: Arguments, where: Where) -> Value | None:
    if base.api == summaries_to.WRITER and func.attr == "as_default":
        return Instance(summaries_to.ENTERED, where.module, where.span)
    name = func.attr
    if base.api in STRATEGIES:
        return strategies.method(it, base, name, args, where)
    if base.api == image_batches.GENERATOR:
        return image_batches.method(name, args, where)
    if name in ("apply_gradients", "minimize") or (name == "apply" and base.api.startswith("tf.keras.optimizers.")):
        it.effect("applies-gradients", where.frame.scope)
        return Literal(None)
    if base.api == "tf.GradientTape" and name == "gradient":
        sources = args.positional[1] if len(args.positional) > 1 else args.keywords.get("sources", UNKNOWN)
        return _gradients(sources)
    if base.api == "tf.GradientTape" and name in ("jacobian", "batch_jacobian"):
        source = args.positional[1] if len(args.positional) == 2 else UNKNOWN
        return Tensor(None, source.dtype) if isinstance(source, Tensor) else None
    if base.api == "tf.TensorArray":
        return _tensor_array(base, name)
    if base.api == "tf.train.Checkpoint" and name in ("restore", "read"):
        return Instance("tf.train.Checkpoint.restore", where.module, where.span)
    if name in ("result",) and base.api.startswith("tf.keras.metrics."):
        return _figure(base)
    if (base.api, name) in ((ITERATOR, "get_next"), (IMAGE_BATCHES, "next")):
        return arithmetic.element(base)
    if name in ("update_state", "reset_state", "reset_states", "watch", "build", "reset"):
        return Literal(None)
    if name == "call":
        return apply.apply(it, base, args, where)
    return None


_BY_CLASS = {"FBetaScore": "average", "F1Score": "average", "R2Score": "class_aggregation"}


def _figure(base: Instance) -> Tensor:
    """The figure of a metric: a number, or one a threshold or class."""
    kind = base.api.rpartition(".")[2]
    argument = base.arg(_BY_CLASS[kind]) if kind in _BY_CLASS else None
    several = kind in _BY_CLASS and (argument == Literal(None) or (argument is None and kind != "R2Score"))
    thresholds = base.arg("thresholds") if kind != "AUC" else None
    several = several or not (thresholds is None or isinstance(thresholds, Literal | Scalar))
    return Tensor(None if several else (), "float32")


def _tensor_array(base: Instance, name: str) -> Value | None:
    if name in ("write", "unstack", "identity"):
        return base
    dtype = dtype_of(base.arg("dtype"))
    if name in ("stack", "concat", "gather", "read"):
        return Tensor(None, dtype)
    return Scalar("int") if name == "size" else None


def _gradients(sources: Value) -> Value:
    if isinstance(sources, Tensor):
        return replace(sources, origin="tf")
    if isinstance(sources, Sequence):
        items = None if sources.items is None else tuple(map(_gradients, sources.items))
        return Sequence("list", items, _gradients(sources.element))
    return UNKNOWN  # one tensor or a list of them, as the sources are


def _repo(it: Interpreter, base: RepoInstance, func: ast.Attribute, args: Arguments, where: Where) -> Value | None:
    name = func.attr
    if name == "build" and base.kind != "other":
        _build(it, base, args, where)
        return Literal(None)
    if it.attribute(base, name, where.frame) is not None:
        return None
    own = classes.method(it, base, name)
    if name == "call" and own is not None:
        return apply.repo_instance(it, base, args, where)
    if own is not None:
        return functions.invoke(it, own, args, where)
    if name in ("add_weight", "add_variable") and (base.kind != "other" or classes.is_metric(it, base.qualname)):
        return _add_weight(it, base, args, where)
    if base.kind == "other":
        return own_optimizers.result(name) if own_optimizers.is_optimizer(it, base.qualname) else None
    if name == "add_loss":
        it.effect("add-loss", where.frame.scope)
        return Literal(None)
    return _keras_model(it, base, name, args, where)


def _build(it: Interpreter, base: RepoInstance, args: Arguments, where: Where) -> None:
    """`model.build(shape)` says what the model will be called with."""
    shape = _build_shape(args)
    if shape is None:
        return
    call = classes.method(it, base, "call")
    bound = apply.call_arguments(it, call, Arguments([Tensor(shape, "float32", "keras")])) if call is not None else None
    running = where.frame.this == base
    if bound is not None and running and where.frame.record and it.root == base.qualname:
        it.applied.setdefault(base.qualname, []).append(Applied(tuple(bound.items()), built=True))
    if not running:
        apply.repo_instance(it, base, Arguments([Tensor(shape, "float32", "keras")]), where)


def _add_weight(it: Interpreter, base: RepoInstance, args: Arguments, where: Where) -> Value:
    bound = bind_api("tf.keras.layers.Layer.add_weight", args) or {}
    shape = bound.get("shape")
    if isinstance(shape, Literal) and isinstance(shape.value, str):  # Keras 2 took the name first
        shape = args.positional[1] if len(args.positional) > 1 else None
    found = () if shape is None or shape == Literal(None) else arithmetic.dims_of(shape)
    if where.frame.scope == it.root:
        it.weights.append((base, found))
    return Tensor(found, dtype_of(bound.get("dtype")) or "float32", "variable")


def _shape(it: Interpreter, base: ShapeOf, func: ast.Attribute, args: Arguments, where: Where) -> Value | None:
    if func.attr in ("as_list", "tolist", "numpy"):
        return ShapeOf(base.dims)
    return Scalar("bool") if func.attr == "is_fully_defined" else None


def _text(it: Interpreter, base: Literal | Scalar, func: ast.Attribute, args: Arguments, where: Where) -> Value | None:
    if func.attr == "numpy" and type_name(base) == "int":
        return base  # of a size
    if isinstance(base, Literal) and not isinstance(base.value, str):
        return None
    if isinstance(base, Literal) and func.attr in ("lower", "upper", "strip") and not args.positional:
        return Literal(getattr(base.value, func.attr)())
    if func.attr in ("format", "join", "lower", "upper", "strip", "replace", "title"):
        return Scalar("str")
    if func.attr in ("split", "rsplit", "splitlines"):
        return Sequence("list", None, Scalar("str"))
    return Scalar("bool") if func.attr in ("startswith", "endswith") else None


def _dataset(it: Interpreter, base: Dataset, func: ast.Attribute, args: Arguments, where: Where) -> Value | None:
    return datasets.method(it, base, func.attr, args, where)


_BY_TYPE: dict[type, Callable[[Interpreter, Any, ast.Attribute, Arguments, Where], Value | None]] = {
    Tensor: _tensor,
    Sequence: _sequence,
    Dict: _dict,
    ModelValue: _model,
    Instance: _instance,
    RepoInstance: _repo,
    ShapeOf: _shape,
    Literal: _text,
    Scalar: _text,
    Dataset: _dataset,
}
