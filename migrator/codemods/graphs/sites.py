"""Where a program asks its session: what is fetched, what is fed, and the statements that compute the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.graph import Graph, Step, Summary, local
from migrator.codemods.graphs.methods import Method, Methods, Tensor
from migrator.codemods.graphs.program import NotUnderstood, Program, key_of, keys_read
from migrator.codemods.graphs.tables import bound, text
from migrator.codemods.graphs.writing import call

_RUN = ("fetches", "feed_dict", "options", "run_metadata")
_EVAL = ("feed_dict", "session")


@dataclass(frozen=True)
class Site:
    """One question to a session. `many`: the fetches are a list. `feeds`: key of the placeholder → what is fed."""

    call: ast.Call
    fetches: tuple[ast.expr, ...]
    many: bool
    feed: ast.expr | None


def site_of(node: ast.AST, graph: Graph) -> Site | None:
    """The question that an expression is; None for other expressions."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    owner, name = node.func.value, node.func.attr
    if name == "run" and key_of(owner) in graph.sessions:
        args = bound(node, _RUN)
        if args is None or args.keys() - {"fetches", "feed_dict"}:
            raise NotUnderstood("a run with other arguments")
        fetched = args["fetches"]
        many = isinstance(fetched, ast.List | ast.Tuple)
        return Site(node, tuple(fetched.elts) if isinstance(fetched, ast.List | ast.Tuple) else (fetched,), many,
                    args.get("feed_dict"))  # fmt: skip
    if (name == "eval" and key_of(owner) in graph.tensors) or (name == "run" and key_of(owner) in graph.steps):
        args = bound(node, _EVAL)
        if args is None or args.keys() - set(_EVAL):
            raise NotUnderstood("an evaluation with other arguments")
        return Site(node, (owner,), False, args.get("feed_dict"))
    return None


def sites_in(node: ast.AST, graph: Graph) -> Iterator[Site]:
    """The questions in an expression or statement, outermost first."""
    for inner in ast.walk(node):
        found = site_of(inner, graph)
        if found is not None:
            yield found


def is_start(statement: ast.stmt, graph: Graph, program: Program) -> bool:
    """Whether a statement only gives variables their first values, or ends a session."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    call_, func = statement.value, statement.value.func
    if not isinstance(func, ast.Attribute):
        return False
    if func.attr == "close" and key_of(func.value) in graph.sessions and not call_.args:
        return True
    if func.attr == "run" and key_of(func.value) in graph.sessions and len(call_.args) == 1 and not call_.keywords:
        return starts(call_.args[0], graph, program)
    return func.attr == "run" and starts(func.value, graph, program) and not call_.args


def starts(node: ast.expr, graph: Graph, program: Program) -> bool:
    """Whether an expression is an operation that gives variables their first values, or some of these."""
    if isinstance(node, ast.List | ast.Tuple):
        return bool(node.elts) and all(starts(e, graph, program) for e in node.elts)
    if isinstance(node, ast.Call) and program.api(node) == "tf.group":
        return bool(node.args) and all(starts(a, graph, program) for a in node.args)
    return key_of(node) in graph.inits or (isinstance(node, ast.Call) and program.api(node) in tables.INITS)


def fetched(site: Site, graph: Graph) -> list[Tensor]:
    """The tensors that a question needs: those it names, and the losses of its steps."""
    found: list[Tensor] = []
    for fetch in site.fetches:
        key = key_of(fetch)
        if key in graph.steps:
            found.append(graph.steps[key].loss)
        elif key in graph.summaries:
            found += [one.tensor for one in graph.summaries[key] if one.tensor[0] not in graph.variables]
        elif key in graph.versions:
            found.append(graph.version(key))
        elif key not in {*graph.variables, *graph.updates, *graph.global_steps}:
            raise NotUnderstood(f"a session is asked for `{text(fetch)}`")
    return found


@dataclass(frozen=True)
class Names:
    """What things are called where a session was asked: the module, an optimizer by its number."""

    model: str
    optimizers: Mapping[int, str]
    taken: Collection[str]  # names that the program has for its own values
    counter: str = ""  # the count of steps, where something reads it


class Answer:
    """The statements and values in the place of one question."""

    def __init__(
        self, site: Site, feed: Mapping[str, ast.expr], graph: Graph, made: Methods, names: Names, tf: str,
        targets: Collection[str] = (), kept: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.site, self.graph, self.made, self.names, self.tf = site, graph, made, names, tf
        self.lines: list[str] = []
        self.targets, self.kept = targets, kept
        self.steps = [graph.steps[key_of(f)] for f in site.fetches if key_of(f) in graph.steps]
        self.wanted = list(dict.fromkeys(fetched(site, graph)))
        self.given: dict[str, str] = {}
        if len(self.steps) > 1 or (self.steps and any(key_of(f) in graph.variables for f in site.fetches)):
            raise NotUnderstood("several steps in one run, or variables that it changes")
        if any(key_of(f) in graph.updates for f in site.fetches) and not self.steps:
            raise NotUnderstood("moving averages that are updated without a step")
        self._feed(feed)
        self.rate = self._rate(feed)
        self._compute()

    def values(self) -> list[str]:
        """One expression for each fetch."""
        return [self._value(key_of(fetch)) for fetch in self.site.fetches]

    def logged(self) -> dict[str, list[tuple[Summary, str]]]:
        """By target of the run the summaries that it has, with the source of what is in them."""
        pairs = zip(self.targets, self.site.fetches, strict=False)
        named = {target: self.graph.summaries.get(key_of(fetch), ()) for target, fetch in pairs}
        return {target: [(one, self._of(one)) for one in found] for target, found in named.items() if found}

    def _of(self, one: Summary) -> str:
        if one.tensor[0] in self.graph.variables:
            return f"{self.names.model}.{self.graph.variables[one.tensor[0]]}"
        return self.expressions[one.tensor]

    def _value(self, key: str) -> str:
        graph = self.graph
        if key in graph.steps or key in graph.updates or key in graph.summaries:
            return "None"
        if key in graph.variables:
            return f"{self.names.model}.{graph.variables[key]}.numpy()"
        if key in graph.global_steps:
            return f"int({self.names.counter})"
        return f"{self.expressions[graph.version(key)]}.numpy()"

    # --- what is fed

    def _methods(self) -> list[Method]:
        """The methods that are called, in order."""
        others = [self.made.others[t] for t in self.wanted if t in self.made.others]
        needs = any(t in self.made.forward.returns for t in self.wanted) or any(m.tensors for m in others)
        return [self.made.forward, *others] if needs else others

    def _feed(self, feed: Mapping[str, ast.expr]) -> None:
        graph = self.graph
        counted = [p for method in self._methods() for p in method.placeholders]
        by_object = {id(graph.placeholders[key]): value for key, value in feed.items()}
        for key in dict.fromkeys(counted):
            made = graph.placeholders[key]
            if id(made) in by_object:
                source = self._source(key, by_object[id(made)])
            elif made.default:
                source = made.default
            else:
                raise NotUnderstood(f"a run that does not feed `{key}`")
            if counted.count(key) > 1 and source.startswith(f"{self.tf}."):
                name = self._name(made.parameter)
                self.lines.append(f"{name} = {source}")
                source = name
            self.given[key] = source

    def _rate(self, feed: Mapping[str, ast.expr]) -> str:
        """The source of the rate of a step whose optimizer is fed one."""
        for key in (s.optimizer.fed for s in self.steps if s.optimizer.fed):
            made = self.graph.placeholders[key]
            found = [v for k, v in feed.items() if self.graph.placeholders[k] is made]
            if not found and not made.default:
                raise NotUnderstood(f"a run that does not feed `{key}`")
            if any(set(keys_read(v)) & self.graph.keys for v in found):
                raise NotUnderstood("what is fed comes from the graph")
            return text(found[0]) if found else made.default
        return ""

    def _source(self, key: str, value: ast.expr) -> str:
        made = self.graph.placeholders[key]
        if set(keys_read(value)) & self.graph.keys:
            raise NotUnderstood("what is fed comes from the graph")
        number = made.scalar and (not made.open or isinstance(value, ast.Constant) or self.graph.is_plain(key))
        if number or key in self.graph.mode:
            return text(value)
        return f"{self.tf}.constant({text(value)}, {made.dtype})"

    # --- what is computed

    def _name(self, wish: str) -> str:
        taken = {*self.names.taken, *self.targets}
        wish = f"batch_{wish}" if wish in taken else wish
        while wish in taken:
            wish = f"{wish}_"
        return wish

    def _compute(self) -> None:
        self.expressions: dict[Tensor, str] = {}
        methods = self._methods()
        logs = any(key_of(fetch) in self.graph.summaries for fetch in self.site.fetches)
        if not self.steps and len(methods) <= 2 and len(self.wanted) == 1 and not logs:
            self._inline(methods)
            return
        block = [self._line(method) for method in methods]
        if not self.steps:
            self.lines += block
            return
        self._train(self.steps[0], block)

    def _inline(self, methods: Sequence[Method]) -> None:
        tensor, last = self.wanted[0], methods[-1]
        if last is self.made.forward and len(last.returns) > 1:
            self.lines.append(self._line(last))
            return
        if len(methods) == 2 and len(methods[0].returns) > 1:
            self.lines.append(self._line(methods[0]))
        elif len(methods) == 2:
            self.expressions[methods[0].returns[0]] = self._call(methods[0])
        self.expressions[tensor] = self._call(last)

    def _call(self, method: Method) -> str:
        return call(self.names.model, method, self.graph, self.given, self.expressions)

    def _line(self, method: Method) -> str:
        names = [self._name(local(key)) for key, _ in method.returns]
        line = f"{', '.join(names)} = {self._call(method)}"
        self.expressions.update(zip(method.returns, names, strict=True))
        return line

    def _train(self, step: Step, block: Sequence[str]) -> None:
        updated = step.updates or any(key_of(f) in self.graph.updates for f in self.site.fetches)
        if self.graph.normalised and not updated:
            raise NotUnderstood("moving averages that no run updates")
        variables = self.graph.listed(self.names.model, step.variables)
        tape, grads = self._name("tape"), self._name("grads")
        self.lines += [f"with {self.tf}.GradientTape() as {tape}:", *(f"    {line}" for line in block)]
        if step.variables and len(variables) > 60:
            self.lines.append(f"{(listed := self._name('variables'))} = {variables}")
            variables = listed
        self.lines.append(f"{grads} = {tape}.gradient({self.expressions[step.loss]}, {variables})")
        if step.clip:
            clip = step.clip.format(g=grads)
            for name in self.kept:
                clip = re.sub(rf"\b(?<![.\w]){name}\b", f"self.{name}", clip)
            self.lines += clip.splitlines()
        optimizer = self.names.optimizers[step.optimizer.number]
        if step.optimizer.fed:
            self.lines.append(f"{optimizer}.learning_rate = {self.rate}")
        self.lines.append(f"{optimizer}.apply_gradients(zip({grads}, {variables}))")
        if step.counted and self.names.counter:
            self.lines.append(f"{self.names.counter}.assign_add(1)")
