"""Functions that build part of a graph: each becomes a layer, made where the graph is and applied in its module."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.graph import PieceRef
from migrator.codemods.graphs.program import NotUnderstood, Program, first_line, key_of, keys_read
from migrator.codemods.graphs.tables import bound, text


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


@dataclass
class Functions:
    """The functions of a file that make variables. `read` gives the text of one (it is told which are tensors)."""

    program: Program
    taken: Collection[str]
    blocks: dict[str, Block] = field(default_factory=dict)
    sites: dict[str, int] = field(default_factory=dict)  # calls that were read, by function

    def __post_init__(self) -> None:
        tops = [s for s in self.program.tree.body if isinstance(s, ast.FunctionDef)]
        self.nodes: dict[str, ast.FunctionDef] = {}
        while True:
            more = [s for s in tops if s.name not in self.nodes and self._builds(s)]
            if not more:
                break
            self.nodes |= {s.name: s for s in more}

    def _builds(self, function: ast.FunctionDef) -> bool:
        calls = [n for n in ast.walk(function) if isinstance(n, ast.Call)]
        apis = {self.program.api(call) for call in calls}
        if apis & {*tables.SESSIONS, *tables.PLACEHOLDERS} or function.decorator_list:
            return False
        return bool(apis & {*tables.VARIABLES, *tables.LAYERS}) or any(key_of(c.func) in self.nodes for c in calls)

    def params(self, name: str) -> tuple[str, ...]:
        spec = self.nodes[name].args
        if spec.vararg or spec.kwarg or spec.kwonlyargs or spec.posonlyargs:
            raise NotUnderstood(f"arguments of {name} that are not known")
        return tuple(a.arg for a in spec.args)

    def arguments(self, call: ast.Call, name: str) -> dict[str, ast.expr]:
        """The arguments of a call by parameter, those that say what is shared left out."""
        found = bound(call, self.params(name))
        if found is None or found.keys() - set(self.params(name)):
            raise NotUnderstood(f"arguments of {name} that are not known")
        sharing = self._read_in(name, "reuse")
        shared = [p for p in found if p in sharing and text(found[p]) not in ("False", "None")]
        defaults = self._defaults(name)
        if shared or any(text(defaults[p]) not in ("False", "None") for p in sharing if p in defaults):
            raise NotUnderstood(f"variables of {name} that are shared")
        return {n: v for n, v in found.items() if n not in sharing | self.scopes(name)}

    def scope(self, call: ast.Call, name: str) -> str:
        """What a call names the scope of its variables; "" where it is not plain."""
        found = {**self._defaults(name), **(bound(call, self.params(name)) or {})}
        names = [v.value for n, v in found.items() if n in self.scopes(name) and isinstance(v, ast.Constant)]
        return next((n for n in names if isinstance(n, str) and n.isidentifier()), "")

    def _defaults(self, name: str) -> dict[str, ast.expr]:
        spec = self.nodes[name].args
        return {a.arg: d for a, d in zip(spec.args[len(spec.args) - len(spec.defaults) :], spec.defaults, strict=True)}

    def _read_in(self, name: str, keyword: str) -> set[str]:
        """Parameters that are read in one argument of scopes."""
        calls = [
            n for n in ast.walk(self.nodes[name]) if isinstance(n, ast.Call) and self.program.api(n) in tables.SCOPES
        ]
        return {key for c in calls for k in c.keywords if k.arg == keyword for key in keys_read(k.value)}

    def scopes(self, name: str) -> set[str]:
        """Parameters that only name scopes and variables."""
        node = self.nodes[name]
        names: list[ast.AST] = []
        for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
            api = self.program.api(call)
            if api in tables.SCOPES:
                names += call.args[:1]
            names += [k.value for k in call.keywords if k.arg in ("name", "scope", "name_or_scope")]
            if key_of(call.func) in self.nodes and key_of(call.func) != name:
                inner = bound(call, self.params(key_of(call.func))) or {}
                names += [v for p, v in inner.items() if p in self.scopes(key_of(call.func))]
        named = [key for n in names for key in keys_read(n)]
        every = [key for statement in node.body for key in keys_read(statement)]
        return {p for p in self.params(name) if p in named and every.count(p) == named.count(p)}

    def block(self, name: str, tensors: tuple[str, ...]) -> Block:
        """The layer that a function is where these parameters are tensors."""
        known = self.blocks.get(name)
        if known is None:
            from migrator.codemods.graphs.blocks import read_block

            cls = "".join(part.capitalize() for part in name.split("_")) or name
            if cls in self.taken or cls == name:
                raise NotUnderstood(f"no free name for the layer that {name} becomes")
            sharing = self._read_in(name, "reuse") | self.scopes(name)
            given = tuple(p for p in self.params(name) if p not in sharing and p not in tensors)
            known = self.blocks[name] = read_block(self, self.nodes[name], cls, tensors, given, self._defaults(name))
        if set(known.tensors) != set(tensors):
            raise NotUnderstood(f"{name} is given tensors and numbers in turn")
        return known

    def unread(self) -> list[str]:
        """Functions that became layers although something else uses them as well."""
        names = [n.id for n in ast.walk(self.program.tree) if isinstance(n, ast.Name)]
        return [name for name in self.blocks if names.count(name) != self.sites.get(name, 0)]

    def replaced(self) -> Mapping[int, tuple[str, ...]]:
        """First line of a function → the lines of its layer."""
        return {first_line(self.nodes[name]): block.lines for name, block in self.blocks.items()}
