"""Cutting a file into units: the smallest things that are accepted or rejected alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import libcst as cst
import libcst.matchers as m

from migrator.codemods.nodes import find
from migrator.codemods.tf_imports import IsModule, binds_only
from migrator.model import Unit, UnitKind
from migrator.syntax import walk
from migrator.values import ModuleFacts, ModuleRef, Span, Tensor

MAIN = "__main__"


@dataclass(frozen=True)
class Segment:
    """A unit with its statements in the CST."""

    unit: Unit
    statements: tuple[cst.BaseStatement, ...]


def segment(
    path: str,
    tree: cst.Module,
    spans: Mapping[cst.CSTNode, Span],
    here: ModuleFacts,
    cuts: frozenset[int] = frozenset(),
) -> tuple[Segment, ...]:
    """The units of a file, in order; together they hold every top-level statement once.

    `cuts`: lines at which a unit begins in any case.
    """
    uses = sorted(here.uses(), key=lambda use: use[1])

    def is_module(value: cst.BaseExpression) -> bool:
        known = here.at(spans[value]) if value in spans else None
        return isinstance(known, ModuleRef) and known.name.partition(".")[0] == "tf"

    def is_symbolic(value: cst.CSTNode) -> bool:
        known = here.at(spans[value]) if value in spans else None
        return isinstance(known, Tensor) and known.origin == "keras"

    return tuple(
        _segment(path, kind, tuple(run), spans, uses)
        for part in _cut(tree.body, spans, cuts)
        for kind, run in _runs(part, is_module, is_symbolic)  # one run, one unit
    )


def _cut(
    body: Sequence[cst.BaseStatement], spans: Mapping[cst.CSTNode, Span], cuts: frozenset[int]
) -> Iterator[list[cst.BaseStatement]]:
    """The statements between the cuts."""
    for _, part in groupby(body, key=lambda statement: sum(line <= spans[statement].line for line in cuts)):
        yield list(part)


def _runs(
    body: Sequence[cst.BaseStatement], is_module: IsModule, is_symbolic: Callable[[cst.CSTNode], bool]
) -> Iterator[tuple[UnitKind, list[cst.BaseStatement]]]:
    for kind, run in groupby(body, key=lambda statement: _kind(statement, is_module, is_symbolic)):
        statements = list(run)
        if kind in (UnitKind.FUNCTION, UnitKind.CLASS) or (kind is UnitKind.SCRIPT and _is_main(statements[0])):
            yield from ((kind, [statement]) for statement in statements)
        else:
            yield kind, statements


def _kind(statement: cst.BaseStatement, is_module: IsModule, is_symbolic: Callable[[cst.CSTNode], bool]) -> UnitKind:
    if isinstance(statement, cst.FunctionDef):
        return UnitKind.FUNCTION
    if isinstance(statement, cst.ClassDef):
        return UnitKind.CLASS
    if binds_only(statement, is_module):
        return UnitKind.IMPORTS
    if isinstance(statement, cst.SimpleStatementLine) and all(_is_constant(part) for part in statement.body):
        graph = any(isinstance(part, cst.Assign) and is_symbolic(part.value) for part in statement.body)
        return UnitKind.SCRIPT if graph else UnitKind.CONSTANT
    return UnitKind.SCRIPT


def _is_constant(part: cst.BaseSmallStatement) -> bool:
    """A docstring, `pass`, or an assignment to plain names of something without a call that does work."""
    if isinstance(part, cst.Expr):
        return isinstance(part.value, cst.SimpleString | cst.ConcatenatedString)
    if isinstance(part, cst.Pass):
        return True
    targets: list[cst.BaseExpression] = []
    value: cst.BaseExpression | None = None
    if isinstance(part, cst.Assign):
        targets, value = [target.target for target in part.targets], part.value
    elif isinstance(part, cst.AnnAssign):
        targets, value = [part.target], part.value
    names = bool(targets) and all(isinstance(target, cst.Name) for target in targets)
    return names and (value is None or not find(value, m.Call() | m.Await() | m.Yield()))


def _is_main(statement: cst.BaseStatement) -> bool:
    return isinstance(statement, cst.If) and m.matches(
        statement.test,
        m.Comparison(left=m.Name("__name__"), comparisons=[m.ComparisonTarget(operator=m.Equal())]),
    )


def _segment(
    path: str,
    kind: UnitKind,
    statements: tuple[cst.BaseStatement, ...],
    spans: Mapping[cst.CSTNode, Span],
    uses: Sequence[tuple[str, Span]],
) -> Segment:
    start, end = spans[statements[0]].line, spans[statements[-1]].end_line
    inside = tuple(use for use in uses if start <= use[1].line <= end)
    name = _name(kind, statements, start)
    return Segment(Unit(f"{path}::{name}", path, name, kind, start, end, inside), statements)


def apart(seg: Segment, marks: Sequence[bool], spans: Mapping[cst.CSTNode, Span]) -> tuple[Segment, ...]:
    """The unit cut where the marks of its statements change."""
    runs = (tuple(s for s, _ in run) for _, run in groupby(zip(seg.statements, marks, strict=True), lambda m: m[1]))
    return tuple(_segment(seg.unit.path, seg.unit.kind, run, spans, seg.unit.uses) for run in runs)


def _name(kind: UnitKind, statements: tuple[cst.BaseStatement, ...], start: int) -> str:
    first = statements[0]
    if isinstance(first, cst.FunctionDef | cst.ClassDef):
        return first.name.value
    if kind is UnitKind.IMPORTS:
        return f"imports@{start}"
    if _is_main(first):
        return MAIN
    names = [name for statement in statements for name in bound_names(statement)]
    return f"{names[0]}@{start}" if names else f"lines@{start}"


def bound_names(statement: cst.CSTNode) -> list[str]:
    """Names that a top-level statement binds in the module, in order."""
    if isinstance(statement, cst.FunctionDef | cst.ClassDef):
        return [statement.name.value]
    binder = _Binder()
    walk(statement, binder)
    return binder.names


class _Binder(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self.names.append(node.name.value)
        return False

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        self.names.append(node.name.value)
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False

    def visit_CompFor(self, node: cst.CompFor) -> bool:
        return False

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._targets(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._targets(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._targets(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._targets(node.target)

    def visit_AsName(self, node: cst.AsName) -> None:
        self._targets(node.name)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._targets(node.target)

    def visit_ImportAlias(self, node: cst.ImportAlias) -> None:
        if node.asname is None:
            self.names.append(cst.helpers.get_full_name_for_node_or_raise(node.name).split(".")[0])

    def _targets(self, target: cst.CSTNode) -> None:
        if isinstance(target, cst.Name):
            if target.value not in self.names:
                self.names.append(target.value)
        elif isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self._targets(element.value)
        elif isinstance(target, cst.StarredElement):
            self._targets(target.value)


def used_names(nodes: Sequence[cst.CSTNode]) -> frozenset[str]:
    """Every plain name that is read somewhere below the nodes (scopes are not told apart)."""
    return frozenset(name.value for node in nodes for name in find(node, m.Name()) if isinstance(name, cst.Name))
