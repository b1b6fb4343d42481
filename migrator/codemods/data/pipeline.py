"""What becomes of the datasets of one function: which chain makes a loader, and how it shuffles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.data import sources
from migrator.codemods.data.chains import FINAL, Chain, read_chain
from migrator.codemods.data.reads import Reads
from migrator.codemods.data.state import State
from migrator.codemods.data.steps import Text, Written
from migrator.codemods.nodes import find
from migrator.model import Helper
from migrator.values import Dataset


@dataclass
class DataPlan:
    """Chains of a function by their outermost call, with the state that each starts from.

    `settled`: chains whose order no later loader draws. `by_number`: datasets in arguments whose samples are read by
    number. `once`: chains that are iterated where they stand. `dropped`: `if` statements that only shuffled.
    `problems`: where, and why to decline.
    """

    ctx: Context
    chains: dict[cst.CSTNode, tuple[Chain, State]] = field(default_factory=dict)
    settled: set[cst.CSTNode] = field(default_factory=set)
    by_number: set[cst.CSTNode] = field(default_factory=set)
    once: frozenset[cst.CSTNode] = frozenset()
    dropped: set[cst.If] = field(default_factory=set)
    problems: list[tuple[cst.CSTNode, str]] = field(default_factory=list)

    def text(self, call: cst.CSTNode, text: Text) -> str:
        """The torch expression of a chain; `text` writes an argument."""
        return self.written(call, text).expression

    def needs(self, call: cst.CSTNode) -> tuple[set[str], tuple[Helper, ...], list[str]]:
        """Imports, helpers and notes of a chain."""
        out = self.written(call, lambda node: self.ctx.code(node).strip())
        return out.imports, tuple(dict.fromkeys(out.helpers)), list(dict.fromkeys(out.notes))

    def written(self, call: cst.CSTNode, text: Text) -> Written:
        """A chain in torch and all that it needs."""
        chain, state = self.chains[call]
        out = Written(self.ctx, text, "", state, self.by_number, call not in self.once)
        if chain.problem:
            out.problems.append(chain.problem)
        elif chain.source is None and chain.origin is None:
            out.expression = text(chain.base)
        else:
            sources.start(chain, out)
        for step in () if out.problems else chain.steps:
            out.take_step(step)
        if call in self.settled and not out.problems:
            out.settle()
        if out.problems:
            out.expression = self.ctx.code(call).strip()
        return out


def plan_data(holder: cst.FunctionDef | cst.Module, ctx: Context) -> DataPlan:
    """The plan of one scope, nested functions left out."""
    planner = _Planner(holder, ctx)
    body = holder.body.body if isinstance(holder, cst.FunctionDef) else holder.body
    planner.block([s for s in body if isinstance(s, cst.BaseStatement)], {})
    return planner.plan


States = dict[str, State]


class _Planner:
    def __init__(self, holder: cst.FunctionDef | cst.Module, ctx: Context) -> None:
        self.ctx = ctx
        self.reads = Reads.of(holder, ctx)
        self.plan = DataPlan(ctx, once=self.reads.once)

    def block(self, body: Sequence[cst.BaseStatement], states: States) -> States:
        for statement in body:
            if isinstance(statement, cst.SimpleStatementLine):
                self.line(statement, states)
            elif isinstance(statement, cst.If):
                states = self.branch(statement, states)
            elif not isinstance(statement, cst.FunctionDef | cst.ClassDef):
                self.loose(statement, states)
        return states

    def loose(self, statement: cst.BaseStatement, states: States) -> None:
        """A loop or another block: datasets may be read in it, not built further."""
        for part in statement.children:
            if isinstance(part, cst.IndentedBlock):
                before = dict(states)
                after = self.block([s for s in part.body if isinstance(s, cst.BaseStatement)], dict(states))
                if any(after[name] != state for name, state in before.items()):
                    self.plan.problems.append((statement, "a dataset that is built further in a loop"))
            elif not isinstance(part, cst.BaseStatement | cst.BaseSuite):
                self.expressions(part, states)

    def branch(self, node: cst.If, states: States) -> States:
        """An `if`: shuffling in it alone becomes the loader's flag."""
        self.expressions(node.test, states)
        if not isinstance(node.body, cst.IndentedBlock):
            return states
        inside = self.block(list(node.body.body), dict(states))
        if node.orelse is not None:
            other = node.orelse
            body = [other] if isinstance(other, cst.If) else list(other.body.body)
            outside = self.block([s for s in body if isinstance(s, cst.BaseStatement)], dict(states))
        else:
            outside = dict(states)
        merged = {name: self.merged(node, outside.get(name), state) for name, state in inside.items()}
        if self.only_shuffles(node):
            self.plan.dropped.add(node)
        return {**outside, **{name: state for name, state in merged.items() if state is not None}}

    def merged(self, node: cst.If, outside: State | None, inside: State) -> State | None:
        if outside is None or outside == inside:
            return inside
        if outside.batched != inside.batched:
            self.plan.problems.append((node, "a dataset that is batched in one branch only"))
        together = replace(inside, stream=outside.stream or inside.stream, open=outside.open or inside.open)
        if outside.shuffle == inside.shuffle:
            return together
        simple = not find(node.test, m.Call() | m.NamedExpr())
        if outside.shuffle is None and inside.shuffle == "True" and simple and inside.rows and outside.rows:
            return replace(together, shuffle=self.ctx.code(node.test).strip())
        self.plan.problems.append((node, "shuffling that depends on more than one plain condition"))
        return together

    def only_shuffles(self, node: cst.If) -> bool:
        """Whether nothing but `ds = ds.shuffle(...)` is in a branch without `else`, for a loader to do."""
        if node.orelse is not None:
            return False
        for line in node.body.body:
            part = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
            if not isinstance(part, cst.Assign) or part.value not in self.plan.chains:
                return False
            chain, state = self.plan.chains[part.value]
            target = part.targets[0].target
            same = self.ctx.code(target).strip() == self.ctx.code(chain.base).strip()
            if not same or not state.rows or part.value in self.plan.settled:
                return False
            if any(step.method not in ("shuffle", "prefetch", "with_options") for step in chain.steps):
                return False
        return True

    def line(self, line: cst.SimpleStatementLine, states: States) -> None:
        part = line.body[0]
        bound = part.targets[0].target if isinstance(part, cst.Assign) and len(part.targets) == 1 else None
        name = bound.value if isinstance(bound, cst.Name) else ""
        value = part.value if isinstance(part, cst.Assign) else None
        waits = value if name and name not in self.reads.loose else None
        results = self.expressions(line, states, waits)
        if not name:
            return
        if value in results:
            states[name] = results[value]
        elif isinstance(value, cst.Name) and value.value in states:
            states[name] = states[value.value]
        else:
            states.pop(name, None)

    def expressions(
        self, node: cst.CSTNode, states: States, waits: cst.CSTNode | None = None
    ) -> dict[cst.CSTNode, State]:
        """Registers the chains below a node and gives the state that each ends in.

        `waits`: a chain whose result is built further, so that its order may be drawn later.
        """
        found: dict[cst.CSTNode, State] = {}
        inner: set[cst.CSTNode] = set()
        outermost: list[tuple[cst.Call, Chain]] = []
        for call in find(node, m.Call()):
            assert isinstance(call, cst.Call)
            chain = None if call in inner else read_chain(call, self.ctx)
            if chain is not None:
                inner |= _links(call)
                outermost.append((call, chain))
        for call, chain in reversed(outermost):  # arguments before what they are given to
            found[call] = self.register(call, chain, states, found, call is not waits)
        return found

    def register(
        self, call: cst.Call, chain: Chain, states: States, known: dict[cst.CSTNode, State], settles: bool
    ) -> State:
        state = self.start(call, chain, states)
        self.plan.chains[call] = (chain, state)
        for part in _joined(chain):
            other = known.get(part) or states.get(self.ctx.code(part).strip())
            if other is not None and other.plain:
                self.plan.by_number.add(part)
        if settles:
            self.plan.settled.add(call)
        out = self.plan.written(call, lambda node: self.ctx.code(node).strip())
        self.plan.problems += [(chain.base, why) for why in out.problems]
        final = any(step.method in FINAL for step in chain.steps[:-1])
        if final:
            self.plan.problems.append((chain.base, "a chain that goes on after its end"))
        return out.state

    def start(self, call: cst.Call, chain: Chain, states: States) -> State:
        if chain.source is not None or chain.origin is not None:
            return State()
        name = self.ctx.code(chain.base).strip()
        if name in states and (call, name) not in self.reads.shadowed:
            return states[name]
        value = self.ctx.value(chain.base)
        if isinstance(value, Dataset) and value.batched:
            return State(batched=True, open=True)
        return State(stream=True, open=True)  # made elsewhere: whatever iterates


def _joined(chain: Chain) -> list[cst.BaseExpression]:
    """The datasets in the arguments of a chain."""
    found = [step.args["dataset"] for step in chain.steps if "dataset" in step.args]
    origin = chain.origin
    return found + (sources.parts(origin.args["datasets"]) if origin is not None and "datasets" in origin.args else [])


def _links(call: cst.Call) -> set[cst.CSTNode]:
    """The calls that a chain is made of, outermost first."""
    found: set[cst.CSTNode] = set()
    node: cst.BaseExpression = call
    while isinstance(node, cst.Call):
        found.add(node)
        node = node.func.value if isinstance(node.func, cst.Attribute) else node.func
    return found
