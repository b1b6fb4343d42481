"""Where the nodes of a file stand and what they say, from one pass over its tree."""

from __future__ import annotations

from types import TracebackType

import libcst as cst
from libcst._nodes.internal import CodegenState

from migrator.syntax import BLANK, Index, Indexing
from migrator.values import Span


class Positions(CodegenState):
    """Spans as libcst's PositionProvider gives them, and the original text of the nodes.

    `spans`: lines from 1, columns in characters from 0.
    """

    def __init__(self, tree: cst.Module) -> None:
        super().__init__(default_indent=tree.default_indent, default_newline=tree.default_newline)
        self.tree = tree
        self.spans: dict[cst.CSTNode, Span] = {}
        self._slices: dict[cst.CSTNode, tuple[int, int, bool]] = {}
        self._line, self._column = 1, 0
        self._open: list[tuple[int, int, int]] = []
        self._indexing, self._blank = Indexing(), 0
        tree._codegen(self)

    @property
    def index(self) -> Index:
        """The nodes of the tree in the order of the text."""
        return self._indexing.index

    def code(self, node: cst.CSTNode) -> str:
        """What `tree.code_for_node` gives: a block comes out without the indentation around it."""
        start, end, indented = self._slices.get(node, (0, 0, True))
        text = "".join(self.tokens[start:end])
        return self.tree.code_for_node(node) if indented and (not text or "\n" in text or "\r" in text) else text

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        self._column += sum(map(len, self.indent_tokens))

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        if "\n" not in value and "\r" not in value:
            self._column += len(value)
            return
        lines = value.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._line += len(lines) - 1
        self._column = len(lines[-1])

    def pop_trailing_newline(self) -> None:
        """Nothing: the last statement ends in a newline as all others do."""

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._open.append((self._line, self._column, len(self.tokens)))
        if self._blank or type(node) in BLANK:
            self._blank += 1
        else:
            self._indexing.enter(node)

    def after_codegen(self, node: cst.CSTNode) -> None:
        line, column, first = self._open.pop()
        if self._blank:
            self._blank -= 1
        else:
            self._indexing.leave(node)
        if node not in self.spans:
            self.spans[node] = Span(line, column, self._line, self._column)
        if node is not self.tree:
            self._slices[node] = (first, len(self.tokens), bool(self.indent_tokens))

    def record_syntactic_position(  # type: ignore[override]
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Syntactic:
        return _Syntactic(self, node, start_node, end_node)

    def place(self) -> tuple[int, int]:
        """Line and column of what comes next."""
        return self._line, self._column


class _Syntactic:
    """Records the span of a node without the whitespace it owns."""

    __slots__ = ("end_node", "node", "positions", "start", "start_node")

    def __init__(
        self, positions: Positions, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None
    ) -> None:
        self.positions, self.node, self.start_node, self.end_node = positions, node, start_node, end_node

    def __enter__(self) -> None:
        self.start = self.positions.place()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        spans, start, end = self.positions.spans, self.start, self.positions.place()
        if self.start_node is not None:
            start = (spans[self.start_node].line, spans[self.start_node].column)
        if self.end_node is not None:
            end = (spans[self.end_node].end_line, spans[self.end_node].end_column)
        spans[self.node] = Span(*start, *end)
