"""What is known of the gradient tapes of one function, and how their parts are written."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from migrator.codemods.context import Context, Rewritten
from migrator.codemods.nodes import ancestors, holds
from migrator.codemods.training.models import Parts, variables_of
from migrator.codemods.training.scope import Holder, count
from migrator.codemods.training.tape_reading import Apply, Gradient, Lines, names_below, tape_items
from migrator.syntax import walk
from migrator.values import Tensor

_LOOPS = cst.For | cst.While | cst.ListComp | cst.GeneratorExp | cst.DictComp | cst.SetComp


@dataclass
class TapePlan:
    """The tapes of one function.

    `blocks` open tapes, `paused` stop them for a while. `lines`: lines decided, as text ("" is
    dropped); `decided`: calls decided. `problems`: where, and why to decline. `losses`: names that
    carry a graph after the step. `rewrites`: what the rules made of parts of a line.
    """

    blocks: list[cst.With] = field(default_factory=list)
    paused: list[cst.With] = field(default_factory=list)
    tapes: set[str] = field(default_factory=set)
    lines: dict[cst.SimpleStatementLine, str] = field(default_factory=dict)
    decided: dict[cst.CSTNode, str] = field(default_factory=dict)
    problems: list[tuple[cst.CSTNode, str]] = field(default_factory=list)
    losses: set[str] = field(default_factory=set)
    rewrites: dict[cst.SimpleStatementLine, list[Rewritten]] = field(default_factory=dict)


class Tapes:
    """The tapes of a function as far as they are read; `watched`: tensors that they are told of."""

    def __init__(self, holder: Holder, ctx: Context, known: frozenset[str]) -> None:
        self.holder, self.ctx, self.known = holder, ctx, known
        self.found = TapePlan()
        self.body = Lines(holder)
        walk(holder, self.body)
        self.lines = self.body.lines
        self.aliases: dict[str, Parts] = {}
        self.gradients: list[Gradient] = []
        self.applies: list[Apply] = []
        self.watched: set[str] = set()
        self.jacobians: list[tuple[cst.SimpleStatementLine, str]] = []

    def open_around(self, node: cst.CSTNode) -> list[cst.With]:
        """The blocks around a node whose tapes record there."""
        around = self.body.around(node)
        if any(block in self.found.paused for block in around if block is not node):
            return []
        return [block for block in around if block in self.found.blocks]

    def is_recorded(self, gradient: Gradient) -> bool:
        """Whether a tape is open that may differentiate a gradient again; its own may have ended with it."""
        own = self.block_of(gradient)
        return any(block is not own or not _gives_once(block) for block in self.open_around(gradient.line))

    def block_of(self, gradient: Gradient) -> cst.With | None:
        """The block that opened a gradient's tape: the last before it."""
        start = self.ctx.spans[gradient.line]
        named = [b for b in self.found.blocks if gradient.tape in (tape_items(b, self.ctx) or ())]
        before = [b for b in named if self.ctx.spans[b] < start]
        return before[-1] if before else None

    def is_repeated(self, gradient: Gradient) -> bool:
        """Whether a loop that the tape stands outside of takes the gradient again and again."""
        block = self.block_of(gradient)
        loops = [node for node in ancestors(gradient.call, self.holder) if isinstance(node, _LOOPS)]
        return any(block is None or not holds(loop, block) for loop in loops)

    def overlap(self, one: Gradient, other: Gradient) -> bool:
        """Whether two gradients may go through one graph: their tapes are the same or open together."""
        first, second = self.block_of(one), self.block_of(other)
        return first is None or second is None or holds(first, second) or holds(second, first)

    def readers(self, gradient: Gradient) -> list[cst.SimpleStatementLine]:
        """The lines that mention the names of a gradient, up to the next gradient of one of them."""
        start = self.lines.index(gradient.line)
        others = [self.lines.index(g.line) for g in self.gradients if g.names & gradient.names]
        end = min([i for i in others if i > start], default=len(self.lines))
        return [line for line in self.lines[start:end] if gradient.names & names_below(line)]

    def heads_read(self, gradient: Gradient) -> bool:
        """Whether a condition or a loop behind a gradient asks for it."""
        start = self.ctx.spans[gradient.line]
        return any(gradient.names & names_below(h) for h in self.body.heads if self.ctx.spans[h] > start)

    def free(self, wish: str) -> str:
        """A name that the function does not have."""
        return wish if not count(self.holder, wish) else f"{wish}_"

    def parts(self, node: cst.BaseExpression) -> Parts | None:
        if isinstance(node, cst.Name) and node.value in self.aliases:
            return self.aliases[node.value]
        return variables_of(node, self.ctx, self.known)

    def text(self, node: cst.BaseExpression) -> str:
        """A target as torch source; what the rules say of it belongs to the line."""
        if isinstance(node, cst.Name | cst.Attribute):
            return self.ctx.code(node).strip()
        rewritten = self.ctx.rewrite(node)
        line = next(line for line in self.lines if holds(line, node))
        self.found.rewrites.setdefault(line, []).append(rewritten)
        return cst.Module([]).code_for_node(rewritten.node).strip()

    def summed(self, node: cst.BaseExpression) -> str:
        """The target as one number: a tape adds up what is not a scalar."""
        if isinstance(node, cst.List | cst.Tuple):
            return "[" + ", ".join(self.summed(element.value) for element in node.elements) + "]"
        text, value = self.text(node), self.ctx.value(node)
        text = text if isinstance(node, cst.Name | cst.Attribute | cst.Call) else f"({text})"
        return f"{text}.sum()" if isinstance(value, Tensor) and value.rank not in (None, 0) else text


def _gives_once(block: cst.With) -> bool:
    """Whether a block opens one tape, which is not persistent."""
    call = block.items[0].item
    return len(block.items) == 1 and isinstance(call, cst.Call) and not call.args
