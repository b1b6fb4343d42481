"""Functions and scripts whose sessions run the graph of a class, which may be in another file."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from migrator.codemods.graphs import savers, tables
from migrator.codemods.graphs.answering import Writer
from migrator.codemods.graphs.container import Container
from migrator.codemods.graphs.graph import Graph, Step
from migrator.codemods.graphs.program import NotUnderstood, Program, dotted_name, key_of, keys_read
from migrator.codemods.graphs.reading import Reader
from migrator.codemods.graphs.sites import Names
from migrator.codemods.graphs.tables import bound, text


@dataclass
class Opened:
    """A class whose graph others run. `session`: the parameter of its constructor that is given one, if there is any:
    then its own methods run it. `params`: those of the constructor, with their defaults."""

    module: str
    name: str
    container: Container
    statement: ast.ClassDef
    session: str = ""
    params: Mapping[str, ast.expr | None] = field(default_factory=dict)
    users: list[Any] = field(default_factory=list)  # file, function and `User`
    sites: int = 0  # constructions that were read
    why: str = ""  # something that uses it is not understood

    def __hash__(self) -> int:
        return hash((self.module, self.name))


def visible(program: Program, module: str, opened: Mapping[tuple[str, str], Opened]) -> dict[str, Opened]:
    """Those classes under the names that a file has for them."""
    found = {name: one for (owner, name), one in opened.items() if owner == module}
    for statement in ast.walk(program.tree):
        if isinstance(statement, ast.ImportFrom):
            source = source_of_import(statement, module)
            for alias in statement.names:
                here = {name: one for (owner, name), one in opened.items() if owner == source}
                found |= here if alias.name == "*" else {}
                if alias.name in here:
                    found[alias.asname or alias.name] = here[alias.name]
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                inside = {n: one for (owner, n), one in opened.items() if owner == alias.name}
                found |= {f"{alias.asname or alias.name}.{n}": one for n, one in inside.items()}
    return found


def mentions(text: str, name: str) -> int:
    """How often a text names a class, imports and definition aside."""
    nodes = list(ast.walk(ast.parse(text)))
    plain = sum(isinstance(n, ast.Name) and n.id == name for n in nodes)
    aliased = sum(
        a.name == name and a.asname is not None for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names
    )
    return plain + sum(isinstance(n, ast.Attribute) and n.attr == name for n in nodes) + 1000 * aliased


def uses_of(text: str, module: str, name: str) -> int:
    """How often a text that imports a module, or from it, uses a name of it."""
    last, nodes = module.rpartition(".")[2], list(ast.walk(ast.parse(text)))
    froms = [n for n in nodes if isinstance(n, ast.ImportFrom)]
    aliases = {a.name.rpartition(".")[2] for n in nodes if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}
    if last not in aliases and not any((n.module or "").rpartition(".")[2] == last for n in froms):
        return 0
    renamed = sum(a.name == name and a.asname is not None for n in froms for a in n.names)
    dotted = sum(isinstance(n, ast.Attribute) and n.attr == name and key_of(n.value) != "tf" for n in nodes)
    dotted = dotted if last in aliases else 0
    return dotted + renamed + sum(isinstance(n, ast.Name) and n.id == name for n in nodes)


def names_from(program: Program, module: str, other: str, known: Collection[str]) -> list[tuple[str, str]]:
    """What a file has of another one's functions: the name here and there."""
    found: list[tuple[str, str]] = []
    for statement in program.tree.body:
        if isinstance(statement, ast.ImportFrom) and source_of_import(statement, module) == other:
            for alias in statement.names:
                found += [(name, name) for name in known if "." not in name] if alias.name == "*" else []
                found += [(alias.name, alias.name)] if alias.name in known and alias.asname is None else []
    return found


def source_of_import(statement: ast.ImportFrom, module: str) -> str:
    """The module that an import names, as the repository knows it."""
    if not statement.level:
        return statement.module or ""
    package = module.split(".")[: -statement.level]
    return ".".join([*package, *([statement.module] if statement.module else [])])


def folded(statements: Sequence[ast.stmt], model: str, keys: Collection[str]) -> list[ast.stmt]:
    """The statements with what a model has of its graph under the names that the graph has for it."""
    return [_Fold(model, keys).visit(s) for s in statements]


class _Fold(ast.NodeTransformer):
    def __init__(self, model: str, keys: Collection[str]) -> None:
        self.model, self.keys = model, keys

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == self.model and f"self.{node.attr}" in self.keys:
            return ast.copy_location(ast.Name(f"self.{node.attr}", node.ctx), node)
        return self.generic_visit(node)


def constructions(body: Sequence[ast.stmt], classes: Mapping[str, Opened]) -> list[tuple[ast.Call, Opened]]:
    """The calls that make objects of the classes."""
    calls = [n for s in body for n in ast.walk(s) if isinstance(n, ast.Call)]
    return [(call, classes[name]) for call in calls if (name := dotted_name(call.func)) in classes]


@dataclass
class User(Container):
    """A body whose sessions run the graph of one object, `model`, or are only given to objects that run their own."""

    classes: Mapping[str, Opened] = field(default_factory=dict)
    model: str = ""
    of: Opened | None = None
    call: ast.Call | None = None
    made: dict[int, str] = field(default_factory=dict)  # statements that make a saver → its name
    waiting: list[str] = field(default_factory=list)  # comments of statements that went before one that stays
    notes: dict[int, list[str]] = field(default_factory=dict)  # the same, by what they stand above then

    def read(self) -> Graph:
        made = constructions(self.bodies[0], self.classes)
        models = [(call, one) for call, one in made if not one.session]
        if len(models) > 1:
            raise NotUnderstood("several graphs in one function")
        if models:
            self._model(*models[0])
        self.graph = Graph() if self.of is None else _seen(self.of.container.graph)
        reader = Reader(self.program, frozenset(), self.functions)
        reader.graph = reader.training.graph = self.graph
        reader.training.enter = None
        reader.training.made = max((step.optimizer.number for step in self.graph.steps.values()), default=0)
        self._block(self.bodies[0], reader, self.bodies[0][0].lineno - 1, builds=False)
        if not self.graph.sessions:
            raise NotUnderstood("no session runs the graph here")
        self._feeds()
        return self.graph

    def _model(self, call: ast.Call, one: Opened) -> None:
        nodes = [n for s in self.bodies[0] for n in ast.walk(s)]
        bound_to = [n for n in nodes if isinstance(n, ast.Assign) and n.value is call]
        self.of, self.call = one, call
        self.model = key_of(bound_to[0].targets[0]) if bound_to and len(bound_to[0].targets) == 1 else ""
        stored = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        if not self.model or "." in self.model or stored.count(self.model) != 1 or "self" in {*stored, *self.own}:
            raise NotUnderstood("a model that is not kept under one name")
        self.last = bound_to[0]
        self.bodies = [folded(self.bodies[0], self.model, one.container.graph.keys)]

    def _step(self, statement: ast.Assign, reader: Reader) -> None:
        api = self.program.api(statement.value)
        keys = [key_of(t) for t in statement.targets]
        if not isinstance(statement.value, ast.Call) or not all(keys):
            return
        if api in tables.SESSIONS:
            self.graph.sessions.update(keys)
        elif api in tables.INITS:
            self.graph.inits.update(keys)
        elif not self._trains(statement, reader):
            return
        self.gone.add(id(statement))

    def _logs(self, statement: ast.stmt, reader: Reader) -> bool:
        return self.of is not None and isinstance(statement, ast.Expr) and reader.trains(statement)

    def _trains(self, statement: ast.Assign, reader: Reader) -> bool:
        """Whether a statement makes optimizers, steps or savers of the model."""
        before = set(self.graph.steps), set(self.graph.savers)
        if self.of is None or not reader.trains(statement):
            return False
        steps, made = set(self.graph.steps) - before[0], set(self.graph.savers) - before[1]
        self.steps |= {id(statement): step for step in steps}
        self.made |= {id(statement): saver for saver in made}
        if steps or made:
            self.notes[id(statement)], self.waiting = self.waiting, []
        else:
            self.waiting += self.program.comments(statement, 0)
        return True


Known = TypeVar("Known")


def _own(known: Mapping[str, Known]) -> dict[str, Known]:
    return {key: value for key, value in known.items() if key.startswith("self.")}


def _seen(graph: Graph) -> Graph:
    """The graph as others than its class see it."""
    return replace(
        graph, variables=_own(graph.variables), optimizers={}, rates={}, trained=_own(graph.trained), gradients={},
        pairs={}, steps=_own(graph.steps), inits=set(), sessions=set(), global_steps=set(), other=set(),
        versions=_own(graph.versions), updates={key for key in graph.updates if key.startswith("self.")},
        copies={}, held=_own(graph.held), updates_of_rates=_own(graph.updates_of_rates),
        savers=_own(graph.savers), summaries=_own(graph.summaries), logged=list(graph.logged), writers=set(),
    )  # fmt: skip


_GRADS = "gradients_of_the_step"


class UserWriter(Writer):
    """Writes such a body: `made` and `written` are those of the class whose graph it runs."""

    container: User

    def _names(self) -> Names:
        nodes = [n for s in self.container.bodies[0] for n in ast.walk(s)]
        taken = {n.id for n in nodes if isinstance(n, ast.Name)} | self.container.own
        optimizers: dict[int, str] = {}
        steps = self._asked()
        several = len({step.optimizer.number for step in steps.values()}) > 1
        for key, step in steps.items():
            own = step.optimizer.key if self._is_here(key) else ""
            wish = own or (key.removeprefix("self.") if several else "optimizer")
            while not own and (wish in taken or wish in optimizers.values()):
                wish += "_"
            optimizers.setdefault(step.optimizer.number, wish)
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        counter = savers.counter(list(self.container._main()), self.graph, self.program)
        if "." in counter:
            raise NotUnderstood("a count of steps that the class keeps")
        return Names(self.container.model, optimizers, frozenset(stored | self.container.own), counter)

    def _asked(self) -> dict[str, Step]:
        """The steps that are run here."""
        read = {key for statement in self.container._main() for key in keys_read(statement)}
        return {key: step for key, step in self.graph.steps.items() if key in read}

    def _is_here(self, step: str) -> bool:
        """Whether it is a step that this body makes itself."""
        return step in self.container.steps.values()

    def _beginning(self, indent: int, gap: bool) -> list[str]:
        used = {step.optimizer.number for key, step in self._asked().items() if not self._is_here(key)}
        here = {n: name for n, name in self.names.optimizers.items() if n in used}
        lines = [f"{name} = {self._here(self._optimizer(n))}" for n, name in here.items()]
        lines += savers.made_count(self.names.counter, self.program.tf)
        lines += [f"{self._local(key)} = {self._saver(key, here)}" for key in self.graph.savers if "." in key]
        return [" " * indent + line for line in lines]

    def _local(self, key: str) -> str:
        """The name here of a saver that the class makes."""
        name = key.removeprefix("self.")
        if name in self.names.taken:
            raise NotUnderstood("a saver that has two names")
        return name

    def _saver(self, key: str, optimizers: Mapping[int, str]) -> str:
        names = self.names
        return savers.made_saver(key, self.graph, names.model, optimizers, names.counter, self.program.tf)

    def _answered(self, statement: ast.stmt) -> list[str]:
        lines = super()._answered(statement)
        for key in (key for key in self.graph.savers if "." in key):
            lines = [re.sub(rf"\b{re.escape(key)}\b", self._local(key), line) for line in lines]
        return lines

    def __post_init__(self) -> None:
        super().__post_init__()
        elsewhere = [key for key, step in self._asked().items() if step.clip and not self._is_here(key)]
        self.graph.steps |= {key: replace(self.graph.steps[key], clip=self._clip(key)) for key in elsewhere}

    def _clip(self, step: str) -> str:
        """What changes the gradients of a step of the class, where the object is made."""
        return self._here(self.graph.steps[step].clip.replace("{g}", _GRADS), "exec").replace(_GRADS, "{g}")

    def _here(self, source: str, mode: str = "eval") -> str:
        """An expression, or statements, of the constructor where the object is made: its parameters are arguments
        there."""
        one, call = self.container.of, self.container.call
        assert one is not None
        assert call is not None
        given = bound(call, tuple(one.params))
        if given is None:
            raise NotUnderstood("a construction whose arguments are not known")
        known = {n: v for n, v in one.params.items() if v is not None} | given
        stored = {key for b in one.container.bodies for s in b for key in _stored(s)}
        node, tf = ast.parse(source, mode=mode), one.container.program.tf
        for key in set(keys_read(node)) - _stored(node):
            plain = (
                key in known and key not in stored and isinstance(known[key], ast.Constant | ast.Name | ast.Attribute)
            )
            inside = key in one.container.own or (self.program is not one.container.program and key != tf)
            if not key.startswith("self.") and not plain and inside:
                raise NotUnderstood(f"`{key}` of the constructor, which its optimizer needs elsewhere")
        return text(_Here(known, {tf: self.program.tf}, self.container.model).visit(node))

    def _statement(self, statement: ast.stmt, indent: int, lead: int) -> list[str]:
        notes = [" " * indent + note for note in self.container.notes.get(id(statement), ())]
        if id(statement) in self.container.made:
            key = self.container.made[id(statement)]
            notes += [" " * indent + note for note in self.program.comments(statement, 0)]
            return [*notes, " " * indent + f"{key} = {self._saver(key, self.names.optimizers)}"]
        if notes:
            return [*notes, *super()._statement(statement, indent, lead)]
        given = [one for _, one in constructions([statement], self.container.classes) if one.session]
        simple = not isinstance(statement, ast.For | ast.While | ast.If | ast.With | ast.FunctionDef | ast.Try)
        if not given or not simple:
            return super()._statement(statement, indent, lead)
        statement = copy.deepcopy(statement)  # it is written once for each of its classes
        for call, one in constructions([statement], self.container.classes):
            if one.session:
                self._without_session(call, one)
        if set(keys_read(statement)) & self.graph.keys:
            raise NotUnderstood(f"`{text(statement)}` uses the graph")
        comments = self.program.block(lead, statement.lineno - 1, indent - statement.col_offset)
        return [*comments, *(" " * indent + line for line in text(statement).splitlines())]

    def _without_session(self, call: ast.Call, one: Opened) -> None:
        given = bound(call, tuple(one.params)) or {}
        value = given.get(one.session)
        if value is None or key_of(value) not in self.graph.sessions:
            raise NotUnderstood("a session whose way is not seen")
        call.args = [a for a in call.args if a is not value]
        call.keywords = [k for k in call.keywords if k.value is not value]


class _Here(ast.NodeTransformer):
    def __init__(self, given: Mapping[str, ast.expr], modules: Mapping[str, str], model: str) -> None:
        self.given, self.modules, self.model = given, modules, model

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if key_of(node).startswith("self."):
            return ast.Attribute(ast.Name(self.model, ast.Load()), node.attr, ast.Load())
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.modules:
            return ast.Name(self.modules[node.id], ast.Load())
        return self.given.get(node.id, node)


def _stored(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
