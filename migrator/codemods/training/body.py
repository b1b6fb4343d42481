"""Walking the statements of a unit: training constructs are written here, the rest by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.training import fit, methods
from migrator.codemods.training.calls import calls_in, model_call, receiver
from migrator.codemods.training.fit import Code, Unfit, Writer
from migrator.codemods.training.place import embed, statements
from migrator.codemods.training.plan import FilePlan, plan_file
from migrator.codemods.training.scope import Holder, Names, names_in
from migrator.codemods.training.sink import Sink
from migrator.values import History

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
_CONDITIONAL = (
    cst.Lambda | cst.IfExp | cst.BooleanOperation | cst.ListComp | cst.GeneratorExp | cst.DictComp | cst.SetComp
)


@dataclass(frozen=True)
class Walker:
    """Rewrites statements of one scope after the other."""

    ctx: Context
    plan: FilePlan
    sink: Sink
    holder: Holder
    names: Names

    @classmethod
    def of(cls, ctx: Context, holder: Holder) -> Walker:
        plan = plan_file(ctx)
        return cls(ctx, plan, Sink(), holder, Names(names_in(holder) | plan.taken))

    def inside(self, holder: cst.FunctionDef) -> Walker:
        return replace(self, holder=holder, names=Names(names_in(holder) | self.plan.taken))

    def run(self, body: Sequence[cst.BaseStatement]) -> list[Statement]:
        out: list[Statement] = []
        for statement in body:
            assert isinstance(statement, Statement)
            out += self.statement(statement)
        return out

    def statement(self, statement: Statement) -> list[Statement]:
        if not self.concerns(statement):
            return [self.by_rules(statement)]
        if isinstance(statement, cst.SimpleStatementLine):
            return self.line(statement)
        return [self.compound(statement)]

    def by_rules(self, node: Statement) -> Statement:
        rewritten = self.ctx.rewrite(node)
        self.sink.take(rewritten)
        assert isinstance(rewritten.node, cst.SimpleStatementLine | cst.BaseCompoundStatement)
        return rewritten.node

    # --- what is ours -------------------------------------------------------------------------------

    def concerns(self, node: cst.CSTNode) -> bool:
        """Whether any training construct is below a node."""
        return bool(self.mine(node)) or bool(self.histories(node))

    def mine(self, node: cst.CSTNode) -> list[tuple[cst.Call, str]]:
        """Model calls below a node that training codemods write, innermost first."""
        named = [(call, model_call(call, self.ctx, self.plan.models)) for call in calls_in(node)]
        return [(call, name) for call, name in reversed(named) if name is not None]

    def histories(self, node: cst.CSTNode) -> list[cst.Attribute]:
        """`h.history` where `h` is what `fit` returned."""
        found = m.findall(node, m.Attribute(attr=m.Name("history")))
        return [a for a in found if isinstance(a, cst.Attribute) and isinstance(self.ctx.value(a.value), History)]

    # --- one line -----------------------------------------------------------------------------------

    def line(self, line: cst.SimpleStatementLine) -> list[Statement]:
        decided: dict[cst.CSTNode, str] = {}
        before: list[str] = []
        gone = False
        for call, name in self.mine(line):
            code = self.call(call, name, line, decided)
            if code is None:
                return [line]
            before += [code.before] if code.before else []
            gone = gone or not code.value
            decided[call] = code.value
        for attribute in self.histories(line):
            decided[attribute] = decided.get(attribute.value) or self.text_of(attribute.value)
        new = [] if gone or _is_echo(line, decided) else self.rest(line, decided)
        return _with_lead(line, [*statements("\n".join(before)), *new] if before else new)

    def text_of(self, node: cst.BaseExpression) -> str:
        return self.ctx.code(node).strip()

    def rest(self, line: cst.SimpleStatementLine, decided: dict[cst.CSTNode, str]) -> list[Statement]:
        outer = {n: t for n, t in decided.items() if not any(n is not o and _holds(o, n) for o in decided)}
        rewritten = embed(line, outer, self.ctx)
        self.sink.take(rewritten)
        assert isinstance(rewritten.node, cst.SimpleStatementLine)
        return [rewritten.node.with_changes(leading_lines=())]

    def call(
        self, call: cst.Call, name: str, line: cst.SimpleStatementLine, decided: dict[cst.CSTNode, str]
    ) -> Code | None:
        """The code of one call, or None after a decline."""
        found = receiver(call)
        assert found is not None
        model = self.text_of(found[0])
        writer = Writer(self.ctx, self.plan, self.sink, self.names, self.holder, decided)
        try:
            return self.write(call, name, model, writer, line)
        except Unfit as why:
            self.sink.decline(f"{model}.{name}: {why}")
            return None

    def write(self, call: cst.Call, name: str, model: str, writer: Writer, line: cst.SimpleStatementLine) -> Code:
        owner = self.plan.of_call.get(call)
        if name == "fit":
            if _under_condition(call, line):
                raise Unfit("inside an expression that may not be evaluated")
            return fit.fit(call, model, owner, writer, _wish(call, line))
        if name == "compile":
            return methods.compile_model(call, model, owner, writer)
        if name == "evaluate":
            return fit.evaluate(call, model, owner, writer)
        if name in ("save", "save_weights"):
            return methods.save_weights(call, model, writer, whole=name == "save")
        one = {"predict": methods.predict, "summary": methods.summary, "load_weights": methods.load_weights}
        return one[name](call, model, writer)

    # --- blocks -------------------------------------------------------------------------------------

    def compound(self, node: Statement) -> Statement:
        if isinstance(node, cst.FunctionDef):
            return self.function(node)
        return self.block(node)

    def function(self, node: cst.FunctionDef) -> Statement:
        inner = self.inside(node)
        body = inner.suite(node.body)
        bare = node.with_changes(body=_EMPTY)
        head = self.header(node, bare)
        return head.with_changes(body=body)

    def block(self, node: Statement) -> Statement:
        """A compound statement: its blocks by the walker, everything else by the rules."""
        changes: dict[str, object] = {}
        empties: dict[str, object] = {}
        for name in ("body", "orelse", "finalbody"):
            part = getattr(node, name, None)
            if isinstance(part, cst.BaseSuite):
                changes[name], empties[name] = self.suite(part), _EMPTY
            elif isinstance(part, cst.If):
                changes[name], empties[name] = self.block(part), None
            elif isinstance(part, cst.Else | cst.Finally):
                changes[name], empties[name] = part.with_changes(body=self.suite(part.body)), None
        handlers = getattr(node, "handlers", None)
        if handlers:
            changes["handlers"] = [h.with_changes(body=self.suite(h.body)) for h in handlers]
        head = self.header(node, node.with_changes(**empties))
        return head.with_changes(**changes)

    def header(self, node: Statement, bare: Statement) -> Statement:
        """The line that opens a block, by the rules; `bare` is the node without its blocks."""
        if self.mine(bare) or self.histories(bare):
            self.sink.decline("a training call in the head of a block")
            return node
        spans = {**self.ctx.spans, bare: self.ctx.spans[node]} if node in self.ctx.spans else self.ctx.spans
        rewritten = self.ctx.rules.rewrite(bare, self.ctx.here, spans)
        self.sink.take(rewritten)
        assert isinstance(rewritten.node, cst.SimpleStatementLine | cst.BaseCompoundStatement)
        return rewritten.node

    def suite(self, suite: cst.BaseSuite) -> cst.BaseSuite:
        if isinstance(suite, cst.IndentedBlock):
            body = self.run(suite.body)
            return suite.with_changes(body=body or [*_EMPTY.body])
        self.sink.decline("several statements on one line")
        return suite


_EMPTY = cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[cst.Pass()])])


def _holds(outer: cst.CSTNode, inner: cst.CSTNode) -> bool:
    return outer is inner or any(_holds(child, inner) for child in outer.children)


def _under_condition(call: cst.Call, line: cst.CSTNode) -> bool:
    """Whether the call stands in an expression that is not evaluated exactly once."""

    def look(node: cst.CSTNode, inside: bool) -> bool:
        if node is call:
            return inside
        deeper = inside or isinstance(node, _CONDITIONAL)
        return any(look(child, deeper) for child in node.children)

    return look(line, False)


def _is_echo(line: cst.SimpleStatementLine, decided: dict[cst.CSTNode, str]) -> bool:
    """A line that would say no more than `history` or `history = history`."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Expr | cst.Assign) or part.value not in decided:
        return False
    text = decided[part.value]
    if isinstance(part, cst.Expr):
        return text.isidentifier()
    target = part.targets[0].target
    return len(part.targets) == 1 and isinstance(target, cst.Name) and target.value == text


def _wish(call: cst.Call, line: cst.SimpleStatementLine) -> str | None:
    """The name for the history: the one that the line binds to it, "" when nothing reads it, or None."""
    part = line.body[0]
    if isinstance(part, cst.Expr) and part.value is call:
        return ""
    if not isinstance(part, cst.Assign) or len(part.targets) > 1 or not isinstance(part.targets[0].target, cst.Name):
        return None
    value = part.value
    whole = value is call or (m.matches(value, m.Attribute(attr=m.Name("history"))) and value.children[0] is call)
    return part.targets[0].target.value if whole else None


def _with_lead(line: cst.SimpleStatementLine, new: list[Statement]) -> list[Statement]:
    """The new statements under the comments of the old line."""
    if new:
        new[0] = new[0].with_changes(leading_lines=[*line.leading_lines, *new[0].leading_lines])
    return new
