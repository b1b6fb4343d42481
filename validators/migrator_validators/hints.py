"""What the text of the original says is worth varying: its parameters and the constants it compares with."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from migrator_validators.cases import Arg, Array, Call, Case, Hints, Lit, Made
from migrator_validators.compared import (
    ORDER,
    SPECIAL,
    compared_in,
    literal,
    mentions,
    name_of,
    near_in,
    parsed,
    sizes_in,
    tables_of,
)
from migrator_validators.variations import mapped

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

WHOLE = ("axis", "axes", "dim", "dims", "num", "size", "count", "depth", "length", "k", "n", "top_k", "units")
FRACTION = ("rate", "alpha", "beta", "gamma", "eps", "epsilon", "scale", "factor", "temperature", "margin", "threshold")
ANOTHER = "other"
"""An option that the code does not name, for its `else`; the original says whether there is one."""

REPEATS = ("range", "repeat", "trange", "tile", "arange")
"""Functions that take the number of times that something is done."""
FAR, FARTHEST = 1000, 1_000_000
"""The largest number that is tried beyond those of a code: beside arrays, which it may make larger, and alone."""

NEAR = 6
ROWS = 3
OTHERS = 12


@dataclass(frozen=True)
class Modules:
    """The parsed modules of the source, by import name."""

    trees: Mapping[str, ast.Module]

    def find(self, module: str, qualname: str) -> Definition | None:
        """A function, class or method of a module, or None."""
        body: list[ast.stmt] = self.trees[module].body if module in self.trees else []
        found: Definition | None = None
        for name in qualname.split("."):
            defined = (s for s in body if isinstance(s, Definition))
            found = next((s for s in defined if s.name == name), None)
            if found is None:
                return None
            body = found.body
        return found

    def constants(self, module: str) -> dict[str, Any]:
        """Module-level names that are bound to a plain constant."""
        found = {}
        for s in self.trees[module].body if module in self.trees else ():
            if isinstance(s, ast.Assign) and len(s.targets) == 1 and isinstance(s.targets[0], ast.Name):
                value = literal(s.value)
                if value is not None:
                    found[s.targets[0].id] = value
        return found

    def tables(self, module: str) -> dict[str, list[Any]]:
        """The keys of module-level dicts, by name."""
        return tables_of(self.trees[module].body if module in self.trees else ())

    def used(self, module: str, definition: Definition) -> Iterator[ast.AST]:
        """All nodes of a definition and of those of its module whose names it mentions, directly or not."""
        tree = self.trees.get(module, ast.Module([], []))
        defined = [node for node in ast.walk(tree) if isinstance(node, Definition)]
        todo, seen = [definition], {definition.name}
        while todo:
            for node in ast.walk(todo.pop()):
                name = name_of(node) if isinstance(node, ast.expr) else ""
                if name and name not in seen:
                    seen.add(name)
                    todo += [d for d in defined if d.name == name]
                yield node

    @cached_property
    def embeds(self) -> bool:
        """Whether any module makes layers that look ids up."""
        nodes = (node for tree in self.trees.values() for node in ast.walk(tree))
        return any(isinstance(node, ast.expr) and name_of(node) == "Embedding" for node in nodes)


def hinted(case: Case, modules: Modules, written: str = "") -> Case:
    """The case with its hints, where the source's text has what it calls. `written`: the text of its rewrite, for
    constants that only this compares with."""
    if case.kind not in ("function", "model", "layer"):
        return case
    module, qualname = _place(case.call, modules)
    outer = modules.find(module, qualname)
    called = outer
    if case.kind != "function" or isinstance(outer, ast.ClassDef):
        called = modules.find(module, f"{qualname}.call")
    if outer is None:
        return case
    params, defaults = parameters(called) if isinstance(called, ast.FunctionDef) else ((), {})
    constants = {**modules.constants(module), **{n: d for n, d in defaults.items() if d is not None}}
    others: dict[str, tuple[Arg, ...]] = {}
    if called is not None:
        compared = compared_in(outer, modules.tables(module), constants)
        others = _other_arguments(_given(case, params), params, defaults, compared)
        arrays = any(not isinstance(a, Lit) for a in _given(case, params).values())
        others = _beyond(others, outer, constants, FAR if arrays else FARTHEST)
    given = {name: a.value for name, a in _given(case, params).items() if isinstance(a, Lit)}
    hints = Hints(
        params=params,
        whole={n: v for n, v in {**defaults, **given}.items() if type(v) is int},
        others=others,
        near=tuple(_near(outer, constants, written)),
        sizes=tuple(_sizes(outer, constants, written)),
        special=any(mentions(node, SPECIAL) for node in ast.walk(outer)),
        sorts=any(isinstance(n, ast.expr) and name_of(n) in ORDER for n in modules.used(module, outer)),
    )
    return _with_ids(case.model_copy(update={"hints": hints}), modules)


def _other_arguments(
    given: Mapping[str, Arg],
    params: tuple[str, ...],
    defaults: Mapping[str, Any],
    compared: Mapping[str, list[Any]],
) -> dict[str, tuple[Arg, ...]]:
    """By parameter what else it may be. A `name` is a label, unless the code looks it up."""
    like = next((a for a in given.values() if isinstance(a, Array)), None)
    others = {}
    for name in dict.fromkeys([*params, *defaults]):
        found = _others(name, given.get(name), name in defaults, defaults.get(name), compared, like)
        if found and name != "training" and (name != "name" or name in compared):
            others[name] = found[:OTHERS]
    return others


def _beyond(
    others: Mapping[str, tuple[Arg, ...]], outer: Definition, constants: Mapping[str, Any], limit: int
) -> dict[str, tuple[Arg, ...]]:
    """With a number beyond all that a code with jumps states, for whole numbers that neither count nor name an axis."""
    stated = [n.value for n in ast.walk(outer) if isinstance(n, ast.Constant) and type(n.value) in (int, float)]
    far = int(2 * max((abs(n) for n in (*stated, *constants.values()) if type(n) in (int, float)), default=0)) + 1
    if not [*near_in(outer, constants)] or far > limit:
        return dict(others)
    kept = {*_counts(outer), *(name for name in others if _is_size(name))}
    more = {n: (*values, Lit(value=far)) for n, values in others.items() if n not in kept and _is_whole(values[0])}
    return {**others, **more}


def _counts(outer: Definition) -> Iterator[str]:
    """Names that say how often something is done."""
    for node in ast.walk(outer):
        if isinstance(node, ast.While) or (isinstance(node, ast.Call) and name_of(node.func) in REPEATS):
            within = node.test if isinstance(node, ast.While) else node
            yield from (name_of(n) for n in ast.walk(within) if isinstance(n, ast.expr))


def _is_whole(value: Arg) -> bool:
    return isinstance(value, Lit) and type(value.value) is int


def _is_size(name: str) -> bool:
    return name in WHOLE or any(part in WHOLE for part in name.lower().split("_"))


def _near(outer: Definition, constants: Mapping[str, Any], written: str) -> list[float]:
    """Numbers that the original compares with, and those that only its rewrite compares with."""
    own = [*dict.fromkeys(near_in(outer, constants))]
    new = dict.fromkeys(n for n in near_in(parsed(written), {}) if n not in own)
    return [*own[:NEAR], *[*new][:NEAR]]


def _sizes(outer: Definition, constants: Mapping[str, Any], written: str) -> list[int]:
    """Sizes that the original compares with, and whole numbers that only its rewrite compares with."""
    own = [*dict.fromkeys(sizes_in(outer, constants, any_number=False))]
    known = set(sizes_in(outer, constants, any_number=True))
    new = dict.fromkeys(n for n in sizes_in(parsed(written), {}, any_number=True) if n not in known)
    return [*own[:ROWS], *[*new][:ROWS]]


def _with_ids(case: Case, modules: Modules) -> Case:
    """Whole numbers that a network gets as floats are ids where the source embeds any: Keras makes floats of what an
    `Input` without a dtype is given, and counts negative ids from the end, as torch does not."""
    if case.kind not in ("model", "layer") or not modules.embeds:
        return case
    return mapped(case, _as_ids)


def _as_ids(array: Array) -> Array:
    if not array.dtype.startswith("float"):
        return array
    if array.values is not None:
        values = np.asarray(array.values, dtype=array.dtype)
        return array.model_copy(update={"ids": True}) if _count(values) else array
    if array.npz is None and array.dist == "uniform" and _count(np.asarray([array.low, array.high])):
        return array.model_copy(update={"ids": True, "dist": "integers", "high": array.high + 1})
    return array


def _count(values: npt.NDArray[Any]) -> bool:
    """Whether floats are whole numbers from 0, some of them above 1."""
    return bool(values.size and values.min() >= 0 and values.max() > 1 and (values == np.floor(values)).all())


def _place(call: Call, modules: Modules) -> tuple[str, str]:
    if isinstance(call.on, Made):
        module, _, owner = call.on.call.source.partition(":")
        inner = inner_function(modules.find(module, owner)) if call.source == "__call__" else None
        if inner is not None:
            return module, f"{owner}.{inner.name}"
        return module, f"{owner}.{call.source}"
    module, _, qualname = call.source.partition(":")
    return module, qualname


def inner_function(definition: Definition | None) -> ast.FunctionDef | None:
    """The function that a function defines and returns, where it ends so."""
    if not isinstance(definition, ast.FunctionDef):
        return None
    last = definition.body[-1]
    named = last.value.id if isinstance(last, ast.Return) and isinstance(last.value, ast.Name) else ""
    return next((s for s in definition.body if isinstance(s, ast.FunctionDef) and s.name == named), None)


def _given(case: Case, params: tuple[str, ...]) -> dict[str, Arg]:
    args, kwargs = (case.call.args, case.call.kwargs) if case.kind == "function" else (case.inputs, case.input_kwargs)
    return {**dict(zip(params, args, strict=False)), **kwargs}


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Positional parameters without `self`, and the defaults of all that have a plain one."""
    a = function.args
    names = [arg.arg for arg in (*a.posonlyargs, *a.args)]
    defaults = dict(zip(names[len(names) - len(a.defaults) :], a.defaults, strict=True))
    defaults |= {arg.arg: d for arg, d in zip(a.kwonlyargs, a.kw_defaults, strict=True) if d is not None}
    own = tuple(name for name in names if name not in ("self", "cls"))
    return own, {name: literal(d) for name, d in defaults.items() if literal(d) is not None or _is_none(d)}


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


# --- other values ---------------------------------------------------------------------------------------


def _others(
    name: str, given: Arg | None, optional: bool, default: Any, compared: Mapping[str, list[Any]], like: Array | None
) -> tuple[Arg, ...]:
    """Other values of a parameter: of its type, of those that the code compares it with, or none at all."""
    if given is not None and not isinstance(given, Lit):
        return (Lit(value=None),) if optional and default is None else ()
    value = given.value if isinstance(given, Lit) else default
    if given is None and not optional:
        return ()
    another = [ANOTHER] if isinstance(value, str) else []
    found: list[Arg] = [Lit(value=v) for v in dict.fromkeys([*other_values(value, compared.get(name, [])), *another])]
    if value is None:
        return (*found, *_instead_of_none(name, like))
    return (*found, Lit(value=None)) if optional and default is None else tuple(found)


def other_values(value: Any, compared: list[Any] | tuple[Any, ...] = ()) -> list[Any]:
    """Other constants of the same type, those that the code compares with first."""
    mentioned = [v for v in (_as_type(v, value) for v in compared) if type(v) is type(value) and v != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return list(dict.fromkeys([*mentioned, value + 1, value - 1]))
    if isinstance(value, float):
        return list(dict.fromkeys([*mentioned, value * 0.5, value * 2 + 0.125]))
    if value is None:
        return [v for v in compared if isinstance(v, str)]
    return [*dict.fromkeys(mentioned), *([ANOTHER] if value in compared else [])]


def _as_type(value: Any, like: Any) -> Any:
    """A number as one of another's type, where that is the same number."""
    numbers = type(value) in (int, float) and type(like) in (int, float)
    return type(like)(value) if numbers and type(like)(value) == value else value


def _instead_of_none(name: str, like: Array | None) -> Iterator[Arg]:
    """A number or an array, by the name, for what is None by default; the original says whether it will do."""
    parts = name.lower().split("_")
    if _is_size(name):
        yield Lit(value=1)
    elif name in FRACTION or any(part in FRACTION for part in parts):
        yield Lit(value=0.5)
    elif like is not None and like.dtype.startswith(("float", "int")):
        update = {"values": None, "npz": None, "dist": "binary", "dtype": "float32"}
        yield like.model_copy(update=update)
        if len(like.shape) > 1:
            yield like.model_copy(update={**update, "shape": like.shape[:-1]})
            yield like.model_copy(update={**update, "shape": like.shape[:-1], "dtype": "bool", "dist": "bool"})
            square = (*like.shape[:-1], like.shape[-2])  # of scores between the rows
            yield like.model_copy(update={**update, "shape": square})
            yield like.model_copy(update={**update, "shape": (like.shape[0], *([1] * (len(like.shape) - 1)))})
