"""Arguments for functions that nothing calls and of whose parameters the facts say too little.

What a name suggests is tried in several ranks, and the original says which of them it takes.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from migrator_validators.cases import Arg, Array, Call, Case, Lit, Made
from migrator_validators.hints import FRACTION, WHOLE, Modules, other_values, parameters

SIZE = 4
"""The last axis, and what a name like `num_classes` stands for: fits boxes, halves and quarters."""

LAYOUTS: tuple[tuple[int | str, ...], ...] = (
    ("N", SIZE),
    ("N", 7, SIZE),
    ("N", 9, 7, SIZE),
    ("N", 9, 7, 3),
    ("N",),
    ("N", 10),
    (),
)
WORDS = re.compile(r"[a-z]+")
LABELS = frozenset(("label", "labels", "target", "targets", "ids", "id", "indices", "index", "tokens", "classes"))
LABELS |= {"seq", "seqs", "sequence", "sequences", "words"}
ROWS = frozenset(("score", "scores", "confidence", "weight", "weights", "objectness"))
MASKS = frozenset(("mask", "masks"))
SHARES = frozenset(("true", "pred", "prob", "probs", "mask", "masks", "image", "images", "img", "boxes", "box")) | ROWS
MOST = 24


@dataclass(frozen=True)
class _Way:
    """One way to read the names: which are whole numbers, which have one number a row, and which may be None."""

    whole: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()


def guesses(names: tuple[str, ...], given: Mapping[str, Arg], dtypes: Mapping[str, str]) -> Iterator[dict[str, Arg]]:
    """Arguments for parameters, the most plausible first.

    `given`: those that are known; `dtypes`: of parameters that are known to be tensors.
    """
    numbers = {name: number for name in names if (number := _number(name)) is not None and name not in dtypes}
    arrays = tuple(name for name in names if name not in given and name not in numbers)
    if not arrays:
        yield {**numbers, **given}
        return
    pairs = ((way, layout) for way in _ways(arrays) for layout in LAYOUTS if layout or not way.whole | way.rows)
    for way, layout in itertools.islice(pairs, MOST):
        made = {name: _argument(name, layout, way, dtypes.get(name, "")) for name in arrays}
        yield {name: {**numbers, **made, **given}[name] for name in names}


def _number(name: str) -> Lit | None:
    """What a parameter is called with whose name is that of a number, a size or a switch."""
    words = set(WORDS.findall(name.lower()))
    if words & set(WHOLE):
        return Lit(value=SIZE)
    if words & set(FRACTION):
        return Lit(value=0.25)
    return Lit(value=False) if words & {"is", "use", "training", "with"} else None


def _ways(names: tuple[str, ...]) -> tuple[_Way, ...]:
    labels, rows, masks = (frozenset(n for n in names if _words(n) & words) for words in (LABELS, ROWS, MASKS))
    ways = [_Way(labels, rows), _Way(labels), _Way(labels, rows, masks) if len(masks) < len(names) else _Way(), _Way()]
    return tuple(dict.fromkeys([*ways, _Way(frozenset(names))]))


def _words(name: str) -> frozenset[str]:
    return frozenset(WORDS.findall(name.lower()))


def _argument(name: str, layout: tuple[int | str, ...], way: _Way, dtype: str) -> Arg:
    if name in way.absent:
        return Lit(value=None)
    whole = dtype.startswith(("int", "uint")) or (name in way.whole and not dtype)
    shape = layout[:-1] if len(layout) > 1 and name in way.whole | way.rows else layout
    of_kind: dict[str, Any] = {"as": "tensor", "shape": shape, "dtype": dtype or ("int32" if whole else "float32")}
    dist = "integers" if whole else "bool" if dtype == "bool" else "uniform" if _words(name) & SHARES else "normal"
    drawn: dict[str, Any] = {"dist": dist, "high": SIZE if whole else 1.0}
    return Array(**of_kind, **drawn)


# --- functions that return functions ---------------------------------------------------------------------


def required(function: ast.FunctionDef) -> tuple[str, ...]:
    """The positional parameters that have no default."""
    a = function.args
    names = [arg.arg for arg in (*a.posonlyargs, *a.args)]
    return tuple(names[: len(names) - len(a.defaults)])


def of_result(maker: str, given: Mapping[str, Arg], inner: ast.FunctionDef) -> Iterator[Call]:
    """Calls of the function that `maker` ("module:name") returns."""
    made = Made(label="made", call=Call(source=maker, kwargs=dict(given)), weights=False)
    for arguments in guesses(required(inner), {}, {}):
        yield Call(source="__call__", on=made, args=tuple(arguments.values()))


def other_makers(case: Case, original: Modules) -> tuple[Case, ...]:
    """The same call of functions that were made with other arguments, one changed at a time."""
    made = case.call.on
    if case.call.source != "__call__" or not isinstance(made, Made):
        return ()
    module, _, name = made.call.source.partition(":")
    definition = original.find(module, name)
    if not isinstance(definition, ast.FunctionDef):
        return ()
    params, defaults = parameters(definition)
    given = {**dict(zip(params, made.call.args, strict=False)), **made.call.kwargs}
    values = {**defaults, **{n: a.value for n, a in given.items() if isinstance(a, Lit)}}
    found = []
    for param, value in values.items():
        for other in [] if value is None else other_values(value)[:1]:
            kwargs = {**made.call.kwargs, param: Lit(value=other)}
            on = made.model_copy(update={"call": made.call.model_copy(update={"kwargs": kwargs})})
            call = case.call.model_copy(update={"on": on})
            found.append(case.model_copy(update={"id": f"{case.id}-{param}", "call": call}))
    return tuple(found)
