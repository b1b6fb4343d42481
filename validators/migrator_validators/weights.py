"""The language of weight transforms: a source array to a target array, one operation after the other.

T                     reverse the axes
transpose(3,2,0,1)    permute the axes
reshape(6,6,64,10)    one size may be -1
row(0)                one entry of the first axis (col(1): of the last)
blocks(1,0,2)         the first axis in equal blocks, reordered
flip(0)               reverse along an axis
squeeze(1), unsqueeze(0)
negate, scale(0.5), add(1.0)
merge(0)              two axes as one, this and the next
inputs(4), states(4)  the columns for the input, or the state, of a cell's one matrix [4 gates, input + state]
lift(1,4,1.0)         add a number to one of equal blocks of the first axis (this is block 1 of 4)
sum(0)                sum over an axis (two biases that became one)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from migrator.errors import UsageError

Array = npt.NDArray[Any]
_OPERATION = re.compile(r"\s*([A-Za-z_]+)(?:\(([^()]*)\))?")


@dataclass(frozen=True)
class Operation:
    """One step: its name and numbers."""

    name: str
    numbers: tuple[float, ...] = ()


def parse(text: str) -> tuple[Operation, ...]:
    """The operations of a transform. Raises UsageError for an unknown one."""
    out, at = [], 0
    stripped = text.strip()
    while at < len(stripped):
        match = _OPERATION.match(stripped, at)
        if match is None or match.group(1) not in _STEPS:
            raise UsageError(f"unknown weight transform: {text!r}")
        out.append(Operation(match.group(1), _numbers(match.group(2) or "", text)))
        at = match.end()
    return tuple(out)


def _numbers(text: str, whole: str) -> tuple[float, ...]:
    try:
        return tuple(_number(part) for part in text.split(",") if part.strip())
    except (ValueError, SyntaxError, TypeError) as error:
        raise UsageError(f"not a number in weight transform {whole!r}: {text!r}") from error


def _number(text: str) -> float:
    """A literal or integer arithmetic on literals ("4*16"), as rules fill them in."""
    node = ast.parse(text.strip(), mode="eval").body
    return _evaluate(node)


def _evaluate(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        return _ARITHMETIC[type(node.op)](_evaluate(node.left), _evaluate(node.right))
    raise ValueError(ast.dump(node))


_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
}


def _blocks(array: Array, order: Sequence[float]) -> Array:
    parts = np.split(array, len(order), axis=0)
    return np.concatenate([parts[int(i)] for i in order], axis=0)


def _states(array: Array, gates: float) -> int:
    """How many of the columns are the state's."""
    return len(array) // int(gates)


def _lifted(array: Array, block: float, count: float, by: float) -> Array:
    size = len(array) // int(count)
    out = array.copy()
    out[int(block) * size : (int(block) + 1) * size] += np.asarray(by, array.dtype)
    return out


def _ints(numbers: Sequence[float]) -> tuple[int, ...]:
    return tuple(int(n) for n in numbers)


_STEPS: dict[str, Callable[[Array, tuple[float, ...]], Array]] = {
    "T": lambda a, n: a.T,
    "transpose": lambda a, n: a.transpose(_ints(n)),
    "reshape": lambda a, n: a.reshape(_ints(n)),
    "row": lambda a, n: a[int(n[0])],
    "col": lambda a, n: a[..., int(n[0])],
    "blocks": lambda a, n: _blocks(a, n),
    "flip": lambda a, n: np.flip(a, _ints(n)),
    "squeeze": lambda a, n: np.squeeze(a, _ints(n) or None),
    "unsqueeze": lambda a, n: np.expand_dims(a, _ints(n)),
    "merge": lambda a, n: a.reshape(*a.shape[: int(n[0])], -1, *a.shape[int(n[0]) + 2 :]),
    "negate": lambda a, n: -a,
    "scale": lambda a, n: a * np.asarray(n[0], a.dtype),
    "add": lambda a, n: a + np.asarray(n[0], a.dtype),
    "inputs": lambda a, n: a[:, : -_states(a, n[0])],
    "states": lambda a, n: a[:, -_states(a, n[0]) :],
    "lift": lambda a, n: _lifted(a, *n),
    "sum": lambda a, n: a.sum(int(n[0])),
}


def apply(text: str, array: Array) -> Array:
    """The target array of a source array. Raises ValueError where shapes do not fit."""
    for step in parse(text):
        array = _STEPS[step.name](array, step.numbers)
    return np.asarray(array, order="C")  # a scalar stays one


def apply_gradient(text: str, gradient: Array) -> Array:
    """The target's gradient of a source's: rearrangements as they are, factors inverted, offsets gone.

    Raises ValueError for a transform that loses where a gradient came from (`sum`).
    """
    for step in parse(text):
        if step.name == "sum":
            raise ValueError("gradients do not pass through sum")
        if step.name in ("add", "lift"):
            continue
        if step.name == "scale":
            gradient = gradient / step.numbers[0]
        else:
            gradient = _STEPS[step.name](gradient, step.numbers)
    return np.asarray(gradient, order="C")


def whole(text: str) -> bool:
    """Whether a transform uses every number of its source (`row`, `col`, `inputs` and `states` take a part)."""
    return not any(step.name in ("row", "col", "inputs", "states") for step in parse(text))
