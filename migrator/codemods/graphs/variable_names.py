"""Names of a graph's variables, as far as they are seen: `{}` stands for what is not, `{scope}` for a parameter."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Mapping

UNSEEN = "{}"


def part(node: ast.expr | None, params: Collection[str] = ()) -> str:
    """The part of a name that an expression gives; `params`: those of the function around."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):  # `scope or "default"`
        node = node.values[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and "{" not in node.value:
        return node.value
    return f"{{{node.id}}}" if isinstance(node, ast.Name) and node.id in params else UNSEEN


def filled(name: str, given: Mapping[str, str]) -> str:
    """The name with what is given for parameters; those of which nothing is known are not seen."""
    return re.sub(r"\{(\w*)\}", lambda found: given.get(found[1], UNSEEN), name)


def contains(name: str, wanted: str) -> bool | None:
    """Whether a name has some text in it; None where that is not seen."""
    known = re.split(r"\{\w*\}", name)
    if any(wanted in piece for piece in known):
        return True
    return False if len(known) == 1 else None


def starts(name: str, wanted: str) -> bool | None:
    """Whether a name begins with some text; None where that is not seen."""
    known, *rest = re.split(r"\{\w*\}", name, maxsplit=1)
    if known.startswith(wanted):
        return True
    return False if not rest or not wanted.startswith(known) else None


def ends(name: str, wanted: str) -> bool | None:
    """Whether a name ends in some text; None where that is not seen."""
    *rest, known = re.split(r"\{\w*\}", name)
    if known.endswith(wanted):
        return True
    return False if not rest or not wanted.endswith(known) else None


def may_meet(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two sets of names may have one in common."""
    return any(_alike(a, b) for a in one for b in other)


def _alike(a: str, b: str) -> bool:
    heads = [re.split(r"\{\w*\}", name, maxsplit=1) for name in (a, b)]
    if all(len(head) == 1 for head in heads):
        return a == b
    first, second = heads[0][0], heads[1][0]
    return first.startswith(second) or second.startswith(first)


def name_test(node: ast.expr, variable: str) -> Callable[[str], bool | None]:
    """What a test of a variable's name says of a name; of other tests that it is not seen."""
    names = (f"{variable}.name", f"{variable}.op.name")
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
        wanted, where = node.left, ast.unparse(node.comparators[0])
        if isinstance(wanted, ast.Constant) and isinstance(wanted.value, str) and where in names:
            inside, text, end = isinstance(node.ops[0], ast.In), wanted.value, ":0" if where == names[0] else ""
            return lambda name: found if (found := contains(name + end, text)) is None else found is inside
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in names:
        given = node.args[0] if len(node.args) == 1 and not node.keywords else None
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            text, end = given.value, ":0" if ast.unparse(node.func.value) == names[0] else ""
            if node.func.attr == "startswith":
                return lambda name: starts(name + end, text)
            if node.func.attr == "endswith":
                return lambda name: ends(name + end, text)
    return lambda name: None
