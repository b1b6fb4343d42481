"""What a class or factory is called with, its last axis named where the source never names it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from migrator.facts import apply, attributes, functions, parameters, roots, signatures
from migrator.facts.calls import CALL_METHODS, Where
from migrator.facts.interpreter import EVERYTHING, UNKNOWN, Frame, Interpreter
from migrator.facts.join import NONE, join_all
from migrator.facts.modules import FunctionNode
from migrator.facts.survey import survey
from migrator.values import (
    Dim,
    Instance,
    Literal,
    ModelValue,
    Repeated,
    RepoFunction,
    RepoInstance,
    Scalar,
    Sequence,
    Span,
    Sym,
    Tensor,
    Unknown,
    Value,
)

Env = dict[str, Value]
RunCall = Callable[[Interpreter, str, RepoInstance, Env, Env, bool], tuple[Env, Value]]
_FLAGS = frozenset({"training", "mask", "train", "is_training", "attention_mask", "return_attention_scores"})


def call_method(it: Interpreter, qualname: str) -> RepoFunction | None:
    """The method that calling an instance runs."""
    for name in CALL_METHODS:
        found = attributes.of_class(it, qualname, name, None)
        if isinstance(found, RepoFunction):
            return found
    return None


def call_inputs(
    it: Interpreter, qualname: str, this: RepoInstance, env: Env, run_call: RunCall
) -> tuple[Env, dict[str, str]]:
    """The values of `call`'s parameters in the class's own symbols, and reserved symbol → parameter."""
    method = call_method(it, qualname)
    if method is None or this.kind == "other":
        return {}, {}
    definition = it.definitions[method.qualname]
    node = definition.node
    assert isinstance(node, FunctionNode)
    calls = it.applied.get(qualname, [])
    fixed = [call for call in calls if call.built]
    defaults = functions.default_values(it, node, definition.module)
    said = signatures.declared(it, node, definition.module, _constructor(it, qualname))
    given: Env = {}
    for arg in roots.all_arguments(node)[1:]:
        if arg in (node.args.vararg, node.args.kwarg):
            continue
        if arg.arg in said:
            given[arg.arg] = said[arg.arg]
            continue
        if fixed:
            given[arg.arg] = dict(fixed[-1].args).get(arg.arg, UNKNOWN)
            continue
        values = [parameters.localise(it, dict(call.args).get(arg.arg, UNKNOWN)) for call in calls]
        given[arg.arg] = _parameter(arg.arg, values, defaults.get(arg.arg))
    tensors = [name for name, value in given.items() if isinstance(value, Tensor)]
    if fixed or (said and all(_has_width(given[name]) for name in tensors)):
        return given, {}
    declares = declares_inputs(it.definitions[qualname].node)
    return reserve(it, given, tensors, lambda trial: run_call(it, qualname, this, dict(env), trial, False), declares)


def _constructor(it: Interpreter, qualname: str) -> Env:
    """The parameters of a class's constructor."""
    method = attributes.of_class(it, qualname, "__init__", None)
    definition = it.definitions.get(method.qualname) if isinstance(method, RepoFunction) else None
    if definition is None or not isinstance(definition.node, FunctionNode):
        return {}
    return parameters.symbolic(it, definition.node, qualname, definition.module)


def _has_width(value: Value) -> bool:
    """Whether no size of a tensor must be given to the module: its last axis is known, or it has none."""
    return isinstance(value, Tensor) and value.shape is not None and (not value.shape or value.shape[-1] is not None)


def _parameter(name: str, values: list[Value], default: Value | None) -> Value:
    if name in _FLAGS:
        return Scalar(None if default in (None, NONE) else "bool", None, default)
    tensors = [value for value in values if value != NONE]
    known = [value for value in tensors if not isinstance(value, Unknown)]
    if known and len(known) < len(tensors) and all(isinstance(value, Tensor) for value in known):
        return Tensor()  # what some calls give is unknown; the others give one tensor
    if tensors and not all(isinstance(value, Unknown) for value in tensors):
        return any_batch(join_all(tensors))
    if default is None:
        return Tensor()
    return Scalar(None, None, default) if isinstance(default, Literal) else default


def any_batch(value: Value) -> Value:
    """A module takes batches of every size, whatever the ones that were seen."""
    if isinstance(value, Tensor) and value.shape:
        return replace(value, shape=(None, *value.shape[1:]))
    if isinstance(value, Sequence) and value.items is not None:
        items = tuple(map(any_batch, value.items))
        return replace(value, items=items, element=join_all(items))
    return value


def reserve(
    it: Interpreter, params: Env, names: list[str], trial: Callable[[Env], object], declares: bool = False
) -> tuple[Env, dict[str, str]]:
    """Name the last axes of tensor parameters; a trial run says what ranks the layers ask for.

    `declares`: the scope mentions input shapes of its own, which may fix a size.
    """
    if not names:
        return params, {}
    provisional = {name: "in_features" if i == 0 else f"in_features_{name}" for i, name in enumerate(names)}
    reserved = {}
    trying = dict(params)
    for name in names:
        value = params[name]
        assert isinstance(value, Tensor)
        trying[name] = _with_last(value, Sym(provisional[name]))
    it.hints = {}
    it.bound_sizes = {}
    if declares or any(_rank_of(params[name]) in (None, 3) for name in names):
        it.muted.append(EVERYTHING)
        trial(trying)
        it.muted.clear()
    bound, hints = dict(it.bound_sizes), dict(it.hints)
    found = dict(params)
    for name in names:
        value = params[name]
        assert isinstance(value, Tensor)
        rank, convolutional = hints.get(provisional[name], (None, False))
        rank = value.rank if value.rank is not None else rank
        symbol = provisional[name]
        if convolutional or (rank or 0) >= 4:
            symbol = symbol.replace("in_features", "in_channels")
        last: Dim = bound.get(provisional[name], Sym(symbol))
        if value.shape == () or (value.dtype or "").startswith(("int", "uint", "bool", "string")):
            continue
        shape = value.shape if value.shape is not None else (None,) * rank if rank else None
        layout = "channels_last" if (rank or 0) >= 4 else value.layout
        found[name] = _with_last(replace(value, shape=shape, layout=layout), last)
        if isinstance(last, Sym):
            reserved[symbol] = name
    return found, reserved


def declares_inputs(node: ast.AST) -> bool:
    """Whether the code gives any layer an input shape."""
    return any(str(keyword.arg).startswith(("input_", "batch_")) for keyword in survey(node).keywords)


def _rank_of(value: Value) -> int | None:
    return value.rank if isinstance(value, Tensor) else None


def respelled(value: Value, symbol: str, text: str) -> Value:
    """The tensor with the reserved size of its last axis written as an expression."""
    if not isinstance(value, Tensor) or value.channels != Sym(symbol):
        return value
    return _with_last(value, Sym(text))


def _with_last(value: Tensor, last: Dim) -> Tensor:
    if not value.shape:
        return value if value.shape == () else replace(value, last=last)
    return replace(value, shape=(*value.shape[:-1], last))


def apply_factory(it: Interpreter, qualname: str, returns: Value, frame: Frame) -> dict[str, str]:
    """Call what a module factory returns on a tensor of its own symbols, so that its layers have inputs."""
    modules = _modules(returns)
    if not modules or any(_site(module) in it.uses for module in modules):
        return {}  # the factory itself calls what it returns
    seen = [v for m in modules[:1] for v in it.foreign.get(_site(m), [])]
    known = join_all([parameters.localise(it, value) for value in seen]) if seen else Tensor()
    x = known if isinstance(known, Tensor) else Tensor()

    def trial(params: Env) -> None:
        _apply_all(it, modules, params["x"], frame, False)

    params, reserved = reserve(it, {"x": x}, ["x"], trial)
    _apply_all(it, modules, params["x"], frame, True)
    return dict.fromkeys(reserved, "")


def _site(value: Value) -> tuple[str, Span]:
    if isinstance(value, Instance | RepoInstance | ModelValue) and value.site is not None:
        return (value.module, value.site)
    return ("", Span(0, 0, 0, 0))


def _modules(value: Value) -> tuple[Value, ...]:
    if isinstance(value, Sequence):
        return value.items if value.items is not None else (Repeated((value.element,)),)
    return (value,) if isinstance(value, Instance | RepoInstance | ModelValue) else ()


def _apply_all(it: Interpreter, modules: tuple[Value, ...], x: Value, frame: Frame, record: bool) -> None:
    before, frame.record, frame.naming = (frame.record, frame.naming), record, record
    apply.chain(it, modules, (x,), Where(frame, Span(0, 0, 0, 0)))
    frame.record, frame.naming = before
