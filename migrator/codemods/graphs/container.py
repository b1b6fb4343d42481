"""A script, function or class that builds a graph and runs it: read whole, then written as a module and plain code."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from migrator.codemods.graphs import copies, rates, tables
from migrator.codemods.graphs.feeding import Feeds
from migrator.codemods.graphs.functions import Functions
from migrator.codemods.graphs.graph import Graph
from migrator.codemods.graphs.methods import Methods, Tensor, methods
from migrator.codemods.graphs.program import NotUnderstood, Program, first_line, key_of, keys_read
from migrator.codemods.graphs.reading import Reader
from migrator.codemods.graphs.sharing import AGAIN, NEW, reuses, wish
from migrator.codemods.graphs.sites import fetched, is_start, sites_in
from migrator.codemods.graphs.summaries import note_writer, scope_names
from migrator.codemods.graphs.tables import text
from migrator.codemods.graphs.tensor_lists import tensor_lists
from migrator.codemods.graphs.variable_names import part
from migrator.codemods.graphs.writing import Written, write

Body = Sequence[ast.stmt]


@dataclass
class Container:
    """The statements of one graph. `bodies`: blocks in which it is built and run, the building one first.

    `around`: "module", "function" or "class". `own`: names that belong to the function or class.
    """

    program: Program
    bodies: Sequence[Body]
    around: str
    own: frozenset[str]
    name: str
    functions: Functions
    gone: set[int] = field(default_factory=set)
    opened: set[int] = field(default_factory=set)  # `with` blocks that go, and leave what is in them
    scopes: set[int] = field(default_factory=set)  # of these, those whose comments go with what they begin with
    last: ast.stmt | None = None  # the last statement that builds the graph
    feeds: Feeds = field(default_factory=lambda: Feeds([], ()))
    comments: tuple[str, ...] = ()  # of statements that go, after the last that has a place in the module
    through: Mapping[str, ast.FunctionDef] = field(default_factory=dict)  # methods that the building one runs
    methods: frozenset[str] = frozenset()  # all of the class
    parameters: frozenset[str] = frozenset()  # of its constructor
    given: frozenset[str] = frozenset()  # parameters of its other methods
    session: str = ""  # the parameter that is its session
    elsewhere: bool = False  # only others run the graph
    asked: list[Tensor] = field(default_factory=list)  # what these fetch
    steps: dict[int, str] = field(default_factory=dict)  # statements in other methods that make a step → its name
    starts: set[int] = field(default_factory=set)  # statements that give variables their first values

    # --- reading

    def read(self) -> Graph:
        """The graph; raises `NotUnderstood`."""
        reader = Reader(self.program, self._repeated(), self.functions)
        reader.methods = self.methods
        building = [self.bodies[0], *(m.body for m in self.through.values())]
        reader.lists = tensor_lists(building, self.program, self.functions.nodes)
        self.graph = reader.graph
        self._block(self.bodies[0], reader, first_line(self.bodies[0][0]) - 1)
        for body in self.bodies[1:]:
            if body not in building:
                self._block(body, reader, first_line(body[0]) - 1, builds=False)
        self.comments = reader.pending
        if not self.graph.versions or self.last is None or bool(self.graph.sessions) == self.elsewhere:
            raise NotUnderstood("no session runs the graph here")
        self._feeds()
        return self.graph

    def _repeated(self) -> frozenset[str]:
        """Keys that the building statements bind more than once."""
        building = [*self.bodies[0], *(s for m in self.through.values() for s in m.body)]
        bound = (n for s in building for n in ast.walk(s) if isinstance(n, ast.Name | ast.Attribute))
        counts = Counter(key_of(n) for n in bound if isinstance(n.ctx, ast.Store))
        return frozenset(key for key, count in counts.items() if count > 1)

    def _block(self, body: Body, reader: Reader, after: int, builds: bool = True) -> None:
        for statement in body:
            opened = self._opens(statement, reader) if isinstance(statement, ast.With) else None
            if isinstance(statement, ast.With) and opened is not None:
                self.opened.add(id(statement))
                if builds and self._is_scope(statement):
                    self.scopes.add(id(statement))
                    reader.pending += tuple(self.program.comments(statement, after))
                before = reader.again
                reader.path.append(opened[0])
                reader.again = opened[1] or before
                names = list(scope_names(statement, self.program, tables.SCOPES))
                reader.opened += names
                self._block(statement.body, reader, statement.lineno, builds)
                del reader.opened[len(reader.opened) - len(names) :]
                reader.path.pop()
                reader.again = before
            elif builds and self._through(statement) is not None:
                method = self._through(statement)
                assert method is not None
                self._block(method.body, reader, method.lineno)
            elif builds and reuses(statement, self.program):
                reader.again = AGAIN
                self.gone.add(id(statement))
            elif note_writer(statement, self.program, self.graph):
                pass
            elif self._configures(statement) or self._keeps_session(statement):
                self.gone.add(id(statement))
            elif is_start(statement, self.graph, self.program):
                self.gone.add(id(statement))
                self.starts.add(id(statement))
            elif builds and self._read(statement, reader, after):
                self.gone.add(id(statement))
            elif not builds and isinstance(statement, ast.Assign):
                self._step(statement, reader)
            elif not builds and self._logs(statement, reader):
                self.gone.add(id(statement))
            after = statement.end_lineno or statement.lineno

    def _is_scope(self, block: ast.With) -> bool:
        return all(self.program.api(i.context_expr) in {*tables.SCOPES, *tables.DEVICES} for i in block.items)

    def _configures(self, statement: ast.stmt) -> bool:
        """Whether a statement only says how sessions use the machine."""
        if not isinstance(statement, ast.Assign):
            return False
        root = text(statement.targets[0]).split(".")[0]
        if root in self.graph.other and isinstance(statement.targets[0], ast.Attribute):
            return True
        if self.program.api(statement.value) not in tables.CONFIGS or not isinstance(statement.value, ast.Call):
            return False
        self.graph.other.update(key_of(t) for t in statement.targets)
        return True

    def _keeps_session(self, statement: ast.stmt) -> bool:
        """Whether a statement of the constructor keeps the session that it is given."""
        if not self.session or not isinstance(statement, ast.Assign) or key_of(statement.value) != self.session:
            return False
        self.graph.sessions.update({self.session, *(key_of(t) for t in statement.targets)})
        return True

    def _read(self, statement: ast.stmt, reader: Reader, after: int) -> bool:
        """Whether a statement builds the graph. A session can be made after what needs the module."""
        sessions = len(self.graph.sessions)
        read = reader.read(statement, tuple(self.program.comments(statement, after)))
        if read and len(self.graph.sessions) == sessions:
            self.last = statement
        return read

    def _through(self, statement: ast.stmt) -> ast.FunctionDef | None:
        """The method that a statement runs to build more of the graph."""
        call = statement.value if isinstance(statement, ast.Expr) else None
        key = key_of(call.func) if isinstance(call, ast.Call) else ""
        return self.through.get(key.removeprefix("self.")) if key.startswith("self.") else None

    def _step(self, statement: ast.Assign, reader: Reader) -> None:
        """A step that another method makes, with an optimizer of its own."""
        call, key = statement.value, key_of(statement.targets[0])
        func = call.func if isinstance(call, ast.Call) else None
        own = isinstance(func, ast.Attribute) and self.program.api(func.value) in tables.OPTIMIZERS
        if own and isinstance(call, ast.Call) and key and "." not in key and reader.training.read([key], call):
            if list(self.steps.values()).count(key) or self._elsewhere(key, statement):
                raise NotUnderstood(f"`{key}`, which is several things")
            self.steps[id(statement)] = key

    def _logs(self, statement: ast.stmt, reader: Reader) -> bool:
        """Whether a statement, in what runs the graph of a class, only says what is logged."""
        return False

    def _elsewhere(self, key: str, statement: ast.stmt) -> bool:
        """Whether a name occurs in other methods than the one with a statement."""
        bodies = [b for b in self.bodies if not any(n is statement for s in b for n in ast.walk(s))]
        return any(isinstance(n, ast.Name) and n.id == key for b in bodies for s in b for n in ast.walk(s))

    def _opens(self, block: ast.With, reader: Reader) -> tuple[str, str] | None:
        """For a `with` that only says where a graph, a scope or a session is: the name of its scope, and what it asks
        of variables."""
        if len(block.items) == 1:
            return self._opened(block, block.items[0], reader)
        every = [self._opened(block, item, reader) for item in block.items]
        if not any(every):
            return None
        found = [one for one in every if one is not None]
        if len(found) < len(every):
            raise NotUnderstood("a block that is of the graph and of something else")
        names, asks = [name for name, _ in found if name], [ask for _, ask in found if ask]
        return "/".join(names), asks[-1] if asks else ""

    def _opened(self, block: ast.With, item: ast.withitem, reader: Reader) -> tuple[str, str] | None:
        graph = self.graph
        value, api = item.context_expr, self.program.api(item.context_expr)
        if api in tables.SESSIONS and item.optional_vars is not None:
            graph.sessions.add(key_of(item.optional_vars))
            return "", ""
        if api in tables.SCOPES:
            return self._scope(block, item, api)
        if api in tables.DEVICES:
            return "", ""
        if api == "tf.control_dependencies":
            if len(block.items) > 1:
                raise NotUnderstood("operations that depend on others by control")
            self._updates(block, reader)
            return None
        return ("", "") if isinstance(value, ast.Call) and self._is_default(value) else None

    def _scope(self, block: ast.With, item: ast.withitem, api: str) -> tuple[str, str]:
        value, bound_ = item.context_expr, item.optional_vars
        assert isinstance(value, ast.Call)
        reuse = next((k.value for k in value.keywords if k.arg == "reuse"), None)
        asks = "" if reuse is None else wish(reuse, self.program)
        if len(value.args) != 1 or any(k.arg != "reuse" for k in value.keywords) or (reuse is not None and not asks):
            raise NotUnderstood("a scope that is used as a value, or shares variables")
        rest = [s for s in block.body if not reuses(s, self.program)]
        if bound_ is not None and text(bound_) in {key for s in rest for key in keys_read(s)}:
            raise NotUnderstood("a scope that is used as a value, or shares variables")
        return (part(value.args[0]) if api == "tf.variable_scope" else ""), "" if asks == NEW else asks

    def _updates(self, block: ast.With, reader: Reader) -> None:
        value = block.items[0].context_expr
        given = value.args[0] if isinstance(value, ast.Call) and value.args else None
        inner = given is not None and [self.program.api(a) for a in getattr(given, "args", ())] == [tables.UPDATES]
        if given is None or not (key_of(given) in self.graph.updates or inner):
            raise NotUnderstood("operations that depend on others by control")
        reader.scopes.append("updates")
        self._block(block.body, reader, block.lineno)
        reader.scopes.remove("updates")
        self.opened.add(id(block))

    def _is_default(self, call: ast.Call) -> bool:
        """`graph.as_default()`, `tf.Graph().as_default()`, `sess.as_default()`."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "as_default":
            return False
        owner = call.func.value
        return key_of(owner) in self.graph.other | self.graph.sessions or self.program.api(owner) == "tf.Graph"

    def _main(self) -> Iterator[ast.stmt]:
        """The statements of the program's own, those in blocks that go among them."""
        for body in self.bodies:
            yield from self._left(body)

    def _left(self, body: Body) -> Iterator[ast.stmt]:
        for statement in body:
            if id(statement) in self.opened and isinstance(statement, ast.With):
                yield from self._left(statement.body)
            elif id(statement) not in self.gone:
                yield statement

    def _feeds(self) -> None:
        """Dictionaries of what is fed that have a name; they go, and stand where they are used."""
        self.feeds = Feeds([*self.bodies, *(m.body for m in self.through.values())], self.graph.placeholders)
        self.gone |= self.feeds.gone

    def leave_out(self) -> None:
        """Methods that the constructor runs, of which nothing stays, go with their calls."""
        for method in self.through.values():
            if any(n is self.last for n in ast.walk(method)) or [s for s in self._left(method.body) if not _is_text(s)]:
                continue
            calls = (s for body in self.bodies for b in body for s in ast.walk(b))
            self.gone |= {id(method), *(id(s) for s in calls if isinstance(s, ast.Expr) and self._through(s) is method)}

    def fetched(self) -> list[Tensor]:
        """The tensors that sessions are asked for."""
        skipped = {id(n) for s in self._main() for n in ast.walk(s)
                   if isinstance(n, ast.stmt) and self._sets(n)
                   for n in ast.walk(n)}  # fmt: skip
        sites = [site for s in self._main() for site in sites_in(s, self.graph) if id(site.call) not in skipped]
        return [t for site in sites for t in fetched(site, self.graph)]

    def _sets(self, statement: ast.stmt) -> bool:
        """Whether a run only sets variables."""
        return bool(copies.copied(statement, self.graph) or rates.changed(statement, self.program, self.graph))

    # --- writing

    def plan(self) -> tuple[Methods, Written]:
        """The methods of the module, and its text."""
        made = self.methods_made()
        written = write(self.name, self.graph, made, self.own, self.program.tf)
        self._check(written)
        return made, written

    def methods_made(self) -> Methods:
        """The methods of the module; raises `NotUnderstood`."""
        asked = [*self.fetched(), *self.asked]
        if not asked:
            raise NotUnderstood("no session runs the graph here")
        if len({id(self.graph.placeholders[key]) for key in self.graph.mode}) > 1:
            raise NotUnderstood("several placeholders that say whether layers train")
        if self.graph.counted not in (-1, sum(bool(piece.names) for piece in self.graph.pieces)):
            raise NotUnderstood("variables that are made after a list of all")
        self._check_rows()
        rates.check_held(self.graph)
        made = methods(self.graph, asked)
        if any(set(m.placeholders) & self.graph.mode for m in made.others.values()):
            raise NotUnderstood("layers that train in some runs, after the tensors that all runs begin with")
        return made

    def _check_rows(self) -> None:
        """No optimizer is there that would leave alone what was not looked up in a table."""
        nodes = (n for one in self.graph.computed for n in ast.walk(one.statement) if isinstance(n, ast.Call))
        looked = any(self.program.api(n) in tables.LOOKUPS for n in nodes)
        if looked and any(step.optimizer.api in tables.BY_ROW for step in self.graph.steps.values()):
            raise NotUnderstood("an optimizer that leaves rows of a table alone which a step does not look up")

    def _check(self, written: Written) -> None:
        """Names that the module is given have one value, which is known where the module is made."""
        repeated = sorted(self._repeated() & set(written.given))
        if repeated:
            raise NotUnderstood(f"`{repeated[0]}`, which changes while the graph is built")
        if not self.through:
            return
        method = next((m for m in self.through.values() if any(n is self.last for n in ast.walk(m))), None)
        local = {key for key in written.given if "." not in key}
        here = self.bodies[0] if method is None else method.body
        bound = {n.id for s in here for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound |= self.parameters if method is None else {a.arg for a in method.args.args}
        if local - bound:
            raise NotUnderstood(f"`{min(local - bound)}`, which is not known where the graph ends")


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
