"""Dictionaries of what is fed that have a name: which one a run is given, and what is in it by then."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from migrator.codemods.graphs.program import NotUnderstood, key_of, keys_read

Block = Sequence[ast.stmt]
_PLAIN = frozenset({"len", "int", "float", "list", "range", "min", "max"})
_PLAIN_METHODS = frozenset({"astype", "reshape", "flatten", "ravel", "copy", "tolist", "transpose"})


@dataclass
class Feeds:
    """The dictionaries of some bodies whose keys are all placeholders; `gone`: statements that make or fill them."""

    bodies: Sequence[Block]
    placeholders: Collection[str]
    names: set[str] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    used: dict[int, ast.Call] = field(default_factory=dict)  # by statement the run that it is for

    def __post_init__(self) -> None:
        for statement in (n for body in self.bodies for s in body for n in ast.walk(s)):
            if isinstance(statement, ast.Assign) and self._is_feed(statement):
                self.names.add(key_of(statement.targets[0]))
                self.gone.add(id(statement))
        for statement in (n for body in self.bodies for s in body for n in ast.walk(s)):
            if isinstance(statement, ast.stmt) and any(self._added(statement, name) for name in self.names):
                self.gone.add(id(statement))

    def _is_feed(self, statement: ast.Assign) -> bool:
        value, name = statement.value, key_of(statement.targets[0])
        if not isinstance(value, ast.Dict) or not value.keys:
            return False
        known = all(k is not None and key_of(k) in self.placeholders for k in value.keys)
        return known and bool(name) and "." not in name

    def _added(self, statement: ast.stmt, name: str) -> dict[str, ast.expr]:
        """What a statement puts into a dictionary: `feed[x] = value`, `feed.update({x: value})`."""
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):
            target = statement.targets[0]
            known = key_of(target.value) == name and key_of(target.slice) in self.placeholders
            return {key_of(target.slice): statement.value} if known and len(statement.targets) == 1 else {}
        call = statement.value if isinstance(statement, ast.Expr) else None
        func = call.func if isinstance(call, ast.Call) else None
        if not isinstance(call, ast.Call) or not isinstance(func, ast.Attribute) or func.attr != "update":
            return {}
        given = call.args[0] if len(call.args) == 1 and not call.keywords else None
        if key_of(func.value) != name or not isinstance(given, ast.Dict):
            return {}
        pairs = {"" if k is None else key_of(k): v for k, v in zip(given.keys, given.values, strict=True)}
        return pairs if pairs.keys() <= set(self.placeholders) else {}

    def of(self, site: ast.Call, name: str) -> dict[str, ast.expr]:
        """What is in the dictionary of a name where a run is given it, by placeholder; raises `NotUnderstood`."""
        found: dict[str, ast.expr] = {}
        passed: list[ast.stmt] = []  # statements between, those of loops around the run whole
        for owner, block, at in self._around(site):
            for number in range(at - 1, -1, -1):
                statement = block[number]
                if isinstance(statement, ast.Assign) and self._is_feed(statement) and name in _bound(statement):
                    made = {key: value for key, value in _pairs(statement).items() if key not in found}
                    _check_steady(made, passed)
                    self._check_once(statement, site)
                    return made | found
                more = self._added(statement, name)
                _check_steady({key: value for key, value in more.items() if key not in found}, passed)
                found = more | found
                passed.append(statement)
                if not more and _fills(statement, name):
                    raise NotUnderstood("dictionaries of what is fed that are put together")
            if isinstance(owner, ast.FunctionDef):
                if name in {a.arg for a in ast.walk(owner.args) if isinstance(a, ast.arg)}:
                    break
                passed += self._after(owner)
            if isinstance(owner, ast.For | ast.While | ast.FunctionDef):
                passed.append(owner)
                if _fills(owner, name):
                    raise NotUnderstood("dictionaries of what is fed that are put together")
        raise NotUnderstood(f"what is fed is not seen: `{name}`")

    def _check_once(self, made: ast.Assign, site: ast.Call) -> None:
        """What the values of a dictionary do is done once."""
        if any(_acts(n) for n in ast.walk(made.value)) and self.used.setdefault(id(made), site) is not site:
            raise NotUnderstood("what is fed is computed once for several runs")

    def _after(self, function: ast.FunctionDef) -> list[ast.stmt]:
        """The statements that follow a function in its block: it may be called there."""
        blocks = (b for body in self.bodies for s in body for n in ast.walk(s) for b in _blocks(n))
        for block in (*self.bodies, *blocks):
            for at, statement in enumerate(block):
                if statement is function:
                    return list(block[at + 1 :])
        return []

    def _around(self, site: ast.Call) -> Iterator[tuple[ast.stmt | None, Block, int]]:
        """The blocks around a run, the innermost first: what they belong to and where the run is in them."""
        for body in self.bodies:
            found = list(_path(None, body, site))
            if found:
                yield from reversed(found)
                return


def _path(owner: ast.stmt | None, block: Block, site: ast.Call) -> Iterator[tuple[ast.stmt | None, Block, int]]:
    for at, statement in enumerate(block):
        if any(n is site for n in ast.walk(statement)):
            yield owner, block, at
            for inner in _blocks(statement):
                yield from _path(statement, inner, site)


def _blocks(node: ast.AST) -> Iterator[Block]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block
    for handler in getattr(node, "handlers", []):
        yield handler.body


def _pairs(made: ast.Assign) -> dict[str, ast.expr]:
    assert isinstance(made.value, ast.Dict)
    pairs = zip(made.value.keys, made.value.values, strict=True)
    return {key_of(key): value for key, value in pairs if key is not None}


def _bound(statement: ast.Assign) -> set[str]:
    return {key_of(target) for target in statement.targets}


def _fills(node: ast.stmt, name: str) -> bool:
    """Whether a statement binds a dictionary anew or puts something into it."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id == name and isinstance(inner.ctx, ast.Store):
            return True
        if isinstance(inner, ast.Subscript) and key_of(inner.value) == name and isinstance(inner.ctx, ast.Store):
            return True
        if isinstance(inner, ast.Attribute) and key_of(inner.value) == name:
            return True
    return False


def _check_steady(made: dict[str, ast.expr], passed: Sequence[ast.stmt]) -> None:
    """What the values read is the same where they are used, and what they do is done in the same order."""
    read = {key for value in made.values() for key in keys_read(value)}
    acts = any(_acts(n) for value in made.values() for n in ast.walk(value))
    for statement in passed:
        inner = list(ast.walk(statement))
        stores = {key_of(n) for n in inner if isinstance(getattr(n, "ctx", None), ast.Store)}
        if read & stores or (acts and any(isinstance(n, ast.Call) for n in inner)):
            raise NotUnderstood("what is fed changes before it is used")


def _acts(node: ast.AST) -> bool:
    """Whether an expression is a call that may do more than give a value of what it is given."""
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    if isinstance(node.func, ast.Attribute) and node.func.attr in _PLAIN_METHODS:
        return False
    return name not in _PLAIN and not (name.startswith(("np.", "numpy.")) and "random" not in name)
