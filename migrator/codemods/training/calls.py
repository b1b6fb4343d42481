"""Recognising the calls that training code is made of, and binding their arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.assumed import value_of
from migrator.model import Decline
from migrator.values import Api, Choice, Instance, Literal, ModelValue, RepoInstance, Unknown, Value

_QUEUE = ("max_queue_size", "workers", "use_multiprocessing")
_SHARED_TAIL = ("sample_weight", "initial_epoch", "steps_per_epoch", "validation_steps")
METHODS: Mapping[str, tuple[str, ...]] = {
    "compile": (
        *("optimizer", "loss", "metrics", "loss_weights", "weighted_metrics", "run_eagerly"),
        *("steps_per_execution", "jit_compile", "auto_scale_loss"),
    ),
    "fit": (
        *("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split", "validation_data"),
        *("shuffle", "class_weight", *_SHARED_TAIL, "validation_batch_size", "validation_freq"),
        *_QUEUE,
    ),
    "evaluate": ("x", "y", "batch_size", "verbose", "sample_weight", "steps", "callbacks", "return_dict"),
    "predict": ("x", "batch_size", "verbose", "steps", "callbacks"),
    "train_on_batch": ("x", "y", "sample_weight", "class_weight"),
    "test_on_batch": ("x", "y", "sample_weight"),
    "predict_on_batch": ("x",),
    "summary": ("line_length", "positions", "print_fn", "expand_nested", "show_trainable", "layer_range"),
    "save_weights": ("filepath", "overwrite"),
    "load_weights": ("filepath", "skip_mismatch"),
    "save": ("filepath", "overwrite"),
    "build": ("input_shape",),
    "reset_states": (),
    "fit_generator": (
        *("generator", "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data", "validation_steps"),
        *("validation_freq", "class_weight", *_QUEUE, "shuffle", "initial_epoch"),
    ),
    "evaluate_generator": ("generator", "steps", "callbacks", *_QUEUE, "verbose"),
    "predict_generator": ("generator", "steps", "callbacks", *_QUEUE, "verbose"),
}
"""Parameters of the methods of a Keras model. `compile` has other orders in other versions, so that
only its first two are taken by position."""


OLDER = {"fit_generator": "fit", "evaluate_generator": "evaluate", "predict_generator": "predict"}
"""Methods of Keras 2 that are others by now."""


def receiver(call: cst.Call) -> tuple[cst.BaseExpression, str] | None:
    """The object and the name of a method call."""
    if isinstance(call.func, cst.Attribute):
        return call.func.value, call.func.attr.value
    return None


def is_model(value: Value) -> bool:
    if isinstance(value, RepoInstance):
        return value.kind == "model"
    if isinstance(value, Choice):
        return all(is_model(option) for option in value.options)
    return isinstance(value, ModelValue) or (isinstance(value, Instance) and value.api in _MODEL_CLASSES)


_MODEL_CLASSES = ("tf.keras.Model", "tf.keras.Sequential")


def model_call(call: cst.Call, ctx: Context, compiled: frozenset[str]) -> str | None:
    """The method's name when this is a call on a Keras model that training codemods know.

    `compiled`: texts of the objects that this file compiles; an object of which nothing else is
    known is a model when it is one of them.
    """
    found = receiver(call)
    if found is None or found[1] not in METHODS:
        return None
    if found[1] == "build" and m.matches(found[0], m.Name("self")):
        return None  # the constructor's
    value, name = value_of(found[0], ctx, compiled), OLDER.get(found[1], found[1])
    if is_model(value):
        return name
    if isinstance(value, Unknown) and (found[1] == "compile" or ctx.code(found[0]).strip() in compiled):
        return name if found[1] != "compile" or _compiles(call) else None
    return None


def _compiles(call: cst.Call) -> bool:
    """`compile` with the keywords that only Keras's has (`re.compile` has none of them)."""
    names = {arg.keyword.value for arg in call.args if arg.keyword is not None}
    return bool(names & {"loss", "optimizer", "metrics"})


def bind(call: cst.Call, parameters: Sequence[str], positional: int = 99) -> dict[str, cst.BaseExpression] | Decline:
    """Given arguments by parameter name, in source order; stars and unknown names are declined."""
    bound: dict[str, cst.BaseExpression] = {}
    for index, arg in enumerate(call.args):
        if arg.star:
            return Decline("starred arguments")
        if arg.keyword is not None:
            name = arg.keyword.value
        elif index < min(len(parameters), positional):
            name = parameters[index]
        else:
            return Decline(f"argument {index + 1} by position")
        if name in bound:
            return Decline(f"`{name}` is given twice")
        bound[name] = arg.value
    return bound


def arguments(call: cst.Call, method: str) -> dict[str, cst.BaseExpression] | Decline:
    """Given arguments of a call of a model's method by the names of today."""
    found = receiver(call)
    older = found[1] if found is not None and found[1] in OLDER else ""
    bound = bind(call, METHODS[older or method])
    if isinstance(bound, Decline) or not older:
        return bound
    silent = {"verbose": cst.Integer("0")} if older == "evaluate_generator" else {}
    return silent | {"x" if name == "generator" else name: node for name, node in bound.items()}


def unknown_names(bound: Mapping[str, object], known: Sequence[str]) -> list[str]:
    return [name for name in bound if name not in known]


def calls_in(node: cst.CSTNode) -> list[cst.Call]:
    """Every call below a node, outermost first."""
    return [call for call in find(node, m.Call()) if isinstance(call, cst.Call)]


def constant(node: cst.BaseExpression | None, ctx: Context) -> Literal | None:
    """The constant that an expression is known to be."""
    if node is None:
        return None
    value = ctx.value(node)
    if isinstance(value, Literal):
        return value
    if isinstance(node, cst.SimpleString):
        return Literal(node.evaluated_value)
    if isinstance(node, cst.Integer | cst.Float):
        return Literal(node.evaluated_value)
    if isinstance(node, cst.Name) and node.value in ("None", "True", "False"):
        return Literal({"None": None, "True": True, "False": False}[node.value])
    return None


def is_none(node: cst.BaseExpression | None, ctx: Context) -> bool:
    """Absent, or certainly None."""
    return node is None or constant(node, ctx) == Literal(None)


def api_of(value: Value) -> str | None:
    if isinstance(value, Instance):
        return value.api
    return value.name if isinstance(value, Api) else None
