"""What becomes of the datasets of one function: which chain makes a loader, and how it shuffles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.data import sources
from migrator.codemods.data.chains import Chain, Step, read_chain
from migrator.codemods.data.helpers import ENUMERATED, FILTERED, LOADER, MAP_DATASET, MAPPED_LOADER
from migrator.codemods.nodes import find
from migrator.model import Helper
from migrator.values import Dataset, Tensor

Text = Callable[[cst.BaseExpression], str]


@dataclass(frozen=True)
class State:
    """How far a dataset is: `batched` (a loader), `shuffle` ("True", a condition, or None), `seed`.

    `mapped`: texts of the functions mapped so far.
    """

    batched: bool = False
    shuffle: str | None = None
    seed: cst.BaseExpression | None = None
    mapped: tuple[str, ...] = ()


@dataclass
class DataPlan:
    """Chains of a function by their outermost call, with the state that each starts from.

    `dropped`: `if` statements that only shuffled. `problems`: where, and why to decline.
    """

    chains: dict[cst.CSTNode, tuple[Chain, State]] = field(default_factory=dict)
    dropped: set[cst.If] = field(default_factory=set)
    problems: list[tuple[cst.CSTNode, str]] = field(default_factory=list)

    def text(self, call: cst.CSTNode, text: Text) -> str:
        """The torch expression of a chain; `text` writes an argument."""
        chain, state = self.chains[call]
        if chain.origin is not None:
            expression = sources.text(chain.origin, text)
        else:
            expression = _source(chain.source, text) if chain.source is not None else text(chain.base)
        for step in chain.steps:
            expression, state = _apply(step, expression, state, text)
        return expression

    def needs(self, call: cst.CSTNode) -> tuple[set[str], tuple[Helper, ...], list[str]]:
        """Imports, helpers and notes of a chain."""
        chain, state = self.chains[call]
        imports, notes = set[str](), list[str]()
        methods = {step.method for step in chain.steps}
        if chain.source is not None:
            imports.add("import torch")
            imports.add("from torch.utils.data import TensorDataset")
        if chain.origin is not None:
            imports |= sources.IMPORTS[chain.origin.method]
        found = [HELPERS[name] for name in self.kinds(chain, state) if name in HELPERS]
        helpers = tuple(dict.fromkeys(found))
        if "concatenate" in methods:
            imports.add("from torch.utils.data import ConcatDataset")
        if "batch" in methods:
            imports |= {LOADER, "import torch"}
        if methods & {"take", "skip"}:
            imports.add("import itertools" if state.batched else "from torch.utils.data import Subset")
        if "shuffle" in methods:
            notes.append("the loader shuffles over all rows; the buffer of `shuffle` has no counterpart")
        return imports, helpers, notes

    def kinds(self, chain: Chain, state: State) -> list[str]:
        """The steps by name, a map over batches apart."""
        names, batched = [], state.batched
        for step in chain.steps:
            names.append("map batches" if step.method == "map" and batched else step.method)
            batched = batched or step.method == "batch"
        return names


HELPERS = {"map": MAP_DATASET, "map batches": MAPPED_LOADER, "filter": FILTERED, "enumerate": ENUMERATED}


def plan_data(holder: cst.FunctionDef | cst.Module, ctx: Context) -> DataPlan:
    """The plan of one scope, nested functions left out."""
    planner = _Planner(ctx)
    body = holder.body.body if isinstance(holder, cst.FunctionDef) else holder.body
    planner.block([s for s in body if isinstance(s, cst.BaseStatement)], {})
    return planner.plan


States = dict[str, State]


class _Planner:
    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.plan = DataPlan()

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
        if outside.shuffle == inside.shuffle:
            return inside
        simple = not find(node.test, m.Call() | m.NamedExpr())
        if outside.shuffle is None and inside.shuffle == "True" and simple and not inside.batched:
            return replace(inside, shuffle=self.ctx.code(node.test).strip())
        self.plan.problems.append((node, "shuffling that depends on more than one plain condition"))
        return inside

    def only_shuffles(self, node: cst.If) -> bool:
        """Whether nothing but `ds = ds.shuffle(...)` is in a branch without `else`."""
        if node.orelse is not None:
            return False
        for line in node.body.body:
            part = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
            if not isinstance(part, cst.Assign) or part.value not in self.plan.chains:
                return False
            chain, _ = self.plan.chains[part.value]
            target = part.targets[0].target
            same = self.ctx.code(target).strip() == self.ctx.code(chain.base).strip()
            if not same or any(step.method not in ("shuffle", "prefetch", "cache") for step in chain.steps):
                return False
        return True

    def line(self, line: cst.SimpleStatementLine, states: States) -> None:
        part = line.body[0]
        results = self.expressions(line, states)
        if isinstance(part, cst.Assign) and isinstance(part.targets[0].target, cst.Name):
            name = part.targets[0].target.value
            if part.value in results:
                states[name] = results[part.value]
            elif isinstance(part.value, cst.Name) and part.value.value in states:
                states[name] = states[part.value.value]
            else:
                states.pop(name, None)
        elif isinstance(part, cst.Return) and part.value is not None:
            end = results.get(part.value) or states.get(self.ctx.code(part.value).strip())
            if end is not None and end.shuffle and not end.batched:
                self.plan.problems.append((line, "a shuffled dataset that is not batched"))

    def expressions(self, node: cst.CSTNode, states: States) -> dict[cst.CSTNode, State]:
        """Registers the chains below a node and gives the state that each ends in."""
        found: dict[cst.CSTNode, State] = {}
        inner: set[cst.CSTNode] = set()
        for call in find(node, m.Call()):
            assert isinstance(call, cst.Call)
            if call in inner:
                continue
            chain = read_chain(call, self.ctx)
            if chain is None:
                continue
            inner |= _links(call)
            start = self.start(chain, states)
            self.plan.chains[call] = (chain, start)
            found[call] = self.follow(chain, start, states)
        return found

    def start(self, chain: Chain, states: States) -> State:
        if chain.problem:
            self.plan.problems.append((chain.base, chain.problem))
        if chain.source is not None:
            if not _sliceable(chain.source, self.ctx):
                why = "the structure of what from_tensor_slices is given is not known"
                self.plan.problems.append((chain.source, why))
            return State()
        if chain.origin is not None:
            return self.origin(chain.base, chain.origin, states)
        name = self.ctx.code(chain.base).strip()
        if name in states:
            return states[name]
        value = self.ctx.value(chain.base)
        return State(batched=isinstance(value, Dataset) and value.batched)

    def origin(self, node: cst.CSTNode, source: Step, states: States) -> State:
        """The state that another source than from_tensor_slices starts from."""
        problem = sources.problem(source, self.ctx)
        for part in sources.parts(source):
            problem = problem or self.plain(part, states)
        if problem:
            self.plan.problems.append((node, problem))
        shuffled = source.method == "list_files" and sources.shuffles(source, self.ctx)
        return State(shuffle="True" if shuffled else None, seed=source.args.get("seed") if shuffled else None)

    def plain(self, node: cst.BaseExpression, states: States) -> str:
        """Why a dataset cannot be joined with another, or "": it has to be a name, not batched and not shuffled."""
        state = states.get(self.ctx.code(node).strip()) if isinstance(node, cst.Name) else None
        if state is None:
            return "a dataset that is joined with another has no name"
        return "batched or shuffled datasets that are joined" if state.batched or state.shuffle else ""

    def follow(self, chain: Chain, state: State, states: States) -> State:
        for step in chain.steps:
            problem = self.problem(step, state)
            if step.method == "concatenate" and not problem:
                problem = self.plain(step.args["dataset"], states)
            if problem:
                self.plan.problems.append((chain.base, problem))
            state = _after(step, state, self.ctx)
        return state

    def problem(self, step: Step, state: State) -> str:
        """Why a step cannot be taken in this state, or ""."""
        if step.method == "repeat":
            return "Dataset.repeat has no rule: a loader is iterated once per epoch"
        if step.method == "shuffle":
            again = step.args.get("reshuffle_each_iteration")
            if again is not None and self.ctx.code(again).strip() != "True":
                return "an order that is shuffled once"
            return "batches that are shuffled" if state.batched else ""
        if step.method == "batch" and state.batched:
            return "batches of batches"
        if step.method in ("filter", "enumerate", "concatenate") and state.batched:
            return f"Dataset.{step.method} over batches has no rule"
        if step.method in ("enumerate", "concatenate") and state.shuffle:
            return f"Dataset.{step.method} after shuffling"
        if step.method == "filter" and any("random" in self.source_of(name) for name in state.mapped):
            return "random transformations that are filtered"
        if step.method == "cache":
            if step.args:
                return "a cache on disk"
            if any("random" in self.source_of(name) for name in state.mapped):
                return "random transformations that are cached"
            return "a shuffled order that is cached" if state.shuffle else ""
        if step.method in ("take", "skip") and state.shuffle and not state.batched:
            return f"Dataset.{step.method} after shuffling"
        return "Dataset.skip over batches has no rule" if step.method == "skip" and state.batched else ""

    def source_of(self, name: str) -> str:
        """The text of a function of the file, or of the expression itself."""
        for statement in self.ctx.tree.body:
            if isinstance(statement, cst.FunctionDef) and statement.name.value == name:
                return self.ctx.code(statement)
        return f"{name} random" if name.isidentifier() else name  # elsewhere: it may be


def _links(call: cst.Call) -> set[cst.CSTNode]:
    """The calls that a chain is made of, outermost first."""
    found: set[cst.CSTNode] = set()
    node: cst.BaseExpression = call
    while isinstance(node, cst.Call):
        found.add(node)
        node = node.func.value if isinstance(node.func, cst.Attribute) else node.func
    return found


def _sliceable(node: cst.BaseExpression, ctx: Context) -> bool:
    if isinstance(node, cst.Tuple):
        return all(not isinstance(e.value, cst.Tuple | cst.Dict | cst.List) for e in node.elements)
    value = ctx.value(node)
    return isinstance(value, Tensor) or isinstance(node, cst.List)


def _source(node: cst.BaseExpression, text: Text) -> str:
    if isinstance(node, cst.Tuple):
        return "TensorDataset(" + ", ".join(f"torch.as_tensor({text(e.value)})" for e in node.elements) + ")"
    return f"torch.as_tensor({text(node)})"


def _after(step: Step, state: State, ctx: Context) -> State:
    if step.method == "shuffle":
        return replace(state, shuffle="True", seed=step.args.get("seed"))
    if step.method == "batch":
        return replace(state, batched=True)
    if step.method == "map" and "map_func" in step.args:
        return replace(state, mapped=(*state.mapped, ctx.code(step.args["map_func"]).strip()))
    return state


def _apply(step: Step, expression: str, state: State, text: Text) -> tuple[str, State]:
    """One step in torch."""
    if step.method == "map" and state.batched:
        return f"MappedLoader({expression}, {text(step.args['map_func'])})", state
    if step.method == "filter":
        return f"FilteredDataset({expression}, {text(step.args['predicate'])})", state
    if step.method == "enumerate":
        start = f", {text(step.args['start'])}" if "start" in step.args else ""
        return f"EnumeratedDataset({expression}{start})", state
    if step.method == "concatenate":
        return f"ConcatDataset([{expression}, {text(step.args['dataset'])}])", state
    if step.method == "map":
        return f"MapDataset({expression}, {text(step.args['map_func'])})", state
    if step.method == "shuffle":
        return expression, replace(state, shuffle="True", seed=step.args.get("seed"))
    if step.method == "batch":
        return _loader(step, expression, state, text), replace(state, batched=True)
    if step.method in ("take", "skip"):
        count = text(step.args["count"])
        if state.batched:
            return f"itertools.islice({expression}, {count})", state
        if step.method == "take":
            return f"Subset({expression}, range(min({count}, len({expression}))))", state
        return f"Subset({expression}, range({count}, len({expression})))", state
    return expression, state


def _loader(step: Step, expression: str, state: State, text: Text) -> str:
    parts = [expression, f"batch_size={text(step.args['batch_size'])}"]
    if state.shuffle:
        parts.append(f"shuffle={state.shuffle}")
    drop = step.args.get("drop_remainder")
    if drop is not None and text(drop) != "False":
        parts.append(f"drop_last={text(drop)}")
    if state.seed is not None and text(state.seed) != "None":
        seeded = f"torch.Generator().manual_seed({text(state.seed)})"
        constant = isinstance(state.seed, cst.Integer)
        parts.append(f"generator={seeded if constant else f'None if {text(state.seed)} is None else {seeded}'}")
    return f"DataLoader({', '.join(parts)})"
