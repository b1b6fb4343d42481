"""Inputs for units that no recorded call reached: from facts, several tries a unit.

What is invented is called so in the evidence. A unit for which nothing can be invented is
unverifiable, with the reason.
"""

from __future__ import annotations

import ast
import itertools
import operator
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from migrator.model import UnitKind, UnitRewrite
from migrator.values import (
    RESERVED,
    ClassFacts,
    Dim,
    Facts,
    FunctionFacts,
    Literal,
    ModelValue,
    RepoInstance,
    Scalar,
    Shape,
    Sym,
    Tensor,
    Unknown,
    Value,
)
from migrator.values import Dict as DictValue
from migrator.values import Sequence as SequenceValue
from migrator_validators.cases import Arg, Array, Call, Case, Items, Lit
from migrator_validators.cases import Mapping as MappingArg
from migrator_validators.guesses import guesses, of_result
from migrator_validators.hints import Definition, Modules, inner_function

NOTHING = Modules({})
ROWS = (37, 17, 1)
"""Rows that a function is given: among so many boxes some overlap by more than a threshold, and some by less."""

INTS = (4, 8, 2, 16)
"""Sizes tried for an integer parameter of which nothing is known."""

CHANNELS = 3
"""The size of an input that no code of the repository names."""

LOOKED_UP = {"D1": (4, 3, 2), "D2": (3, 2, 4)}
"""Lengths of sequences of integers."""

RANKS = (3, 2, 4)
"""The ranks tried for a tensor of which none is known: what takes sequences shows more of a layer than rows do."""

LISTED = 3
"""How many tensors a list of any length is given."""

SPATIAL = (33, 47, 29)
"""Odd, distinct sizes for free spatial axes."""

_OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


@dataclass(frozen=True)
class NoInputs(Exception):
    """Nothing can be invented; `reason` is for the report."""

    reason: str


def invent(
    rewrite: UnitRewrite, kind: UnitKind, module: str, facts: Facts, original: Modules = NOTHING
) -> tuple[Case, ...]:
    """Cases to try in turn for a unit, the most plausible first; the first that the source accepts counts.

    `original`: the source's modules, for functions of whose parameters the facts say too little.

    Raises:
        NoInputs: when some required argument cannot be invented.
    """
    qualname = f"{module}:{rewrite.unit.name}"
    cls = facts.cls(qualname)
    if cls is not None:
        return _class_cases(rewrite, kind, cls, facts)
    function = facts.function(qualname)
    if function is None:
        raise NoInputs("it is neither a function nor a class that can be called alone")
    if kind is UnitKind.MODEL:
        return _builder_cases(rewrite, function, facts)
    if kind in (UnitKind.FUNCTION, UnitKind.DATA):
        return _function_cases(rewrite, kind, function, original)
    raise NoInputs("no recorded run reached it")


# --- functions ---------------------------------------------------------------------------------------


def _function_cases(rewrite: UnitRewrite, kind: UnitKind, facts: FunctionFacts, original: Modules) -> tuple[Case, ...]:
    module, _, name = facts.qualname.partition(":")
    definition = original.find(module, name)
    inner = inner_function(definition)
    calls = [Call(source=facts.qualname, kwargs=given) for given in _given(facts, isinstance(definition, Definition))]
    if inner is not None:
        calls = [call for made in calls[:1] for call in of_result(facts.qualname, made.kwargs, inner)]
    of_kind = "data" if kind is UnitKind.DATA or facts.role == "data" else "function"
    of_kind = "training" if facts.role == "training" else of_kind
    cases = (_case(rewrite, of_kind, call, index) for index, call in enumerate(calls))
    return tuple(case.model_copy(update={"sizes": {**case.sizes, "N": ROWS}}) for case in cases)


def _given(facts: FunctionFacts, known: bool) -> Iterator[dict[str, Arg]]:
    """Arguments of a call, first those that the facts know all of; `known`: others may be guessed by their names."""
    needed = [(name, value) for name, value in facts.params if _default(value) is None]
    missing = None
    for size in INTS[:2]:
        try:
            yield {name: argument(value, size, name) for name, value in needed}
        except NoInputs as found:
            missing = found
    if not known and missing is not None:
        raise missing
    sure = {name: a for name, value in needed if (a := _sure(value, name)) is not None}
    dtypes = {name: value.dtype or "" for name, value in needed if isinstance(value, Tensor) and name not in sure}
    if len(sure) < len(needed):
        yield from guesses(tuple(name for name, _ in needed), sure, dtypes)


def _sure(value: Value, name: str) -> Arg | None:
    """The argument of a parameter of which the facts say enough."""
    if isinstance(value, Unknown) or (isinstance(value, Scalar) and value.type is None):
        return None
    try:
        return argument(value, INTS[0], name)
    except NoInputs:
        return None


def _builder_cases(rewrite: UnitRewrite, facts: FunctionFacts, known: Facts) -> tuple[Case, ...]:
    inputs = _model_inputs(facts.returns, known)
    cases = []
    for index, size in enumerate(INTS):
        kwargs = {name: argument(v, size, name) for name, v in facts.params if _default(v) is None}
        names = {name: _int_default(value, size) for name, value in facts.params if isinstance(value, Scalar)}
        call = Call(source=facts.qualname, kwargs=kwargs)
        cases.append(_case(rewrite, "model", call, index, _inputs(inputs, names)))
    return tuple(cases)


def _model_inputs(value: Value, facts: Facts) -> tuple[Value, ...]:
    if isinstance(value, ModelValue) and value.inputs:
        return value.inputs
    if isinstance(value, RepoInstance):
        cls = facts.cls(value.qualname)
        if cls is not None:
            sizes = dict(facts.sizes_at(value.module, value.site)) if value.site else {}
            defaults = {s.name: s.default for s in cls.sizes}
            return tuple(_filled(v, {**defaults, **sizes}) for _, v in cls.call_inputs if isinstance(v, Tensor))
    raise NoInputs("the shape of the model's input is not known")


# --- classes ------------------------------------------------------------------------------------------


def _class_cases(rewrite: UnitRewrite, kind: UnitKind, cls: ClassFacts, facts: Facts) -> tuple[Case, ...]:
    inputs: tuple[Value, ...] = tuple(v for _, v in cls.call_inputs if isinstance(v, Tensor | SequenceValue))
    if not inputs or any(_tensors(value) == () for value in inputs):
        raise NoInputs("the shape of what it is called with is not known")
    tries = [inputs] if all(map(_is_known, inputs)) else [tuple(_ranked(v, rank) for v in inputs) for rank in RANKS]
    made = itertools.islice(_constructions(cls, facts), 8 if len(tries) == 1 else 3)
    cases = []
    for index, ((kwargs, sizes), given) in enumerate(itertools.product(made, tries)):
        ints = {
            name: value.value
            for name, value in kwargs.items()
            if isinstance(value, Lit) and isinstance(value.value, int)
        }
        call = Call(source=cls.qualname, kwargs=kwargs)
        what = "model" if kind is UnitKind.MODEL else "layer"
        case = _case(rewrite, what, call, index, _inputs(given, {**ints, **sizes}))
        cases.append(case.model_copy(update={"sizes": {**case.sizes, **LOOKED_UP}}) if _positions(given) else case)
    if not cases:
        raise NoInputs("no arguments for its constructor are known")
    return tuple(cases)


def _constructions(cls: ClassFacts, facts: Facts) -> Iterator[tuple[dict[str, Arg], dict[str, int]]]:
    """(constructor arguments, sizes) from the construction sites, then with invented integers."""
    params = dict(cls.init)
    found = [(module, span, facts.modules[module].at(span)) for module, span in cls.sites]
    sites = [(m, s, dict(made.args) if isinstance(made, RepoInstance) else {}) for m, s, made in found]
    for module, span, given in sorted(sites, key=lambda site: _extent(site[2].values())):
        sizes = {name: dim for name, dim in facts.sizes_at(module, span) if isinstance(dim, int)}
        for size in INTS[:2]:
            try:
                kwargs = {
                    n: argument(given.get(n, v), size, n)
                    for n, v in params.items()
                    if n in given or _default(v) is None
                }
            except NoInputs:
                continue
            defaults = {s.name: s.default or size for s in cls.sizes}
            yield kwargs, {**defaults, **sizes}
    for size in INTS:
        try:
            kwargs = {n: argument(v, size, n) for n, v in params.items() if _default(v) is None}
        except NoInputs:
            return
        if len(cls.sizes) > 1:  # sizes that differ show which is which
            yield kwargs, {s.name: CHANNELS + 2 * i for i, s in enumerate(cls.sizes)}
        for channels in dict.fromkeys((size, 3, 2 * size)):
            yield kwargs, {s.name: channels for s in cls.sizes}


def _extent(values: Iterable[Value]) -> int:
    """How large a construction is, by the numbers in it: of several the smallest tells as much in less time."""
    total = 0
    for value in values:
        if isinstance(value, Literal) and isinstance(value.value, int | float):
            total += abs(int(value.value))
        elif isinstance(value, SequenceValue):
            total += _extent(value.items or ())
    return total


# --- values → arguments --------------------------------------------------------------------------------


def _default(value: Value) -> Value | None:
    return value.default if isinstance(value, Scalar) else None


def _int_default(value: Scalar, size: int) -> int:
    """What a parameter has where the call leaves it out, or is given where it has no default: `size`."""
    default = value.default.value if isinstance(value.default, Literal) else None
    return default if isinstance(default, int) else size


def argument(value: Value, size: int, name: str) -> Arg:
    """An argument that has the given abstract value; integers of which nothing is known become `size`.

    Raises:
        NoInputs: when the value says too little.
    """
    if isinstance(value, Literal):
        return Lit(value=value.value)
    if isinstance(value, Scalar):
        if value.default is not None:
            return argument(value.default, size, name)
        if value.type in (None, "int"):
            return Lit(value=size)
        if value.type == "float":
            return Lit(value=0.25)
        if value.type == "bool":
            return Lit(value=False)
    if isinstance(value, SequenceValue) and value.items is not None and value.kind in ("list", "tuple"):
        return Items(
            kind="list" if value.kind == "list" else "tuple", items=tuple(argument(i, size, name) for i in value.items)
        )
    if isinstance(value, DictValue) and value.items is not None:
        return MappingArg(items={str(k): argument(v, size, name) for k, v in value.items})
    if isinstance(value, Tensor) and value.shape is not None:
        return array(value, {})
    if isinstance(value, Unknown) and value.sym is not None:
        return Lit(value=size)  # a parameter of any type: the source says whether an integer will do
    why = f" ({value.reason})" if isinstance(value, Unknown) and value.reason else ""
    raise NoInputs(f"nothing is known of its argument {name}{why}")


def array(value: Tensor, sizes: Mapping[str, int]) -> Array:
    """An array of the tensor's shape: unknown axes are named, so that the harness varies them."""
    assert value.shape is not None
    shape = tuple(_dim(dim, axis, len(value.shape or ()), sizes) for axis, dim in enumerate(value.shape))
    dtype = "object" if value.dtype == "string" else value.dtype or "float32"
    integers = dtype.startswith(("int", "uint"))
    return Array(
        shape=shape,
        dtype=dtype,
        dist="bool" if dtype == "bool" else "integers" if integers else "normal",
        high=2.0,
        **{"as": "numpy" if value.origin == "numpy" else "tensor"},  # type: ignore[arg-type]
    )


def _dim(dim: Dim, axis: int, rank: int, sizes: Mapping[str, int]) -> int | str:
    if isinstance(dim, int):
        return dim
    if isinstance(dim, Sym):
        known = evaluate(dim.text, sizes)
        if known is not None:
            return known
        return dim.text if dim.text.isidentifier() else f"D{zlib.crc32(dim.text.encode()) % 997}"
    return "N" if axis == 0 else f"D{axis}"


def _ranked(value: Value, rank: int) -> Value:
    """A tensor of open rank, or each such in a list, with one; of integers with one axis less: they are looked up."""
    if isinstance(value, SequenceValue):
        items = None if value.items is None else tuple(_ranked(item, rank) for item in value.items)
        return replace(value, items=items, element=_ranked(value.element, rank))
    if not isinstance(value, Tensor) or value.shape is not None:
        return value
    integers = (value.dtype or "").startswith("int")
    return replace(value, shape=(*(None,) * (rank - 1 - integers), value.last), last=None)


def _is_known(value: Value) -> bool:
    """Whether the shape of a tensor, or of each in a list of any length, is known."""
    if isinstance(value, SequenceValue):
        return all(map(_is_known, value.items if value.items is not None else (value.element,)))
    return isinstance(value, Tensor) and value.shape is not None


def _inputs(values: Sequence[Value], sizes: Mapping[str, int]) -> tuple[Arg, ...]:
    given = [v for v in values if _is_known(v)]
    tensors = [t for v in given for t in _tensors(v)]
    asked = {dim.text for v in tensors for dim in v.shape or () if isinstance(dim, Sym)}
    free = {name: CHANNELS for name in asked if name.startswith(RESERVED)}
    return tuple(_input(v, {**free, **sizes}) for v in given)


def _positions(values: Sequence[Value]) -> bool:
    """Whether all inputs are integers: a table of positions may be as short as its size says."""
    return all((t.dtype or "").startswith("int") for value in values for t in _tensors(value))


def _tensors(value: Value) -> tuple[Tensor, ...]:
    if isinstance(value, SequenceValue):
        return tuple(t for item in _listed(value) for t in _tensors(item))
    return (value,) if isinstance(value, Tensor) else ()


def _listed(value: SequenceValue) -> tuple[Value, ...]:
    """The items of a list; of one of any length, some."""
    return value.items if value.items is not None else (value.element,) * LISTED


def _input(value: Value, sizes: Mapping[str, int]) -> Arg:
    if isinstance(value, SequenceValue):
        kind = "tuple" if value.kind == "tuple" else "list"
        return Items(kind=kind, items=tuple(_input(item, sizes) for item in _listed(value)))  # type: ignore[arg-type]
    assert isinstance(value, Tensor)
    return array(value, sizes)


def _filled(value: Tensor, sizes: Mapping[str, Dim]) -> Tensor:
    if value.shape is None:
        raise NoInputs("the rank of the model's input is not known")
    ints = {name: dim for name, dim in sizes.items() if isinstance(dim, int)}
    shape: Shape = tuple((evaluate(dim.text, ints) or dim) if isinstance(dim, Sym) else dim for dim in value.shape)
    return Tensor(shape, value.dtype, value.origin, value.layout)


def evaluate(text: str, names: Mapping[str, int]) -> int | None:
    """The value of integer arithmetic over known names, or None."""
    try:
        return _evaluate(ast.parse(text, mode="eval").body, names)
    except (SyntaxError, KeyError, ZeroDivisionError, TypeError):
        return None


def _evaluate(node: ast.expr, names: Mapping[str, int]) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand, names)
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_evaluate(node.left, names), _evaluate(node.right, names))
    raise TypeError(ast.dump(node))


def _rotated(by: int) -> tuple[int, ...]:
    """The spatial sizes from another one on, so that no input is square."""
    at = by % len(SPATIAL)
    return (*SPATIAL[at:], *SPATIAL[:at])


def _case(rewrite: UnitRewrite, kind: str, call: Call, index: int, inputs: tuple[Arg, ...] = ()) -> Case:
    return Case(
        id=f"{rewrite.unit.id}#invented{index}",
        unit=rewrite.unit.id,
        kind=kind,  # type: ignore[arg-type]
        call=call,
        inputs=inputs,
        sizes={"N": (3, 5, 1), **{f"D{axis}": _rotated(axis - 1) for axis in range(1, 6)}},
        inputs_from="invented",
    )
