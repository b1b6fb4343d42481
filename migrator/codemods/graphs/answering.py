"""The program's own statements around a graph, with answers in the place of the questions to its session."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from migrator.codemods.graphs import copies, rates, savers, summaries
from migrator.codemods.graphs.container import Body, Container
from migrator.codemods.graphs.graph import Copy, Summary
from migrator.codemods.graphs.methods import Methods
from migrator.codemods.graphs.program import NotUnderstood, first_line, key_of, keys_read
from migrator.codemods.graphs.sites import Answer, Names, Site, sites_in
from migrator.codemods.graphs.tables import text
from migrator.codemods.graphs.writing import Written


@dataclass
class Writer:
    """Writes the program's own statements, with answers in the place of the questions to its session."""

    container: Container
    made: Methods
    written: Written
    placed: bool = False

    def __post_init__(self) -> None:
        self.graph, self.program = self.container.graph, self.container.program
        self.names = self._names()
        self.begun: set[int] = set()  # optimizers that are made
        self.blocks: list[Body] = []  # those around what is written
        self.logged: dict[str, list[tuple[Summary, str]]] = {}  # summaries of the last run, by name
        self.logged_in: list[Body] = []  # the blocks around that run
        self.kept = self._kept()

    def _kept(self) -> tuple[str, ...]:
        """Names of the constructor that steps in other methods read: they become attributes."""
        if self.container.around != "class":
            return ()
        clips = [ast.parse(s.clip.replace("{g}", "g")) for s in self.graph.steps.values()]
        bound = {
            n.id for clip in clips for n in ast.walk(clip) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        read = (key for clip in clips for key in keys_read(clip))
        found = dict.fromkeys(k for k in read if k in self.container.own - bound and "." not in k)
        if any(f"self.{name}" in self.container.own for name in found):
            raise NotUnderstood("names inside and outside of the object that are alike")
        return tuple(found)

    def _names(self) -> Names:
        main = list(self.container._main())
        stored = {key_of(n) for s in main for n in ast.walk(s)
                  if isinstance(n, ast.Name | ast.Attribute) and isinstance(n.ctx, ast.Store)}  # fmt: skip
        taken = (stored | self.container.own - self.graph.keys) - {"", *self.container.steps.values()}
        taken |= self.container.given
        prefix = "self." if self.container.around == "class" else ""
        model = _free(f"{prefix}model", taken)
        optimizers: dict[int, str] = {}
        several = len({step.optimizer.number for step in self.graph.steps.values()}) > 1
        for key, step in self.graph.steps.items():
            made, here = step.optimizer, key in self.container.steps.values()
            wish = made.key or (key if several or here else f"{prefix}optimizer")
            wish = wish if not prefix or here or wish.startswith(prefix) else prefix + wish
            optimizers.setdefault(made.number, _free(wish, taken | set(optimizers.values())))
        return Names(model, optimizers, frozenset(taken), savers.counter(main, self.graph, self.program))

    def lines(self, body: Body, indent: int, after: int) -> list[str]:
        """The lines of a block; `after`: the line before its first comment."""
        out: list[str] = []
        self.blocks.append(body)
        for statement in body:
            lead = self.program.lead(statement, after)
            gap = [""] * (lead > after + 1 and bool(out) and bool(out[-1].strip()))
            made = self._statement(statement, indent, lead)
            out += [*gap, *made] if made else []
            if statement is self.container.last:
                out += self._beginning(indent, bool(out))
            after = statement.end_lineno or statement.lineno
        self.blocks.pop()
        return out

    def _beginning(self, indent: int, gap: bool) -> list[str]:
        """The module and its optimizers are made."""
        prefix = " " * indent
        given = ", ".join(self.written.given)
        lines = [*self.container.comments, *(f"self.{name} = {name}" for name in self.kept)]
        lines += [f"{self.names.model} = {self.written.name}({given})"]
        later = {self.graph.steps[key].optimizer.number for key in self.container.steps.values()}
        here = {n: name for n, name in self.names.optimizers.items() if n not in later}
        lines += [f"{name} = {self._optimizer(n)}" for n, name in here.items()]
        lines += savers.made(self.graph, self.names.model, here, self.names.counter, self.program.tf)
        return [""] * gap + [prefix + line for line in lines]

    def _optimizer(self, number: int) -> str:
        return next(s.optimizer.made for s in self.graph.steps.values() if s.optimizer.number == number)

    def _statement(self, statement: ast.stmt, indent: int, lead: int) -> list[str]:
        if isinstance(statement, ast.With) and id(statement) in self.container.scopes:
            return self.lines(statement.body, indent, statement.lineno)
        if isinstance(statement, ast.With) and id(statement) in self.container.opened:
            comments = self.program.block(lead, first_line(statement) - 1, indent - statement.col_offset)
            return comments + self.lines(statement.body, indent, statement.lineno)
        if id(statement) in self.container.steps:
            number = self.graph.steps[self.container.steps[id(statement)]].optimizer.number
            if number in self.begun:
                return []
            self.begun.add(number)
            comments = self.program.block(lead, first_line(statement) - 1, indent - statement.col_offset)
            return [*comments, " " * indent + f"{self.names.optimizers[number]} = {self._optimizer(number)}"]
        if id(statement) in self.container.gone:
            return []
        if self._untouched(statement):
            return self.program.block(lead, statement.end_lineno or 0, indent - statement.col_offset)
        if isinstance(statement, ast.For | ast.While | ast.If | ast.With | ast.FunctionDef | ast.ClassDef):
            return self._compound(statement, indent, lead)
        comments = self.program.block(lead, first_line(statement) - 1, indent - statement.col_offset)
        return comments + [" " * indent + line for line in self._answered(statement)]

    def _untouched(self, statement: ast.stmt) -> bool:
        """Whether nothing in a statement is of the graph."""
        inner = {id(n) for n in ast.walk(statement)}
        if inner & (self.container.gone | self.container.opened | self.container.steps.keys()):
            return False
        return not set(keys_read(statement)) & (self.graph.keys | self.container.feeds.names)

    def _compound(self, statement: ast.stmt, indent: int, lead: int) -> list[str]:
        head: list[ast.expr] = []
        if isinstance(statement, ast.For):
            head = [statement.iter]
        elif isinstance(statement, ast.While | ast.If):
            head = [statement.test]
        elif isinstance(statement, ast.With):
            head = [item.context_expr for item in statement.items]
        if any(set(keys_read(h)) & self.graph.keys for h in head):
            raise NotUnderstood("a session is asked in the head of a loop or condition")
        body: list[ast.stmt] = statement.body  # type: ignore[attr-defined]
        end = max((h.end_lineno or 0 for h in head), default=statement.lineno)
        while not self.program.lines[end - 1].split("#")[0].rstrip().endswith(":"):
            end += 1
            if end >= first_line(body[0]):
                raise NotUnderstood("a block on one line")
        out = self.program.block(lead, end, indent - statement.col_offset)
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__" and self.container.session:
            comments = self.program.block(lead, first_line(statement) - 1, indent - statement.col_offset)
            out = [*comments, " " * indent + _without(statement, self.container.session)]
        inside = self.lines(body, indent + 4, end)
        out += inside or [" " * (indent + 4) + "pass"]
        return out + self._otherwise(statement, indent, body)

    def _otherwise(self, statement: ast.stmt, indent: int, body: Body) -> list[str]:
        orelse: list[ast.stmt] = getattr(statement, "orelse", [])
        if not orelse:
            return []
        if self.program.lines[first_line(orelse[0]) - 1].strip().startswith("elif"):
            raise NotUnderstood("a session in a chain of conditions")
        end = (body[-1].end_lineno or 0) + 1
        while not self.program.lines[end - 1].strip().startswith("else"):
            end += 1
        return [" " * indent + "else:", *self.lines(orelse, indent + 4, end)]

    # --- answers

    def _answered(self, statement: ast.stmt) -> list[str]:
        self._count(statement)
        saved = savers.without_session(copy.deepcopy(statement), self.graph, self.names.counter)
        if saved is not None:
            return saved
        within = self.blocks[: len(self.logged_in)] == self.logged_in
        logged = summaries.written(statement, self.program, self.graph, self.logged if within else {})
        if logged is not None:
            return logged
        found = copies.copied(statement, self.graph)
        if found:
            return [line for one in found for line in self._copy(one)]
        changed = rates.changed(statement, self.program, self.graph)
        if changed is not None:
            return self._rates(*changed, statement)
        sites = list(sites_in(statement, self.graph))
        if not sites and not set(keys_read(statement)) & (self.graph.keys - {self.names.counter}):
            return text(statement).splitlines()
        if sites:
            self.logged = {}  # the names of what is in them may be bound anew
        read = set(keys_read(statement))
        if not sites:
            raise NotUnderstood(f"`{text(statement)}` uses the graph")
        lines = self._one(statement, sites[0]) if len(sites) == 1 else self._several(statement, sites)
        left = read & (self.graph.keys - {self.names.counter} - {key for site in sites for key in keys_read(site.call)})
        if left:
            raise NotUnderstood(f"`{text(statement)}` uses the graph beside a run")
        return lines

    def _copy(self, one: Copy) -> list[str]:
        """Variables are set from others."""
        read = set(keys_read(one.value)) - set(one.names)
        if self.container.around == "class" and any("." not in key for key in read & self.container.own):
            raise NotUnderstood("a name of the constructor that other methods need")
        return copies.lines(one, self.graph, self.names.model, self.names.taken)

    def _rates(self, key: str, value: ast.expr, feed: ast.expr | None, statement: ast.stmt) -> list[str]:
        """A rate gets another value, for all optimizers that have it."""
        assert isinstance(statement, ast.Expr)
        assert isinstance(statement.value, ast.Call)
        given = self._feed(Site(statement.value, (), False, feed))
        source = rates.new_value(value, given, self.graph)
        names = [name for number, name in self.names.optimizers.items() if number in self.graph.held[key]]
        if not names:
            raise NotUnderstood("a learning rate of no optimizer")
        return [f"{name}.learning_rate = {source}" for name in names]

    def _count(self, statement: ast.stmt) -> None:
        """Put the count of steps in the place of calls that ask a session for it."""
        for call in [n for n in ast.walk(statement) if isinstance(n, ast.Call) and self.program.api(n) == savers.COUNT]:
            if self.names.counter not in [key_of(a) for a in call.args]:
                raise NotUnderstood(f"`{text(call)}`, a count that is not seen")
            _put(statement, call, f"int({self.names.counter})")

    def _several(self, statement: ast.stmt, sites: Sequence[Site]) -> list[str]:
        """Questions side by side, none of which changes anything."""
        if any(n is one.call for one in sites for other in sites if one is not other for n in ast.walk(other.call)):
            raise NotUnderstood("a session is asked for what another question gives")
        for site in sites:
            answer = self._answer(site, self._feed(site), ())
            if answer.lines or answer.steps:
                raise NotUnderstood("several questions to a session in one statement")
            statement = _put(statement, site.call, self._source(site, answer))
        return text(statement).splitlines()

    def _source(self, site: Site, answer: Answer) -> str:
        values = answer.values()
        return f"[{', '.join(values)}]" if site.many else values[0]

    def _one(self, statement: ast.stmt, site: Site) -> list[str]:
        value = getattr(statement, "value", None)
        feed = self._feed(site)
        if value is site.call and isinstance(statement, ast.Expr):
            answer = self._answer(site, feed, ())
            return answer.lines if answer.steps else [*answer.lines, *answer.values()]
        if value is site.call and isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            return self._assigned(statement.targets[0], site, feed)
        answer = self._answer(site, feed, ())
        return [*answer.lines, *text(_put(statement, site.call, self._source(site, answer))).splitlines()]

    def _assigned(self, target: ast.expr, site: Site, feed: Mapping[str, ast.expr]) -> list[str]:
        single = not isinstance(target, ast.Tuple | ast.List)
        targets = [target] if single else list(target.elts)  # type: ignore[attr-defined]
        answer = self._answer(site, feed, [key_of(t) for t in targets])
        values = answer.values()
        self.logged, self.logged_in = answer.logged(), list(self.blocks)
        summaries.check_kept(self.logged, self.container._main(), self.graph)
        targets = [t for t in targets if key_of(t) not in self.logged]
        values = [v for f, v in zip(site.fetches, values, strict=True) if key_of(f) not in self.graph.summaries]
        if self.logged and (single or not targets):
            return answer.lines
        if single and site.many:
            return [*answer.lines, f"{text(target)} = [{', '.join(values)}]"]
        if len(values) != len(targets) or (not single and not site.many):
            raise NotUnderstood("what a run gives is taken apart")
        pairs = [(text(t), v) for t, v in zip(targets, values, strict=True) if not (v == "None" and _unread(text(t)))]
        return [*answer.lines, *(f"{name} = {source}" for name, source in pairs)]

    def _answer(self, site: Site, feed: Mapping[str, ast.expr], targets: Sequence[str]) -> Answer:
        return Answer(site, feed, self.graph, self.made, self.names, self.program.tf, targets, self.kept)

    def _feed(self, site: Site) -> dict[str, ast.expr]:
        feed = site.feed
        if feed is None or text(feed) == "None":
            return {}
        if key_of(feed) in self.container.feeds.names:
            return self.container.feeds.of(site.call, key_of(feed))
        if not isinstance(feed, ast.Dict):
            raise NotUnderstood(f"what is fed is not seen: `{text(feed)}`")
        found: dict[str, ast.expr] = {}
        for key, value in zip(feed.keys, feed.values, strict=True):
            name = "" if key is None else key_of(key)
            if name not in self.graph.placeholders or name in self.graph.versions:
                raise NotUnderstood(f"`{'**' if key is None else text(key)}` is fed, which is no placeholder")
            found[name] = value
        return found


def _without(function: ast.FunctionDef, parameter: str) -> str:
    """The head of a function without a parameter."""
    head = copy.deepcopy(function)
    args = head.args
    at = next(i for i, a in enumerate(args.args) if a.arg == parameter)
    default = at - (len(args.args) - len(args.defaults))
    if default >= 0:
        del args.defaults[default]
    del args.args[at]
    head.body = [ast.Pass()]
    return ast.unparse(head).splitlines()[-2].strip()


def _unread(name: str) -> bool:
    return re.fullmatch(r"_\w*", name) is not None


def _put(statement: ast.stmt, call: ast.Call, source: str) -> ast.stmt:
    class Put(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            if node is call:
                return ast.parse(source, mode="eval").body
            return self.generic_visit(node)

    found = Put().visit(statement)
    assert isinstance(found, ast.stmt)
    return found


def _free(wish: str, taken: set[str]) -> str:
    while wish in taken:
        wish += "_"
    return wish
