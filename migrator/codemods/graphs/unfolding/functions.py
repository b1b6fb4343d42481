"""Functions that a graph calls and that do more than give tensors: those that are written out where they are called."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.program import Program, key_of
from migrator.codemods.graphs.summaries import is_summary
from migrator.codemods.graphs.tables import bound

_STEPS = frozenset({"minimize", "apply_gradients", "compute_gradients"})
_ASKS = frozenset({"run", "eval"})
_LONG = 3
"""A function of more statements is written out once only."""


@dataclass(frozen=True)
class Helper:
    """`key`: `name`, or `self.name` of a method. `maker`: it gives one variable."""

    key: str
    node: ast.FunctionDef
    maker: bool

    @property
    def params(self) -> tuple[str, ...]:
        names = tuple(a.arg for a in self.node.args.args)
        return names[1:] if self.key.startswith("self.") else names

    @property
    def body(self) -> list[ast.stmt]:
        return self.node.body[1:] if ast.get_docstring(self.node) is not None else self.node.body

    def arguments(self, call: ast.Call) -> dict[str, ast.expr] | None:
        """The arguments of a call by parameter, defaults among them; None where they are not known."""
        given = bound(call, self.params)
        spec = self.node.args
        names = [a.arg for a in spec.args[len(spec.args) - len(spec.defaults) :]]
        found = {**dict(zip(names, spec.defaults, strict=True)), **(given or {})}
        return None if given is None or found.keys() != set(self.params) else found


def helpers(program: Program) -> dict[str, Helper]:
    """The functions of a file, and methods of its classes, that are written out where a graph calls them."""
    known = {key: node for key, node in _plain(program.tree) if _is_straight(node)}
    makers = {key for key, node in known.items() if _makes(node, program)}
    graph = _graph_names(program, makers)
    calls = Counter(key_of(n.func) for n in ast.walk(program.tree) if isinstance(n, ast.Call))
    found = {}
    for key, node in known.items():
        long = len(list(_statements(node))) > _LONG
        wanted = key in makers or _more_than_tensors(node, program, graph, "self." in key)
        if wanted and (not long or calls[key] == 1):
            found[key] = Helper(key, node, key in makers)
    return found


def _plain(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            yield statement.name, statement
        for inner in statement.body if isinstance(statement, ast.ClassDef) else ():
            if isinstance(inner, ast.FunctionDef) and inner.args.args and inner.args.args[0].arg == "self":
                yield f"self.{inner.name}", inner


def _statements(node: ast.FunctionDef | ast.With) -> Iterator[ast.stmt]:
    for statement in node.body:
        if isinstance(statement, ast.With):
            yield from _statements(statement)
        else:
            yield statement


def _is_straight(node: ast.FunctionDef) -> bool:
    """Whether a function is a row of statements that ends in the only `return`, if there is one."""
    args = node.args
    if node.decorator_list or args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs:
        return False
    inner = [n for statement in node.body for n in ast.walk(statement)]
    odd = ast.Yield | ast.Global | ast.Nonlocal | ast.Lambda | ast.FunctionDef | ast.ClassDef | ast.JoinedStr | ast.Try
    if any(isinstance(n, odd) for n in inner) or node.name.startswith("__"):
        return False
    returns = [n for n in inner if isinstance(n, ast.Return)]
    return not returns or (len(returns) == 1 and _last(node.body) is returns[0])


def _last(body: list[ast.stmt]) -> ast.stmt:
    return _last(body[-1].body) if isinstance(body[-1], ast.With) else body[-1]


def _apis(node: ast.AST, program: Program) -> set[str]:
    return {program.api(n) for n in ast.walk(node) if isinstance(n, ast.Call)}


def _makes(node: ast.FunctionDef, program: Program) -> bool:
    """Whether a function gives one variable, which one expression makes."""
    value = as_expression(node, {a.arg: ast.Name(a.arg, ast.Load()) for a in node.args.args})
    return isinstance(value, ast.Call) and program.api(value) in tables.VARIABLES


def _graph_names(program: Program, makers: Collection[str]) -> set[str]:
    """Names at top level that hold placeholders and variables, alone or in dictionaries."""
    found: set[str] = set()
    for statement in program.tree.body:
        if isinstance(statement, ast.Assign):
            calls = [n for n in ast.walk(statement.value) if isinstance(n, ast.Call)]
            own = {*tables.VARIABLES, *tables.PLACEHOLDERS}
            if any(program.api(c) in own or key_of(c.func) in makers for c in calls):
                found |= {key_of(target) for target in statement.targets}
    return found - {""}


def _more_than_tensors(node: ast.FunctionDef, program: Program, graph: Collection[str], method: bool) -> bool:
    """Whether a function makes steps or placeholders, keeps variables in a dictionary, or reads them from outside."""
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    attributes = {n.func.attr for n in calls if isinstance(n.func, ast.Attribute)}
    apis = _apis(node, program)
    if attributes & _ASKS or apis & tables.SESSIONS:
        return False
    returned = _last(node.body)
    if method and (not isinstance(returned, ast.Return) or returned.value is None):
        return False  # read in its place, as it is
    keyed = any(isinstance(n, ast.Subscript) and _is_key(n.slice) for n in ast.walk(node))
    if keyed and (apis & {*tables.VARIABLES} or {a.arg for a in node.args.args} & _subscripted(node)):
        return True
    if any(is_summary(api) for api in apis) and not method:
        return True
    makes = bool(attributes & _STEPS or apis & {*tables.PLACEHOLDERS, *tables.OPTIMIZERS})
    return makes or bool(outside_names(node) & set(graph))


def _is_key(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _subscripted(node: ast.FunctionDef) -> set[str]:
    found = (n for n in ast.walk(node) if isinstance(n, ast.Subscript) and _is_key(n.slice))
    return {key_of(n.value) for n in found}


def outside_names(node: ast.FunctionDef) -> set[str]:
    """Names that a function reads and does not bind."""
    names = [n for statement in node.body for n in ast.walk(statement) if isinstance(n, ast.Name)]
    bound_ = {n.id for n in names if isinstance(n.ctx, ast.Store)} | {a.arg for a in node.args.args}
    return {n.id for n in names} - bound_


def as_expression(node: ast.FunctionDef, given: Mapping[str, ast.expr]) -> ast.expr | None:
    """What a function returns as one expression of its arguments; None where it is more than that."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if any(isinstance(n, ast.comprehension) for statement in body for n in ast.walk(statement)):
        return None
    env = dict(given)
    uses = Counter(n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))
    for statement in body[:-1]:
        target = key_of(statement.targets[0]) if isinstance(statement, ast.Assign) else ""
        if not isinstance(statement, ast.Assign) or len(statement.targets) > 1 or not target.isidentifier():
            return None
        if target in env or uses[target] > 1:
            return None
        env[target] = _put(statement.value, env)
    simple = ast.Name | ast.Constant | ast.Attribute
    if any(uses[name] > 1 and not isinstance(value, simple) for name, value in given.items()):
        return None
    last = body[-1] if body else None
    return _put(last.value, env) if isinstance(last, ast.Return) and last.value is not None else None


def _put(node: ast.expr, env: Mapping[str, ast.expr]) -> ast.expr:
    found = _Put(env).visit(copy.deepcopy(node))
    assert isinstance(found, ast.expr)
    return found


class _Put(ast.NodeTransformer):
    def __init__(self, env: Mapping[str, ast.expr]) -> None:
        self.env = env

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self.env.get(node.id, node)) if isinstance(node.ctx, ast.Load) else node
