"""Methods that build the graph of a class: those that its constructor goes through, and those that it applies."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.program import Program, key_of


@dataclass(frozen=True)
class Members:
    """`through`: methods that the constructor runs once, as statements. `applied`: the others that it calls, as
    functions by `self.name`; `hidden` of these: attributes that became parameters."""

    through: Mapping[str, ast.FunctionDef] = field(default_factory=dict)
    applied: Mapping[str, ast.FunctionDef] = field(default_factory=dict)
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def members(cls: ast.ClassDef, program: Program, outside: Collection[str]) -> Members:
    """The building methods of a class; `outside`: attributes that are read of anything but `self`."""
    methods = {s.name: s for s in cls.body if isinstance(s, ast.FunctionDef) and _is_plain(s) and s.name not in outside}
    mentioned = [n.attr for n in ast.walk(cls) if isinstance(n, ast.Attribute) and key_of(n) == f"self.{n.attr}"]
    init = next((s for s in cls.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"), None)
    through: dict[str, ast.FunctionDef] = {}
    waiting = [] if init is None else [init]
    while waiting:
        for name, call in _run(waiting.pop(0).body):
            known = name in methods and mentioned.count(name) == 1 and _hands_on(call, methods[name])
            if known and _computes(methods[name], program):
                through[name] = methods[name]
                waiting.append(methods[name])
    building = [*through.values(), *([] if init is None else [init])]
    found: dict[str, ast.FunctionDef] = {}
    while building:
        for name in _called(building.pop(0)):
            if name in methods and name not in found and name not in through and _applies(methods[name], program):
                found[name] = methods[name]
                building.append(methods[name])
    hidden = _hidden(found)
    found = {name: node for name, node in found.items() if not set(hidden[name]) & _names(node)}
    applied = {f"self.{name}": _as_function(node, hidden, found) for name, node in found.items()}
    return Members(through, applied, {f"self.{n}": names for n, names in hidden.items()})


def _is_plain(method: ast.FunctionDef) -> bool:
    args = method.args
    first = args.args[0].arg if args.args else ""
    return first == "self" and not (method.decorator_list or args.vararg or args.kwarg or args.kwonlyargs)


def _run(body: list[ast.stmt]) -> Iterator[tuple[str, ast.Call]]:
    """Methods that stand alone as statements, and the calls."""
    for statement in body:
        if isinstance(statement, ast.With):
            yield from _run(statement.body)
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and _own(call.func):
            yield _own(call.func), call


def _hands_on(call: ast.Call, method: ast.FunctionDef) -> bool:
    """Whether a call gives a method all that it takes, under the names that it has for it."""
    names = [a.arg for a in method.args.args[1:]]
    given = [(name, key_of(a)) for name, a in zip(names, call.args, strict=False)]
    given += [(str(k.arg), key_of(k.value)) for k in call.keywords]
    return len(names) == len(call.args) + len(call.keywords) and all(name == key for name, key in given)


def _own(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) and key_of(node) == f"self.{node.attr}" else ""


def _called(method: ast.FunctionDef) -> list[str]:
    return [_own(n.func) for n in ast.walk(method) if isinstance(n, ast.Call) and _own(n.func)]


def _computes(method: ast.FunctionDef, program: Program) -> bool:
    return any(program.api(n).startswith("tf.") for n in ast.walk(method) if isinstance(n, ast.Call))


def _applies(method: ast.FunctionDef, program: Program) -> bool:
    """Whether a method gives tensors that it computes from others; a session or placeholder makes it another thing."""
    apis = {program.api(n) for n in ast.walk(method) if isinstance(n, ast.Call)}
    stores = any(_own(n) for n in ast.walk(method) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store))
    returns = any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(method))
    other = {*tables.SESSIONS, *tables.PLACEHOLDERS}
    return returns and not stores and not apis & other and any(a.startswith("tf.") for a in apis)


def _names(method: ast.FunctionDef) -> set[str]:
    """Parameters of a method and names that it binds."""
    stored = {n.id for n in ast.walk(method) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {a.arg for a in method.args.args}


def _hidden(methods: Mapping[str, ast.FunctionDef]) -> dict[str, tuple[str, ...]]:
    """By method the attributes that it reads, those of methods that it calls among them."""
    read = {
        name: dict.fromkeys(_own(n) for n in ast.walk(node) if isinstance(n, ast.Attribute) and _own(n) not in methods)
        for name, node in methods.items()
    }
    found = {name: {key: None for key in keys if key} for name, keys in read.items()}
    for _ in methods:
        for name, node in methods.items():
            for inner in _called(node):
                found[name] |= found.get(inner, {})
    return {name: tuple(keys) for name, keys in found.items()}


def _as_function(
    method: ast.FunctionDef, hidden: Mapping[str, tuple[str, ...]], methods: Collection[str]
) -> ast.FunctionDef:
    """The method with names in the place of attributes, which calls of other methods hand on."""
    made = copy.deepcopy(method)
    made.args.args = made.args.args[1:]
    made.body = [_Attributes(hidden, methods).visit(s) for s in made.body]
    return ast.fix_missing_locations(made)


class _Attributes(ast.NodeTransformer):
    def __init__(self, hidden: Mapping[str, tuple[str, ...]], methods: Collection[str]) -> None:
        self.hidden, self.methods = hidden, methods

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        name = _own(node)
        if name and name not in self.methods:
            return ast.copy_location(ast.Name(name, ast.Load()), node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        inner = _own(node.func)
        self.generic_visit(node)
        if inner in self.methods:
            node.keywords += [ast.keyword(name, ast.Name(name, ast.Load())) for name in self.hidden[inner]]
        return node
