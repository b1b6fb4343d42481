"""Nodes below a node, looked up in the index of the file."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.syntax import Kinds, index_of


def below(node: cst.CSTNode, kinds: Kinds) -> list[cst.CSTNode]:
    """The node and all below it that are of some kinds, outermost first."""
    index = index_of(node)
    return index.below(node, kinds) if node in index.ranges else []


def find(node: cst.CSTNode, pattern: m.BaseMatcherNode | m.OneOf[m.BaseMatcherNode]) -> list[cst.CSTNode]:
    """What `libcst.matchers.findall` gives for a pattern of one node type, or of several (`m.Call() | m.Await()`)."""
    options = pattern.options if isinstance(pattern, m.OneOf) else (pattern,)
    kinds = tuple(getattr(cst, type(option).__name__) for option in options)
    found = below(node, kinds)
    if all(map(_asks_nothing, options)):
        return found
    return [n for n in found if any(_may_match(n, option) for option in options) and m.matches(n, pattern)]


def _asks_nothing(pattern: m.BaseMatcherNode) -> bool:
    """Whether a pattern is met by every node of its type: `m.Call()`."""
    return all(value is m.DoNotCare() for value in vars(pattern).values())


def _may_match(node: object, pattern: m.BaseMatcherNode) -> bool:
    """False for what a look at types and texts tells apart, which costs a tenth of `matches`."""
    kind = getattr(cst, type(pattern).__name__, None)
    if kind is None:
        return True
    if not isinstance(node, kind):
        return False
    for name, wanted in vars(pattern).items():
        if isinstance(wanted, str):
            if getattr(node, name) != wanted:
                return False
        elif isinstance(wanted, m.BaseMatcherNode) and not _may_match(getattr(node, name), wanted):
            return False
    return True


def variables(node: cst.CSTNode) -> list[str]:
    """Every occurrence of a variable: no attributes, no keywords of calls."""
    words = index_of(node).words
    return [n.value for n in below(node, cst.Name) if isinstance(n, cst.Name) and n not in words]


def holds(outer: cst.CSTNode, inner: cst.CSTNode) -> bool:
    """Whether a node is another or has it below."""
    if outer is inner:
        return True
    ranges = index_of(outer).ranges
    if outer not in ranges or inner not in ranges:
        return False
    start, end = ranges[outer]
    return start <= ranges[inner][0] < end


def ancestors(node: cst.CSTNode, top: cst.CSTNode) -> list[cst.CSTNode]:
    """The nodes from `node` up to `top`, both included; empty when it is not below."""
    if not holds(top, node):
        return []
    parents, path = index_of(top).parents, [node]
    while path[-1] is not top:
        path.append(parents[path[-1]])
    return path
