"""Walking the statements of a unit: training constructs are written here, the rest by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.data import DataPlan
from migrator.codemods.data.chains import read_chain
from migrator.codemods.data.options import only_tunes
from migrator.codemods.nodes import ancestors, below, find, holds
from migrator.codemods.training import outside
from migrator.codemods.training.building import build
from migrator.codemods.training.callback_classes import (
    LOSS,
    METRIC,
    SEQUENCE,
    derives_directly,
    is_base_init,
    keras_base,
    problem,
    step_parameter,
    with_call,
    without_base,
)
from migrator.codemods.training.callback_factories import is_written_in_place
from migrator.codemods.training.callback_lists import makes_callbacks, only_callbacks
from migrator.codemods.training.calls import calls_in
from migrator.codemods.training.decay import exclusion
from migrator.codemods.training.decisions import Decisions
from migrator.codemods.training.definitions import definition
from migrator.codemods.training.expressions import Finder, Modes
from migrator.codemods.training.factories import takes_model, with_model
from migrator.codemods.training.freezing import freezes, objection, read_freeze
from migrator.codemods.training.freezing import text as freeze_text
from migrator.codemods.training.idle import as_statements, lists_for_nothing, without_body
from migrator.codemods.training.late_optimizers import Late, late_optimizers
from migrator.codemods.training.metric_classes import MetricClass, head_of, without_rest
from migrator.codemods.training.moving import in_one, moves, moves_next
from migrator.codemods.training.network_freezing import is_flag
from migrator.codemods.training.optimizer_classes import OptimizerClass, is_optimizer_class
from migrator.codemods.training.own_compile import is_base_compile
from migrator.codemods.training.pieces import EMPTY, comments_of, cut, is_echo, with_lead
from migrator.codemods.training.place import embed, statements
from migrator.codemods.training.plan import FilePlan, plan_file, plan_scope
from migrator.codemods.training.runs import model_runs, shown_within
from migrator.codemods.training.scope import Holder, Names, count
from migrator.codemods.training.sink import Sink
from migrator.codemods.training.standalone import define, only_compiled_list
from migrator.codemods.training.states import reset_loop, reset_text
from migrator.codemods.training.step_counts import builds_optimizer
from migrator.codemods.training.strategies import NOTE as STRATEGY_GONE
from migrator.codemods.training.strategies import is_scope, makes_strategy
from migrator.codemods.training.tape import TapePlan, tape_items
from migrator.codemods.training.tape_reading import paused_tape
from migrator.codemods.training.writer import Unfit
from migrator.model import Helper, InterfaceChange
from migrator.syntax import walk
from migrator.values import Api, RepoFunction, Unknown

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


@dataclass(frozen=True)
class Walker:
    """Rewrites the statements of one scope."""

    ctx: Context
    plan: FilePlan
    sink: Sink
    holder: Holder
    names: Names
    tapes: TapePlan
    data: DataPlan
    modes: Modes = field(default_factory=Modes)
    late: Late = field(default_factory=dict)  # optimizers by the statement behind which they are made

    @classmethod
    def of(cls, ctx: Context, holder: Holder, sink: Sink | None = None) -> Walker:
        plan = plan_file(ctx)
        scope = plan_scope(holder, plan, ctx)
        names = Names(set(scope.names | plan.taken))
        late = late_optimizers(holder, plan, ctx)
        return cls(ctx, plan, sink or Sink(), holder, names, scope.tapes, scope.data, late=late)

    def inside(self, holder: cst.FunctionDef) -> Walker:
        inner = Walker.of(self.ctx, holder, self.sink)
        around = next((n for n in ancestors(holder, self.ctx.tree) if isinstance(n, cst.ClassDef)), holder)
        models = any(kind == "model" for _, kind in inner.finder.nodes(around))
        return replace(inner, ctx=replace(self.ctx, device="device")) if models else inner

    def problems(self, node: cst.CSTNode) -> None:
        """Declines what the plans of tapes and datasets could not settle below a node."""
        for where, why in (*self.tapes.problems, *self.data.problems):
            if holds(node, where):
                self.sink.decline(why)

    @property
    def finder(self) -> Finder:
        return Finder(self.ctx, self.plan, self.tapes, self.data, self.holder)

    def decisions(self, where: cst.CSTNode) -> Decisions:
        self.modes.begin()
        return Decisions(
            self.ctx, self.plan, self.sink, self.names, self.holder, self.tapes, self.data, self.modes, where
        )

    def run(self, body: Sequence[cst.BaseStatement]) -> list[Statement]:
        out: list[Statement] = []
        comments: list[cst.EmptyLine] = []  # of statements that are gone
        runs = model_runs(body, self.ctx)
        past = 0
        for index, statement in enumerate(body):
            assert isinstance(statement, Statement)
            if index < past:
                continue
            if not isinstance(statement, cst.FunctionDef | cst.ClassDef):
                self.problems(statement)
            if index in runs:
                past = runs[index]
                new = with_lead(statement, build(body[index:past], self.ctx, self.sink))
                shown = shown_within(body[index:past], self.ctx)
                new += self.shown(shown, body[past:])
            else:
                new = self.statement(statement)
            new += [line for each in body[index : max(past, index + 1)] for line in self.made_late(each)]
            if not new:
                comments += comments_of(statement)
            elif comments:
                new[0] = new[0].with_changes(leading_lines=[*comments, *new[0].leading_lines])
                comments = []
            out += new
        return out

    def made_late(self, statement: cst.BaseStatement) -> list[Statement]:
        """The optimizers that stood before the model that a statement makes."""
        made = self.late.get(statement, ())
        texts = [define(each, self.holder, self.names, self.plan, self.ctx, self.sink, late=True) for each in made]
        return [line for text in texts for line in statements(text)]

    def shown(self, lines: Sequence[cst.SimpleStatementLine], behind: Sequence[cst.BaseStatement]) -> list[Statement]:
        """What prints a model while it still gets layers prints it when it has them all."""
        if not lines:
            return []
        self.sink.note("a model that was printed before it had all its layers is printed when it has them")
        above = [blank for line in lines for blank in line.leading_lines if blank.comment is not None]
        if behind and not above and self.ctx.code(behind[0]).strip() == self.ctx.code(lines[-1]).strip():
            return []  # the next line prints it
        new = self.statement(lines[-1])
        return [new[0].with_changes(leading_lines=above), *new[1:]]

    def statement(self, node: Statement) -> list[Statement]:
        if isinstance(node, cst.With) and (node in self.tapes.blocks or is_scope(node, self.ctx)):
            assert isinstance(node.body, cst.IndentedBlock)
            return with_lead(node, self.run(node.body.body))
        frozen = self.frozen(node)
        if frozen is not None:
            return frozen
        if (model := reset_loop(node, self.ctx, self.plan.known_models)) is not None:
            return with_lead(node, statements(reset_text(self.ctx.code(model).strip(), self.decisions(node).writer)))
        if isinstance(node, cst.With) and node in self.tapes.paused:
            return [self.paused(node)]
        if isinstance(node, cst.If) and (node in self.data.dropped or only_callbacks(node, self.ctx, self.holder)):
            return []
        if isinstance(node, cst.SimpleStatementLine):
            lines = self.line(node) if self.concerns(node) else self.by_rules(node)
            return self.taken(node, lines)
        if self.concerns(node):
            return self.compound(node)
        self.modes.forget()
        return self.by_rules(node)

    def paused(self, node: cst.With) -> cst.With:
        """A block in which the tape does not record."""
        self.sink.imports.add("import torch")
        item = node.items[0].with_changes(item=cst.parse_expression("torch.no_grad()"))
        return node.with_changes(items=[item], body=self.suite(node.body))

    def by_rules(self, node: Statement) -> list[Statement]:
        rewritten = self.ctx.rewrite(node)
        self.sink.take(rewritten)
        if self.calls_repository(node):
            self.modes.forget()
        return as_statements(rewritten.node)

    def concerns(self, node: Statement) -> bool:
        """Whether anything below a node is written here."""
        if self.finder.nodes(node):
            return True
        if isinstance(node, cst.SimpleStatementLine):
            known = node in self.tapes.lines or definition(node, self.ctx) is not None
            known = known or makes_callbacks(node, self.ctx, self.holder) or self.is_tuning(node)
            known = known or only_compiled_list(node, self.plan, self.ctx)
            known = known or makes_strategy(node, self.ctx) or bool(exclusion(node))
            known = known or builds_optimizer(node, self.ctx)
            known = known or outside.is_made(node, self.ctx)
            known = known or is_flag(node, self.ctx)
            return known or bool(self.detached(node)) or freezes(node, self.ctx) or self.is_callback_init(node)
        if isinstance(node, cst.FunctionDef) and is_written_in_place(node, self.ctx):
            return True
        if keras_base(node, self.ctx) or is_optimizer_class(node, self.ctx):
            return True
        if isinstance(node, cst.FunctionDef) and self.step_of(node):
            return True
        finder = _Inner(self)
        walk(node, finder)
        return finder.found

    # --- one line -----------------------------------------------------------------------------------

    def line(self, line: cst.SimpleStatementLine) -> list[Statement]:
        for rewritten in self.tapes.rewrites.get(line, ()):
            self.sink.take(rewritten)
        if line in self.tapes.lines:
            self.sink.imports.add("import torch")
            self.drop_name(line, "is what the parameters' `grad` holds, or lists them")
            return with_lead(line, statements(self.tapes.lines[line]))
        if freezes(line, self.ctx):
            self.sink.decline("layers that are frozen in this form have no rule")
            return [line]
        if self.is_callback_init(line):
            return with_lead(line, head_of(line)) if self.class_base(line) == METRIC else []
        if makes_callbacks(line, self.ctx, self.holder):
            self.drop_name(line, "is written in the loop over the epochs")
            return []
        if only_compiled_list(line, self.plan, self.ctx):
            self.drop_name(line, "is measured in the pass over the data")
            return []
        if self.is_tuning(line):
            self.drop_name(line)
            return []
        if exclusion(line) and self.makes_here(exclusion(line)):
            return []
        if builds_optimizer(line, self.ctx):
            return []
        if makes_strategy(line, self.ctx):
            self.sink.note(STRATEGY_GONE)
            self.drop_name(line, "was a strategy of TensorFlow's")
            return []
        made = definition(line, self.ctx)
        if made is not None and any(made.line is each.line for group in self.late.values() for each in group):
            self.sink.note(f"`{self.ctx.code(made.target)}` is made behind the model whose parameters it is given")
            self.drop_name(line, "is made behind the model that it trains")
            return []
        if made is not None:
            text = define(made, self.holder, self.names, self.plan, self.ctx, self.sink)
            if not text:
                self.drop_name(line, "is in what `compile` became")
            return with_lead(line, statements(text))
        if is_flag(line, self.ctx):
            self.drop_name(line, "only told which layers to freeze")
            return []
        if outside.is_idle(line, self.ctx):
            self.drop_name(line, "was never called")
            return []
        layer = outside.named(line, self.ctx)
        if layer is not None:
            return self.layer(line, layer)
        try:
            decisions = self.decisions(line).decide(line)
        except Unfit as why:
            self.sink.decline(str(why))
            return [line]
        decided = decisions.decided | self.detached(line)
        new = [] if decisions.gone or is_echo(line, decided) else self.rest(line, decided)
        if self.calls_repository(line):
            self.modes.forget()
        return with_lead(line, [*statements("\n".join(decisions.before)), *new])

    def layer(self, line: cst.SimpleStatementLine, made: cst.Call) -> list[Statement]:
        """A layer that belongs to no model gets its module; one without state is written where it is called."""
        try:
            found = outside.outside(made, self.ctx)
        except Unfit as why:
            self.sink.decline(str(why))
            return [line]
        text = "\n".join(found.creation(found.name, self.ctx.device, self.sink))
        if not text:
            self.drop_name(line, "is written where it was called")
        self.modes.known.pop(found.name, None)
        return with_lead(line, statements(text))

    def calls_repository(self, node: cst.CSTNode) -> bool:
        """Whether a call may run code that changes the mode of a model."""
        ours = {n for n, _ in self.finder.nodes(node)}
        values = [self.ctx.value(call.func) for call in calls_in(node) if call not in ours]
        return any(isinstance(value, RepoFunction | Unknown) for value in values)

    def rest(self, line: cst.SimpleStatementLine, decided: dict[cst.CSTNode, str]) -> list[Statement]:
        outer = {n: t for n, t in decided.items() if not any(n is not o and holds(o, n) for o in decided)}
        rewritten = embed(line, outer, self.ctx)
        self.sink.take(rewritten)
        return [new.with_changes(leading_lines=()) for new in as_statements(rewritten.node)]

    def drop_name(self, line: cst.SimpleStatementLine, what: str = "only said how TensorFlow runs") -> None:
        """Tells of a name of the file that is gone with what it was for."""
        part = line.body[0]
        target = part.targets[0].target if isinstance(part, cst.Assign) else None
        several = [e.value for e in target.elements] if isinstance(target, cst.Tuple | cst.List) else [target]
        for name in (n.value for n in several if isinstance(self.holder, cst.Module) and isinstance(n, cst.Name)):
            self.sink.changes.append(InterfaceChange(f"{self.ctx.module}:{name}", "drops-tuning", f"{name} {what}"))

    def is_tuning(self, line: cst.SimpleStatementLine) -> bool:
        """`AUTOTUNE = tf.data.AUTOTUNE`, which only pipelines read; devices that only set-up lines read."""
        if lists_for_nothing(line, self.ctx) or only_tunes(line, self.ctx):
            return True
        part = line.body[0]
        if len(line.body) > 1 or not isinstance(part, cst.Assign) or not isinstance(part.targets[0].target, cst.Name):
            return False
        value, name = self.ctx.value(part.value), part.targets[0].target.value
        if not isinstance(value, Api) or not value.name.endswith(".AUTOTUNE"):
            return False
        given = m.Arg(value=m.Name(name))
        readers = find(self.ctx.tree, m.Call(func=m.Attribute(), args=[m.ZeroOrMore(), given, m.ZeroOrMore()]))
        chained = [call for call in readers if isinstance(call, cst.Call) and read_chain(call, self.ctx) is not None]
        return len(chained) == count(self.ctx.tree, name) - 1

    def makes_here(self, target: str) -> bool:
        """Whether a line of this scope makes the optimizer of that name."""
        lines = (n for n in below(self.holder, cst.SimpleStatementLine) if isinstance(n, cst.SimpleStatementLine))
        made = (definition(line, self.ctx) for line in lines)
        return any(d is not None and d.kind == "optimizer" and self.ctx.code(d.target).strip() == target for d in made)

    def is_callback_init(self, line: cst.SimpleStatementLine) -> bool:
        """`super().__init__()` in a class that has no base any more, or `super().compile()` of a model."""
        if is_base_compile(line):
            return True
        around = ancestors(line, self.ctx.tree) if is_base_init(line) else []
        return any(derives_directly(node, self.ctx) for node in around)

    def frozen(self, node: Statement) -> list[Statement] | None:
        """A statement that freezes layers in a form that is known; None for any other."""
        freeze = read_freeze(node, self.ctx, self.holder)
        if freeze is None:
            return None
        why = objection(freeze, node, self.holder, self.ctx)
        if why:
            self.sink.decline(why)
        self.sink.imports.add("from torch import nn")
        return with_lead(node, statements(freeze_text(freeze)))

    def detached(self, line: cst.SimpleStatementLine) -> dict[cst.CSTNode, str]:
        """Losses that are returned after the step, without the graph behind them."""
        part = line.body[0]
        if not isinstance(part, cst.Return) or part.value is None or not self.tapes.losses:
            return {}
        value = part.value
        parts = [e.value for e in value.elements] if isinstance(value, cst.Tuple | cst.List | cst.Dict) else [value]
        return {
            node: f"{node.value}.detach()"
            for node in parts
            if isinstance(node, cst.Name) and node.value in self.tapes.losses
        }

    # --- blocks -------------------------------------------------------------------------------------

    def compound(self, node: Statement) -> list[Statement]:
        if isinstance(node, cst.FunctionDef):
            return [] if self.drops(node) else [self.function(node)]
        if isinstance(node, cst.ClassDef):
            return [self.class_(node)]
        if isinstance(node, cst.With) and isinstance(node.body, cst.IndentedBlock):
            inner = self.inlined(node, node.body)
            if inner is not None:
                return inner
        before, new = self.block(node)
        self.modes.forget()
        return with_lead(node, [*before, new.with_changes(leading_lines=())]) if before else [new]

    def class_(self, node: cst.ClassDef) -> Statement:
        if is_optimizer_class(node, self.ctx):
            return self.optimizer_class(node)
        bare, base = node.with_changes(body=EMPTY), keras_base(node, self.ctx)
        if base:
            why = MetricClass(node, self.ctx).problem() if base == METRIC else problem(node, self.ctx)
            if base == LOSS:
                why = why or MetricClass(node, self.ctx).rest_problem()
            if why:
                self.sink.decline(why)
            bare = without_base(bare, self.ctx)
            if base == SEQUENCE:
                self.sink.imports.add("from torch.utils.data import Dataset")
        head, _ = self.header(node, bare)
        body = self.suite(node.body)
        if base == METRIC:
            return head.with_changes(body=MetricClass(node, self.ctx).completed(body))
        return head.with_changes(body=with_call(node, body, self.ctx))

    def optimizer_class(self, node: cst.ClassDef) -> Statement:
        torch = [cst.Arg(cst.parse_expression("torch.optim.Optimizer"))]
        try:
            body = OptimizerClass(node, self.ctx, self.sink).body()
        except Unfit as why:
            self.sink.decline(str(why))
            return node
        head, _ = self.header(node, node.with_changes(bases=torch, body=EMPTY))
        return head.with_changes(body=node.body.with_changes(body=body))

    def class_base(self, node: cst.CSTNode) -> str:
        """Which of Keras's plain classes the class around a node derives from; "" for none."""
        around = next((n for n in ancestors(node, self.ctx.tree) if isinstance(n, cst.ClassDef)), node)
        return keras_base(around, self.ctx)

    def inlined(self, node: cst.With, body: cst.IndentedBlock) -> list[Statement] | None:
        """The statements of a block whose contexts say nothing in PyTorch; None where one of them stays."""
        made = without_body(node, self.ctx)
        if made is None:
            return None
        self.sink.take(made.rewritten)
        inner = self.run(body.body)
        for name in made.names:
            if any(count(statement, name) for statement in inner):
                self.sink.decline(f"`{name}` is used inside of the context")
        return with_lead(node, [*made.before, *inner])

    def drops(self, node: cst.FunctionDef) -> bool:
        """Whether a function is gone: a factory of callbacks, which are lines of the loop now."""
        if not isinstance(self.holder, cst.Module) or not is_written_in_place(node, self.ctx):
            return False
        qualname = f"{self.ctx.module}:{node.name.value}"
        detail = f"{node.name.value} is code in the loop"
        self.sink.changes.append(InterfaceChange(qualname, "drops-callbacks", detail))
        return True

    def function(self, node: cst.FunctionDef) -> Statement:
        body = self.inside(node).suite(node.body)
        step = self.step_of(node)
        if step and isinstance(body, cst.IndentedBlock):
            self.sink.imports.add("import torch")
            docs = 1 if node.get_docstring() is not None else 0
            first = statements(f"{step} = torch.as_tensor({step})")
            body = body.with_changes(body=[*body.body[:docs], *first, *body.body[docs:]])
        bare = node.with_changes(body=EMPTY)
        if node.name.value == "__init__" and self.class_base(node) in (METRIC, LOSS):
            bare = without_rest(node).with_changes(body=EMPTY)
        head, _ = self.header(node, bare)
        if isinstance(head, cst.FunctionDef) and takes_model(node, self.ctx) in self.sink.changes:
            head = with_model(head)
        return head.with_changes(body=body)

    def step_of(self, node: cst.FunctionDef) -> str:
        around = next((a for a in ancestors(node, self.ctx.tree) if isinstance(a, cst.ClassDef)), None)
        return step_parameter(node, around, self.ctx)

    def block(self, node: Statement) -> tuple[list[Statement], Statement]:
        """A compound statement: its blocks by the walker, its head by the rules."""
        changes: dict[str, object] = {}
        empties: dict[str, object] = {}
        self.modes.forget()
        for name in ("body", "orelse", "finalbody"):
            part = getattr(node, name, None)
            if isinstance(part, cst.BaseSuite):
                changes[name], empties[name] = self.suite(part, self.moved(node) if name == "body" else ()), EMPTY
            elif isinstance(part, cst.If):
                before, changed = self.block(part)
                if before:
                    self.sink.decline("a model call in an `elif`")
                changes[name], empties[name] = changed, None
            elif isinstance(part, cst.Else | cst.Finally):
                changes[name] = part.with_changes(body=self.suite(part.body))
                empties[name] = part.with_changes(body=EMPTY) if isinstance(part, cst.Finally) else None
            self.modes.forget()
        handlers = getattr(node, "handlers", None)
        if handlers:
            changes["handlers"] = [h.with_changes(body=self.suite(h.body)) for h in handlers]
        head, before = self.header(node, node.with_changes(**empties))
        return before, head.with_changes(**changes)

    def header(self, node: Statement, bare: Statement) -> tuple[Statement, list[Statement]]:
        """The line that opens a block, by the rules; `bare` is the node without its blocks."""
        try:
            decisions = self.decisions(bare).decide(bare)
        except Unfit as why:
            self.sink.decline(str(why))
            return bare, []
        if decisions.before and isinstance(node, cst.While | cst.FunctionDef | cst.ClassDef):
            self.sink.decline("a model call in the head of a loop")
        spans = {**self.ctx.spans, bare: self.ctx.spans[node]} if node in self.ctx.spans else self.ctx.spans
        rewritten = embed(bare, decisions.decided, replace(self.ctx, spans=spans), cut(node, bare))
        self.sink.take(rewritten)
        assert isinstance(rewritten.node, cst.SimpleStatementLine | cst.BaseCompoundStatement)
        return rewritten.node, statements("\n".join(decisions.before))

    def moved(self, node: Statement) -> Sequence[Statement]:
        """The batches of a loop over a dataset, moved to the device first thing."""
        text, helpers = moves(node, self.ctx) if isinstance(node, cst.For) else ("", ())
        return self.on_device(text, helpers)

    def taken(self, line: cst.SimpleStatementLine, lines: list[Statement]) -> list[Statement]:
        """What a line became; one batch of a dataset is moved to the device where models are called beside it."""
        if not self.ctx.device or not any(kind == "model" for _, kind in self.finder.nodes(self.holder)):
            return lines
        moved = self.on_device(*moves_next(line, self.ctx))
        return in_one(lines, moved) if moved else lines

    def on_device(self, text: str, helpers: Sequence[Helper]) -> Sequence[Statement]:
        if not text:
            return ()
        self.sink.needs_device = True
        self.sink.help(helpers)
        return statements(text)

    def suite(self, suite: cst.BaseSuite, first: Sequence[Statement] = ()) -> cst.BaseSuite:
        if isinstance(suite, cst.IndentedBlock):
            body = [*first, *self.run(suite.body)]
            return suite.with_changes(body=body or [*EMPTY.body])
        self.sink.decline("several statements on one line")
        return suite


class _Inner(cst.CSTVisitor):
    """Looks for what only shows on whole lines: definitions, tapes, loops over datasets, chains."""

    def __init__(self, walker: Walker) -> None:
        super().__init__()
        self.walker, self.found = walker, False

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        walker = self.walker
        self.found = self.found or definition(node, walker.ctx) is not None or freezes(node, walker.ctx)
        self.found = self.found or makes_callbacks(node, walker.ctx, walker.holder) or makes_strategy(node, walker.ctx)
        self.found = self.found or bool(exclusion(node)) or node in walker.tapes.lines
        self.found = self.found or builds_optimizer(node, walker.ctx)
        self.found = self.found or outside.is_made(node, walker.ctx)
        self.found = self.found or 0 in model_runs([node], walker.ctx) or walker.is_callback_init(node)

    def visit_Call(self, node: cst.Call) -> None:
        self.found = self.found or read_chain(node, self.walker.ctx) is not None

    def visit_With(self, node: cst.With) -> None:
        self.found = self.found or bool(tape_items(node, self.walker.ctx)) or paused_tape(node) is not None
        self.found = self.found or is_scope(node, self.walker.ctx)

    def visit_For(self, node: cst.For) -> None:
        self.found = self.found or bool(moves(node, self.walker.ctx)[0])
