"""What `build` asks of the shape of its input: such tests move to the start of `forward`, where the input is.

Keras makes them when a layer is first called, a module at every call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models.create import Maker
from migrator.codemods.models.forward import body_of, comments
from migrator.codemods.models.swap import rewrite
from migrator.codemods.models.text import names, substitute
from migrator.codemods.nodes import find
from migrator.syntax import transform
from migrator.values import Literal, ShapeOf, Span
from migrator.values import Sequence as SequenceValue

_HOLE = "__checked_input__"
_RANKS = ("rank", "ndims", "ndim")


@dataclass(frozen=True)
class Checks:
    """The tests of one `build` method.

    `shape`: the name of its parameter. `given`: the parameter of `call` that holds the input.
    `permuted`: the module works on images whose channels come first, so that axes have other numbers.
    """

    ctx: Context
    maker: Maker
    shape: str
    given: str
    permuted: bool = False
    ranks: frozenset[str] = frozenset()  # variables of `build` that hold the rank

    def moved(self, node: cst.BaseStatement) -> list[str] | None:
        """The lines of a test in `forward`; None for anything else and for what cannot be said there."""
        if not is_check(node) or not any(reads(node, name) for name in (self.shape, *self.ranks)):
            return None
        if _asks_for_a_size(node, self.shape):
            return []  # a module is told its sizes
        if not {self.shape, *self.ranks} & set(names(self.ctx.code(self.maker.sized(node).node))):
            return None
        put = _Put(self.ctx, self.shape, self._several(node), self.ranks)
        bare = node.with_changes(leading_lines=()) if isinstance(node, cst.If | cst.SimpleStatementLine) else node
        new = transform(bare, put)
        assert isinstance(new, cst.CSTNode)
        if reads(new, self.shape) or (self.permuted and put.axes):
            return None
        rewritten = rewrite(self.ctx, new, put.spans, put.gone)
        self.maker.build.needs.take(rewritten)
        text = self.maker.keep(self.ctx.code(rewritten.node).strip())
        return [*(c for c in comments(node) if c), *substitute(text, {_HOLE: self.given}).splitlines()]

    def _several(self, node: cst.CSTNode) -> bool:
        """Whether the layer is called with a list, so that its input shape is a list of shapes."""
        read = [n for n in find(node, m.Name(self.shape)) if isinstance(n, cst.Name)]
        values = [self.ctx.value(n) for n in read]
        return any(isinstance(v, SequenceValue) and not _is_one_shape(v) for v in values)


def _is_one_shape(value: SequenceValue) -> bool:
    if value.items is None:
        return not isinstance(value.element, ShapeOf)
    return all(isinstance(item, Literal) for item in value.items or ())


def is_check(node: cst.CSTNode) -> bool:
    """Whether a statement does nothing but raise."""
    if isinstance(node, cst.SimpleStatementLine):
        return all(isinstance(small, cst.Assert) for small in node.body)
    if not isinstance(node, cst.If):
        return False
    other = node.orelse
    rest = other is None or (is_check(other) if isinstance(other, cst.If) else all(map(_raises, body_of(other))))
    return rest and all(_raises(s) for s in body_of(node))


def _raises(node: cst.BaseStatement) -> bool:
    if isinstance(node, cst.SimpleStatementLine):
        return all(isinstance(small, cst.Raise | cst.Assert | cst.Pass) for small in node.body)
    return is_check(node)


def reads(node: cst.CSTNode, name: str) -> bool:
    """Whether a name occurs below a node."""
    return bool(find(node, m.Name(name)))


def _asks_for_a_size(node: cst.CSTNode, shape: str) -> bool:
    """`if input_shape[-1] is None: raise ...`."""
    if not isinstance(node, cst.If) or node.orelse is not None or not isinstance(node.test, cst.Comparison):
        return False
    left, targets = node.test.left, node.test.comparisons
    item = isinstance(left, cst.Subscript) and _items(left, shape)
    none = len(targets) == 1 and m.matches(targets[0].comparator, m.Name("None"))
    return bool(item) and none and isinstance(targets[0].operator, cst.Is | cst.Equal)


def _items(node: cst.BaseExpression, shape: str) -> list[cst.Subscript]:
    """The subscripts between an expression and the name of the shape, outermost first; none where it is not."""
    found: list[cst.Subscript] = []
    while isinstance(node, cst.Subscript):
        found.append(node)
        node = node.value
    return found if isinstance(node, cst.Name) and node.value == shape else []


def _index(node: cst.Subscript) -> int | None:
    """The literal index of a subscript."""
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    text = cst.Module([]).code_for_node(node.slice[0].slice.value).replace(" ", "")
    return int(text) if text.removeprefix("-").isdigit() else None


class _Put(cst.CSTTransformer):
    """Puts the input in place of its shape."""

    def __init__(self, ctx: Context, shape: str, several: bool, ranks: frozenset[str]) -> None:
        super().__init__()
        self.ctx, self.shape, self.several, self.ranks = ctx, shape, several, ranks
        self.spans: dict[cst.CSTNode, Span] = {}
        self.gone: list[Span | None] = []
        self.axes = False  # a single axis is looked at
        self.raising = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Raise):
            self.raising += 1
        return not (isinstance(node, cst.BaseExpression) and self._text(node) is not None)

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Any:
        if isinstance(original_node, cst.Raise):
            self.raising -= 1
        text = self._text(original_node) if isinstance(original_node, cst.BaseExpression) else None
        if text is not None:
            self.gone.append(self.ctx.spans.get(original_node))
            return cst.parse_expression(text)
        if original_node in self.ctx.spans:
            self.spans[updated_node] = self.ctx.spans[original_node]
        return updated_node

    def _text(self, node: cst.BaseExpression) -> str | None:
        """What an expression of the shape is as one of the input."""
        if isinstance(node, cst.Call):
            return self._call(node)
        if isinstance(node, cst.Attribute) and node.attr.value in _RANKS:
            return f"{base}.ndim" if (base := self._tensor(node.value)) is not None else None
        if isinstance(node, cst.Subscript):
            return self._size(node)
        if isinstance(node, cst.Name) and node.value in self.ranks:
            return f"len({_HOLE})" if self.several else f"{_HOLE}.ndim"
        if isinstance(node, cst.Name) and node.value == self.shape and self.raising:
            return f"[tuple(t.shape) for t in {_HOLE}]" if self.several else f"tuple({_HOLE}.shape)"
        return None

    def _call(self, node: cst.Call) -> str | None:
        name = get_full_name_for_node(node.func)
        args = [a.value for a in node.args]
        if name == "isinstance" and len(args) == 2 and self._is_shape(args[0]):
            either = self.several and m.matches(args[1], _LISTS)
            kinds = "list" if m.matches(args[1], m.Name("list")) else "(list, tuple)" if either else ""
            return f"isinstance({_HOLE}, {kinds})" if kinds else None
        if name != "len" or len(args) != 1:
            return None
        if self.several and self._is_shape(args[0]):
            return f"len({_HOLE})"
        base = self._tensor(args[0])
        return None if base is None else f"{base}.ndim"

    def _is_shape(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Name) and node.value == self.shape

    def _tensor(self, node: cst.BaseExpression) -> str | None:
        """The tensor whose shape an expression is."""
        if not self.several:
            return _HOLE if self._is_shape(node) else None
        items = _items(node, self.shape)
        index = _index(items[0]) if len(items) == 1 else None
        return None if index is None else f"{_HOLE}[{index}]"

    def _size(self, node: cst.Subscript) -> str | None:
        base, index = self._tensor(node.value), _index(node)
        if base is None or not index:
            return None  # the batch has no size in Keras
        self.axes = True
        return f"{base}.shape[{index}]"


_LISTS = m.Tuple([m.Element(m.Name("list")), m.Element(m.Name("tuple"))])


def rank_variables(build: cst.FunctionDef, shape: str) -> frozenset[str]:
    """Variables that are only ever `len(input_shape)`."""
    found: set[str] = set()
    for node in find(build, m.Assign(value=m.Call(func=m.Name("len"), args=[m.Arg(m.Name(shape))]))):
        assert isinstance(node, cst.Assign)
        found |= {t.target.value for t in node.targets if isinstance(t.target, cst.Name)}
    stored = [t.target for t in find(build, m.AssignTarget()) if isinstance(t, cst.AssignTarget)]
    names_stored = [t.value for t in stored if isinstance(t, cst.Name)]
    return frozenset(name for name in found if names_stored.count(name) == 1)


def is_rank(node: cst.BaseStatement, ranks: frozenset[str]) -> bool:
    """Whether a statement is the assignment of such a variable."""
    if not isinstance(node, cst.SimpleStatementLine) or len(node.body) != 1 or not isinstance(node.body[0], cst.Assign):
        return False
    targets = [t.target for t in node.body[0].targets]
    return all(isinstance(t, cst.Name) and t.value in ranks for t in targets)


def shape_parameter(build: cst.FunctionDef | None) -> str:
    """The name under which `build` takes the shape of the input; "" where it takes none."""
    params = build.params.params if build is not None else ()
    return params[1].name.value if len(params) > 1 else ""


def knows_its_input(ctx: Context, build: cst.FunctionDef) -> bool:
    """Whether it is known if the layer takes one tensor or a list of them."""
    value = ctx.value(build.params.params[1].name)
    return isinstance(value, ShapeOf | SequenceValue)
