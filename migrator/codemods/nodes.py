"""Nodes below a node, looked up in an index of the file instead of walked again and again."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

Kinds = type[cst.CSTNode] | tuple[type[cst.CSTNode], ...]


@dataclass
class Index:
    """All nodes of a tree in order; those below a node are a slice. `words`: names that are no variables."""

    flat: list[cst.CSTNode] = field(default_factory=list)
    ranges: dict[cst.CSTNode, tuple[int, int]] = field(default_factory=dict)
    parents: dict[cst.CSTNode, cst.CSTNode] = field(default_factory=dict)
    words: set[cst.CSTNode] = field(default_factory=set)


_BLANK = cst.BaseParenthesizableWhitespace | cst.TrailingWhitespace | cst.Newline | cst.Comment


class _Indexer(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.index = Index()
        self._open: list[int] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, _BLANK):
            return False
        index = self.index
        if self._open:
            index.parents[node] = index.flat[self._open[-1]]
        self._open.append(len(index.flat))
        index.flat.append(node)
        if isinstance(node, cst.Attribute):
            index.words.add(node.attr)
        elif isinstance(node, cst.Arg) and node.keyword is not None:
            index.words.add(node.keyword)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, _BLANK):
            return
        self.index.ranges[original_node] = (self._open.pop(), len(self.index.flat))


_INDEXES: list[Index] = []  # of the trees met last; trees are immutable, so an index stays true
_KEPT = 4


def index_of(node: cst.CSTNode) -> Index:
    """The index that has a node; made of the node itself when it is in none yet."""
    for known in _INDEXES:
        if node in known.ranges:
            return known
    indexer = _Indexer()
    node.visit(indexer)
    if isinstance(node, cst.Module):
        _INDEXES.insert(0, indexer.index)
        del _INDEXES[_KEPT:]
    return indexer.index


def below(node: cst.CSTNode, kinds: Kinds) -> list[cst.CSTNode]:
    """The node and all below it that are of some kinds, outermost first."""
    index = index_of(node)
    if node not in index.ranges:
        return []
    start, end = index.ranges[node]
    return [n for n in index.flat[start:end] if isinstance(n, kinds)]


def find(node: cst.CSTNode, pattern: m.BaseMatcherNode) -> list[cst.CSTNode]:
    """What `libcst.matchers.findall` gives for a pattern of one node type."""
    kind = getattr(cst, type(pattern).__name__)
    return [n for n in below(node, kind) if m.matches(n, pattern)]


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
