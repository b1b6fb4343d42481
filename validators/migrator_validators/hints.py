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
from migrator_validators.variations import mapped

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

BOUNDS = frozenset(
    ("maximum", "minimum", "clip_by_value", "clip", "clamp", "greater", "greater_equal", "less", "less_equal", "equal")
) | {"not_equal", "where", "relu", "leaky_relu", "threshold", "max", "min", "huber"}
"""Functions that compare what they are given, by the last part of their name."""

SPECIAL = ("is_nan", "isnan", "is_inf", "isinf", "is_finite", "isfinite", "no_nan", "check_numerics", "nan", "inf")
WHOLE = ("axis", "axes", "dim", "dims", "num", "size", "count", "depth", "length", "k", "n", "top_k", "units")
FRACTION = ("rate", "alpha", "beta", "gamma", "eps", "epsilon", "scale", "factor", "temperature", "margin", "threshold")
ANOTHER = "other"
"""An option that the code does not name, for its `else`; the original says whether there is one."""

NEAR = 6
OTHERS = 5


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

    @cached_property
    def embeds(self) -> bool:
        """Whether any module makes layers that look ids up."""
        nodes = (node for tree in self.trees.values() for node in ast.walk(tree))
        return any(isinstance(node, ast.expr) and _name(node) == "Embedding" for node in nodes)


def hinted(case: Case, modules: Modules) -> Case:
    """The case with its hints, where the source's text has what it calls."""
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
    given: Mapping[str, Arg] = _given(case, params)
    others: dict[str, tuple[Arg, ...]] = {}
    if called is not None:
        like = next((a for a in given.values() if isinstance(a, Array)), None)
        compared = compared_in(outer)
        for name in dict.fromkeys([*params, *defaults]):
            found = _others(name, given.get(name), name in defaults, defaults.get(name), compared, like)
            if found and name not in ("training", "name"):
                others[name] = found[:OTHERS]
    near = tuple(dict.fromkeys(_near(outer, constants)))[:NEAR]
    special = any(_mentions(node, SPECIAL) for node in ast.walk(outer))
    hints = Hints(params=params, others=others, near=near, special=special)
    return _with_ids(case.model_copy(update={"hints": hints}), modules)


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


def literal(node: ast.expr) -> Any:
    """A constant number, string or boolean; None for anything else."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, bool | int | float | str) else None


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
    found: list[Arg] = [Lit(value=v) for v in other_values(value, compared.get(name, []))]
    if value is None:
        return (*found, *_instead_of_none(name, like))
    return (*found, Lit(value=None)) if optional and default is None else tuple(found)


def other_values(value: Any, compared: list[Any] | tuple[Any, ...] = ()) -> list[Any]:
    """Other constants of the same type, those that the code compares with first."""
    mentioned = [v for v in compared if type(v) is type(value) and v != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return list(dict.fromkeys([*mentioned, value + 1, value - 1]))
    if isinstance(value, float):
        return list(dict.fromkeys([*mentioned, value * 0.5, value * 2 + 0.125]))
    if value is None:
        return [v for v in compared if isinstance(v, str)]
    return [*dict.fromkeys(mentioned), *([ANOTHER] if value in compared else [])]


def _instead_of_none(name: str, like: Array | None) -> Iterator[Arg]:
    """A number or an array, by the name, for what is None by default; the original says whether it will do."""
    parts = name.lower().split("_")
    if name in WHOLE or any(part in WHOLE for part in parts):
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


# --- constants that are compared ------------------------------------------------------------------------


def compared_in(node: ast.AST) -> dict[str, list[Any]]:
    """Constants by the last name that they are compared with: `mode == "sum"`, `self.mode in ("sum", "mean")`."""
    found: dict[str, list[Any]] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Compare):
            sides = [inner.left, *inner.comparators]
            names = {name for side in sides for name in _last(side)}
            values = [v for side in sides for v in _plain(side)]
            for name in names:
                found.setdefault(name.lstrip("_"), []).extend(values)
    return found


def _last(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):  # mode.lower() == "sum"
        node = node.func.value
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr


def _plain(node: ast.expr) -> Iterator[Any]:
    nodes = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    yield from (value for n in nodes if (value := literal(n)) is not None)


def _near(node: ast.AST, constants: Mapping[str, Any]) -> Iterator[float]:
    """Numbers that stand in a comparison or in the arguments of a function that compares."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Compare):
            operands = [inner.left, *inner.comparators]
        elif isinstance(inner, ast.Call) and _name(inner.func) in BOUNDS:
            operands = [*inner.args, *(k.value for k in inner.keywords)]
        else:
            continue
        for operand in operands:
            yield from _number(operand, constants)


def _number(node: ast.expr, constants: Mapping[str, Any]) -> Iterator[float]:
    if isinstance(node, ast.BinOp):
        yield from (n for side in (node.left, node.right) for n in _number(side, constants))
        return
    if isinstance(node, ast.Name | ast.Attribute):
        value = constants.get(node.id if isinstance(node, ast.Name) else node.attr)
    else:
        value = literal(node)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6:
        yield float(value)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _mentions(node: ast.AST, parts: tuple[str, ...]) -> bool:
    name = _name(node) if isinstance(node, ast.expr) else ""
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return any(name == p or name.endswith(f"_{p}") for p in parts) or text in ("nan", "inf", "-inf")
