"""What the gradient tapes of a function compute, and what is done with it."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import bind
from migrator.codemods.training.models import parameters, variable, variables_of
from migrator.codemods.training.scope import Holder, count
from migrator.codemods.training.tape_autograd import Autograd
from migrator.codemods.training.tape_clip import clip
from migrator.codemods.training.tape_jacobian import jacobian
from migrator.codemods.training.tape_minimize import read_minimize
from migrator.codemods.training.tape_reading import (
    GRADIENT,
    Apply,
    Gradient,
    applied_pairs,
    applies,
    bound_name,
    names_below,
    paused_tape,
    tape_items,
    unpacked_names,
    watches_all,
)
from migrator.codemods.training.tape_scope import may_be_recorded
from migrator.codemods.training.tape_state import TapePlan, Tapes
from migrator.values import Api

__all__ = ["TapePlan", "plan_tapes", "tape_items"]


def plan_tapes(holder: Holder, ctx: Context, known: frozenset[str]) -> TapePlan:
    """The plan of one function's tapes, nested functions left out."""
    return _Planner(holder, ctx, known).plan()


class _Planner(Tapes):
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

    def check_uses(self) -> None:
        """A tape may be read by what was understood here, and by nothing else."""
        for block in self.found.blocks:
            for name in tape_items(block, self.ctx) or ():
                if not self.is_understood(block, name):
                    self.found.problems.append((block, f"`{name}` is used for more than gradients"))

    def is_understood(self, block: cst.With, name: str) -> bool:
        """Whether every use of a tape's name, up to the next tape of that name, is one that has been read."""
        start = self.ctx.spans[block]
        others = [b for b in self.found.blocks if b is not block and name in (tape_items(b, self.ctx) or ())]
        end = min((self.ctx.spans[b] for b in others if self.ctx.spans[b] > start), default=None)

        def here(node: cst.CSTNode) -> bool:
            at = self.ctx.spans[node]
            return start <= at and (end is None or at < end)

        lines = list(filter(here, self.lines))
        understood = 1 + sum(g.tape == name for g in self.gradients if here(g.line))
        understood += sum(tape == name for line, tape in self.jacobians if here(line))
        understood += sum(paused_tape(pause) == name for pause in self.found.paused if here(pause))
        understood += sum(count(line, name) for line in lines if line in self.found.lines and self.leaves(line, name))
        heads = [*self.body.heads, *(item for other in self.body.withs for item in other.items)]
        return sum(count(node, name) for node in (*lines, *filter(here, heads))) == understood

    def leaves(self, line: cst.SimpleStatementLine, name: str) -> bool:
        """Whether a line that mentions a tape is no gradient of it."""
        return not any(g.line is line and g.tape == name for g in self.gradients)

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
        elif applies(call, self.ctx):
            self.apply(call, func, line)
        elif func.attr.value == "minimize":
            self.minimize(call, func, line)

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
            alone = len(self.open_around(line)) == 1 and not may_be_recorded(self.holder, self.ctx)
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
        unpacked, one = unpacked_names(line, call), variable(sources, self.ctx)
        made = Gradient(call, line, tape, bound["target"], sources, self.parts(sources), name, unpacked, one, zeros)
        made.recorded, made.shared = self.is_recorded(made), self.is_repeated(made)
        for earlier in self.gradients:
            earlier.shared = earlier.shared or self.overlap(earlier, made)
        self.gradients.append(made)

    def apply(self, call: cst.Call, func: cst.Attribute, line: cst.SimpleStatementLine) -> None:
        pairs = applied_pairs(call)
        if pairs is None:
            self.found.problems.append((line, f"`{func.attr.value}` in this form has no rule"))
            return
        optimizer = self.ctx.code(func.value).strip()
        self.applies.append(Apply(call, line, optimizer, *pairs, self.parts(pairs[1])))

    def minimize(self, call: cst.Call, func: cst.Attribute, line: cst.SimpleStatementLine) -> None:
        found = read_minimize(call, self.ctx)
        part = line.body[0]
        if found is None or not isinstance(part, cst.Expr) or part.value is not call:
            return
        if self.parts(found.variables) is None:
            self.found.problems.append((line, "`minimize` over variables that are not known"))
            return
        text = f"{self.text(found.target)}()" if found.called else self.summed(found.target)
        optimizer = self.ctx.code(func.value).strip()
        self.found.lines[line] = f"{optimizer}.zero_grad()\n{text}.backward()\n{optimizer}.step()"

    # --- decisions ----------------------------------------------------------------------------------

    def settle(self) -> None:
        self.check_recording()
        pairs = [(g, a) for a in self.applies if (g := self.partner(a)) is not None and self.is_simple(g, a)]
        for gradient, apply in pairs:
            self.backward(gradient, apply)
        simple = [gradient for gradient, _ in pairs]
        autograd = Autograd(self)
        for gradient in self.gradients:
            if gradient not in simple:
                autograd.write(gradient)
        for apply in self.applies:
            if apply not in [a for _, a in pairs]:
                self.assign(apply)
        self.drop_aliases()

    def check_recording(self) -> None:
        for block in self.found.blocks:
            tapes = tape_items(block, self.ctx) or []
            if not watches_all(block, self.ctx) and any(
                g.parts is not None or g.one is not None for g in self.gradients if g.tape in tapes
            ):
                self.found.problems.append((block, "a tape that records only some variables"))

    def partner(self, apply: Apply) -> Gradient | None:
        """The gradient that a step applies: the last one before it, and applied nowhere else."""
        end = self.ctx.spans[apply.line]
        before = [g for g in self.gradients if g.gives(apply.gradients) and self.ctx.spans[g.line] <= end]
        return before[-1] if before else None

    def is_simple(self, gradient: Gradient, apply: Apply) -> bool:
        """One loss, one step, no other gradient of the same graph, and at most clipping in between."""
        parts = gradient.parts or gradient.one
        if parts is None or parts != apply.parts or gradient.recorded or gradient.zeros:
            return False
        if self.heads_read(gradient):
            return False
        if gradient.shared or any(self.overlap(g, gradient) for g in self.gradients if g is not gradient):
            return False
        if apply.line is gradient.line:
            return True
        readers = self.readers(gradient)
        between = [line for line in readers if line not in (gradient.line, apply.line)]
        return apply.line in readers and all(self.clip(line, gradient) is not None for line in between)

    def clip(self, line: cst.SimpleStatementLine, gradient: Gradient) -> str | None:
        if gradient.name is None or gradient.parts is None:
            return None
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

    def assign(self, apply: Apply) -> None:
        if apply.parts is None or not isinstance(apply.gradients, cst.Name | cst.List):
            self.found.problems.append((apply.line, "gradients applied to variables that are not known"))
        elif isinstance(apply.gradients, cst.Name):
            param, grad = self.free("param"), self.free("grad")
            self.found.lines[apply.line] = (
                f"for {param}, {grad} in zip({parameters(apply.parts)}, {apply.gradients.value}):\n"
                f"    {param}.grad = {grad}\n{apply.optimizer}.step()"
            )
        else:
            pairs = zip(apply.parts, apply.gradients.elements, strict=True)
            each = [f"{part.text}.grad = {self.text(element.value)}" for part, element in pairs]
            self.found.lines[apply.line] = "\n".join([*each, f"{apply.optimizer}.step()"])

    def jacobian(self, call: cst.Call, name: str, line: cst.SimpleStatementLine, tape: str) -> None:
        graph = "create_graph=True" if self.open_around(line) else "retain_graph=True"
        made = jacobian(call, graph, self.watched, self.free("v"), self.ctx)
        if made is None:
            self.found.problems.append((line, f"`{tape}.{name}` of something that is not known"))
            return
        self.found.decided[call] = made
        self.jacobians.append((line, tape))
        for gradient in self.gradients:
            gradient.shared = gradient.shared or gradient.tape == tape
