"""Files whose graphs and sessions are written as modules and plain code, in TensorFlow 2 still.

What comes out is a Keras model and a tape: text that the rules for models and training read as they read any other.
Each top-level statement of the original keeps its place, so that units stay what they were.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.answering import Writer
from migrator.codemods.graphs.container import Container
from migrator.codemods.graphs.functions import Functions
from migrator.codemods.graphs.graph import PieceRef, refs
from migrator.codemods.graphs.members import members
from migrator.codemods.graphs.methods import Method, Methods
from migrator.codemods.graphs.model_class import ModelWriter
from migrator.codemods.graphs.program import NotUnderstood, Program, dotted_name, first_line, key_of
from migrator.codemods.graphs.users import (
    Opened,
    User,
    UserWriter,
    constructions,
    mentions,
    names_from,
    source_of_import,
    uses_of,
    visible,
)
from migrator.codemods.graphs.writing import Written
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
    dropped: Mapping[str, str] = field(default_factory=dict)  # class → the session that it no longer takes
    layers: Mapping[str, str] = field(default_factory=dict)  # layers of other files, and how they are imported
    groups: tuple[frozenset[tuple[str, int]], ...] = ()  # statements of one graph in some files, by module and line
    written_out: frozenset[str] = frozenset()  # functions that stand where they were called


def written(files: Mapping[str, tuple[str, ModuleFacts]], repository: Iterable[str]) -> dict[str, Modern]:
    """The files with graphs or sessions in other words, by path. `files`: source and facts of those that use
    TensorFlow; `repository`: the texts of all files."""
    programs = {path: Program(source, here) for path, (source, here) in files.items()}
    programs = {path: one for path, one in programs.items() if one.tf and has_graph(one.here.uses())}
    texts = tuple(repository)
    known, refused = reads(texts), dict[tuple[str, str], str]()
    while True:
        rooms = {path: _File(program, known, refused) for path, program in programs.items()}
        more = _settled(list(rooms.values()), texts)
        if not more:
            return {path: made for path, room in rooms.items() if (made := room.made()) is not None}
        refused |= more


def _settled(rooms: Sequence[_File], texts: Iterable[str]) -> dict[tuple[str, str], str]:
    """Read all files; the classes of which not all that uses them was understood, and why."""
    lend(rooms, texts)
    for room in rooms:
        room.read_classes()
    opened = {(one.module, one.name): one for room in rooms for one in room.opened}
    for room in rooms:
        room.read_rest(visible(room.program, room.program.here.name, opened))
    more: dict[tuple[str, str], str] = {}
    for room in rooms:
        for one in room.opened:
            try:
                room.write_opened(one, texts)
            except NotUnderstood as error:
                more[one.module, one.name] = str(error)
    return more or _unread(rooms, texts)


def _unread(rooms: Sequence[_File], texts: Iterable[str]) -> dict[tuple[str, str], str]:
    """Functions that became layers although something else uses them as well, in any file."""
    found: dict[tuple[str, str], str] = {}
    for room in rooms:
        module, functions = room.program.here.name, room.functions
        for name in functions.replaced_names():
            known = functions.sites.get(name, 0)
            for other in rooms:
                here = [n for n, owned in other.functions.owners.items() if owned == (functions, name)]
                known += sum(other.functions.sites.get(n, 0) for n in here)
            own = sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(room.program.tree))
            if own + sum(uses_of(text, module, name) for text in texts if text != room.program.source) != known:
                found[module, name] = f"{name} is used outside of graphs as well"
    return found


def lend(rooms: Sequence[_File], texts: Iterable[str]) -> None:
    """Let files know of the functions of others that they import by name."""
    plain = {
        alias.name
        for text in texts
        for n in ast.walk(ast.parse(text))
        if isinstance(n, ast.Import | ast.ImportFrom)
        for alias in n.names
    }
    changed = True
    while changed:
        changed = False
        for room in rooms:
            here = room.program.here.name
            for owner in rooms:
                module = owner.program.here.name
                if owner is room or module in plain or module.rpartition(".")[2] in plain:
                    continue  # as a module its functions may be anywhere
                for name, inner in names_from(room.program, here, module, owner.functions.nodes):
                    known = inner in owner.functions.nodes and inner not in owner.functions.owners
                    changed = (known and room.functions.lend(name, owner.functions, inner)) or changed
            changed = room.functions.find() or changed


@dataclass(frozen=True)
class Reads:
    """Of all code: attributes that are read of anything but `self`, and how often methods are called."""

    attributes: frozenset[str]
    calls: Counter[str]


def reads(texts: Iterable[str]) -> Reads:
    nodes = [n for text in texts for n in ast.walk(ast.parse(text))]
    found = (n for n in nodes if isinstance(n, ast.Attribute))
    others = (n for n in found if not (isinstance(n.value, ast.Name) and n.value.id == "self"))
    outside = frozenset(n.attr for n in others if n.attr != "graph" or not _is_session(n.value))
    called = (n.func for n in nodes if isinstance(n, ast.Call))
    return Reads(outside, Counter(f.attr for f in called if isinstance(f, ast.Attribute)))


def _is_session(node: ast.expr) -> bool:
    """Whether an expression has the name of a session, whose graph is TensorFlow's and no attribute of the code."""
    return dotted_name(node).rpartition(".")[2] in ("sess", "session")


def has_graph(uses: Iterable[tuple[str, Span]]) -> bool:
    """Whether something that only a graph has is among the uses of TensorFlow."""
    return any(tables.old(name) in tables.MARKS for name, _ in uses)


class _File:
    def __init__(self, program: Program, read: Reads, refused: Mapping[tuple[str, str], str]) -> None:
        self.program, self.read, self.refused = program, read, refused
        self.replaced: dict[int, list[str]] = {}  # first line of a top-level statement → its new lines
        self.reasons: dict[int, str] = {}
        self.script: frozenset[int] = frozenset()
        self.ends: frozenset[int] = frozenset()
        self.nodes: frozenset[str] = frozenset()
        self.gone: set[int] = set()
        self.blocks: dict[str, str] = {}
        self.moded, self.unmoded = set[str](), set[str]()
        self.pieces: dict[str, tuple[PieceRef, ...]] = {}
        self.opened: list[Opened] = []
        self.layers: dict[str, str] = {}
        self.groups: list[frozenset[tuple[str, int]]] = []
        self.dropped: dict[str, str] = {}  # class → the session that its constructor no longer takes
        stay = {name: why for (module, name), why in refused.items() if module == program.here.name}
        for module in {module for module, _ in refused} - {program.here.name}:
            known = {name: why for (owner, name), why in refused.items() if owner == module}
            stay |= {here: known[name] for here, name in names_from(program, program.here.name, module, known)}
        self.functions = Functions(self.program, self._taken(), refused=stay)

    def read_classes(self) -> None:
        for statement in self.program.tree.body:
            if isinstance(statement, ast.ClassDef) and self._is_graph(statement):
                self._tried(statement, partial(self._class, statement))

    def read_rest(self, classes: Mapping[str, Opened]) -> None:
        body = self.program.tree.body
        for statement in body:
            if isinstance(statement, ast.FunctionDef) and self._has_session(statement):
                self._tried(statement, partial(self._function, statement, classes))
        self._script([s for s in body if not isinstance(s, ast.FunctionDef | ast.ClassDef)])

    def _tried(self, statement: ast.stmt, read: Callable[[], list[str] | None]) -> None:
        try:
            lines = read()
            if lines is not None:
                self.replaced[first_line(statement)] = lines
        except NotUnderstood as error:
            self.reasons[first_line(statement)] = str(error)

    def _is_graph(self, statement: ast.ClassDef) -> bool:
        calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)]
        return any(self.program.api(n) in {*tables.SESSIONS, *tables.PLACEHOLDERS} for n in calls)

    def made(self) -> Modern | None:
        body = self.program.tree.body
        blocks = self.functions.blocks
        if not self.replaced and not self.reasons and not blocks:
            return None
        self._rename_imports()
        self.replaced.update({line: list(lines) for line, lines in self.functions.replaced().items()})
        self.pieces.update({block.cls: block.pieces for name, block in blocks.items() if "." not in name})
        self.blocks = {name: block.cls for name, block in blocks.items() if not name.startswith("self.")}
        ends = [first_line(s) for s in body if isinstance(s, ast.Expr) and self.program.api(s.value) in tables.NOTHING]
        self.ends = frozenset(ends) if self.replaced else frozenset()
        self.replaced.update({line: [] for line in self.ends if line not in self.replaced})
        return self._joined(body)

    def _rename_imports(self) -> None:
        """Import the layers that functions of other files became."""
        layers = self.functions.imported()
        for statement in self.program.tree.body:
            names = {a.name for a in statement.names} if isinstance(statement, ast.ImportFrom) else set()
            if not isinstance(statement, ast.ImportFrom) or not (names & layers.keys() or names == {"*"}):
                continue
            source = f"from {'.' * statement.level}{statement.module or ''} import "
            module = source_of_import(statement, self.program.here.name)
            here = [cls for n, cls in layers.items() if self.functions.owners[n][0].program.here.name == module]
            line = source + ", ".join(sorted(here))
            kept = ["*"] if names == {"*"} else [ast.unparse(a) for a in statement.names if a.name not in layers]
            self.replaced[first_line(statement)] = [source + ", ".join(kept)] * bool(kept) + [line] * bool(here)
            for name, (owner, inner) in self.functions.owners.items():
                users = [line for line, text in self.replaced.items() if layers.get(name, "?") in " ".join(text)]
                lines = {(self.program.here.name, line) for line in users} if name in layers else set()
                node = (owner.program.here.name, first_line(owner.nodes[inner]))
                self.groups += [frozenset({node, *lines})] if lines else []
            if names != {"*"}:
                self.layers.update(dict.fromkeys(here, line))

    def _function(self, statement: ast.FunctionDef, classes: Mapping[str, Opened]) -> list[str] | None:
        body = statement.body[1:] if ast.get_docstring(statement) is not None else statement.body
        if not body:
            raise NotUnderstood("a function without statements")
        if constructions(body, classes):
            self._user(statement, body, classes)
            return None
        container = Container(self.program, [body], "function", _own(statement), self._class_name(), self.functions)
        return self._written(container, statement)

    def _user(self, statement: ast.FunctionDef, body: Sequence[ast.stmt], classes: Mapping[str, Opened]) -> None:
        """A function whose sessions are for objects of these classes: it is written when all are read."""
        made = constructions(body, classes)
        user = User(self.program, [body], "function", _own(statement), "", self.functions, classes=classes)
        try:
            user.read()
            for _, one in made:
                one.sites += 1
            for one in {one for _, one in made}:
                one.users.append((self, statement, user))
        except NotUnderstood as error:
            for _, one in made:
                one.why = str(error)
            raise

    def write_opened(self, one: Opened, texts: Iterable[str]) -> None:
        """The class, and all that uses it; raises `NotUnderstood`."""
        if one.why or not one.users:
            raise NotUnderstood(one.why or "no session runs the graph here")
        if one.sites != sum(mentions(text, one.name) for text in texts):
            raise NotUnderstood(f"{one.name} is used where no session is seen")
        if one.session:
            return self._write_users(one, None)
        container = one.container
        container.asked = [t for _, _, user in one.users for t in user.fetched()]
        self._check_reads(one, texts)
        made = container.methods_made()
        writer = ModelWriter(container, made, one.statement)
        self.replaced[first_line(one.statement)] = [
            *self._layers(),
            *writer.lines([one.statement], 0, first_line(one.statement) - 1),
        ]
        self.pieces[one.name] = refs(container.graph.pieces)
        return self._write_users(one, made)

    def _write_users(self, one: Opened, made: Methods | None) -> None:
        users = [(room.program.here.name, first_line(statement)) for room, statement, _ in one.users]
        self.groups.append(frozenset([(one.module, first_line(one.statement)), *users]))
        for room, statement, user in one.users:
            if user.of is not None and user.of is not one:
                continue
            known = made or Methods(Method("", (), (), (), ()), {})
            writer = UserWriter(user, known, Written("", (), ()))
            body = user.bodies[0]
            node = copy.copy(statement)
            node.body = [*statement.body[: len(statement.body) - len(body)], *body]
            room.replaced[first_line(statement)] = writer.lines([node], 0, first_line(statement) - 1)
            if made is not None:
                room._idle(user, writer)

    def _check_reads(self, one: Opened, texts: Iterable[str]) -> None:
        """Nothing else reads what the object has of its graph."""
        keys = {k.removeprefix("self.") for k in one.container.graph.keys if k.startswith("self.")}
        seen = Counter(n.id.removeprefix("self.") for _, _, user in one.users for s in user.bodies[0]
                       for n in ast.walk(s) if isinstance(n, ast.Name) and n.id.startswith("self."))  # fmt: skip
        for text in texts:
            for node in ast.walk(ast.parse(text)):
                if (
                    isinstance(node, ast.Attribute)
                    and not self.program.api(node)
                    and key_of(node) != f"self.{node.attr}"
                ):
                    seen[node.attr] -= node.attr in keys
        outside = sorted(key for key in keys if seen[key] < 0)
        if outside:
            raise NotUnderstood(f"`{outside[0]}` may be read elsewhere")

    def _layers(self) -> list[str]:
        """The layers that methods of the class became that was read last."""
        found = self.functions.methods()
        self.pieces.update({block.cls: block.pieces for block in found.values()})
        return [line for block in found.values() for line in (*block.lines, "", "")]

    def _class(self, statement: ast.ClassDef) -> list[str] | None:
        why = self.refused.get((self.program.here.name, statement.name))
        if why is not None:
            raise NotUnderstood(why)
        found = members(statement, self.program, self.read.attributes)
        self.functions.enter(found)
        methods = [m for m in statement.body if isinstance(m, ast.FunctionDef)]
        init = next((m for m in methods if m.name == "__init__"), None)
        building = [m for m in methods if m is init or m in found.through.values()]
        given = "" if init is None else _session(init)
        inside = any(self._has_session(m) for m in building)
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
        container.given = frozenset(a.arg for m in rest for a in ast.walk(m.args) if isinstance(a, ast.arg)) - {"self"}
        container.session, container.elsewhere = given, not inside and not given
        container.read()
        container.gone |= {id(m) for m in applied if f"self.{m.name}" in self.functions.blocks}
        container.leave_out()
        one = Opened(self.program.here.name, statement.name, container, statement, given, _params(init))
        if not inside:
            self.opened.append(one)
        if container.elsewhere:
            self._check_methods(statement)
            return None
        self._check_class(container, statement, rest)
        if given:
            self.dropped[statement.name] = given
        lines = self._written(container, statement)
        return [*self._layers(), *lines]

    def _check_class(self, container: Container, statement: ast.ClassDef, rest: Sequence[ast.FunctionDef]) -> None:
        """Raises `NotUnderstood` where the class is used in a way that its module would not allow."""
        keys = {k.removeprefix("self.") for k in container.graph.keys if k.startswith("self.")}
        outside = sorted(keys & self.read.attributes)
        if outside:
            raise NotUnderstood(f"`{outside[0]}` may be read outside of the class")
        for method in rest:
            if any(id(n) in container.starts for n in ast.walk(method)) and self.read.calls[method.name] > 1:
                raise NotUnderstood(f"variables that every call of {method.name} sets to their first values")
        self._check_methods(statement)

    def _check_methods(self, statement: ast.ClassDef) -> None:
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
        return Modern(text, stems, self.reasons, self.script, self.ends, self.nodes, idle, self.pieces, self.blocks,
                      self.dropped, self.layers, tuple(self.groups))  # fmt: skip


def _own(function: ast.FunctionDef) -> frozenset[str]:
    """Names that belong to a function: its parameters and what it binds."""
    found = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
    names = (n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return frozenset(found | {n.id for n in names}) - {"self"}


def _session(init: ast.FunctionDef) -> str:
    """The parameter that a constructor keeps as its session; "" for none."""
    params = {a.arg for a in init.args.args}
    kept = (s for s in init.body if isinstance(s, ast.Assign) and key_of(s.targets[0]).startswith("self."))
    return next((n for s in kept if (n := key_of(s.value)) in params and n in ("sess", "session")), "")


def _params(init: ast.FunctionDef) -> dict[str, ast.expr | None]:
    """The parameters of a constructor with their defaults."""
    names, defaults = [a.arg for a in init.args.args[1:]], init.args.defaults
    return dict.fromkeys(names) | dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))


def _attributes(cls: ast.ClassDef) -> frozenset[str]:
    """Attributes of `self` that a class binds."""
    found = (n for n in ast.walk(cls) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store))
    return frozenset(key_of(n).removeprefix("self.") for n in found if key_of(n))


def _within(inner: ast.stmt | None, outer: ast.stmt) -> bool:
    return any(n is inner for n in ast.walk(outer))
