"""Functions that are called again for the variables that they made: `reuse=True`, `reuse_variables()`, `AUTO_REUSE`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.program import NotUnderstood, Program, key_of, keys_read
from migrator.codemods.graphs.tables import bound, text

NEW, AGAIN, EITHER = "new", "again", "either"
"""A call makes its variables, finds them made, or does what is left to do."""

_AUTO = "tf.AUTO_REUSE"


def reuses(statement: ast.stmt, program: Program) -> bool:
    """Whether a statement says that the scope around it shares its variables from here on."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    func = call.func if isinstance(call, ast.Call) else None
    if not isinstance(func, ast.Attribute) or func.attr != "reuse_variables":
        return False
    return isinstance(func.value, ast.Name) or program.api(func.value) == "tf.get_variable_scope"


def reuses_if(statement: ast.stmt, program: Program) -> str:
    """The name on which a statement shares the variables of the scope around it; "" for other statements."""
    if not isinstance(statement, ast.If) or statement.orelse or len(statement.body) != 1:
        return ""
    test = statement.test
    named = isinstance(test, ast.Name) and reuses(statement.body[0], program)
    return test.id if named and isinstance(test, ast.Name) else ""


def wish(node: ast.expr | None, program: Program) -> str:
    """What a value of `reuse` asks for; "" where it is not seen."""
    if node is None or text(node) in ("None", "False"):
        return NEW
    if text(node) == "True":
        return AGAIN
    return EITHER if program.api(node) == _AUTO else ""


class Sharing:
    """Which parameters of functions only say whether variables are shared. `nodes`: the functions by key."""

    def __init__(
        self,
        program: Program,
        nodes: Mapping[str, ast.FunctionDef],
        params: Callable[[str], tuple[str, ...]],
        others: dict[str, tuple[Sharing, str]],
    ) -> None:
        self.open: list[str] = []
        self.others = others  # what is known of functions from other files
        self.program, self.nodes, self._params = program, nodes, params
        self.within: frozenset[str] = frozenset()  # such parameters of the function that is read

    def params(self, name: str) -> frozenset[str]:
        """The parameters of a function that say so, and nothing else."""
        if name in self.others:
            other, inner = self.others[name]
            return other.params(inner)
        if name in self.open:
            raise NotUnderstood(f"{name}, which calls itself")
        self.open.append(name)
        try:
            return self._found(name)
        finally:
            self.open.pop()

    def _found(self, name: str) -> frozenset[str]:
        node = self.nodes[name]
        named = [key for value in self._values(name) for key in keys_read(value)]
        named += [found for n in ast.walk(node) if isinstance(n, ast.stmt) and (found := reuses_if(n, self.program))]
        every = [key for statement in node.body for key in keys_read(statement)]
        return frozenset(p for p in self._params(name) if p in named and every.count(p) == named.count(p))

    def _values(self, name: str) -> Iterator[ast.expr]:
        """What a function gives for `reuse`."""
        for call in self._calls(self.nodes[name]):
            inner = key_of(call.func)
            if inner in self.nodes and inner != name:
                found = bound(call, self._params(inner)) or {}
                yield from (value for p, value in found.items() if p in self.params(inner))
            elif self.program.api(call) in {*tables.SCOPES, *tables.LAYERS}:
                yield from (k.value for k in call.keywords if k.arg == "reuse")

    def _calls(self, node: ast.AST) -> Iterator[ast.Call]:
        return (n for n in ast.walk(node) if isinstance(n, ast.Call))

    def wish(self, call: ast.Call, name: str, defaults: Mapping[str, ast.expr]) -> str:
        """What a call of a function asks for; "" where it is not seen."""
        given = bound(call, self._params(name)) or {}
        values = [given.get(p, defaults.get(p)) for p in self.params(name)]
        asked = {wish(v, self.program) for v in values if v is None or key_of(v) not in self.within}
        asked |= {own for block in self._outer(name) if (own := self._own(block, name)) != NEW}
        asked -= {NEW} if len(asked) > 1 else set()
        found = asked.pop() if len(asked) == 1 else NEW if not asked else ""
        return found if found == NEW or self._covers(name) else ""

    def _own(self, block: ast.With, name: str) -> str:
        """What a scope of the function asks for in every call."""
        value = _given(block, "reuse")
        if value is not None and set(keys_read(value)) & self.params(name):
            return NEW
        if any(reuses(s, self.program) for s in block.body):
            return AGAIN
        return wish(value, self.program)

    def _outer(self, name: str) -> list[ast.With]:
        """The outermost scopes of a function."""
        return [s for s in self.nodes[name].body if isinstance(s, ast.With) and self._is_scope(s)]

    def _is_scope(self, block: ast.With) -> bool:
        return len(block.items) == 1 and self.program.api(block.items[0].context_expr) == "tf.variable_scope"

    def has_scope(self, name: str) -> bool:
        """Whether all variables of a function are in scopes that it enters itself."""
        if name in self.others:
            other, inner = self.others[name]
            return other.has_scope(inner)
        outer = self._outer(name)
        rest: Sequence[ast.stmt] = [s for s in self.nodes[name].body if s not in outer]
        return bool(outer) and not any(self._makes(n) for s in rest for n in self._calls(s))

    def _makes(self, call: ast.Call) -> bool:
        return self.program.api(call) in {*tables.VARIABLES, *tables.LAYERS} or key_of(call.func) in self.nodes

    def _covers(self, name: str) -> bool:
        """Whether all variables of a function are shared together."""
        controlled = [self._controls(block, name) for block in self._outer(name)]
        return self.has_scope(name) and all(controlled)

    def _controls(self, block: ast.With, name: str) -> bool:
        if any(reuses(s, self.program) or reuses_if(s, self.program) in self.params(name) for s in block.body):
            return True
        value = _given(block, "reuse")
        return value is not None and (key_of(value) in self.params(name) or wish(value, self.program) != NEW)


def _given(block: ast.With, keyword: str) -> ast.expr | None:
    call = block.items[0].context_expr
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return next((k.value for k in keywords if k.arg == keyword), None)
