"""Constants that a text compares with: where results jump, which options there are, beyond which sizes it differs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_COMPARE = "greater greater_equal less less_equal equal not_equal where max min maximum minimum threshold"
_CUT_OFF = "clip_by_value clip clip_ clamp clamp_ clamp_min clamp_max nan_to_num hardtanh relu leaky_relu huber"
BOUNDS = frozenset(f"{_COMPARE} {_CUT_OFF}".split())
"""Functions that compare what they are given, by the last part of their name."""

SPECIAL = ("is_nan", "isnan", "is_inf", "isinf", "is_finite", "isfinite", "no_nan", "check_numerics", "nan", "inf")
SIZES = frozenset(("shape", "size", "numel", "len", "get_shape"))
LARGEST = 5000
"""The largest size that is tried."""

BY_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)

_SORT = "argsort argmax argmin arg_max arg_min top_k in_top_k topk sort sorted unique max_pool_with_argmax"
ORDER = frozenset(_SORT.split())
"""Functions that choose among equal elements; TensorFlow promises no choice."""


def parsed(text: str) -> ast.Module:
    """A text's module, empty where it does not parse."""
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module([], [])


def literal(node: ast.expr) -> Any:
    """A constant number, string or boolean; None for anything else."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, bool | int | float | str) else None


def compared_in(
    node: ast.AST, tables: Mapping[str, list[Any]] | None = None, constants: Mapping[str, Any] | None = None
) -> dict[str, list[Any]]:
    """Constants by the last name that they are compared with: `mode == "sum"`, `self.mode in ("sum", "mean")`, and the
    keys of a table that it is looked up in. `tables`: those of the module, by name. `constants`: names that stand for
    numbers (`step < warm`); with them numbers closely around those of an order are told as well."""
    found: dict[str, list[Any]] = {}
    known = {**(tables or {}), **tables_of(ast.walk(node))}
    for inner in ast.walk(node):
        sides, values = _sides(inner, known)
        if constants is not None:
            ordered, around = _ordered(inner, constants)
            sides, values = [*sides, *ordered], [*values, *around]
        for name in {name for side in sides for name in _last(side)}:
            found.setdefault(name.lstrip("_"), []).extend(values)
    return found


def _sides(node: ast.AST, tables: Mapping[str, list[Any]]) -> tuple[list[ast.expr], list[Any]]:
    """What a comparison or a look-up in a table is about, and the constants in it."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        return sides, [v for side in sides for v in (*_plain(side), *_keys(side, tables))]
    if isinstance(node, ast.Subscript):
        return [node.slice], _keys(node.value, tables)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        return node.args[:1], _keys(node.func.value, tables)
    return [], []


def _ordered(node: ast.AST, constants: Mapping[str, Any]) -> tuple[list[ast.expr], list[float]]:
    """What a comparison by order, or a function that compares so, is about; its numbers, and those around them."""
    if isinstance(node, ast.Compare) and any(isinstance(op, BY_ORDER) for op in node.ops):
        sides = [node.left, *node.comparators]
    elif isinstance(node, ast.Call) and name_of(node.func) in BOUNDS:
        sides = [*node.args, *(k.value for k in node.keywords)]
    else:
        return [], []
    numbers = [n for side in sides for n in _number(side, constants)]
    return sides, [m for n in numbers for m in ((n, n + 1, n - 1) if n.is_integer() else (n, n * 1.1, n * 0.9))]


def _keys(node: ast.expr, tables: Mapping[str, list[Any]]) -> list[Any]:
    if isinstance(node, ast.Dict):
        return [v for key in node.keys if key is not None and (v := literal(key)) is not None]
    return tables.get(name_of(node), [])


def tables_of(statements: Iterable[ast.AST]) -> dict[str, list[Any]]:
    """The keys of dicts that are bound to a name."""
    found = {}
    for s in statements:
        if isinstance(s, ast.Assign) and len(s.targets) == 1 and isinstance(s.value, ast.Dict):
            found[name_of(s.targets[0])] = _keys(s.value, {})
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


def near_in(node: ast.AST, constants: Mapping[str, Any]) -> Iterator[float]:
    """Numbers that stand in a comparison or in the arguments of a function that compares."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Compare):
            operands = [inner.left, *inner.comparators]
        elif isinstance(inner, ast.Call) and name_of(inner.func) in BOUNDS:
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


def name_of(node: ast.expr) -> str:
    """The last part of a name, "" for what has none."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def sizes_in(node: ast.AST, constants: Mapping[str, Any], any_number: bool) -> Iterator[int]:
    """Whole numbers that sizes are compared with; `any_number`: or anything else."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Compare):
            names = {name_of(n) for n in ast.walk(inner) if isinstance(n, ast.expr)}
            numbers = [n for side in (inner.left, *inner.comparators) for n in _number(side, constants)]
            if any_number or names & SIZES:
                yield from (int(n) for n in numbers if n.is_integer() and 1 < n <= LARGEST)


def mentions(node: ast.AST, parts: tuple[str, ...]) -> bool:
    """Whether a node names one of these functions, or is a text that means NaN or infinity."""
    name = name_of(node) if isinstance(node, ast.expr) else ""
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return any(name == p or name.endswith(f"_{p}") for p in parts) or text in ("nan", "inf", "-inf")
