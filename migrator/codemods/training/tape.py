"""What the gradient tapes of a function compute, and what is done with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import api_of
from migrator.codemods.training.models import parameters, variables_of
from migrator.codemods.training.scope import Holder, count
from migrator.syntax import walk
from migrator.values import Tensor

TAPE = "tf.GradientTape"


@dataclass
class Gradient:
    """One `tape.gradient(target, sources)`: `models` whose variables are the sources, or None."""

    call: cst.Call
    line: cst.SimpleStatementLine
    tape: str
    target: cst.BaseExpression
    sources: cst.BaseExpression
    models: list[str] | None
    name: str | None  # what the gradients are bound to
    last: bool = True  # no later gradient over the same tape or beside it


@dataclass
class Apply:
    """One `optimizer.apply_gradients(zip(gradients, variables))`."""

    call: cst.Call
    line: cst.SimpleStatementLine
    optimizer: str
    gradients: cst.BaseExpression
    variables: cst.BaseExpression
    models: list[str] | None


@dataclass
class TapePlan:
    """The tapes of one function. `lines`: lines decided, as text ("" is dropped).

    `simple`: every gradient goes through `backward`. `problems`: where, and why to decline.
    """

    blocks: list[cst.With] = field(default_factory=list)
    tapes: set[str] = field(default_factory=set)
    lines: dict[cst.SimpleStatementLine, str] = field(default_factory=dict)
    decided: dict[cst.CSTNode, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[tuple[cst.CSTNode, str]] = field(default_factory=list)
    losses: set[str] = field(default_factory=set)  # names that carry a graph after the step


def plan_tapes(holder: Holder, ctx: Context, known: frozenset[str]) -> TapePlan:
    """The plan of one function's tapes, nested functions left out."""
    return _Planner(holder, ctx, known).plan()


def tape_items(node: cst.With, ctx: Context) -> list[str] | None:
    """The names of the tapes that a `with` opens, or None when it opens anything else."""
    names = []
    for item in node.items:
        if api_of(ctx.value(item.item)) != TAPE or not isinstance(item.item, cst.Call):
            return None
        if item.asname is None or not isinstance(item.asname.name, cst.Name):
            return None
        names.append(item.asname.name.value)
    return names


class _Planner:
    def __init__(self, holder: Holder, ctx: Context, known: frozenset[str]) -> None:
        self.holder, self.ctx, self.known = holder, ctx, known
        self.found = TapePlan()
        finder = _Lines(holder)
        walk(holder, finder)
        self.lines, self.withs = finder.lines, finder.withs
        self.aliases: dict[str, list[str]] = {}
        self.gradients: list[Gradient] = []
        self.applies: list[Apply] = []
        self.watched: set[str] = set()

    def plan(self) -> TapePlan:
        for block in self.withs:
            names = tape_items(block, self.ctx)
            if names is not None:
                self.found.blocks.append(block)
                self.found.tapes |= set(names)
        for line in self.lines:
            self.look(line)
        if self.found.blocks:
            self.settle()
            self.check_uses()
        for apply in self.applies:
            if apply.line not in self.found.lines:
                self.found.problems.append((apply.line, "gradients that are applied where they are not computed"))
        return self.found

    def check_uses(self) -> None:
        """A tape may be read by what was understood here, and by nothing else."""
        for block in self.found.blocks:
            for name in tape_items(block, self.ctx) or ():
                understood = sum(g.tape == name for g in self.gradients) + 1
                understood += sum(count(line, name) for line in self.found.lines if self.leaves(line, name))
                if count(self.holder, name) != understood:
                    self.found.problems.append((block, f"`{name}` is used for more than gradients"))

    def leaves(self, line: cst.SimpleStatementLine, name: str) -> bool:
        """Whether a line that mentions a tape is no gradient of it."""
        return not any(g.line is line and g.tape == name for g in self.gradients)

    def free(self, wish: str) -> str:
        """A name that the function does not have."""
        return wish if not count(self.holder, wish) else f"{wish}_"

    def look(self, line: cst.SimpleStatementLine) -> None:
        part = line.body[0]
        if isinstance(part, cst.Del) and _names(part.target) <= self.found.tapes:
            self.found.lines[line] = ""
        if isinstance(part, cst.Assign) and isinstance(part.targets[0].target, cst.Name):
            models = variables_of(part.value, self.ctx, self.known)
            if models is not None:
                self.aliases[part.targets[0].target.value] = models
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
        plain = all(arg.keyword is None and not arg.star for arg in call.args)
        if name == "watch" and plain and isinstance(call.args[0].value, cst.Name):
            x = call.args[0].value.value
            self.watched.add(x)
            self.found.lines[line] = f"{x} = {x}.clone().requires_grad_()"
        elif name == "gradient" and plain and len(call.args) == 2:
            target, sources = call.args[0].value, call.args[1].value
            self.gradients.append(
                Gradient(call, line, tape, target, sources, self.models(sources), _bound_name(line, call))
            )
        else:
            self.found.problems.append((line, f"`{tape}.{name}` in this form has no rule"))

    def apply(self, call: cst.Call, func: cst.Attribute, line: cst.SimpleStatementLine) -> None:
        zipped = call.args[0].value if len(call.args) == 1 else None
        if not (m.matches(zipped, m.Call(func=m.Name("zip"), args=[m.Arg(), m.Arg()])) if zipped else False):
            self.found.problems.append((line, "`apply_gradients` in this form has no rule"))
            return
        assert isinstance(zipped, cst.Call)
        gradients, variables = (arg.value for arg in zipped.args)
        optimizer = self.ctx.code(func.value).strip()
        self.applies.append(Apply(call, line, optimizer, gradients, variables, self.models(variables)))

    def models(self, node: cst.BaseExpression) -> list[str] | None:
        if isinstance(node, cst.Name) and node.value in self.aliases:
            return self.aliases[node.value]
        return variables_of(node, self.ctx, self.known)

    # --- decisions ----------------------------------------------------------------------------------

    def settle(self) -> None:
        by_models = [g for g in self.gradients if g.models is not None]
        if len(by_models) == 1 and len(self.applies) == 1 and self.is_simple(by_models[0], self.applies[0]):
            self.backward(by_models[0], self.applies[0])
        else:
            for index, gradient in enumerate(by_models):
                self.by_autograd(gradient, last=index == len(by_models) - 1)
            for apply in self.applies:
                self.assign(apply)
        for gradient in self.gradients:
            if gradient.models is None:
                self.of_tensors(gradient)

    def is_simple(self, gradient: Gradient, apply: Apply) -> bool:
        """One loss, one step, and the gradients are at most clipped in between."""
        if gradient.models != apply.models:
            return False
        if apply.gradients is gradient.call:
            return True
        name = gradient.name
        if name is None or not m.matches(apply.gradients, m.Name(name)):
            return False
        return all(
            line in (gradient.line, apply.line) or self.clip(line, name, gradient) is not None
            for line in self.lines
            if name in _names(line)
        )

    def backward(self, gradient: Gradient, apply: Apply) -> None:
        begin = f"{apply.optimizer}.zero_grad()\n{self.summed(gradient)}.backward()"
        end = f"{apply.optimizer}.step()"
        if apply.line is gradient.line:
            self.found.lines[apply.line] = f"{begin}\n{end}"
        else:
            self.found.lines[gradient.line] = begin
            self.found.lines[apply.line] = end
            for line in self.lines:
                if line not in (gradient.line, apply.line) and gradient.name and gradient.name in _names(line):
                    self.found.lines[line] = self.clip(line, gradient.name, gradient) or ""
        self.found.losses |= _names(gradient.target)
        self.drop_aliases()

    def drop_aliases(self) -> None:
        """A list of variables that nothing reads any more goes with its readers."""
        for name in self.aliases:
            readers = [line for line in self.lines if name in _names(line) and line not in self.found.lines]
            if len(readers) == 1 and self.not_read_by_blocks(name):
                self.found.lines[readers[0]] = ""

    def not_read_by_blocks(self, name: str) -> bool:
        inside = {line for block in self.found.blocks for line in find(block, m.SimpleStatementLine())}
        return not any(name in _names(line) for line in inside)

    def summed(self, gradient: Gradient) -> str:
        """The target as one number: a tape adds up what is not a scalar."""
        text = self.ctx.code(gradient.target).strip()
        value = self.ctx.value(gradient.target)
        text = text if isinstance(gradient.target, cst.Name | cst.Attribute | cst.Call) else f"({text})"
        return f"{text}.sum()" if isinstance(value, Tensor) and value.rank not in (None, 0) else text

    def by_autograd(self, gradient: Gradient, last: bool) -> None:
        assert gradient.models is not None
        if gradient.name is None:
            self.found.problems.append((gradient.line, "gradients that are not bound to a name"))
            return
        keep = "" if last else ", retain_graph=True"
        params = f"list({parameters(gradient.models)})" if len(gradient.models) == 1 else parameters(gradient.models)
        self.found.decided[gradient.call] = f"torch.autograd.grad({self.summed(gradient)}, {params}{keep})"
        self.found.losses |= _names(gradient.target)

    def assign(self, apply: Apply) -> None:
        if apply.models is None or not isinstance(apply.gradients, cst.Name):
            self.found.problems.append((apply.line, "gradients applied to variables that are not known"))
            return
        param, grad = self.free("param"), self.free("grad")
        self.found.lines[apply.line] = (
            f"for {param}, {grad} in zip({parameters(apply.models)}, {apply.gradients.value}):\n"
            f"    {param}.grad = {grad}\n{apply.optimizer}.step()"
        )

    def of_tensors(self, gradient: Gradient) -> None:
        """A gradient with respect to inputs; it may itself be differentiated."""
        names = _names(gradient.sources)
        if isinstance(gradient.sources, cst.Name) and names <= self.watched:
            summed = self.summed_always(gradient)
            self.found.decided[gradient.call] = (
                f"torch.autograd.grad({summed}, {gradient.sources.value}, create_graph=True)[0]"
            )
            return
        self.found.problems.append((gradient.line, "the sources of a gradient are not known"))

    def summed_always(self, gradient: Gradient) -> str:
        value = self.ctx.value(gradient.target)
        text = self.summed(gradient)
        known = isinstance(value, Tensor) and value.rank is not None
        return text if known or text.endswith(".sum()") else f"{text}.sum()"

    # --- clipping -----------------------------------------------------------------------------------

    def clip(self, line: cst.SimpleStatementLine, name: str, gradient: Gradient) -> str | None:
        """A line that only clips the gradients `name`, over the `grad` of parameters; None for any other."""
        part = line.body[0]
        if not isinstance(part, cst.Assign) or len(part.targets) != 1 or gradient.models is None:
            return None
        params = parameters(gradient.models)
        return self.global_clip(part, name, params) or self.each_clip(part, name, params)

    def global_clip(self, part: cst.Assign, name: str, params: str) -> str | None:
        call, target = part.value, part.targets[0].target
        if not isinstance(call, cst.Call) or api_of(self.ctx.value(call.func)) != "tf.clip_by_global_norm":
            return None
        if len(call.args) != 2 or not m.matches(call.args[0].value, m.Name(name)):
            return None
        if not isinstance(target, cst.Tuple) or len(target.elements) != 2:
            return None
        first, norm = (element.value for element in target.elements)
        if not m.matches(first, m.Name(name)) or not isinstance(norm, cst.Name):
            return None
        text = f"torch.nn.utils.clip_grad_norm_({params}, {self.ctx.code(call.args[1].value).strip()})"
        return text if norm.value == "_" else f"{norm.value} = {text}"

    def each_clip(self, part: cst.Assign, name: str, params: str) -> str | None:
        """`[tf.clip_by_norm(g, c) for g in grads]` and `clip_by_value(g, -c, c)`."""
        comp = part.value
        if not m.matches(part.targets[0].target, m.Name(name)) or not isinstance(comp, cst.ListComp):
            return None
        call, source = comp.elt, comp.for_in
        if not isinstance(call, cst.Call) or not m.matches(source.iter, m.Name(name)) or source.ifs:
            return None
        if not isinstance(source.target, cst.Name) or not m.matches(call.args[0].value, m.Name(source.target.value)):
            return None
        api = api_of(self.ctx.value(call.func))
        limits = [self.ctx.code(arg.value).strip() for arg in call.args[1:]]
        if api == "tf.clip_by_norm" and len(limits) == 1:
            p = self.free("p")
            return f"for {p} in {params}:\n    torch.nn.utils.clip_grad_norm_({p}, {limits[0]})"
        if api == "tf.clip_by_value" and len(limits) == 2 and limits[0] == f"-{limits[1]}":
            return f"torch.nn.utils.clip_grad_value_({params}, {limits[1]})"
        return None


class _Lines(cst.CSTVisitor):
    """Lines and `with` blocks of a function, without those of functions inside."""

    def __init__(self, holder: Holder) -> None:
        super().__init__()
        self.holder = holder
        self.lines: list[cst.SimpleStatementLine] = []
        self.withs: list[cst.With] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return node is self.holder

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return False

    def visit_With(self, node: cst.With) -> None:
        self.withs.append(node)

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        self.lines.append(node)


def _names(node: cst.CSTNode) -> set[str]:
    return {n.value for n in find(node, m.Name()) if isinstance(n, cst.Name)}


def _bound_name(line: cst.SimpleStatementLine, call: cst.Call) -> str | None:
    part = line.body[0]
    if isinstance(part, cst.Assign) and part.value is call and isinstance(part.targets[0].target, cst.Name):
        return part.targets[0].target.value
    return None
