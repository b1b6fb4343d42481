"""What the gradient tapes of a function compute, and what is done with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context, Rewritten
from migrator.codemods.nodes import find, holds
from migrator.codemods.training.calls import bind
from migrator.codemods.training.models import Parts, is_untrained, listed, parameters, variable, variables_of
from migrator.codemods.training.scope import Holder, count
from migrator.codemods.training.tape_clip import clip
from migrator.codemods.training.tape_jacobian import jacobian
from migrator.codemods.training.tape_reading import (
    GRADIENT,
    Apply,
    Gradient,
    Lines,
    bound_name,
    names_below,
    paused_tape,
    tape_items,
    watches_all,
    zipped,
)
from migrator.syntax import walk
from migrator.values import Api, Tensor

__all__ = ["TapePlan", "plan_tapes", "tape_items"]


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


def plan_tapes(holder: Holder, ctx: Context, known: frozenset[str]) -> TapePlan:
    """The plan of one function's tapes, nested functions left out."""
    return _Planner(holder, ctx, known).plan()


class _Planner:
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
        self.jacobians: list[str] = []

    def plan(self) -> TapePlan:
        for block in self.body.withs:
            names = tape_items(block, self.ctx)
            if names is not None:
                self.found.blocks.append(block)
                self.found.tapes |= set(names)
        self.find_pauses()
        for line in self.lines:
            self.look(line)
        if self.found.blocks or self.applies:
            self.settle()
        self.check_uses()
        return self.found

    def find_pauses(self) -> None:
        for block in self.body.withs:
            if paused_tape(block) in self.found.tapes:
                self.found.paused.append(block)
                if len(self.open_around(block)) > 1:
                    self.found.problems.append((block, "one of several tapes is paused"))

    def open_around(self, node: cst.CSTNode) -> list[cst.With]:
        """The blocks around a node whose tapes record there."""
        around = self.body.around(node)
        if any(block in self.found.paused for block in around if block is not node):
            return []
        return [block for block in around if block in self.found.blocks]

    def check_uses(self) -> None:
        """A tape may be read by what was understood here, and by nothing else."""
        for block in self.found.blocks:
            for name in tape_items(block, self.ctx) or ():
                understood = sum(g.tape == name for g in self.gradients) + self.jacobians.count(name)
                understood += sum(paused_tape(pause) == name for pause in self.found.paused)
                understood += sum(name in (tape_items(b, self.ctx) or ()) for b in self.found.blocks)
                understood += sum(count(line, name) for line in self.found.lines if self.leaves(line, name))
                heads = [item for block in self.body.withs for item in block.items]
                if sum(count(node, name) for node in (*self.lines, *heads, *self.body.heads)) != understood:
                    self.found.problems.append((block, f"`{name}` is used for more than gradients"))

    def leaves(self, line: cst.SimpleStatementLine, name: str) -> bool:
        """Whether a line that mentions a tape is no gradient of it."""
        return not any(g.line is line and g.tape == name for g in self.gradients)

    def free(self, wish: str) -> str:
        """A name that the function does not have."""
        return wish if not count(self.holder, wish) else f"{wish}_"

    # --- reading ------------------------------------------------------------------------------------

    def look(self, line: cst.SimpleStatementLine) -> None:
        part = line.body[0]
        if isinstance(part, cst.Del) and names_below(part.target) <= self.found.tapes:
            self.found.lines[line] = ""
        if isinstance(part, cst.Assign) and isinstance(part.targets[0].target, cst.Name):
            parts = variables_of(part.value, self.ctx, self.known)
            if parts is not None and all(p.kind == "module" for p in parts):
                self.aliases[part.targets[0].target.value] = parts
        for call in find(line, m.Call(func=m.Attribute())):
            assert isinstance(call, cst.Call)
            assert isinstance(call.func, cst.Attribute)
            self.method(call, call.func, line)

    def method(self, call: cst.Call, func: cst.Attribute, line: cst.SimpleStatementLine) -> None:
        owner = func.value.value if isinstance(func.value, cst.Name) else ""
        if owner in self.found.tapes:
            self.tape_method(call, func.attr.value, line, owner)
        elif func.attr.value == "apply_gradients":
            self.apply(call, func, line)

    def tape_method(self, call: cst.Call, name: str, line: cst.SimpleStatementLine, tape: str) -> None:
        if name == "watch" and len(call.args) == 1:
            self.watch(call.args[0].value, line)
        elif name == "gradient":
            self.gradient(call, line, tape)
        elif name in ("jacobian", "batch_jacobian"):
            self.jacobian(call, name, line, tape)
        elif name != "stop_recording":
            self.found.problems.append((line, f"`{tape}.{name}` in this form has no rule"))

    def watch(self, node: cst.BaseExpression, line: cst.SimpleStatementLine) -> None:
        """Variables are watched anyway; a tensor becomes a leaf, connected only where an outer tape may record."""
        nodes = [e.value for e in node.elements] if isinstance(node, cst.List | cst.Tuple) else [node]
        made = []
        for each in nodes:
            if self.parts(each) is not None or variable(each, self.ctx) is not None:
                continue
            if not isinstance(each, cst.Name):
                self.found.problems.append((line, f"`{self.ctx.code(each).strip()}` is watched, which is no name"))
                continue
            self.watched.add(each.value)
            alone = isinstance(self.holder, cst.Module) and len(self.open_around(line)) == 1
            made.append(f"{each.value} = {each.value}.{'detach' if alone else 'clone'}().requires_grad_()")
        self.found.lines[line] = "\n".join(made)

    def gradient(self, call: cst.Call, line: cst.SimpleStatementLine, tape: str) -> None:
        bound = bind(call, GRADIENT)
        if not isinstance(bound, dict) or not {"target", "sources"} <= bound.keys() or "output_gradients" in bound:
            self.found.problems.append((line, f"`{tape}.gradient` in this form has no rule"))
            return
        sources, option = bound["sources"], bound.get("unconnected_gradients")
        value = self.ctx.value(option) if option is not None else None
        zeros = value == Api("tf.UnconnectedGradients.ZERO")
        if option is not None and not zeros and value != Api("tf.UnconnectedGradients.NONE"):
            self.found.problems.append((line, "what becomes of unconnected gradients is not known"))
        name = bound_name(line, call)
        made = Gradient(call, line, tape, bound["target"], sources, self.parts(sources), name, zeros)
        made.recorded = bool(self.open_around(line))
        for earlier in self.gradients:
            earlier.shared = earlier.shared or self.overlap(earlier, made)
        self.gradients.append(made)

    def overlap(self, one: Gradient, other: Gradient) -> bool:
        """Whether two gradients may go through one graph: their tapes are the same or open together."""
        first, second = self.block_of(one), self.block_of(other)
        return first is None or second is None or holds(first, second) or holds(second, first)

    def block_of(self, gradient: Gradient) -> cst.With | None:
        """The block that opened a gradient's tape: the last before it."""
        start = self.ctx.spans[gradient.line]
        named = [b for b in self.found.blocks if gradient.tape in (tape_items(b, self.ctx) or ())]
        before = [b for b in named if self.ctx.spans[b] < start]
        return before[-1] if before else None

    def apply(self, call: cst.Call, func: cst.Attribute, line: cst.SimpleStatementLine) -> None:
        named = call.args and (call.args[0].keyword is None or call.args[0].keyword.value == "grads_and_vars")
        pairs = zipped(call.args[0].value) if named and len(call.args) == 1 else None
        if pairs is None:
            self.found.problems.append((line, "`apply_gradients` in this form has no rule"))
            return
        optimizer = self.ctx.code(func.value).strip()
        self.applies.append(Apply(call, line, optimizer, *pairs, self.parts(pairs[1])))

    def parts(self, node: cst.BaseExpression) -> Parts | None:
        if isinstance(node, cst.Name) and node.value in self.aliases:
            return self.aliases[node.value]
        return variables_of(node, self.ctx, self.known)

    # --- decisions ----------------------------------------------------------------------------------

    def settle(self) -> None:
        self.check_recording()
        pairs = [(g, a) for a in self.applies if (g := self.partner(a)) is not None and self.is_simple(g, a)]
        for gradient, apply in pairs:
            self.backward(gradient, apply)
        simple = [gradient for gradient, _ in pairs]
        for gradient in self.gradients:
            if gradient not in simple:
                self.by_autograd(gradient)
        for apply in self.applies:
            if apply not in [a for _, a in pairs]:
                self.assign(apply)
        self.drop_aliases()

    def check_recording(self) -> None:
        for block in self.found.blocks:
            tapes = tape_items(block, self.ctx) or []
            if not watches_all(block, self.ctx) and any(
                g.parts is not None or variable(g.sources, self.ctx) for g in self.gradients if g.tape in tapes
            ):
                self.found.problems.append((block, "a tape that records only some variables"))

    def partner(self, apply: Apply) -> Gradient | None:
        """The gradient that a step applies: the last one before it, and applied nowhere else."""
        if isinstance(apply.gradients, cst.Call):
            return next((g for g in self.gradients if g.call is apply.gradients), None)
        start = self.ctx.spans[apply.line]
        named = [g for g in self.gradients if g.name and m.matches(apply.gradients, m.Name(g.name))]
        before = [g for g in named if self.ctx.spans[g.line] < start]
        return before[-1] if before else None

    def is_simple(self, gradient: Gradient, apply: Apply) -> bool:
        """One loss, one step, no other gradient of the same graph, and at most clipping in between."""
        if gradient.parts is None or gradient.parts != apply.parts or gradient.recorded or gradient.zeros:
            return False
        if gradient.shared or any(self.overlap(g, gradient) for g in self.gradients if g is not gradient):
            return False
        if apply.gradients is gradient.call:
            return True
        readers = self.readers(gradient)
        between = [line for line in readers if line not in (gradient.line, apply.line)]
        return apply.line in readers and all(self.clip(line, gradient) is not None for line in between)

    def readers(self, gradient: Gradient) -> list[cst.SimpleStatementLine]:
        """The lines that mention the name of a gradient, up to the next gradient of that name."""
        assert gradient.name is not None
        start = self.lines.index(gradient.line)
        others = [self.lines.index(g.line) for g in self.gradients if g.name == gradient.name]
        end = min([i for i in others if i > start], default=len(self.lines))
        return [line for line in self.lines[start:end] if gradient.name in names_below(line)]

    def clip(self, line: cst.SimpleStatementLine, gradient: Gradient) -> str | None:
        assert gradient.name is not None
        assert gradient.parts is not None
        return clip(line, gradient.name, parameters(gradient.parts), self.holder, self.ctx)

    def backward(self, gradient: Gradient, apply: Apply) -> None:
        begin = f"{apply.optimizer}.zero_grad()\n{self.summed(gradient.target)}.backward()"
        end = f"{apply.optimizer}.step()"
        if apply.line is gradient.line:
            self.found.lines[apply.line] = f"{begin}\n{end}"
        else:
            for line in self.readers(gradient):
                self.found.lines[line] = self.clip(line, gradient) or ""
            self.found.lines[gradient.line] = begin
            self.found.lines[apply.line] = end
        self.found.losses |= names_below(gradient.target)

    def drop_aliases(self) -> None:
        """A list of variables that nothing reads any more goes with its readers."""
        for name in self.aliases:
            readers = [line for line in self.lines if name in names_below(line) and line not in self.found.lines]
            if len(readers) == 1 and self.not_read_by_blocks(name) and self.not_read_by_calls(name):
                self.found.lines[readers[0]] = ""

    def not_read_by_blocks(self, name: str) -> bool:
        inside = {line for block in self.found.blocks for line in find(block, m.SimpleStatementLine())}
        return not any(name in names_below(line) for line in inside if line not in self.found.lines)

    def not_read_by_calls(self, name: str) -> bool:
        return not any(name in text for text in self.found.decided.values())

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

    def by_autograd(self, gradient: Gradient) -> None:
        """Gradients as values; they may themselves be differentiated where a tape records."""
        source = variable(gradient.sources, self.ctx)
        name = gradient.sources.value if isinstance(gradient.sources, cst.Name) else None
        if is_untrained(gradient.sources, self.ctx) and name not in self.watched:
            self.found.problems.append((gradient.line, "the gradient of a variable that is not trained"))
        if gradient.parts is not None:
            text, end = listed(gradient.parts), ""
        elif source is not None:
            text, end = source[0].text, "[0]"
        elif name is not None and name in self.watched:
            text, end = name, "[0]"
        else:
            self.of_several(gradient)
            return
        self.write(gradient, text, end)

    def of_several(self, gradient: Gradient) -> None:
        """Several watched tensors."""
        node = gradient.sources
        elements = [e.value for e in node.elements] if isinstance(node, cst.List | cst.Tuple) else []
        names = [e.value for e in elements if isinstance(e, cst.Name) and e.value in self.watched]
        if not names or len(names) < len(elements):
            self.found.problems.append((gradient.line, "the sources of a gradient are not known"))
            return
        self.write(gradient, f"[{', '.join(names)}]", "")

    def write(self, gradient: Gradient, text: str, end: str) -> None:
        watched = gradient.parts is None and variable(gradient.sources, self.ctx) is None
        options = []
        if gradient.recorded or (watched and not isinstance(self.holder, cst.Module)) or self.called_on_tape():
            options.append("create_graph=True")
        elif gradient.shared:
            options.append("retain_graph=True")
        options += ["allow_unused=True", "materialize_grads=True"] if gradient.zeros else []
        target = self.summed_always(gradient) if watched else self.summed(gradient.target)
        if target.endswith(".sum()") and any(holds(pause, gradient.line) for pause in self.found.paused):
            target = target.removesuffix(".sum()")  # a sum made here would have no graph
            options.insert(0, f"torch.ones_like({target})")
        made = f"torch.autograd.grad({', '.join([target, text, *options])}){end}"
        keeps = not end and not self.only_iterated(gradient)
        self.found.decided[gradient.call] = f"list({made})" if keeps else made
        self.found.losses |= names_below(gradient.target) if not end else set()

    def only_iterated(self, gradient: Gradient) -> bool:
        """Whether nothing can tell that the gradients are a tuple in torch."""
        part = gradient.line.body[0]
        if isinstance(part, cst.Assign) and part.value is gradient.call and gradient.name is None:
            return True  # unpacked
        if gradient.name is None:
            return not isinstance(part, cst.Return)
        uses = m.Return() | m.Assign(targets=[m.AssignTarget(target=m.Subscript(value=m.Name(gradient.name)))])
        return not any(m.matches(line.body[0], uses) for line in self.readers(gradient))

    def called_on_tape(self) -> bool:
        """Whether the file calls this function while a tape records."""
        if isinstance(self.holder, cst.Module):
            return False
        name = m.Name(self.holder.name.value)
        calls = find(self.ctx.tree, m.Call(func=name | m.Attribute(attr=name)))
        blocks = [b for b in find(self.ctx.tree, m.With()) if isinstance(b, cst.With) and tape_items(b, self.ctx)]
        return any(holds(block, call) for block in blocks for call in calls)

    def assign(self, apply: Apply) -> None:
        if apply.parts is None or not isinstance(apply.gradients, cst.Name):
            self.found.problems.append((apply.line, "gradients applied to variables that are not known"))
            return
        param, grad = self.free("param"), self.free("grad")
        self.found.lines[apply.line] = (
            f"for {param}, {grad} in zip({parameters(apply.parts)}, {apply.gradients.value}):\n"
            f"    {param}.grad = {grad}\n{apply.optimizer}.step()"
        )

    def summed_always(self, gradient: Gradient) -> str:
        value = self.ctx.value(gradient.target)
        text = self.summed(gradient.target)
        known = isinstance(value, Tensor) and value.rank is not None
        return text if known or text.endswith((".sum()", "]")) else f"{text}.sum()"

    def jacobian(self, call: cst.Call, name: str, line: cst.SimpleStatementLine, tape: str) -> None:
        graph = "create_graph=True" if self.open_around(line) else "retain_graph=True"
        made = jacobian(call, graph, self.watched, self.free("v"), self.ctx)
        if made is None:
            self.found.problems.append((line, f"`{tape}.{name}` of something that is not known"))
            return
        self.found.decided[call] = made
        self.jacobians.append(tape)
        for gradient in self.gradients:
            gradient.shared = gradient.shared or gradient.tape == tape
