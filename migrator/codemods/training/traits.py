"""What training code must know of the model it trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import libcst as cst

from migrator.codemods.context import Context, Entry, Head, ModelTraits
from migrator.codemods.models.part import is_application
from migrator.codemods.training.assumed import STEPS, lists_metrics, models_of
from migrator.codemods.training.built import built_by_statements
from migrator.codemods.training.calls import is_model
from migrator.model import OutputFacts
from migrator.values import (
    Choice,
    ClassFacts,
    Instance,
    Literal,
    ModelValue,
    RepoInstance,
    Scalar,
    Sequence,
    Sym,
    Tensor,
    Value,
)

_REGULARIZERS = ("kernel_regularizer", "bias_regularizer", "recurrent_regularizer",
                 "embeddings_regularizer", "gamma_regularizer", "beta_regularizer",
                 "depthwise_regularizer", "pointwise_regularizer")  # fmt: skip
_CONSTRAINTS = tuple(name.replace("_regularizer", "_constraint") for name in _REGULARIZERS)


@dataclass(frozen=True)
class Traits:
    """A model as its training sees it.

    `output`: rank, width and final activation. `penalty`: it has regularisers, so the generated
    class has `regularization_loss()`; `constrained`: likewise for constraints and `constrain_weights()`.
    `inputs`: "float", "ids" (token or class ids) or None when open.
    `single`: one input and one output, or `entries` and `heads` where there are more.
    `placed`: what makes it ends in `.to(device)`.
    `own_step`: a method of Keras that it overrides. `steps`: those by which it trains itself, batch by batch.
    `lists_metrics`: such a model says which metrics it has.
    `adds`: its layers add to the loss. `masked`: a mask may reach the loss. `counts`: one does, told by its `mask`.
    `compiles`: its class has a `compile` of its own, beside its steps.
    `shapes`: its class tells the shapes that the repository asks of models.
    """

    output: OutputFacts = field(default_factory=OutputFacts)
    penalty: bool = False
    constrained: bool = False
    inputs: str | None = None
    single: bool = True
    placed: bool = True
    own_step: str = ""
    masked: bool = False
    counts: bool = False
    adds: bool = False
    steps: frozenset[str] = frozenset()
    lists_metrics: bool = True
    shapes: bool = False
    compiles: bool = False
    assumed: str = ""
    entries: tuple[Entry, ...] = ()
    heads: tuple[Head, ...] = ()


def traits_of(value: Value, ctx: Context, *, trains_itself: bool = False) -> Traits | None:
    """Traits of a model's value; of the only model of the file when the value says nothing.

    `trains_itself`: it is compiled without a loss, so that it must have a step of its own.
    """
    known = _known(value, ctx)
    if known is not None:
        return known
    found = {name: t for name, t in _models_of(ctx, trains_itself) if t is not None}
    if not found:
        return None
    first = next(iter(found.values()))
    if any(other != first for other in found.values()):
        return None
    return replace(first, assumed=" and ".join(found))


def tells_shapes(value: Value, ctx: Context) -> bool:
    """Whether the class of a model has the shapes that are asked for; of anything unknown, all models of the file."""
    known = _known(value, ctx)
    if known is not None or is_model(value):
        return known is not None and known.shapes
    found = [traits for _, traits in _models_of(ctx)]
    return bool(found) and all(traits is not None and traits.shapes for traits in found)


def only_model(ctx: Context) -> ModelValue | None:
    """The graph of the only model of the file, where there is one and it is a graph."""
    found = []
    for statement in ctx.tree.body:
        if isinstance(statement, cst.FunctionDef):
            facts = ctx.facts.function(f"{ctx.module}:{statement.name.value}")
            if facts is not None and facts.role == "model-factory":
                found.append(facts.returns)
    return found[0] if len(found) == 1 and isinstance(found[0], ModelValue) else None


def _models_of(ctx: Context, trains_itself: bool = False) -> Iterator[tuple[str, Traits | None]]:
    for name, value in models_of(ctx, trains_itself=trains_itself):
        yield name, _known(value, ctx)


def _known(value: Value, ctx: Context) -> Traits | None:
    if isinstance(value, ModelValue):
        return _graph(value, ctx)
    if isinstance(value, RepoInstance) and value.kind == "model":
        return _subclass(value, ctx)
    if isinstance(value, Choice) and all(map(is_application, value.options)):
        known = [_known(option, ctx) for option in value.options]
        single = all(traits is not None and traits.single for traits in known)
        return Traits(OutputFacts(), inputs="float", placed=False, single=single)
    return None


def _graph(model: ModelValue, ctx: Context) -> Traits | None:
    if is_application(model):
        shape = _shape(model.outputs[0]) if model.outputs else OutputFacts()
        return Traits(shape, inputs="float", placed=False, single=len(model.outputs or ()) == 1)
    layers = model.layers or ()
    made = made_by(model, ctx)
    if made is None and model.layers is None:
        return None  # whether it has regularisers is not known
    last = layers[-1] if layers else None
    facts = _shape(model.outputs[0] if model.outputs else None)
    if facts.width is None and isinstance(last, Instance):
        facts = replace(facts, width=_units(last))
    known = made.ends if made is not None else None
    entries, heads = (known.inputs, known.outputs) if known is not None else ((), ())
    return Traits(
        replace(facts, activation=_activation(last) if made is None else made.activation),
        penalty=_given_some(model, _REGULARIZERS, ctx) if made is None else made.penalty,
        constrained=_given_some(model, _CONSTRAINTS, ctx) if made is None else made.constrained,
        shapes=made is not None and made.shapes,
        adds=adds_loss(model, ctx) or (made is not None and made.adds),
        inputs=_input_kind(model),
        masked=(made is None or len(heads) > 1)
        and any(f.rank != 2 for f in (facts, *(head.output for head in heads)))
        and _may_mask(model),
        counts=made is not None and made.masks,
        single=known is not None or len(model.outputs or (0,)) == 1 == len(model.inputs or (0,)),
        entries=entries if len(entries) > 1 else (),
        heads=heads if len(heads) > 1 else (),
    )


def made_by(model: ModelValue, ctx: Context) -> ModelTraits | None:
    """What the drafted factory says that made a model."""
    for qualname, traits in (ctx.models or {}).items():
        facts = ctx.facts.function(qualname)
        if facts is not None and ((model.module, model.site) in facts.callers or facts.returns == model):
            return traits
    return built_by_statements(model, ctx)


def _subclass(value: RepoInstance, ctx: Context) -> Traits | None:
    facts = ctx.facts.cls(value.qualname)
    if facts is None:
        return None
    single = isinstance(facts.call_output, Tensor) or type(facts.call_output).__name__ == "Unknown"
    given = facts.call_inputs[0][1] if facts.call_inputs else None
    parts = given.items or () if isinstance(given, Sequence) else ()
    entries = tuple(Entry("", _dtype_kind(part.dtype)) for part in parts if isinstance(part, Tensor))
    kind = None
    if facts.call_inputs and isinstance(facts.call_inputs[0][1], Tensor):
        kind = _dtype_kind(facts.call_inputs[0][1].dtype)
    made = (ctx.models or {}).get(value.qualname)
    output = _shape(_of_instance(facts.call_output, value, facts))
    penalty, constrained = (_given_some(value, names, ctx) for names in (_REGULARIZERS, _CONSTRAINTS))
    if made is not None:
        output, penalty = replace(output, activation=made.activation), made.penalty
        constrained = made.constrained
    placed = value.site is not None  # where it is constructed, it is put on the device
    steps, compiles = frozenset(_overrides(value, ctx, STEPS)), any(_overrides(value, ctx, ("compile",)))
    return Traits(
        output,
        penalty,
        constrained,
        kind,
        single,
        placed,
        _own_step(value, ctx),
        adds=adds_loss(value, ctx) or (made is not None and made.adds),
        steps=steps,
        lists_metrics=lists_metrics(value.qualname, ctx),
        compiles=compiles,
        entries=entries if 1 < len(entries) == len(parts) else (),
    )


def _own_step(value: RepoInstance, ctx: Context) -> str:
    """The override of Keras's training that a class has, if any, beside its steps."""
    own_compile = () if any(_overrides(value, ctx, ("train_step",))) else ("compile",)
    names = ("predict_step", "compute_loss", *own_compile, "fit", "evaluate", "predict")
    return next(_overrides(value, ctx, names), "")


def _overrides(value: RepoInstance, ctx: Context, names: tuple[str, ...]) -> Iterator[str]:
    return (name for name in names if ctx.facts.function(f"{value.qualname}.{name}") is not None)


def adds_loss(value: Value, ctx: Context, depth: int = 0) -> bool:
    """Whether any layer below adds to the loss when it is called."""
    if isinstance(value, RepoInstance):
        return value.qualname in ctx.adding
    if isinstance(value, Instance):
        own = value.api == "tf.keras.layers.ActivityRegularization"
        return own or value.arg("activity_regularizer") not in (None, Literal(None))
    if isinstance(value, ModelValue) and depth < 8:
        made = [name for name in ctx.adding if (known := ctx.facts.function(name)) and known.returns == value]
        return bool(made) or any(adds_loss(layer, ctx, depth + 1) for layer in value.layers or ())
    return False


def _may_mask(model: ModelValue) -> bool:
    """Whether any layer masks; where the layers are not known, images have no mask."""
    if model.layers is not None:
        return any(_masks(layer) for layer in model.layers)
    shapes = [i.rank for i in model.inputs or () if isinstance(i, Tensor)]
    return not shapes or any(rank is None or rank < 4 for rank in shapes)


def _masks(layer: Value) -> bool:
    if not isinstance(layer, Instance):
        return False
    return layer.api == "tf.keras.layers.Masking" or layer.arg("mask_zero") not in (None, Literal(False))


def _shape(value: Value | None) -> OutputFacts:
    if not isinstance(value, Tensor):
        return OutputFacts()
    width = value.channels
    return OutputFacts(rank=value.rank, width=width if isinstance(width, int) else None)


def _of_instance(output: Value, model: RepoInstance, facts: ClassFacts) -> Value:
    """The output of one model of a class: a width that an argument of the constructor says is a number."""
    width = output.channels if isinstance(output, Tensor) else None
    if not isinstance(output, Tensor) or not isinstance(width, Sym):
        return output
    given = dict(model.args).get(width.text, dict(facts.init).get(width.text))
    known = given.default if isinstance(given, Scalar) and width.text not in dict(model.args) else given
    if not isinstance(known, Literal) or not isinstance(known.value, int):
        return output
    return (
        replace(output, shape=(*output.shape[:-1], known.value)) if output.shape else replace(output, last=known.value)
    )


def _units(layer: Instance) -> int | None:
    value = layer.arg("units")
    return value.value if isinstance(value, Literal) and isinstance(value.value, int) else None


def _activation(layer: Value | None) -> str:
    """The softmax or sigmoid that a graph ends in."""
    if not isinstance(layer, Instance):
        return ""
    if layer.api == "tf.keras.layers.Softmax":
        return "softmax"
    value = layer.arg("activation")
    name = value.value if isinstance(value, Literal) else getattr(value, "name", None)
    name = str(name).rpartition(".")[2]
    return name if name in ("softmax", "sigmoid") else ""


def _given_some(value: Value, names: tuple[str, ...], ctx: Context, depth: int = 0) -> bool:
    """Whether any layer below is given one of the arguments `names`, which are None by default."""
    if depth > 8:
        return False
    if isinstance(value, Instance):
        given = (value.arg(name) for name in names)
        return any(g is not None and g != Literal(None) for g in given)
    if isinstance(value, ModelValue):
        return any(_given_some(layer, names, ctx, depth + 1) for layer in value.layers or ())
    if isinstance(value, RepoInstance):
        facts = ctx.facts.cls(value.qualname)
        own = any(_given_some(Instance("", args=(pair,)), names, ctx, depth + 1) for pair in value.args)
        return own or any(_given_some(v, names, ctx, depth + 1) for _, v in (facts.attrs if facts else ()))
    items = getattr(value, "items", None)
    element = getattr(value, "element", None)
    parts = [i for i in items or () if isinstance(i, Value)] + ([element] if isinstance(element, Value) else [])
    return any(_given_some(part, names, ctx, depth + 1) for part in parts)


def _input_kind(model: ModelValue) -> str | None:
    if any(isinstance(layer, Instance) and layer.api == "tf.keras.layers.Embedding" for layer in model.layers or ()):
        return "ids"
    first = model.inputs[0] if model.inputs else None
    if model.layers is None and isinstance(first, Tensor) and first.rank == 2:
        return None  # numbers or the ids of an embedding
    if model.inputs and isinstance(model.inputs[0], Tensor):
        return _dtype_kind(model.inputs[0].dtype or "float32")
    return "float" if model.layers else None


def _dtype_kind(dtype: str | None) -> str | None:
    if dtype is None:
        return None
    return "float" if "float" in dtype else "ids"
