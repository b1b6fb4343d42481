"""Functions that build part of a graph: each becomes a layer, made where the graph is and applied in its module."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.graph import Piece, PieceRef
from migrator.codemods.graphs.members import Members
from migrator.codemods.graphs.program import NotUnderstood, Program, first_line, key_of, keys_read
from migrator.codemods.graphs.sharing import Sharing
from migrator.codemods.graphs.tables import bound
from migrator.codemods.graphs.variable_names import part


@dataclass(frozen=True)
class Block:
    """A function as a layer: `tensors` are given to its `call`, `given` to its constructor."""

    name: str
    cls: str
    tensors: tuple[str, ...]
    given: tuple[str, ...]
    lines: tuple[str, ...]
    pieces: tuple[PieceRef, ...]
    moded: bool = False
    variables: tuple[str, ...] = ()  # names of its variables, with parameters as in `variable_names`
    parts: tuple[Piece, ...] = ()  # what it is made of
    plain: frozenset[str] = frozenset()  # parameters that must be Python's own numbers


@dataclass
class Functions:
    """The functions of a file that make variables, and methods of the class that is read; `hidden`: attributes that
    such a method reads."""

    program: Program
    taken: Collection[str]
    blocks: dict[str, Block] = field(default_factory=dict)
    sites: dict[str, int] = field(default_factory=dict)  # calls that were read, by function
    hidden: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)  # functions that stay what they are, and why
    owners: dict[str, tuple[Functions, str]] = field(default_factory=dict)  # of functions from other files

    def __post_init__(self) -> None:
        self.outer: frozenset[str] = frozenset()  # parameters of the function that is read
        self.nodes: dict[str, ast.FunctionDef] = {}
        self.find()
        self.sharing: Sharing = Sharing(self.program, self.nodes, self.params, {})

    def find(self) -> bool:
        """Note the functions that make variables, or call others that do; whether there are more than before."""
        tops = [s for s in self.program.tree.body if isinstance(s, ast.FunctionDef) and s.name not in self.refused]
        count = len(self.nodes)
        while True:
            more = [s for s in tops if s.name not in self.nodes and self._builds(s)]
            if not more:
                return len(self.nodes) > count
            self.nodes |= {s.name: s for s in more}

    def lend(self, name: str, owner: Functions, inner: str) -> bool:
        """Note a function of another file, under the name that it has here; whether it was not known."""
        own = {n.id for n in ast.walk(self.program.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        own |= {s.name for s in self.program.tree.body if isinstance(s, ast.FunctionDef | ast.ClassDef)}
        if name in self.nodes or name in own or owner.program.tf != self.program.tf:
            return False
        self.nodes[name], self.owners[name] = owner.nodes[inner], (owner, inner)
        self.sharing.others[name] = owner.sharing, inner
        return True

    def enter(self, found: Members) -> None:
        """The methods of a class that is read now, in the place of those of the class before."""
        for key in [key for key in self.nodes if key.startswith("self.")]:
            del self.nodes[key]
            self.blocks.pop(key, None)
            self.sites.pop(key, None)
        self.nodes |= found.applied
        self.hidden = dict(found.hidden)

    def _builds(self, function: ast.FunctionDef) -> bool:
        calls = [n for n in ast.walk(function) if isinstance(n, ast.Call)]
        apis = {self.program.api(call) for call in calls}
        if apis & {*tables.SESSIONS, *tables.PLACEHOLDERS} or function.decorator_list:
            return False
        return bool(apis & {*tables.VARIABLES, *tables.LAYERS, *tables.RECURRENT, tables.BOTH_WAYS}) or any(
            key_of(c.func) in self.nodes for c in calls
        )

    def params(self, name: str) -> tuple[str, ...]:
        spec = self.nodes[name].args
        if spec.vararg or spec.kwarg or spec.kwonlyargs or spec.posonlyargs:
            raise NotUnderstood(f"arguments of {name} that are not known")
        return tuple(a.arg for a in spec.args)

    def arguments(self, call: ast.Call, name: str) -> dict[str, ast.expr]:
        """The arguments of a call by parameter, those that say what is shared left out."""
        found = bound(call, self.params(name))
        hidden = self.hidden.get(name, ())
        if found is None or found.keys() - {*self.params(name), *hidden}:
            raise NotUnderstood(f"arguments of {name} that are not known")
        for attribute in hidden:
            own = ast.Attribute(ast.Name("self", ast.Load()), attribute, ast.Load())
            found.setdefault(attribute, own)
        owner, inner = self.owners.get(name, (self, name))
        return {n: v for n, v in found.items() if n not in owner.sharing.params(inner) | owner.scopes(inner)}

    def asks(self, call: ast.Call, name: str) -> str:
        """Whether a call makes the variables of a function or finds them made, as `sharing` says it."""
        owner, inner = self.owners.get(name, (self, name))
        kept, owner.sharing.within = owner.sharing.within, self.sharing.within
        found = owner.sharing.wish(call, inner, self._defaults(name))
        owner.sharing.within = kept
        if not found:
            raise NotUnderstood(f"variables of {name} that are shared")
        return found

    def named(self, call: ast.Call, name: str) -> dict[str, str]:
        """What a call gives for the parameters that name scopes and variables."""
        found = {**self._defaults(name), **(bound(call, self.params(name)) or {})}
        return {n: part(v, self.outer) for n, v in found.items() if n in self.scopes(name)}

    def _defaults(self, name: str) -> dict[str, ast.expr]:
        spec = self.nodes[name].args
        return {a.arg: d for a, d in zip(spec.args[len(spec.args) - len(spec.defaults) :], spec.defaults, strict=True)}

    def scopes(self, name: str, before: tuple[str, ...] = ()) -> set[str]:
        """Parameters that only name scopes and variables."""
        if name in self.owners:
            owner, inner = self.owners[name]
            return owner.scopes(inner)
        if name in before:
            raise NotUnderstood(f"{name}, which calls itself")
        node = self.nodes[name]
        names: list[ast.AST] = []
        for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
            api = self.program.api(call)
            if api in tables.SCOPES:
                names += call.args[:1]
            names += [k.value for k in call.keywords if k.arg in ("name", "scope", "name_or_scope")]
            if key_of(call.func) in self.nodes and key_of(call.func) != name:
                handed = bound(call, self.params(key_of(call.func))) or {}
                names += [v for p, v in handed.items() if p in self.scopes(key_of(call.func), (*before, name))]
        named = [key for n in names for key in keys_read(n)]
        every = [key for statement in node.body for key in keys_read(statement)]
        return {p for p in self.params(name) if p in named and every.count(p) == named.count(p)}

    def block(self, name: str, tensors: tuple[str, ...]) -> Block:
        """The layer that a function is where these parameters are tensors."""
        if name in self.owners:
            owner, inner = self.owners[name]
            layer = owner.block(inner, tensors)
            if layer.cls in self.taken:
                raise NotUnderstood(f"no free name for the layer that {name} becomes")
            return layer
        known = self.blocks.get(name)
        if known is None:
            from migrator.codemods.graphs.blocks import read_block

            words = name.removeprefix("self.").split("_")
            cls = "".join(word[:1].upper() + word[1:] for word in words) or name
            if cls in self.taken or cls == name or any(b.cls == cls for b in self.blocks.values()):
                raise NotUnderstood(f"no free name for the layer that {name} becomes")
            gone = self.sharing.params(name) | self.scopes(name) | set(tensors)
            given = tuple(p for p in (*self.hidden.get(name, ()), *self.params(name)) if p not in gone)
            outer = self.outer, self.sharing.within
            self.outer, self.sharing.within = frozenset(self.params(name)), self.sharing.params(name)
            known = read_block(self, self.nodes[name], cls, tensors, given, self._defaults(name))
            self.outer, self.sharing.within = outer
            self.blocks[name] = known
        if set(known.tensors) != set(tensors):
            raise NotUnderstood(f"{name} is given tensors and numbers in turn")
        return known

    def replaced_names(self) -> list[str]:
        """Functions of the file that became layers."""
        return [name for name in self.blocks if not name.startswith("self.")]

    def replaced(self) -> Mapping[int, tuple[str, ...]]:
        """First line of a function → the lines of its layer."""
        own = {name: block for name, block in self.blocks.items() if not name.startswith("self.")}
        return {first_line(self.nodes[name]): block.lines for name, block in own.items()}

    def imported(self) -> dict[str, str]:
        """Functions of other files that became layers, with the names of these."""
        return {n: owner.blocks[inner].cls for n, (owner, inner) in self.owners.items() if inner in owner.blocks}

    def methods(self) -> dict[str, Block]:
        """The layers that methods became of the class that is read, in the order in which they were read."""
        return {name: block for name, block in self.blocks.items() if name.startswith("self.")}
