"""Parts of an expression that run or not while its line does: which of them a program ran.

Such a part is called "12:4-9", by its first line and its columns (`name`). Python tells the place of an instruction
from 3.11 on.
"""

from __future__ import annotations

import ast
from typing import Any, Dict, Iterator, List, Set, Tuple

_FILES: Dict[str, List[ast.expr]] = {}


def parts(node: ast.AST) -> Iterator[ast.expr]:
    """Those of one expression: the values of a condition, what `and` and `or` go on with, bodies of lambdas and
    comprehensions."""
    if isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.BoolOp):
        yield from node.values[1:]
    elif isinstance(node, ast.Lambda):
        yield node.body
    elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        yield node.elt
    elif isinstance(node, ast.DictComp):
        yield node.value


def name(part: ast.expr) -> str:
    """What a part is called within its file."""
    return "%d:%d-%d" % (part.lineno, part.col_offset, part.end_col_offset or 0)


def of_code(code: Any) -> Dict[int, List[str]]:
    """The parts that each instruction of a function belongs to; empty where there are none, or Python does not say."""
    if not hasattr(code, "co_positions"):
        return {}
    inside = [part for part in _of_file(code.co_filename) if part.lineno >= code.co_firstlineno]
    found: Dict[int, List[str]] = {}
    for number, place in enumerate(code.co_positions() if inside else ()):
        own = [name(part) for part in inside if _holds(part, place)]
        if own:
            found[2 * number] = own
    return found


def _of_file(path: str) -> List[ast.expr]:
    if path not in _FILES:
        try:
            with open(path, "rb") as file:
                tree = ast.parse(file.read())
        except (OSError, SyntaxError, ValueError):
            return []
        _FILES[path] = [part for node in ast.walk(tree) for part in parts(node)]
    return _FILES[path]


def _holds(part: ast.expr, place: Tuple[Any, ...]) -> bool:
    line, end, column, end_column = place
    if None in place:
        return False
    after = (line, column) >= (part.lineno, part.col_offset)
    return after and (end, end_column) <= (part.end_lineno, part.end_col_offset)


class Branches:
    """Notes the parts that a program's frames run, until all of a function were seen.

    `KNOWN` is said of each file of which the parts that ran are known.
    """

    KNOWN = "1:0-0"

    def __init__(self) -> None:
        self.left: Dict[Any, Tuple[Dict[int, List[str]], Set[str]]] = {}

    def enter(self, frame: Any) -> bool:
        """Have the frame's instructions told; whether there is anything to see."""
        code = frame.f_code
        if code not in self.left:
            places = of_code(code)
            self.left[code] = places, {part for own in places.values() for part in own}
        frame.f_trace_opcodes = bool(self.left[code][1])
        return bool(self.left[code][1])

    def step(self, frame: Any) -> List[str]:
        """The parts that the instruction about to run is the first seen of."""
        places, left = self.left[frame.f_code]
        new = [part for part in places.get(frame.f_lasti, ()) if part in left]
        left.difference_update(new)
        if not left:
            frame.f_trace_opcodes = False
        return new
