"""What a class or factory is called with, its last axis named where the source never names it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace

from migrator.facts import apply, asked, attributes, functions, parameters, roots, signatures, slots
from migrator.facts.asked import Asked
from migrator.facts.calls import CALL_METHODS, Where
from migrator.facts.interpreter import EVERYTHING, UNKNOWN, Frame, Interpreter
from migrator.facts.join import NONE, join_all
from migrator.facts.modules import FunctionNode
from migrator.facts.slots import Slot
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
    said = signatures.declared(it, node, definition.module, constructor(it, qualname))
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
        if arg is roots.all_arguments(node)[1]:
            given[arg.arg] = _first_input(it, qualname, node, arg.arg, given[arg.arg])
    tensors = [name for name, value in given.items() if isinstance(value, Tensor)]
    if fixed or (said and all(_has_width(given[name]) for name in tensors)):
        return given, {}
    declares = declares_inputs(it.definitions[qualname].node)
    words = {name: _words(node, name) for name, value in given.items() if isinstance(value, Sequence)}

    def trial(params: Env) -> None:
        run_call(it, qualname, this, dict(env), params, False)

    first = next(iter(given), "")
    asks = asked.of(_build_method(it, qualname), node, first, given[first]) if given else {}
    return reserve(it, given, slots.slots(given), trial, declares, words, asks)


def build_inputs(it: Interpreter, qualname: str) -> tuple[Env, dict[str, str]]:
    """What a class that only others derive from is built for: it has a `build` and leaves `call` to them."""
    build = _build_method(it, qualname)
    if build is None or call_method(it, qualname) is not None:
        return {}, {}
    given: Env = {"inputs": slots.expected(ast.Pass(), build, "inputs")}
    return reserve(it, given, slots.slots(given), lambda _: None)


def _first_input(it: Interpreter, qualname: str, node: FunctionNode, name: str, known: Value) -> Value:
    """What a layer is called with, where its callers leave that open as its own code shows it."""
    if isinstance(known, Unknown) or known == Tensor():
        return slots.expected(node, _build_method(it, qualname), name)
    if isinstance(known, Sequence) and known.sym is None and known.kind in ("list", "tuple"):
        build = _build_method(it, qualname)
        if asked.counts(build) and getattr(slots.expected(node, build, name), "items", ()) is None:
            known = replace(known, items=None)  # other callers may give more
        items = None if known.items is None else tuple(Tensor() if isinstance(i, Unknown) else i for i in known.items)
        element = Tensor() if isinstance(known.element, Unknown) else known.element
        return replace(known, items=items, element=element if items is None else join_all(items))
    return known


def _build_method(it: Interpreter, qualname: str) -> ast.AST | None:
    found = attributes.of_class(it, qualname, "build", None)
    definition = it.definitions.get(found.qualname) if isinstance(found, RepoFunction) else None
    return definition.node if definition is not None else None


def _words(node: FunctionNode, parameter: str) -> list[str]:
    """What a method calls the items of a list that it is given, where it always says the same."""
    found = slots.names(node, parameter) or []
    return found[0] if found and all(one == found[0] for one in found) else []


def constructor(it: Interpreter, qualname: str) -> Env:
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
    it: Interpreter,
    params: Env,
    places: list[Slot],
    trial: Callable[[Env], object],
    declares: bool = False,
    words: Mapping[str, list[str]] | None = None,
    asks: Mapping[Slot, Asked] | None = None,
) -> tuple[Env, dict[str, str]]:
    """Name the last axes of the tensors in some slots; a trial run says what ranks the layers ask for.

    `declares`: the scope mentions input shapes of its own, which may fix a size. `words`: what the scope calls
    the items of parameters that are lists. `asks`: what it reads of shapes besides the last axis.
    """
    asks = asks or {}
    if not places:
        return params, {}
    provisional = {place: _symbol(place, words or {}) if i else "in_features" for i, place in enumerate(places)}
    reserved: dict[str, str] = {}
    trying = dict(params)
    for place in places:
        value = slots.get(params, place)
        assert isinstance(value, Tensor)
        slots.put(trying, place, _with_last(value, Sym(provisional[place])))
    it.hints, it.looked_up = {}, set()
    it.bound_sizes = {}
    if declares or any(_rank_of(slots.get(params, place)) in (None, 3) for place in places):
        it.muted.append(EVERYTHING)
        trial(trying)
        it.muted.clear()
    bound, hints, integers = dict(it.bound_sizes), dict(it.hints), set(it.looked_up)
    found = dict(params)
    for place in places:
        value = slots.get(params, place)
        assert isinstance(value, Tensor)
        rank, convolutional = hints.get(provisional[place], (None, False))
        rank = value.rank if value.rank is not None else rank or asks.get(place, Asked()).rank
        symbol = provisional[place]
        if convolutional or (rank or 0) >= 4:
            symbol = symbol.replace("in_features", "in_channels")
        last: Dim = bound.get(provisional[place], Sym(symbol))
        if provisional[place] in integers and value.dtype is None:
            slots.put(found, place, replace(value, dtype="int32"))
            continue
        if value.shape == () or (value.dtype or "").startswith(("int", "uint", "bool", "string")):
            continue
        shape = value.shape if value.shape is not None else (None,) * rank if rank else None
        layout = "channels_last" if (rank or 0) >= 4 else value.layout
        made = _with_last(replace(value, shape=shape, layout=layout), last)
        asked_of = asks.get(place, Asked())
        for axis in replace(asked_of, rank=asked_of.rank or rank).inner:
            made, name = _with_axis(made, axis, symbol)
            reserved |= {name: replace(place, axis=axis).text} if name else {}
        if isinstance(last, Sym):
            reserved[symbol] = place.text
        slots.put(found, place, made)
    for slot in asks:
        held = found[slot.parameter]
        if slot.axis == slots.COUNT and isinstance(held, Sequence):
            found[slot.parameter] = replace(held, count=Sym("num_inputs"))
            reserved = {"num_inputs": slot.text, **reserved}
    return found, reserved


_AXES = {(3, 1): "in_length", (4, 1): "in_height", (4, 2): "in_width"}


def _with_axis(value: Tensor, axis: int, last: str) -> tuple[Tensor, str]:
    """The tensor with the size of an inner axis named, and the name; `last` names the last axis."""
    if value.shape is None or axis >= len(value.shape) - 1:
        return value, ""
    word = last.removeprefix("in_features").removeprefix("in_channels")
    name = _AXES.get((len(value.shape), axis), f"in_size_{axis}") + word
    return replace(value, shape=(*value.shape[:axis], Sym(name), *value.shape[axis + 1 :])), name


def _symbol(place: Slot, words: Mapping[str, list[str]]) -> str:
    """The name of a size that is not the first."""
    if place.index is None:
        return f"in_features_{place.parameter}"
    known = words.get(place.parameter, [])
    word = known[place.index] if place.index < len(known) else ""
    return f"in_features_{word or place.index}"


def declares_inputs(node: ast.AST) -> bool:
    """Whether the code gives any layer an input shape."""
    return any(str(keyword.arg).startswith(("input_", "batch_")) for keyword in survey(node).keywords)


def _rank_of(value: Value | None) -> int | None:
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

    params, reserved = reserve(it, {"x": x}, [Slot("x")], trial)
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
