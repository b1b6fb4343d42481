"""Scopes of a file: where a statement stands and which names it may take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

from migrator.codemods.nodes import find, variables
from migrator.syntax import walk

Holder = cst.FunctionDef | cst.Module


def conditional(tree: cst.Module) -> frozenset[cst.CSTNode]:
    """Calls that stand in a branch, a loop or a `try` of their function."""
    finder = _Branches()
    walk(tree, finder)
    return frozenset(finder.found)


class _Branches(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[cst.CSTNode] = set()
        self._depths = [0]

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            self._depths.append(0)
        elif isinstance(node, _BRANCHES):
            self._depths[-1] += 1
        elif isinstance(node, cst.Call) and self._depths[-1]:
            self.found.add(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef):
            self._depths.pop()
        elif isinstance(original_node, _BRANCHES):
            self._depths[-1] -= 1


_BRANCHES = cst.If | cst.For | cst.While | cst.Try


def enclosing(tree: cst.Module) -> Mapping[cst.CSTNode, Holder]:
    """For every call and statement line of a file: the function it runs in, or the module."""
    finder = _Finder(tree)
    walk(tree, finder)
    return finder.found


class _Finder(cst.CSTVisitor):
    def __init__(self, tree: cst.Module) -> None:
        super().__init__()
        self.found: dict[cst.CSTNode, Holder] = {}
        self._stack: list[Holder] = [tree]

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.found[node] = self._stack[-1]
        self._stack.append(node)

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self._stack.pop()

    def visit_Call(self, node: cst.Call) -> None:
        self.found[node] = self._stack[-1]

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        self.found[node] = self._stack[-1]


def names_in(node: cst.CSTNode) -> set[str]:
    """Every variable that occurs below a node."""
    return set(variables(node))


def names_taken(node: cst.CSTNode) -> set[str]:
    """Variables of a scope; parameters of lambdas are names of their own."""
    there = list(variables(node))
    for each in find(node, m.Lambda()):
        assert isinstance(each, cst.Lambda)
        own = {p.name.value for p in each.params.params}
        for name in variables(each):
            if name in own:
                there.remove(name)
    return set(there)


def count(node: cst.CSTNode, name: str) -> int:
    """How often a variable occurs below a node."""
    return variables(node).count(name)


def bound_at_top(tree: cst.Module) -> Iterator[str]:
    """Names that definitions, assignments and imports of the top level bind."""
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            yield statement.name.value
        for node in find(statement, m.AssignTarget(target=m.Name())) if _is_line(statement) else ():
            if isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Name):
                yield node.target.value
        for alias in find(statement, m.ImportAlias()) if _is_line(statement) else ():
            if isinstance(alias, cst.ImportAlias):
                yield alias.evaluated_alias or alias.evaluated_name.split(".")[0]


def _is_line(statement: cst.BaseStatement) -> bool:
    return isinstance(statement, cst.SimpleStatementLine)


@dataclass
class Names:
    """Names taken in a scope; `fresh` hands out others, the same for the same wish twice over."""

    taken: set[str] = field(default_factory=set)
    ours: dict[str, str] = field(default_factory=dict)

    def again(self, *wishes: str) -> str:
        """A name that one loop after another may bind: the same each time."""
        if wishes[0] not in self.ours:
            self.ours[wishes[0]] = self.fresh(*wishes)
        return self.ours[wishes[0]]

    def fresh(self, *wishes: str) -> str:
        name = next(self._free(wishes))
        self.taken.add(name)
        return name

    def _free(self, wishes: tuple[str, ...]) -> Iterator[str]:
        yield from (wish for wish in wishes if wish not in self.taken)
        number = 2
        while True:
            if f"{wishes[0]}_{number}" not in self.taken:
                yield f"{wishes[0]}_{number}"
            number += 1


def parameter_default(holder: Holder, name: str) -> cst.BaseExpression | None:
    """The default of a parameter of a function, if it is one and has one."""
    if isinstance(holder, cst.Module):
        return None
    parameters = (*holder.params.params, *holder.params.kwonly_params, *holder.params.posonly_params)
    return next((p.default for p in parameters if p.name.value == name), None)


def may_be_none(node: cst.BaseExpression, holder: Holder) -> bool:
    """Whether an expression is a parameter that defaults to None."""
    if not isinstance(node, cst.Name):
        return False
    default = parameter_default(holder, node.value)
    return isinstance(default, cst.Name) and default.value == "None"
