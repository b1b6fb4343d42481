"""Files whose graphs and sessions are written as modules and plain code, in TensorFlow 2 still.

What comes out is a Keras model and a tape: text that the rules for models and training read as they read any other.
Each top-level statement of the original keeps its place, so that units stay what they were.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.answering import Writer
from migrator.codemods.graphs.container import Container
from migrator.codemods.graphs.functions import Functions
from migrator.codemods.graphs.graph import PieceRef, refs
from migrator.codemods.graphs.members import members
from migrator.codemods.graphs.program import NotUnderstood, Program, first_line, key_of
from migrator.values import ModuleFacts, Span


@dataclass(frozen=True)
class Modern:
    """A file in other words. `lines`: for each of its lines the line of the original's statement that it stems from.

    `reasons`: line of an original statement → why the graph there was not understood.
    """

    text: str
    lines: tuple[int, ...]
    reasons: Mapping[int, str]
    script: frozenset[int] = frozenset()  # lines of the original's statements that make one graph at top level
    ends: frozenset[int] = frozenset()  # lines of statements that only say that the program is a graph
    nodes: frozenset[str] = frozenset()  # names at top level that only the graph had
    idle: frozenset[str] = frozenset()  # statements that mean nothing: modules without a mode are put into one
    pieces: Mapping[str, tuple[PieceRef, ...]] = field(default_factory=dict)  # class → its layers and variables
    blocks: Mapping[str, str] = field(default_factory=dict)  # function that became a layer → its class


def modern(source: str, here: ModuleFacts, repository: Iterable[str] = ()) -> Modern | None:
    """The file without graphs and sessions; None where it has none. `repository`: the texts of all files."""
    program = Program(source, here)
    if not program.tf or not has_graph(here.uses()):
        return None
    return _File(program, reads(repository or (source,))).made()


@dataclass(frozen=True)
class Reads:
    """Of all code: attributes that are read of anything but `self`, and how often methods are called."""

    attributes: frozenset[str]
    calls: Counter[str]


def reads(texts: Iterable[str]) -> Reads:
    nodes = [n for text in texts for n in ast.walk(ast.parse(text))]
    found = (n for n in nodes if isinstance(n, ast.Attribute))
    outside = frozenset(n.attr for n in found if not (isinstance(n.value, ast.Name) and n.value.id == "self"))
    called = (n.func for n in nodes if isinstance(n, ast.Call))
    return Reads(outside, Counter(f.attr for f in called if isinstance(f, ast.Attribute)))


def has_graph(uses: Iterable[tuple[str, Span]]) -> bool:
    """Whether something that only a graph has is among the uses of TensorFlow."""
    return any(tables.old(name) in tables.MARKS for name, _ in uses)


class _File:
    def __init__(self, program: Program, read: Reads) -> None:
        self.program, self.read = program, read
        self.replaced: dict[int, list[str]] = {}  # first line of a top-level statement → its new lines
        self.reasons: dict[int, str] = {}
        self.script: frozenset[int] = frozenset()
        self.ends: frozenset[int] = frozenset()
        self.nodes: frozenset[str] = frozenset()
        self.gone: set[int] = set()
        self.blocks: dict[str, str] = {}
        self.moded, self.unmoded = set[str](), set[str]()
        self.pieces: dict[str, tuple[PieceRef, ...]] = {}

    def made(self) -> Modern | None:
        body = self.program.tree.body
        self.functions = Functions(self.program, self._taken())
        for statement in body:
            self._tried(statement)
        self._script([s for s in body if not isinstance(s, ast.FunctionDef | ast.ClassDef)])
        if self.functions.unread():
            why = f"{self.functions.unread()[0]} is used outside of graphs as well"
            left = _File(self.program, self.read)
            left.reasons = {**self.reasons, **dict.fromkeys(self.replaced, why)}
            return left._joined(body)
        if not self.replaced and not self.reasons:
            return None
        blocks = self.functions.blocks
        self.replaced.update({line: list(lines) for line, lines in self.functions.replaced().items()})
        self.pieces.update({block.cls: block.pieces for name, block in blocks.items() if "." not in name})
        self.blocks = {name: block.cls for name, block in blocks.items() if not name.startswith("self.")}
        ends = [first_line(s) for s in body if isinstance(s, ast.Expr) and self.program.api(s.value) in tables.NOTHING]
        self.ends = frozenset(ends) if self.replaced else frozenset()
        self.replaced.update({line: [] for line in self.ends if line not in self.replaced})
        return self._joined(body)

    def _tried(self, statement: ast.stmt) -> None:
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef) or not self._has_session(statement):
            return
        try:
            lines = self._function(statement) if isinstance(statement, ast.FunctionDef) else self._class(statement)
            self.replaced[first_line(statement)] = lines
        except NotUnderstood as error:
            self.reasons[first_line(statement)] = str(error)

    def _function(self, statement: ast.FunctionDef) -> list[str]:
        body = statement.body[1:] if ast.get_docstring(statement) is not None else statement.body
        if not body:
            raise NotUnderstood("a function without statements")
        container = Container(self.program, [body], "function", _own(statement), self._class_name(), self.functions)
        return self._written(container, statement)

    def _class(self, statement: ast.ClassDef) -> list[str]:
        found = members(statement, self.program, self.read.attributes)
        self.functions.enter(found)
        methods = [m for m in statement.body if isinstance(m, ast.FunctionDef)]
        init = next((m for m in methods if m.name == "__init__"), None)
        building = [m for m in methods if m is init or m in found.through.values()]
        if init is None or any(self._has_session(m) and m not in building for m in methods):
            raise NotUnderstood("a class whose constructor does not make the session")
        applied = [m for m in methods if f"self.{m.name}" in found.applied]
        rest = [m for m in methods if m not in building and m not in applied]
        own = _own(init) | {f"self.{name}" for name in _attributes(statement)}
        bodies = [m.body for m in (init, *found.through.values(), *rest)]
        name = f"{statement.name.removesuffix('Model')}Network"
        if name in self._taken():
            raise NotUnderstood(f"the file has a `{name}` of its own")
        container = Container(self.program, bodies, "class", frozenset(own), name, self.functions)
        container.through, container.methods = found.through, frozenset(m.name for m in methods)
        container.parameters = frozenset(a.arg for a in init.args.args)
        container.read()
        self._check_class(container, statement, rest)
        container.gone |= {id(m) for m in applied if f"self.{m.name}" in self.functions.blocks}
        container.leave_out()
        lines = self._written(container, statement)
        layers = [line for block in self.functions.methods().values() for line in (*block.lines, "", "")]
        self.pieces.update({block.cls: block.pieces for block in self.functions.methods().values()})
        return [*layers, *lines]

    def _check_class(self, container: Container, statement: ast.ClassDef, rest: Sequence[ast.FunctionDef]) -> None:
        """Raises `NotUnderstood` where the class is used in a way that its module would not allow."""
        keys = {k.removeprefix("self.") for k in container.graph.keys if k.startswith("self.")}
        outside = sorted(keys & self.read.attributes)
        if outside:
            raise NotUnderstood(f"`{outside[0]}` may be read outside of the class")
        for method in rest:
            if any(id(n) in container.starts for n in ast.walk(method)) and self.read.calls[method.name] > 1:
                raise NotUnderstood(f"variables that every call of {method.name} sets to their first values")
        inside = [n for n in ast.walk(statement) if isinstance(n, ast.Attribute)]
        for key in self.functions.methods():
            if sum(key_of(n) == key for n in inside) != self.functions.sites.get(key, 0):
                raise NotUnderstood(f"{key} is used outside of the graph as well")

    def _written(self, container: Container, statement: ast.stmt) -> list[str]:
        """The module of a graph, and what is around it."""
        if container.around != "class":
            container.read()
        made, written = container.plan()
        writer = Writer(container, made, written)
        lines = writer.lines([statement], 0, first_line(statement) - 1)
        self._idle(container, writer)
        self.pieces[written.name] = refs(container.graph.pieces)
        return [*written.lines, "", "", *lines]

    def _idle(self, container: Container, writer: Writer) -> None:
        """Without layers that have a mode there is none to be put into."""
        line = f"{writer.names.model}.eval()"
        if container.graph.moded:
            self.moded.add(line)
        else:
            self.unmoded.add(line)

    def _script(self, body: Sequence[ast.stmt]) -> None:
        if not any(self._has_session(s) for s in body):
            return
        container = Container(self.program, [body], "module", frozenset(), self._class_name(), self.functions)
        starts = [first_line(s) for s in body]
        try:
            container.read()
            made, written = container.plan()
            writer = Writer(container, made, written)
            found: dict[int, list[str]] = {}
            for statement in body:
                if not writer._untouched(statement) or id(statement) in container.gone | container.opened:
                    after = first_line(statement) - 1
                    lines = writer.lines([statement], 0, after)
                    if statement is container.last or _within(container.last, statement):
                        lines = ["", "", *written.lines, "", "", *lines]
                    found[first_line(statement)] = lines
            self.replaced.update(found)
            self.script = frozenset(found)
            self.gone = {first_line(s) for s in body if id(s) in container.gone}
            kept = {writer.names.model, *writer.names.optimizers.values()} | set(writer.names.taken)
            self.nodes = frozenset(k for k in container.graph.keys - kept if "." not in k)
            self._idle(container, writer)
            self.pieces[written.name] = refs(container.graph.pieces)
        except NotUnderstood as error:
            used = [s for s in starts if self._of_graph(s)]
            self.reasons.update(dict.fromkeys(used, str(error)))

    def _of_graph(self, line: int) -> bool:
        statement = next(s for s in self.program.tree.body if first_line(s) == line)
        return has_graph(u for u in self.program.here.uses() if line <= u[1].line <= (statement.end_lineno or line))

    def _has_session(self, node: ast.AST) -> bool:
        return any(self.program.api(n) in tables.SESSIONS for n in ast.walk(node) if isinstance(n, ast.Call))

    def _taken(self) -> set[str]:
        taken = {n.id for n in ast.walk(self.program.tree) if isinstance(n, ast.Name)}
        taken |= {n.name for n in ast.walk(self.program.tree) if isinstance(n, ast.ClassDef | ast.FunctionDef)}
        return taken | self.pieces.keys()

    def _class_name(self) -> str:
        taken = self._taken()
        return next(name for name in ("Model", "Network", "GraphModel", "SessionModel") if name not in taken)

    def _joined(self, body: Sequence[ast.stmt]) -> Modern:
        out: list[str] = []
        origin: list[int] = []
        after = 0
        for statement in body:
            start, end = first_line(statement), statement.end_lineno or 0
            between = self.program.lines[after : start - 1]
            lines = self.replaced.get(start)
            here = self.program.lines[start - 1 : end] if lines is None else lines
            if start in self.gone:  # its comments went with it
                while between and between[-1].strip().startswith("#"):
                    between = between[:-1]
                between = [line for line in between if line.strip()]
            out += [*between, *here]
            origin += [start] * (len(between) + len(here))
            after = end
        rest = self.program.lines[after:]
        idle = frozenset(self.unmoded - self.moded)
        text = "\n".join([*out, *rest]) + "\n"
        stems = (*origin, *([after + 1] * len(rest)))
        return Modern(text, stems, self.reasons, self.script, self.ends, self.nodes, idle, self.pieces, self.blocks)


def _own(function: ast.FunctionDef) -> frozenset[str]:
    """Names that belong to a function: its parameters and what it binds."""
    found = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
    names = (n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return frozenset(found | {n.id for n in names}) - {"self"}


def _attributes(cls: ast.ClassDef) -> frozenset[str]:
    """Attributes of `self` that a class binds."""
    found = (n for n in ast.walk(cls) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store))
    return frozenset(key_of(n).removeprefix("self.") for n in found if key_of(n))


def _within(inner: ast.stmt | None, outer: ast.stmt) -> bool:
    return any(n is inner for n in ast.walk(outer))
