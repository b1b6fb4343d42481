"""Syntax trees with an index: the nodes below a node are looked up, not walked to again and again.

libcst visits a subtree by building it anew, whitespace included. Here a tree is indexed once, while its
text is generated for the positions; visitors and transformers then run over the index, and only what has
a changed node below it is built again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache, partial

import libcst as cst

Kinds = type[cst.CSTNode] | tuple[type[cst.CSTNode], ...]
Changed = cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode]

BLANK: tuple[type[cst.CSTNode], ...] = (
    cst.SimpleWhitespace,
    cst.ParenthesizedWhitespace,
    cst.TrailingWhitespace,
    cst.Newline,
    cst.Comment,
)
"""What is between the words; neither these nor what is below them is in an index."""


_NODES = tuple(kind for kind in vars(cst).values() if isinstance(kind, type) and issubclass(kind, cst.CSTNode))


@cache
def _of(kinds: Kinds) -> tuple[type[cst.CSTNode], ...]:
    """The classes of nodes that are of some kinds: libcst's are abstract ones, which are slow to ask."""
    return tuple(kind for kind in _NODES if issubclass(kind, kinds))


@dataclass
class Index:
    """All nodes of a tree in order; those below a node are a slice. `words`: names that are no variables."""

    flat: list[cst.CSTNode] = field(default_factory=list)
    ranges: dict[cst.CSTNode, tuple[int, int]] = field(default_factory=dict)
    parents: dict[cst.CSTNode, cst.CSTNode] = field(default_factory=dict)
    words: set[cst.CSTNode] = field(default_factory=set)
    places: dict[type[cst.CSTNode], list[int]] = field(default_factory=dict)  # in `flat`, by type

    def below(self, node: cst.CSTNode, kinds: Kinds) -> list[cst.CSTNode]:
        """The node and all below it that are of some kinds, outermost first."""
        start, end = self.ranges[node]
        found: list[int] = []
        several = 0
        for kind in _of(kinds):
            places = self.places.get(kind)
            if places is not None:
                first, last = bisect_left(places, start), bisect_left(places, end)
                found += places[first:last]
                several += last > first
        return [self.flat[at] for at in (sorted(found) if several > 1 else found)]


class Indexing:
    """Makes an index from the nodes of a tree, each entered before and left after those below it."""

    def __init__(self) -> None:
        self.index = Index()
        self._open: list[int] = []

    def enter(self, node: cst.CSTNode) -> None:
        index = self.index
        if self._open:
            index.parents[node] = index.flat[self._open[-1]]
        self._open.append(len(index.flat))
        index.places.setdefault(type(node), []).append(len(index.flat))
        index.flat.append(node)
        kind = type(node)
        if kind is cst.Attribute:
            index.words.add(node.attr)  # type: ignore[attr-defined]
        elif kind is cst.Arg and node.keyword is not None:  # type: ignore[attr-defined]
            index.words.add(node.keyword)  # type: ignore[attr-defined]

    def leave(self, node: cst.CSTNode) -> None:
        self.index.ranges[node] = (self._open.pop(), len(self.index.flat))


class _Indexer(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.made = Indexing()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if type(node) in BLANK:
            return False
        self.made.enter(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if type(original_node) not in BLANK:
            self.made.leave(original_node)


_INDEXES: list[Index] = []  # of the trees met last; trees are immutable, so an index stays true
_KEPT = 4


def remember(index: Index) -> None:
    """Puts the index of the file at hand where it is found first."""
    _INDEXES[:] = [index, *(known for known in _INDEXES if known is not index)][:_KEPT]


def known_index(node: cst.CSTNode) -> Index | None:
    """The index that has a node; None when it is in none yet."""
    return next((known for known in _INDEXES if node in known.ranges), None)


def index_of(node: cst.CSTNode) -> Index:
    """The index that has a node; made of the node itself when it is in none yet."""
    known = known_index(node)
    if known is not None:
        return known
    indexer = _Indexer()
    node.visit(indexer)
    if isinstance(node, cst.Module):
        remember(indexer.made.index)
    return indexer.made.index


# --- visitors --------------------------------------------------------------------------------------

Hook = Callable[..., object]


@cache
def _hooks(visitor: type[cst.CSTVisitor | cst.CSTTransformer], prefix: str) -> dict[type, str]:
    """Which node types a visitor has a method of its own for: type → name of the method."""
    general = cst.CSTTransformer if issubclass(visitor, cst.CSTTransformer) else cst.CSTVisitor
    return {
        getattr(cst, name.removeprefix(prefix)): name
        for name in dir(visitor)
        if name.startswith(prefix)
        and hasattr(cst, name.removeprefix(prefix))
        and getattr(visitor, name) is not getattr(general, name, None)
    }


def _bound(visitor: cst.CSTVisitor | cst.CSTTransformer, prefix: str) -> dict[type, Hook]:
    return {kind: getattr(visitor, name) for kind, name in _hooks(type(visitor), prefix).items()}


def walk(node: cst.CSTNode, visitor: cst.CSTVisitor) -> None:
    """What `node.visit(visitor)` does, for a visitor that minds no whitespace and no `visit_X_field`."""
    index = known_index(node)
    if index is None:
        node.visit(visitor)
        return
    visit, leave = _bound(visitor, "visit_"), _bound(visitor, "leave_")
    general = type(visitor).on_visit is not cst.CSTVisitor.on_visit
    left = visitor.on_leave if type(visitor).on_leave is not cst.CSTVisitor.on_leave else partial(_leave, leave)
    open_: list[tuple[int, cst.CSTNode]] = []
    at, end = index.ranges[node]
    while at < end:
        while open_ and open_[-1][0] <= at:
            left(open_.pop()[1])
        one = index.flat[at]
        hook = visit.get(type(one))
        into = visitor.on_visit(one) if general else True if hook is None else hook(one)
        open_.append((index.ranges[one][1], one))
        at = at + 1 if into is not False else open_[-1][0]
    while open_:
        left(open_.pop()[1])


def _leave(leave: Mapping[type, Hook], node: cst.CSTNode) -> None:
    hook = leave.get(type(node))
    if hook is not None:
        hook(node)


class _Swap(cst.CSTTransformer):
    """Puts changed children in the place of the old ones, one level deep."""

    def __init__(self, new: Mapping[cst.CSTNode, Changed]) -> None:
        super().__init__()
        self.new = new

    def on_visit(self, node: cst.CSTNode) -> bool:
        return False

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Changed:  # type: ignore[override]
        return self.new.get(original_node, updated_node)


def _swapped(node: cst.CSTNode, new: Mapping[cst.CSTNode, Changed]) -> cst.CSTNode:
    """A node with other children; parentheses that stand in for a space (`return(x)`) stay, or become one."""
    try:
        return node._visit_and_replace_children(_Swap(new))
    except cst.CSTValidationError:
        kept = _Swap({old: _in_parens(old, made) for old, made in new.items()})
    try:
        return node._visit_and_replace_children(kept)
    except cst.CSTValidationError:  # the parentheses are deeper: `with(x)as(y)`, `return(x),y`
        return _spaced(node)._visit_and_replace_children(_Swap(new))


def _spaced(node: cst.CSTNode) -> cst.CSTNode:
    """A node with a space beside each of its keywords."""
    found = [f.name for f in fields(node) if f.name.startswith("whitespace_") and f.name.endswith(_KEYWORDS)]
    bare = [name for name in found if getattr(getattr(node, name), "empty", False)]
    return node.with_changes(**{name: cst.SimpleWhitespace(" ") for name in bare})


_KEYWORDS = ("_return", "_with", "_if", "_for", "_in", "_else", "_yield", "_del", "_assert", "_raise", "_while", "_as")


def _in_parens(old: cst.CSTNode, new: Changed) -> Changed:
    if not isinstance(old, cst.BaseExpression) or not isinstance(new, cst.BaseExpression) or new.lpar:
        return new
    return new.with_changes(lpar=old.lpar, rpar=old.rpar)


def transform(node: cst.CSTNode, transformer: cst.CSTTransformer) -> Changed:
    """What `node.visit(transformer)` gives, for one that minds no whitespace and no `visit_X_field`.

    Nodes with nothing changed below them stay the same objects.
    """
    index = known_index(node)
    if index is None:
        changed: Changed = node.visit(transformer)
        return changed
    return _Transforming(index, transformer).of(index.ranges[node][0])


class _Transforming:
    def __init__(self, index: Index, transformer: cst.CSTTransformer) -> None:
        self.flat, self.ranges = index.flat, index.ranges
        self.visit, self.leave = _bound(transformer, "visit_"), _bound(transformer, "leave_")
        kind = type(transformer)
        self.on_visit = transformer.on_visit if kind.on_visit is not cst.CSTTransformer.on_visit else None
        self.on_leave = transformer.on_leave if kind.on_leave is not cst.CSTTransformer.on_leave else None

    def of(self, at: int) -> Changed:
        """The node at a place of the index, changed."""
        node = self.flat[at]
        visit = self.on_visit or self.visit.get(type(node))
        updated = node
        if visit is None or visit(node) is not False:
            new = self._below(at + 1, self.ranges[node][1])
            if new:
                updated = _swapped(node, new)
        leave = self.on_leave or self.leave.get(type(node))
        return updated if leave is None else leave(node, updated)  # type: ignore[return-value]

    def _below(self, at: int, end: int) -> dict[cst.CSTNode, Changed]:
        new: dict[cst.CSTNode, Changed] = {}
        while at < end:
            child = self.flat[at]
            made = self.of(at)
            if made is not child:
                new[child] = made
            at = self.ranges[child][1]
        return new
