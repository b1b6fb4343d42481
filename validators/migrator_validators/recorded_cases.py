"""Recorded calls as cases: what a call did decides what kind of case it becomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from migrator_validators.cases import Arg, Array, Batches, Call, Case, Items, Lit, Made, Name
from migrator_validators.cases import Mapping as MappingArg
from migrator_validators.inputs import distribution
from migrator_validators.recording import RecordedCall, Recording

INLINE = 2**16
"""Bytes of an array that a case still holds itself; larger ones lie in `arrays.npz` beside it."""

EPOCHS = frozenset(("epochs", "num_epochs", "n_epochs", "nb_epoch", "nb_epochs", "max_epochs", "n_epoch"))
FEW_EPOCHS = 2
KERAS_METHODS = frozenset(("call", "train_step", "test_step", "predict_step", "__call__", "compile", "summary"))
VALUES = frozenset(("tensor", "array", "literal", "tuple", "list", "dict", "container"))

Tree = Mapping[str, Any]
Kind = Literal["function", "model", "layer", "training", "data"]


class NoRecipe(Exception):
    """A recorded value cannot be made again."""


def cases(recording: Recording, folder: Path) -> tuple[Case, ...]:
    """The cases that a recording gives, in the order of the calls; large arrays are written to `folder`.

    Calls whose arguments cannot be made again, that failed, or that returned nothing to compare give none.
    """
    maker = _Maker(recording)
    found = [case for call in recording.calls for case in maker.cases(call)]
    if maker.stored:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "arrays.npz", **maker.stored)
    found += [_script(module) for module in recording.scripts]
    return tuple(found)


def _script(module: str) -> Case:
    call = Call(source=f"{module}:__main__")
    return Case(id=f"{module}.__main__-1", kind="training", call=call, grad=False, inputs_from="recorded")


@dataclass
class _Maker:
    """Builds cases; keeps the arrays that are too large to stand in them."""

    recording: Recording
    stored: dict[str, Any] = field(default_factory=dict)
    _count: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._by_label = {call.label: call for call in self.recording.calls}

    def cases(self, call: RecordedCall) -> Iterator[Case]:
        """The cases of one call: none, one, or for a model one more with free sizes."""
        kind = _kind(call)
        if kind is None:
            return
        try:
            if kind in ("model", "layer"):
                yield from self._object(call, kind)
            else:
                yield self._plain(call, kind)
        except NoRecipe:
            return

    def _id(self, call: RecordedCall) -> str:
        self._count[call.name] += 1
        return f"{call.name.replace(':', '.')}-{self._count[call.name]}"

    def _plain(self, call: RecordedCall, kind: Kind) -> Case:
        made = self._call(call)
        cut: tuple[str, ...] = ()
        if kind == "training":
            made, cut = _fewer_epochs(made, call)
        return Case(
            id=self._id(call), kind=kind, call=made, grad=kind == "function", inputs_from="recorded", unchecked=cut
        )

    def _object(self, call: RecordedCall, kind: Kind) -> Iterator[Case]:
        made = self._call(call)
        path = _model_path(call) or ""
        if path:
            made = made.model_copy(update={"source_result": path, "target_result": path})
        uses = [use for use in call.uses if use["path"] == path]
        case = Case(id="", kind=kind, call=made)
        seen: list[tuple[Arg, ...]] = []
        for use in uses:
            inputs = self._inputs(use)
            free = tuple(_freed(arg) for arg in inputs[0]) if inputs is not None else ()
            if inputs is None or any(_shapes(free) == _shapes(other) for other in seen):
                continue  # another size of batch tells nothing new
            seen.append(free)
            given = {"inputs": inputs[0], "input_kwargs": inputs[1], "inputs_from": "recorded"}
            yield case.model_copy(update={"id": self._id(call), **given})
            if free != inputs[0]:
                yield case.model_copy(update={"id": self._id(call), **given, "inputs": free, "inputs_from": "invented"})
        specified = () if seen else self._specified(call, path, uses)
        if specified:
            yield case.model_copy(update={"id": self._id(call), "inputs": specified, "inputs_from": "invented"})

    def _inputs(self, use: Mapping[str, Any]) -> tuple[tuple[Arg, ...], dict[str, Arg]] | None:
        try:
            args = tuple(_as_tensor(self._arg(tree)) for tree in use["args"])
            kwargs = {name: _as_tensor(self._arg(tree)) for name, tree in use["kwargs"].items()}
        except NoRecipe:
            return None
        return (args, kwargs) if all(_is_input(arg) for arg in args) else None

    def _specified(self, call: RecordedCall, path: str, uses: Sequence[Mapping[str, Any]]) -> tuple[Arg, ...]:
        """Inputs by shape alone: of symbolic calls, or of the model's own declaration."""
        described = _part(call.result, path)
        specs = [use["args"] for use in uses if use["args"]] or [_one_or_list((described or {}).get("inputs") or [])]
        try:
            return tuple(_specified(tree) for tree in specs[0])
        except NoRecipe:
            return ()

    # arguments

    def _call(self, call: RecordedCall) -> Call:
        args = tuple(self._arg(tree) for tree in call.args)
        kwargs = {name: self._arg(tree) for name, tree in call.kwargs.items()}
        if call.on is None:
            return Call(source=call.name, args=args, kwargs=kwargs)
        on = self._arg(call.on)
        if not isinstance(on, Made):
            raise NoRecipe
        return Call(source=call.name.rsplit(".", 1)[-1], on=on, args=args, kwargs=kwargs)

    def _arg(self, tree: Tree) -> Arg:
        kind = tree["kind"]
        if kind == "literal":
            return Lit(value=tree["value"])
        if kind == "array":
            return self._array(tree)
        if kind == "text" and tree["as"] == "tensor":
            return _stored({**tree, "dtype": "object"}, values=tree["values"])
        if kind in ("list", "tuple"):
            return Items(kind=kind, items=tuple(self._arg(item) for item in tree["items"]))
        if kind == "dict":
            return MappingArg(items={name: self._arg(item) for name, item in tree["items"].items()})
        if kind == "dataset":
            return self._dataset(tree)
        if kind == "name":
            return Name(source=tree["source"], target=tree.get("target", ""))
        if kind == "made":
            return self._made(tree)
        raise NoRecipe

    def _array(self, tree: Tree) -> Array:
        values = self.recording.arrays[tree["npz"]]
        finite = values.dtype.kind != "f" or bool(np.isfinite(values).all())
        if values.nbytes <= INLINE // 8 and finite:
            return _stored(tree, values=values.tolist())
        self.stored[tree["npz"]] = values
        return _stored(tree, npz=f"arrays.npz#{tree['npz']}", **distribution(values))

    def _dataset(self, tree: Tree) -> Arg:
        """A data set of the recorded shapes and ranges; its values are made anew for each batch."""
        return Batches(element=self._ranged(tree["element"]), sizes=tuple(tree["sizes"]))

    def _ranged(self, tree: Tree) -> Arg:
        if tree["kind"] == "array":
            values = self.recording.arrays[tree["npz"]]
            return _stored({**tree, "as": "tensor"}, **distribution(values))
        if tree["kind"] == "text":
            return _stored({**tree, "as": "tensor", "dtype": "object"})
        if tree["kind"] in ("list", "tuple"):
            return Items(kind=tree["kind"], items=tuple(self._ranged(item) for item in tree["items"]))
        if tree["kind"] == "dict":
            return MappingArg(items={name: self._ranged(item) for name, item in tree["items"].items()})
        raise NoRecipe

    def _made(self, tree: Tree) -> Made:
        call = self._by_label[tree["label"]]
        if call.on is not None:
            raise NoRecipe
        made = self._call(call)
        if tree["path"]:
            made = made.model_copy(update={"source_result": tree["path"], "target_result": tree["path"]})
        described = _part(call.result, tree["path"]) or {}
        weighted = described.get("type") in ("model", "layer", "object")
        build = self._build(call, tree["path"]) if described.get("type") in ("model", "layer") else None
        return Made(label=tree["label"] + tree["path"], call=made, weights=weighted, build=build)

    def _build(self, call: RecordedCall, path: str) -> Call | None:
        """A first call on recorded inputs, for an object whose weights do not exist before."""
        described = _part(call.result, path) or {}
        if described.get("inputs"):
            return None
        for use in call.uses:
            if use["path"] == path:
                inputs = self._inputs(use)
                if inputs is not None:
                    return Call(source="__call__", args=inputs[0], kwargs=inputs[1])
        return None


def _stored(tree: Tree, **more: Any) -> Array:
    return Array.model_validate({"as": tree["as"], "shape": tree["shape"], "dtype": tree["dtype"], **more})


# --- evidence ----------------------------------------------------------------------------------------


def _kind(call: RecordedCall) -> Kind | None:
    """What a call is, by what it did; None for one that tells nothing."""
    interrupted = call.raised == "TimeIsUp" and call.steps > 0
    if call.again or (call.raised and not interrupted):
        return None
    name = call.name.rsplit(".", 1)[-1] if call.on is not None else ""
    if name in KERAS_METHODS:
        return None
    if call.steps:
        return "training"
    result = call.result or {}
    path = _model_path(call)
    if path is not None:
        return "model" if (_part(result, path) or {}).get("type") == "model" else "layer"
    if result.get("type") == "dataset":
        return "data"
    return "function" if _comparable(result) or call.left else None


def _comparable(result: Mapping[str, Any]) -> bool:
    """Is there a tensor, an array or a constant in it?"""
    if result.get("type") not in VALUES:
        return False
    items = result.get("items")
    if items is None:
        return True
    parts = items.values() if isinstance(items, Mapping) else items
    return any(_comparable(part) for part in parts)


def _model_path(call: RecordedCall) -> str | None:
    """Where in the result the model or layer is: "" for the result itself, "[0]" for a part, None for nowhere."""
    result = call.result or {}
    if result.get("type") in ("model", "layer"):
        return ""
    if result.get("type") in ("tuple", "list"):
        for i, part in enumerate(result.get("items", ())):
            if part.get("type") == "model":
                return f"[{i}]"
    return None


def _part(result: Mapping[str, Any] | None, path: str | None) -> Mapping[str, Any] | None:
    if not path or result is None:
        return result
    items = result.get("items", ())
    index = int(path.strip("[]"))
    return items[index] if index < len(items) else None


def _has(tree: Any, kind: str) -> bool:
    if not isinstance(tree, Mapping):
        return False
    items = tree.get("items", ())
    parts = items.values() if isinstance(items, Mapping) else items
    return tree.get("kind") == kind or any(_has(part, kind) for part in parts)


def _shapes(args: tuple[Arg, ...]) -> list[Any]:
    """Shapes of the inputs, batch aside."""
    out: list[Any] = []
    for arg in args:
        if isinstance(arg, Array):
            out.append((arg.shape[1:], arg.dtype))
        elif isinstance(arg, Items):
            out.append(_shapes(arg.items))
        else:
            out.append(arg.kind)
    return out


def _is_input(arg: Arg) -> bool:
    if isinstance(arg, Items):
        return all(_is_input(item) for item in arg.items)
    if isinstance(arg, MappingArg):
        return all(_is_input(item) for item in arg.items.values())
    return isinstance(arg, Array | Lit)


# --- inputs ------------------------------------------------------------------------------------------


def _as_tensor(arg: Arg) -> Arg:
    """An input of a module: Keras makes tensors of its dtype of arrays, torch leaves that to who calls it."""
    if isinstance(arg, Items):
        return arg.model_copy(update={"items": tuple(_as_tensor(item) for item in arg.items)})
    if isinstance(arg, MappingArg):
        return arg.model_copy(update={"items": {name: _as_tensor(item) for name, item in arg.items.items()}})
    if not isinstance(arg, Array) or arg.as_ != "numpy" or arg.dtype[:1] not in "fiub":
        return arg
    dtype = "float32" if arg.dtype == "float64" else arg.dtype
    return arg.model_copy(update={"as_": "tensor", "dtype": dtype})


def _freed(arg: Arg) -> Arg:
    """The same kind of input with a free batch size and new values."""
    if isinstance(arg, Items):
        return arg.model_copy(update={"items": tuple(_freed(item) for item in arg.items)})
    if isinstance(arg, MappingArg):
        return arg.model_copy(update={"items": {name: _freed(item) for name, item in arg.items.items()}})
    if not isinstance(arg, Array) or not arg.shape:
        return arg
    drawn = arg.values is not None and arg.dtype != "object"  # text is invented
    values = np.asarray(arg.values, dtype=arg.dtype) if drawn else None
    update: dict[str, Any] = {} if values is None else distribution(values)
    return arg.model_copy(update={**update, "shape": ("N", *arg.shape[1:]), "values": None, "npz": None})


def _specified(tree: Tree) -> Arg:
    if tree["kind"] == "spec":
        names = iter(("N", "L1", "L2", "L3", "L4"))
        shape = tuple(next(names) if size is None else size for size in tree["shape"])
        whole = tree["dtype"].startswith(("int", "uint"))
        return _stored(
            {**tree, "as": "tensor", "shape": shape}, dist="integers" if whole else "normal", high=2 if whole else 1
        )
    if tree["kind"] in ("list", "tuple"):
        return Items(kind=tree["kind"], items=tuple(_specified(item) for item in tree["items"]))
    raise NoRecipe


def _one_or_list(specs: list[Any]) -> list[Any]:
    """A model of one input is called with it, of several with their list."""
    return specs if len(specs) <= 1 else [{"kind": "list", "items": specs}]


def _fewer_epochs(made: Call, call: RecordedCall) -> tuple[Call, tuple[str, ...]]:
    """The same training with few epochs, where a parameter of the function says how many."""
    for position, name in enumerate(call.params):
        if name in EPOCHS:
            return _with_epochs(made, position, name)
    return made, ()


def _with_epochs(made: Call, position: int, name: str) -> tuple[Call, tuple[str, ...]]:
    given = made.args[position] if position < len(made.args) else made.kwargs.get(name)
    if given is not None and not (isinstance(given, Lit) and isinstance(given.value, int) and given.value > FEW_EPOCHS):
        return made, ()
    said = f"{name}={given.value}" if isinstance(given, Lit) else f"{name} by default"
    few = Lit(value=FEW_EPOCHS)
    if position < len(made.args):
        args = (*made.args[:position], few, *made.args[position + 1 :])
        return made.model_copy(update={"args": args}), (f"{said}, run with {FEW_EPOCHS}",)
    return made.model_copy(update={"kwargs": {**made.kwargs, name: few}}), (f"{said}, run with {FEW_EPOCHS}",)
