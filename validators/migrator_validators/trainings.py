"""Other ways to run a training: other arguments, inputs at which clipping bites, epochs in which nothing improves."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from migrator_validators.cases import Arg, Array, Batches, Call, Case, Items, Lit, Made
from migrator_validators.cases import Mapping as MappingArg
from migrator_validators.compared import compared_in, literal
from migrator_validators.hints import Modules, other_values, parameters
from migrator_validators.recorded_cases import EPOCHS, FEW_EPOCHS
from migrator_validators.variations import rebatched

WAITS = ("patience", "EarlyStopping", "ReduceLROnPlateau")
CLIPS = ("clip", "clipnorm", "clipvalue", "global_clipnorm", "clip_by_global_norm", "clip_by_norm", "clip_by_value")
LARGE = 30.0
HOLD = 6
MARGIN = HOLD + 2
"""Epochs beside those of waiting: some improve, where an epoch is a step each of these."""
MOST_EPOCHS = 60
PLATEAU = 10
"""Epochs that Keras's `ReduceLROnPlateau` waits if it is not told."""
MOST = 1500
TURNED = 2
AGAIN = 3
PLACES = ("dir", "directory", "folder", "path", "file", "filename")
PLACE = "written-by-the-program"
SHORT = 2
"""Epochs of patience, where the call says how many."""


def trainings(case: Case, original: Modules) -> tuple[Case, ...]:
    """The other ways of a recorded training, as far as its module's text has a reason for them."""
    module, _, qualname = case.call.source.partition(":")
    tree = original.trees.get(module)
    if tree is None or case.kind != "training" or case.call.on is not None:
        return ()
    function = original.find(module, qualname)
    known = parameters(function) if isinstance(function, ast.FunctionDef) else ((), {})
    names = {name for node in ast.walk(tree) for name in _names(node)}
    found = [*_other_arguments(case, function or tree, *known)]
    if names & set(WAITS):
        found.append(_waiting(case, tree, *known))
    if names & set(CLIPS):
        found.append(_large(case))
    found += _later(case, function or tree, *known)
    found.append(_named(case, "short", rebatched(case).call))
    return tuple(c for c in found if c.call != case.call or c.training != case.training)


def other_owners(cases: Sequence[Case], original: Modules) -> tuple[Case, ...]:
    """The last training by a method: called again and again, and of an object that is made with other rates, other
    switches, a place for files.

    Sizes stay: the data that the method is given fits those.
    """
    case = next((c for c in reversed(cases) if c.kind == "training" and isinstance(c.call.on, Made)), None)
    if case is None or not isinstance(case.call.on, Made):
        return ()
    made = case.call.on
    module, _, qualname = made.call.source.partition(":")
    function = original.find(module, f"{qualname}.__init__")
    params, defaults = parameters(function) if isinstance(function, ast.FunctionDef) else ((), {})
    given = {**dict(zip(params, made.call.args, strict=False)), **made.call.kwargs}
    values = {**defaults, **{n: a.value for n, a in given.items() if isinstance(a, Lit)}}
    values = {n: v for n, v in values.items() if n not in given or isinstance(given[n], Lit)}
    others = (
        _named(case, said, case.call.model_copy(update={"on": _made(made, params, changes)}))
        for said, changes in _other_values(values)
    )
    return _again(case), *others, *_waited(case, original), *_kept(case, original.find(module, qualname))


def _waited(case: Case, original: Modules) -> Iterator[Case]:
    """The method's training with nothing that improves, where its module has something that waits for that."""
    assert isinstance(case.call.on, Made)
    module, _, qualname = case.call.on.call.source.partition(":")
    tree, method = original.trees.get(module), original.find(module, f"{qualname}.{case.call.source}")
    if (
        tree is not None
        and isinstance(method, ast.FunctionDef)
        and {n for m in ast.walk(tree) for n in _names(m)} & {*WAITS}
    ):
        params, defaults = parameters(method)
        yield _waiting(case, tree, params, defaults)


def _again(case: Case) -> Case:
    """The same object trained several times: what an optimizer or the object itself has kept from before shows."""
    training = case.training.model_copy(update={"times": AGAIN, "lr_change": 0})
    return _named(case, "again", case.call).model_copy(update={"training": training})


def _kept(case: Case, owner: ast.AST | None) -> Iterator[Case]:
    """The training with what is trained saved and restored in between, where its object has methods for both."""
    methods = [m for m in getattr(owner, "body", ()) if isinstance(m, ast.FunctionDef) and _takes_a_place(m)]
    for words in (("save",), ("restore", "load")):
        if not any(m.name.startswith(words) for m in methods):
            return
    save = next(m.name for m in methods if m.name.startswith("save"))
    restore = next(m.name for m in methods if m.name.startswith(("restore", "load")))
    training = case.training.model_copy(update={"kept": (save, restore), "lr_change": 0})
    yield _named(case, "kept", case.call).model_copy(update={"training": training})


def _takes_a_place(method: ast.FunctionDef) -> bool:
    """Whether a method asks for a file or folder and nothing more."""
    spec = method.args
    names = [a.arg for a in (*spec.posonlyargs, *spec.args)][1:]
    needed = names[: len(names) - len(spec.defaults)] or names[:1]
    open_ = any(d is None for d in spec.kw_defaults) or method.decorator_list
    return not open_ and len(needed) == 1 and needed[0].lower().rpartition("_")[2] in PLACES


def _made(made: Made, params: tuple[str, ...], changes: Mapping[str, Any]) -> Made:
    return made.model_copy(update={"call": _with(made.call, params, changes)})


def _other_values(values: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All fractions at once, a folder in place of none, then each switch."""
    fractions = {n: other_values(v)[0] for n, v in values.items() if isinstance(v, float)}
    if fractions:
        yield "fractions", fractions
    places = {n: PLACE for n, v in values.items() if v is None and n.lower().rpartition("_")[2] in PLACES}
    if places:
        yield "places", places
    switches = [(n, v) for n, v in values.items() if isinstance(v, bool)]
    for name, value in switches[:TURNED]:
        yield f"{name}-{not value}", {name: not value}


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.keyword | ast.arg) and node.arg:
        yield node.arg


def _other_arguments(case: Case, text: ast.AST, params: tuple[str, ...], defaults: Mapping[str, Any]) -> Iterator[Case]:
    """All numbers at once, then each switch and option."""
    given = {**dict(zip(params, case.call.args, strict=False)), **case.call.kwargs}
    values = {**defaults, **{n: a.value for n, a in given.items() if isinstance(a, Lit)}}
    values = {n: v for n, v in values.items() if n not in EPOCHS and (n not in given or isinstance(given[n], Lit))}
    numbers = {n: other_values(v)[0] for n, v in values.items() if isinstance(v, int | float) and type(v) is not bool}
    numbers = {n: v for n, v in numbers.items() if not n.endswith("seed")}
    if numbers:
        yield _called(case, params, "numbers", numbers)
    compared = compared_in(text)
    turned = [
        (n, o) for n, v in values.items() if isinstance(v, bool | str) for o in other_values(v, compared.get(n, []))
    ]
    for name, other in turned[:TURNED]:
        yield _called(case, params, f"{name}-{other}", {name: other})


def _waiting(case: Case, tree: ast.Module, params: tuple[str, ...], defaults: Mapping[str, Any]) -> Case:
    """Epochs enough for every patience to end, in which nothing improves: weights and moving statistics are held."""
    changes: dict[str, Any] = {name: SHORT for name in {*params, *defaults} if name == "patience"}
    epochs = min(max([*_waits(tree), SHORT]) + MARGIN, MOST_EPOCHS)
    given = dict.fromkeys((name for name in {*params, *defaults} if name in EPOCHS), epochs)
    waiting = _called(case, params, "waiting", changes | given)
    stated = 0 if given else epochs
    training = case.training.model_copy(update={"hold": HOLD, "most": MOST, "lr_change": 0, "epochs": stated})
    return waiting.model_copy(update={"training": training})


def _waits(tree: ast.Module) -> Iterator[int]:
    """For how many epochs something waits, as far as a module says it."""
    for node in ast.walk(tree):
        values: list[ast.expr | None] = []
        if isinstance(node, ast.Call):
            values = [k.value for k in node.keywords if k.arg == "patience"]
            if not values and "ReduceLROnPlateau" in _names(node.func):
                yield PLATEAU
        elif isinstance(node, ast.Assign) and any("patience" in map(str.lower, _names(t)) for t in node.targets):
            values = [node.value]
        yield from (v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, int))


def _later(case: Case, text: ast.AST, params: tuple[str, ...], defaults: Mapping[str, Any]) -> Iterator[Case]:
    """Epochs beyond those that the code compares or divides with, from weights that are held."""
    names = [name for name in {*params, *defaults} if name in EPOCHS]
    numbers = [n for n in map(literal, _counted(text)) if type(n) is int and FEW_EPOCHS <= n < MOST_EPOCHS]
    if names and numbers:
        later = _called(case, params, "later", dict.fromkeys(names, max(numbers) + 2))
        training = case.training.model_copy(update={"hold": HOLD, "most": MOST, "lr_change": 0})
        yield later.model_copy(update={"training": training})


def _counted(text: ast.AST) -> Iterator[ast.expr]:
    """What stands in comparisons, and what something is divided by for a rest or a whole number."""
    for node in ast.walk(text):
        if isinstance(node, ast.Compare):
            yield from (node.left, *node.comparators)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.FloorDiv):
            yield node.right


def _large(case: Case) -> Case:
    """Inputs so large that gradients are clipped."""

    def of(arg: Arg) -> Arg:
        if isinstance(arg, Array):
            return _scaled(arg)
        if isinstance(arg, Items):
            return arg.model_copy(update={"items": tuple(map(of, arg.items))})
        if isinstance(arg, MappingArg):
            return arg.model_copy(update={"items": {name: of(item) for name, item in arg.items.items()}})
        if isinstance(arg, Batches):
            return arg.model_copy(update={"element": of(arg.element)})
        return arg

    call = case.call
    update: dict[str, Any] = {"args": tuple(map(of, call.args)), "kwargs": {n: of(a) for n, a in call.kwargs.items()}}
    if call.target_kwargs is not None:
        update["target_kwargs"] = {n: of(a) for n, a in call.target_kwargs.items()}
    if call.target_args is not None:
        update["target_args"] = tuple(map(of, call.target_args))
    return _named(case, "large", call.model_copy(update=update))


def _scaled(array: Array) -> Array:
    if not array.dtype.startswith("float") or array.dist in ("onehot", "binary"):
        return array
    if array.values is not None:
        return array.model_copy(update={"values": _times(array.values)})
    more = {"low": array.low * LARGE, "high": array.high * LARGE, "scale": array.scale * LARGE}
    return array.model_copy(update={**more, "npz": None})


def _times(values: Any) -> Any:
    return [_times(value) for value in values] if isinstance(values, list) else values * LARGE


def _called(case: Case, params: tuple[str, ...], said: str, changes: Mapping[str, Any]) -> Case:
    """The case with other constants as arguments, on both sides."""
    return _named(case, said, _with(case.call, params, changes))


def _with(call: Call, params: tuple[str, ...], changes: Mapping[str, Any]) -> Call:
    args = list(call.args)
    kwargs, target = dict(call.kwargs), None if call.target_kwargs is None else dict(call.target_kwargs)
    for name, value in changes.items():
        at = params.index(name) if name in params else len(args)
        if at < len(args):
            args[at] = Lit(value=value)
        else:
            kwargs[name] = Lit(value=value)
        if target is not None:
            target[name] = Lit(value=value)
    return call.model_copy(update={"args": tuple(args), "kwargs": kwargs, "target_kwargs": target})


def _named(case: Case, said: str, call: Call) -> Case:
    return case.model_copy(update={"id": f"{case.id}-{said}", "call": call, "inputs_from": "invented"})
