"""Gradients as values: `torch.autograd.grad`."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.nodes import find, holds
from migrator.codemods.training.models import is_untrained, listed, variable
from migrator.codemods.training.tape_reading import Gradient, names_below
from migrator.codemods.training.tape_scope import called_on_tape, may_be_recorded
from migrator.codemods.training.tape_state import Tapes
from migrator.values import Tensor


class Autograd:
    """Writes the gradients of one function that no optimizer applies as they are."""

    def __init__(self, tapes: Tapes) -> None:
        self.tapes, self.ctx, self.holder, self.found = tapes, tapes.ctx, tapes.holder, tapes.found

    def write(self, gradient: Gradient) -> None:
        """Gradients as values; they may themselves be differentiated where a tape records."""
        if any(is_untrained(node, self.ctx) and not self.is_watched(node) for node in _elements(gradient.sources)):
            self.found.problems.append((gradient.line, "the gradient of a variable that is not trained"))
        if gradient.parts is not None:
            self.put(gradient, listed(gradient.parts), "")
        elif gradient.one is not None:
            self.put(gradient, gradient.one[0].text, "[0]")
        else:
            self.of_tensors(gradient)

    def of_tensors(self, gradient: Gradient) -> None:
        """Sources of which some are no variables: watched tensors, and what the tape has recorded."""
        texts = [self.source(node, gradient) or "" for node in _elements(gradient.sources)]
        several = isinstance(gradient.sources, cst.List | cst.Tuple)
        if all(texts) and texts:
            self.put(gradient, f"[{', '.join(texts)}]" if several else texts[0], "" if several else "[0]")
        else:
            self.found.problems.append((gradient.line, "the sources of a gradient are not known"))

    def source(self, node: cst.BaseExpression, gradient: Gradient) -> str | None:
        """A variable or tensor that a gradient is taken for."""
        one = variable(node, self.ctx)
        if one is not None:
            return one[0].text
        known = self.is_watched(node) or (isinstance(node, cst.Name) and self.records(gradient, node.value))
        return self.ctx.code(node).strip() if known else None

    def is_watched(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Name) and node.value in self.tapes.watched

    def records(self, gradient: Gradient, name: str) -> bool:
        """Whether the tape of a gradient is open where the name is bound."""
        block = self.tapes.block_of(gradient)
        bound = find(block, m.Assign(targets=[m.AssignTarget(m.Name(name))])) if block is not None else []
        return bool(bound)

    def put(self, gradient: Gradient, text: str, end: str) -> None:
        watched = gradient.parts is None and gradient.one is None
        options = []
        if (
            gradient.recorded
            or (watched and may_be_recorded(self.holder, self.ctx))
            or called_on_tape(self.holder, self.ctx)
        ):
            options.append("create_graph=True")
        elif gradient.shared:
            options.append("retain_graph=True")
        options += ["allow_unused=True"] if gradient.zeros or (not end and self.is_of_gradient(gradient)) else []
        options += ["materialize_grads=True"] if gradient.zeros else []
        target = self.summed_always(gradient) if watched else self.tapes.summed(gradient.target)
        if target.endswith(".sum()") and any(holds(pause, gradient.line) for pause in self.found.paused):
            target = target.removesuffix(".sum()")  # a sum made here would have no graph
            options.insert(0, f"torch.ones_like({target})")
        made = f"torch.autograd.grad({', '.join([target, text, *options])}){end}"
        keeps = not end and not self.only_iterated(gradient)
        self.found.decided[gradient.call] = f"list({made})" if keeps else made
        self.found.losses |= names_below(gradient.target) if not end else set()

    def is_of_gradient(self, gradient: Gradient) -> bool:
        """Whether a gradient is differentiated, which need not depend on all that its own sources are."""
        names = frozenset[str]().union(*(g.names for g in self.tapes.gradients if g is not gradient))
        each = [loop for loop in find(self.holder, m.CompFor() | m.For()) if isinstance(loop, cst.CompFor | cst.For)]
        over = [loop for loop in each if names_below(loop.iter) & names]
        names |= {loop.target.value for loop in over if isinstance(loop.target, cst.Name)}
        return isinstance(gradient.target, cst.Name) and gradient.target.value in names

    def only_iterated(self, gradient: Gradient) -> bool:
        """Whether nothing can tell that the gradients are a tuple in torch."""
        part = gradient.line.body[0]
        if isinstance(part, cst.Assign) and part.value is gradient.call and gradient.name is None:
            return True  # unpacked
        if gradient.name is None:
            return not isinstance(part, cst.Return)
        uses = m.Return() | m.Assign(targets=[m.AssignTarget(target=m.Subscript(value=m.Name(gradient.name)))])
        return not any(m.matches(line.body[0], uses) for line in self.tapes.readers(gradient))

    def summed_always(self, gradient: Gradient) -> str:
        value = self.ctx.value(gradient.target)
        text = self.tapes.summed(gradient.target)
        known = isinstance(value, Tensor) and value.rank is not None
        return text if known or text.endswith((".sum()", "]")) else f"{text}.sum()"


def _elements(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """The parts of a list that is written out, or the expression alone."""
    return [e.value for e in node.elements] if isinstance(node, cst.List | cst.Tuple) else [node]
